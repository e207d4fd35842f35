"""A second process, for probes that take two."""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Final, Self

from .model import reason_of

__all__ = ["Gate", "Line", "Partner", "PartnerFailed"]

_GATE_S: Final = 1.0
_ERROR: Final = "error: "


class PartnerFailed(Exception):
    """The other process met an error, or said something else than it was to say."""


class Line:
    """One end of a line on which two processes talk, in lines."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._heard = b""

    def say(self, text: str) -> None:
        """Report one line."""
        self._end.sendall(text.encode() + b"\n")

    def hear(self) -> str:
        """Wait for a line and give it; empty if the other end is gone."""
        while b"\n" not in self._heard:
            part = self._end.recv(65536)
            if not part:
                return ""
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def expect(self, wanted: str) -> None:
        """Wait for this line.

        Raises:
            PartnerFailed: Another one came, or the other end is gone.
        """
        heard = self.hear()
        if heard != wanted:
            raise _failure(heard)

    def number(self) -> int:
        """Wait for a number and give it.

        Raises:
            PartnerFailed: Something else came, or the other end is gone.
        """
        heard = self.hear()
        if not heard.isdigit():
            raise _failure(heard)
        return int(heard)

    def rest(self) -> list[str]:
        """Return the lines that came and were not heard yet; wait for none."""
        with contextlib.suppress(BlockingIOError):
            while part := self._end.recv(65536, socket.MSG_DONTWAIT):
                self._heard += part
        *lines, self._heard = self._heard.split(b"\n")
        return [line.decode() for line in lines]

    def close(self) -> None:
        """Hang up."""
        self._end.close()


def _failure(heard: str) -> PartnerFailed:
    if heard.startswith(_ERROR):
        return PartnerFailed(heard.removeprefix(_ERROR))
    said = f"said {heard!r}" if heard else "ended without a word"
    return PartnerFailed(f"the second process {said}")


class Partner:
    """A forked process that does some work and talks about it.

    It ends with the work, when the context is left, or when its parent dies, for then
    the line is cut: work that has to last waits in `hear`.

    Args:
        work: What it does. An error in it is reported on the line.
    """

    def __init__(self, work: Callable[[Line], None]) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            _work(work, Line(theirs))
        theirs.close()
        self.line = Line(ours)
        self._reaped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.reap()
        self.line.close()

    def kill(self) -> None:
        """Kill it as kill -9 does, and do not wait."""
        if not self._reaped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Wait for its end."""
        if not self._reaped:
            self._reaped = True
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)


class Gate:
    """Lets two processes go on at the same moment, again and again.

    A line does not: a process that waits on it wakes up when the other ends.
    """

    def __init__(self) -> None:
        self._passed = mmap.mmap(-1, 2)  # shared with forked children

    def meet(self, me: int) -> None:
        """Wait for the other, at most a second.

        Args:
            me: 0 in the one process, 1 in the other.
        """
        self._passed[me] += 1
        deadline = time.monotonic() + _GATE_S
        while self._passed[1 - me] < self._passed[me] and time.monotonic() < deadline:
            os.sched_yield() if hasattr(os, "sched_yield") else time.sleep(0)


def _work(work: Callable[[Line], None], line: Line) -> None:
    try:
        work(line)
    except BaseException as error:
        with contextlib.suppress(OSError):
            line.say(f"{_ERROR}{reason_of(error)}")
    finally:
        os._exit(0)
