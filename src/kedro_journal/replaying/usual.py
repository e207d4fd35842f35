"""How long a run and its nodes usually take, from the journals on disk."""

from __future__ import annotations

from typing import Final

from kedro_journal.analysis.durations import Usual, usual_nodes, usual_run
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import RunState, SessionState

from .inquiry import EarlierSessions

__all__ = ["LOOK_S", "usual_time", "usual_times"]

LOOK_S: Final = 0.5
"""Seconds that the earlier sessions may be read for, unless another limit is given."""
_LOOK_BACK: Final = 20


def usual_time(
    where: JournalDirectory, state: SessionState, *, seconds: float = LOOK_S
) -> Usual | None:
    """Return how long the last run of a session usually takes.

    The 20 sessions before it are read, and no more of them than are needed.

    Args:
        where: The journal directory that the session is in.
        state: The session.
        seconds: How long reading may take; a journal that was begun is read to its end.

    Returns:
        None if the session has no run, or too few comparable runs were read.
    """
    if state.last_run is None:
        return None
    past = EarlierSessions(
        where, state.session_id, look_back=_LOOK_BACK, seconds=seconds
    )
    return usual_run(state.last_run, past)


def usual_times(
    where: JournalDirectory, session_id: str, run: RunState
) -> tuple[Usual | None, dict[str, Usual]]:
    """Return how long a run and each of its nodes usually take, by name.

    The 20 sessions before the session are read, for half a second at most.

    Args:
        where: The journal directory that the session is in.
        session_id: The session.
        run: A run of it.

    Returns:
        None for a run, and no entry for a node, of which too few comparable ones were
        read.
    """
    past = EarlierSessions(where, session_id, look_back=_LOOK_BACK, seconds=LOOK_S)
    return usual_run(run, past), dict(usual_nodes(run.nodes.values(), past))
