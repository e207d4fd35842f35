"""Wait until a file may have changed: by kernel notification, else by polling.

Linux tells by inotify(7), which needs no package: three calls of the C library. A death
of a writer is told as well, for the kernel closes its descriptors.
"""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path
from typing import Any, Final, Protocol

from kedro_journal._outside import let_through, suppress

from .port import raised

__all__ = ["Watch", "watch"]

_PAUSE_MIN_S: Final = 0.0005
_TOLD_PAUSE_MIN_S: Final = 0.02
_TOLD_PAUSE_MAX_S: Final = 0.25  # a file system may know of changes and not tell
_PAUSE_MAX_S: Final = 3600.0  # longer than some weeks is too long for the system
_GROWTH: Final = 1.5
_MODIFY, _ATTRIB, _CLOSE_WRITE, _GONE = 0x2, 0x4, 0x8, 0x400 | 0x800
_EVENTS_BYTES: Final = 64 * 1024


class Watch(Protocol):
    """A way to wait for changes of one file."""

    def wait(self) -> None:
        """Wait until it may have changed, ever longer while it has not."""

    def changed(self) -> None:
        """Note that the file changed: the next waits are short."""

    def close(self) -> None:
        """Release what is held."""


class ClockWatch:
    """Looks ever more rarely.

    Args:
        longest_s: Longest wait, in seconds; it is no longer than an hour.
    """

    def __init__(self, longest_s: float) -> None:
        self._longest_s = min(longest_s, _PAUSE_MAX_S)
        self._pause_s = _PAUSE_MIN_S

    def wait(self) -> None:
        """Sleep."""
        time.sleep(self._pause_s)
        self._pause_s = min(self._pause_s * _GROWTH, self._longest_s)

    def changed(self) -> None:
        """Begin with short pauses again."""
        self._pause_s = _PAUSE_MIN_S

    def close(self) -> None:
        """Nothing is held."""


class KernelWatch:
    """Sleeps until the kernel tells of a change, and looks now and then all the same.

    Args:
        path: The file. It is watched from now on: what changes before the first wait
            ends that at once.
        longest_s: Longest wait, in seconds; it is no longer than an hour.

    Raises:
        OSError: The system has no such thing, or no more of it.
    """

    def __init__(self, path: Path, longest_s: float) -> None:
        libc = _libc()
        fd: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if fd < 0:
            raise OSError
        self._fd = raised(fd)
        events = _MODIFY | _ATTRIB | _CLOSE_WRITE | _GONE
        added = libc.inotify_add_watch(self._fd, os.fsencode(path), events) >= 0
        self._watched = added and _watched_by(self._fd)
        if not self._watched:
            os.close(self._fd)
            raise OSError
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._longest_s = min(longest_s, _PAUSE_MAX_S)
        self._pause_s = _TOLD_PAUSE_MIN_S

    def wait(self) -> None:
        """Wait for the kernel's word, or until the pause is over."""
        if not self._is_ours():
            # Other code closed the descriptor: from now on the clock alone tells.
            time.sleep(self._pause_s)
            self._pause_s = min(self._pause_s * _GROWTH, _TOLD_PAUSE_MAX_S)
        elif self._poll.poll(self._pause_s * 1e3):
            with suppress(OSError):
                if self._is_ours():  # also after the wait: those bytes are no others'
                    os.read(self._fd, _EVENTS_BYTES)
            self.changed()
        else:
            self._pause_s = min(self._pause_s * _GROWTH, self._longest_s)

    def changed(self) -> None:
        """Begin with short pauses again: a dead writer's locks are freed right after
        its files are closed.
        """
        self._pause_s = _TOLD_PAUSE_MIN_S

    def close(self) -> None:
        """Close the descriptor if it is still ours."""
        if self._is_ours():
            os.close(self._fd)

    def _is_ours(self) -> bool:
        # The kernel drops the watch of a file that is deleted.
        return _watched_by(self._fd) in (self._watched, "")


def watch(path: Path, poll_interval_s: float, *, told: bool = True) -> Watch:
    """Watch a file in the best way there is.

    Args:
        path: The file.
        poll_interval_s: Longest time between two looks where the system does not tell
            of changes.
        told: Let the system tell, if it can.
    """
    if told and sys.platform == "linux":
        with suppress(OSError, AttributeError, ImportError):
            return KernelWatch(path, max(poll_interval_s, _TOLD_PAUSE_MAX_S))
    return ClockWatch(poll_interval_s)


def _watched_by(fd: int) -> str | None:
    """Return what an inotify descriptor watches, None if the number names none.

    All inotify descriptors share one inode, so that this has to tell them apart.
    """
    try:
        if Path(f"/proc/self/fd/{fd}").readlink().name != "anon_inode:inotify":
            return None
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text(encoding="ascii").split("\n")
    except (OSError, ValueError) as error:
        let_through(error)
        return None
    return "\n".join(line for line in lines if line.startswith("inotify "))


def _libc() -> Any:
    import ctypes  # noqa: PLC0415 - for following alone

    return ctypes.CDLL(None, use_errno=True)
