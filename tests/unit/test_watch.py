"""Waiting for changes of a file, where the kernel tells of them and where it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kedro_journal.journal.watch import ClockWatch, KernelWatch, watch


class Refusing:
    """A C library whose kernel has no more of what is asked for."""

    def __init__(self, *, inits: bool) -> None:
        self.inits = inits
        self.opened: list[int] = []

    def inotify_init1(self, flags: int) -> int:
        del flags
        if not self.inits:
            return -1
        self.opened.append(os.open(os.devnull, os.O_RDONLY))
        return self.opened[-1]

    def inotify_add_watch(self, fd: int, path: bytes, events: int) -> int:
        del fd, path, events
        return -1


@pytest.mark.parametrize("inits", [False, True])
def test_where_the_kernel_has_no_watch_left_the_clock_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inits: bool
) -> None:
    """And nothing stays open."""
    libc = Refusing(inits=inits)
    monkeypatch.setattr("kedro_journal.journal.watch._libc", lambda: libc)
    monkeypatch.setattr("sys.platform", "linux")
    found = watch(tmp_path, 0.01)
    assert isinstance(found, ClockWatch)
    found.close()
    for fd in libc.opened:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)
    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        KernelWatch(tmp_path, 0.01)
