"""Read a journal and fold it: the state of a session at any of its records."""

from __future__ import annotations

from collections.abc import Iterator

from kedro_journal.active import innermost
from kedro_journal.events import Cursor, Record
from kedro_journal.journal import (
    Verification,
    follow_file,
    is_held,
    read,
)
from kedro_journal.journal import verify as verify_file
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.state import SessionState, StateBuilder

from .folder import liveness_of, replay_folder
from .locate import (
    PathLike,
    handed_down,
    newest_unclosed,
    of_ancestor,
    open_directory,
)
from .select import Chosen, select

__all__ = [
    "current",
    "follow",
    "records",
    "replay",
    "verify",
]

NO_SESSION = "There is no active Kedro session."


def replay(
    session_id: str = "latest",
    *,
    until_seq: int | None = None,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    salvage: bool = False,
) -> SessionState:
    """Rebuild the state of a session from its journal.

    Runs nothing and writes nothing. The state's `liveness` says whether the session's
    process lives; with *until_seq* it is None, for the past has none.

    Args:
        session_id: An id, a unique beginning or end of one, `latest`, `last-failed`,
            `last-good`, `@-1` for the session before the latest, a local time, or a
            path. `latest` passes over sessions that ran nothing.
        until_seq: The last record to fold, >= 0; None for all.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.
        salvage: Read past damage; what was found is not in the state, see `verify`.

    Raises:
        JournalNotFound: There is no such session.
        AmbiguousSessionId: The beginning fits several.
        InvalidSessionId: It cannot be an id.
        CorruptJournal: Records are damaged or missing, and *salvage* is off.
        ValueError: *until_seq* is negative.
    """
    folder = _select(session_id, project_path, directory).folder
    return replay_folder(folder, until_seq=until_seq, salvage=salvage)


def records(
    session_id: str = "latest",
    *,
    start: Cursor | None = None,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    salvage: bool = False,
) -> Iterator[Record]:
    """Yield the records of a session, in order.

    Args:
        session_id: As for `replay`.
        start: A record's `cursor` to go on after; None for the first record.
        project_path, directory, salvage: As for `replay`.

    Raises:
        JournalError: As for `replay`.
    """
    path = _select(session_id, project_path, directory).file
    return read(path, start=start, mode="salvage" if salvage else "strict")


def follow(
    session_id: str = "latest",
    *,
    start: Cursor | None = None,
    poll_interval_s: float = 0.05,
    until_crash: bool = True,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Iterator[Record]:
    """Yield the records of a session as they are appended, until it is closed.

    Args:
        session_id: As for `replay`.
        start: A record's `cursor` to go on after; None for the first record.
        poll_interval_s: Longest time between two looks where the system does not tell
            of changes, in seconds, > 0.
        until_crash: End as well when the session's process is gone.
        project_path, directory: As for `replay`.

    Raises:
        JournalNotFound, AmbiguousSessionId, InvalidSessionId: As for `replay`.
        CorruptJournal: Records are damaged; those before were yielded.
        JournalUnwritable: The journal was deleted or cut meanwhile.
    """
    folder = _select(session_id, project_path, directory).folder

    begun: list[SessionState] = []  # asked at every look, so read once

    def gone() -> bool:
        if not until_crash:
            return False
        if not begun:
            state = StateBuilder()
            for record in read(folder / JOURNAL_NAME, mode="salvage"):
                state.add(record)
                if record.seq >= 2:
                    begun.append(state.state())
                    break
        if not begun:  # no header says which host: the lock here is all there is
            return is_held(folder / OWNER_LOCK_NAME) is not True
        return liveness_of(begun[0], folder) == "crashed"

    return follow_file(
        folder / JOURNAL_NAME,
        start=start,
        poll_interval_s=poll_interval_s,
        stop=gone,
    )


def verify(
    session_id: str = "latest",
    *,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Verification:
    """Check every record of a session's journal. Writes nothing.

    Raises:
        JournalNotFound, AmbiguousSessionId, InvalidSessionId: As for `replay`.
    """
    return verify_file(_select(session_id, project_path, directory).file)


def _select(
    session_id: str, project_path: PathLike | None, directory: PathLike | None
) -> Chosen:
    return select(open_directory(project_path, directory), session_id)


def current(
    *,
    recover: bool = False,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> SessionState:
    """Return the state of the current session, without Kedro.

    It is the session that `get_current_session()` returns: that of this node or
    process; else the one that a parent process handed down, if it is not closed.

    Args:
        recover: Fall back to the project's newest session that was activated and not
            closed, whether its process lives or crashed.
        project_path, directory: As for `replay`.

    Raises:
        RuntimeError: "There is no active Kedro session."
    """
    active = innermost()
    if active is not None:
        folder = active.journal_folder
        return active.state if folder is None else replay_folder(folder)
    where = open_directory(project_path, directory)
    folder = handed_down()
    if folder is None:
        session_id = of_ancestor(where)
        folder = where.folder(session_id) if session_id is not None else None
    if folder is not None:
        state = replay_folder(folder)
        if state.status != "closed":
            return state
    session_id = newest_unclosed(where) if recover else None
    if session_id is None:
        raise RuntimeError(NO_SESSION)
    return replay_folder(where.folder(session_id))
