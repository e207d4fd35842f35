"""How many processes the kernel killed for want of memory, by the cgroup's counter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kedro_journal._outside import suppress

__all__ = ["oom_kills"]

_CGROUPS: Final = Path("/sys/fs/cgroup")
_MINE: Final = Path("/proc/self/cgroup")


def oom_kills(mine: Path = _MINE, root: Path = _CGROUPS) -> int | None:
    """Return the counter `oom_kill` of the cgroup of this process.

    Only cgroup version 2 is read, and only files that any process may read. The counter
    includes the cgroups below. A difference of two readings counts the kills between.

    Args:
        mine: The file that names the cgroup.
        root: Where cgroups are mounted.

    Returns:
        None if the system has no such counter.
    """
    with suppress(OSError, ValueError):
        for line in mine.read_text().splitlines():
            if line.startswith("0::/"):
                events = root / line.removeprefix("0::/") / "memory.events"
                for entry in events.read_text().splitlines():
                    name, _, number = entry.partition(" ")
                    if name == "oom_kill":
                        return int(number)
    return None
