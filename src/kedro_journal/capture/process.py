"""Which process something belongs to: the one that began it, and no forked child of it.

The one rule for sessions, runs, nodes and commands. What a process began, it alone may
end: a forked child finds the objects of its parent and must not speak for them.
"""

from __future__ import annotations

import os
from typing import Final

from kedro_journal.journal.liveness import is_running, start_ticks

__all__ = ["Origin"]


class _Forks:
    """How many forks lie between this process and the first one.

    A child in a PID namespace of its own may have the pid of its parent.
    """

    count = 0

    @classmethod
    def add(cls) -> None:
        cls.count += 1


class Origin:
    """The process that made this object."""

    __slots__ = ("_forks", "_pid", "_ticks")

    def __init__(self) -> None:
        self._pid: Final = os.getpid()
        self._forks: Final = _Forks.count
        self._ticks: int | None = None

    @property
    def is_here(self) -> bool:
        """Whether the calling process is that process."""
        return self._forks == _Forks.count and self._pid == os.getpid()

    def remember(self) -> Origin:
        """Read the start time of this process, which `is_gone` needs. Returns itself.

        Separate from construction because it reads a file, and most origins never need
        it.
        """
        self._ticks = start_ticks(self._pid)
        return self

    @property
    def is_gone(self) -> bool:
        """Whether that process has ended; False where the system does not tell."""
        return self._ticks is not None and not is_running(self._pid, self._ticks)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Forks.add)
