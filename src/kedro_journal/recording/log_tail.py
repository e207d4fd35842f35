"""The last log records of each running node, kept in memory until the node ends.

They are recorded with the failure of the node. Of a node that ends well, nothing is
kept. A process that is killed takes them with it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from kedro_journal.active import Where
from kedro_journal.events import LogLine

__all__ = ["TEXT_MAX_CHARS", "LogTails"]

TEXT_MAX_CHARS: Final = 500
"""A longer message is cut."""

_NODES_MAX: Final = 256
"""A worker process is not told of a save that failed: the oldest node gives way."""


class LogTails:
    """The last log records of the nodes of one session in this process.

    Each call is one operation on a dict or deque, so that no lock is needed.
    """

    def __init__(self) -> None:
        self._of: dict[Where, deque[LogLine]] = {}

    def add(self, where: Where, line: LogLine, size: int) -> None:
        """Keep a log record of a node.

        Args:
            where: The node.
            line: The record.
            size: How many records of the node are kept, > 0.
        """
        kept = self._of.get(where)
        if kept is None:
            if len(self._of) >= _NODES_MAX:
                self._of.pop(next(iter(list(self._of))), None)
            kept = self._of.setdefault(where, deque(maxlen=size))
        kept.append(line)

    def take(
        self, session_id: str, run_id: str | None, attempt: int, node: str
    ) -> tuple[LogLine, ...]:
        """Return the records of a node, oldest first, and keep them no longer."""
        if not self._of:
            return ()
        return tuple(self._of.pop(Where(session_id, run_id, attempt, node), ()))

    def end_run(self, run_id: str | None, attempt: int) -> None:
        """Drop the records of all nodes of a run."""
        for where in list(self._of):
            if (where.run_id, where.attempt) == (run_id, attempt):
                self._of.pop(where, None)

    def clear(self) -> None:
        """Drop all records."""
        self._of.clear()
