"""How many log records of a node and of a run are journaled, and how many are not.

Counts without a lock: a log record may come in the middle of anything, in any thread
and just before a fork. What counts is `next()`, which threads cannot tear.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Final

from kedro_journal.active import Where
from kedro_journal.events import (
    Event,
    NodeCompleted,
    NodeFailed,
    NoteAdded,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionClosed,
)

__all__ = ["NODE_MAX", "RUN_MAX", "LogLimit"]

NODE_MAX: Final = 100
"""Log records of one node in one attempt, or of what is in no node."""
RUN_MAX: Final = 1000
"""Log records of one attempt at a run in one process, all its nodes together."""

_RUN_ENDS: Final = (RunCompleted, RunFailed, RunInterrupted)
_Run = tuple[str | None, int]


class LogLimit:
    """The counts of one session in one process.

    Attributes:
        came: How many came of each place, since what was left out of it was told.
    """

    def __init__(self) -> None:
        self.came: dict[Where, count[int]] = {}
        self._of_run: dict[_Run, count[int]] = {}
        self._refused: dict[Where, count[int]] = {}  # because of its run

    def admits(self, where: Where) -> bool:
        """Count one more log record; tell whether it is journaled."""
        came = self.came.get(where)
        if came is None:
            came = self.came.setdefault(where, count())
        if next(came) >= NODE_MAX:
            return False
        run = (where.run_id, where.attempt)
        if next(self._of_run.setdefault(run, count())) < RUN_MAX:
            return True
        next(self._refused.setdefault(where, count()))
        return False

    def before(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        """Put before each end of something how much of it was left out."""
        found: list[Event] = []
        for event in events:
            if isinstance(event, (NodeCompleted, NodeFailed)):
                found += self._told(self._of(event.run_id, event.attempt, event.node))
            elif isinstance(event, _RUN_ENDS):
                found += self._told(self._of(event.run_id, event.attempt))
                self._of_run.pop((event.run_id, event.attempt), None)
            elif isinstance(event, SessionClosed):
                found += self._told(list(self.came))
            found.append(event)
        return tuple(found)

    def rest(self) -> list[Event]:
        """Return what was left out and is not told yet: this process ends."""
        return self._told(list(self.came))

    def _of(
        self, run_id: str | None, attempt: int, node: str | None = None
    ) -> list[Where]:
        return [
            where
            for where in list(self.came)
            if (where.run_id, where.attempt) == (run_id, attempt)
            and (node is None or where.node == node)
        ]

    def _told(self, places: Iterable[Where]) -> list[Event]:
        events: list[Event] = []
        for where in places:
            came, refused = self.came.pop(where, None), self._refused.pop(where, None)
            left_out = max(next(came) - NODE_MAX, 0) if came is not None else 0
            left_out += next(refused) if refused is not None else 0
            if left_out:
                events.append(_left_out(where, left_out))
        return events


def _left_out(where: Where, left_out: int) -> NoteAdded:
    of = "this node" if where.node else "this run" if where.run_id else "this session"
    return NoteAdded(
        text=f"{left_out} further log records of {of} were left out",
        fields={"left_out": left_out},
        run_id=where.run_id,
        attempt=where.attempt,
        node=where.node,
        level="WARNING",
        logger="kedro_journal",
    )
