"""The sessions that a session goes on from."""

from __future__ import annotations

from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying import replay_folder
from kedro_journal.state import SessionState

__all__ = ["ancestors"]


def ancestors(
    where: JournalDirectory, state: SessionState, *, repeated: bool = False
) -> list[SessionState]:
    """Replay the sessions that one goes on from, oldest first, if they are there.

    Args:
        where: The journal directory.
        state: The session.
        repeated: Also those that it, or one of them, does again or belongs under.
    """
    found: list[SessionState] = []
    seen = {state.session_id}
    while True:
        resumed = state.resumed
        parent = resumed.parent_session_id if resumed is not None else None
        if repeated:
            parent = parent or state.parent_session_id
        if parent is None or parent in seen:
            return found
        try:
            state = replay_folder(where.folder(parent), salvage=True)
        except (JournalError, OSError):
            return found  # deleted, or somewhere else
        seen.add(parent)
        found.insert(0, state)
