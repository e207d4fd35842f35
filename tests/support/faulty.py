"""A system that fails on order: each call of the port and of the lock is counted.

The n-th call fails, comes short, or is where the process dies. Syncs reach no disk:
what a power loss takes is another matter, and thousands of runs would wait for it.
"""

from __future__ import annotations

import errno
import functools
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeVar, cast

from stage import NotingOs

from kedro_journal.journal.lock import FcntlBackend, LockBackend
from kedro_journal.journal.port import Os

__all__ = [
    "CALLS",
    "ERRORS",
    "KILLS",
    "LOOKS",
    "Fault",
    "Faults",
    "FaultyLock",
    "FaultyOs",
    "Strike",
    "Struck",
    "faults_of",
]

T = TypeVar("T")
Kill = Literal[
    "killed before",
    "killed midway",
    "killed at line",
    "killed at newline",
    "killed after",
]
Fault = (
    int | Literal["short", "short at line", "short at newline", "busy", "done"] | Kill
)

CALLS: Final = frozenset(
    name for name in vars(Os) if not name.startswith("_") and name != "now"
)
"""Every call of the port that a system could refuse."""
LOOKS: Final = frozenset({"identity", "position", "put_position"})
"""Calls that only ask, or mark, whose a descriptor is."""
ERRORS: Final = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EINTR)
KILLS: Final = frozenset(
    (
        "killed before",
        "killed midway",
        "killed at line",
        "killed at newline",
        "killed after",
    )
)
_OWN_FAULTS: Final[dict[str, tuple[Fault, ...]]] = {
    "write": (
        "short",
        "short at line",
        "short at newline",
        "killed midway",
        "killed at line",
        "killed at newline",
    ),
    "write_new": ("short", "killed midway"),
    "read_at": ("short",),
    "try_lock": ("busy",),
    "truncate": ("done",),
    "ensure_folder": ("done",),
    "remove": ("done",),
    "sync_folder": ("done",),
    "unlock": ("done",),
}


def faults_of(call: str) -> tuple[Fault, ...]:
    """Give every fault that a call can meet."""
    return (*ERRORS, *_OWN_FAULTS.get(call, ()), "killed before", "killed after")


@dataclass(frozen=True)
class Strike:
    """A fault to come.

    Attributes:
        at: Number of the call that it strikes, from 1.
        fault: What happens there. An error number: nothing is done. short: a part is
            written, the first line or all but the last newline, and the next write
            finds the disk full; or a part is read. busy: the lock is somebody else's.
            done: all is done, and reported as EIO. killed: SIGKILL.
        lasting: Every later call fails as well, until it is mended.
        call: Count the calls of this name only.
    """

    at: int
    fault: Fault
    lasting: bool = False
    call: str = ""


@dataclass(frozen=True)
class Struck:
    """A fault that came.

    Attributes:
        number: The number of the call.
        call: Its name.
        fault: What happened.
    """

    number: int
    call: str
    fault: Fault


class Faults:
    """Which calls fail, and what was called. Shared by the port and the lock.

    Only the thread that made it is counted and struck: a background sync comes when it
    likes.

    Args:
        strikes: What is to come.
        watched: The calls that are counted; None means all.

    Attributes:
        calls: The names of the calls so far.
        struck: What came.
        unsynced: Something was written since the last sync that succeeded.
        syncs: How many syncs succeeded.
        background: An error number for syncs of other threads.
        synced_behind: Set when another thread synced, or failed to.
    """

    def __init__(self, *strikes: Strike, watched: frozenset[str] | None = None) -> None:
        self.strikes = strikes
        self.watched = watched
        self.calls: list[str] = []
        self.struck: list[Struck] = []
        self.unsynced = False
        self.syncs = 0
        self.background: int | None = None
        self.synced_behind = threading.Event()
        self._full = False
        self._inside = False
        self._thread = threading.get_ident()

    @property
    def acts(self) -> list[str]:
        """The calls without those that only ask whose a descriptor is."""
        return [call for call in self.calls if call not in LOOKS]

    def mend(self) -> None:
        """Nothing fails any more, and nothing is counted."""
        self.strikes, self._full, self.background = (), False, None
        self.watched = frozenset()

    def meet(
        self,
        call: str,
        whole: Callable[[], T],
        part: Callable[[Fault], T] | None = None,
    ) -> T:
        """Make a call, or what a fault leaves of it.

        Args:
            call: Its name.
            whole: Makes it.
            part: Makes a part of it, where it can come short.
        """
        mine = threading.get_ident() == self._thread
        if self._inside or not mine:  # a call of a call: the port's own
            return whole()
        self._inside = True
        try:
            return self._meet(call, whole, part)
        finally:
            self._inside = False

    def _meet(
        self,
        call: str,
        whole: Callable[[], T],
        part: Callable[[Fault], T] | None,
    ) -> T:
        if call == "write" and self._full:
            self._full = False
            _fail(errno.ENOSPC)
        fault = self._due(call)
        if fault is None:
            return whole()
        if fault in KILLS:
            if fault == "killed after":
                whole()
            elif part is not None and fault != "killed before":
                part(fault)
            _die()
        if fault == "busy":
            return cast("T", False)
        if fault == "done":
            if fault in _OWN_FAULTS.get(call, ()):
                whole()
            _fail(errno.EIO)
        if call == "close":
            whole()  # the kernel frees the descriptor, whatever it says
        if isinstance(fault, int):
            _fail(fault)
        if part is None:
            _fail(errno.EIO)
        self._full = call == "write"
        return part(fault)

    def _due(self, call: str) -> Fault | None:
        if self.watched is not None and call not in self.watched:
            return None
        self.calls.append(call)
        for strike in self.strikes:
            if strike.call and strike.call != call:
                continue
            number = self.calls.count(call) if strike.call else len(self.calls)
            due = number == strike.at or (strike.lasting and 0 < strike.at < number)
            if due and (strike.fault != "busy" or call == "try_lock"):
                self.struck.append(Struck(len(self.calls), call, strike.fault))
                return strike.fault
        return None


def _fail(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("SIGKILL came late")  # pragma: no cover


class FaultyOs(NotingOs):
    """The real kernel, but for the faults, and without waiting for the disk.

    Args:
        faults: What fails.
    """

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        self.faults.unsynced = True
        return self.faults.meet(
            "write",
            lambda: super(FaultyOs, self).write(fd, data, end),
            lambda fault: super(FaultyOs, self).write(
                fd, data[: _part(fault, data)], end
            ),
        )

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        def whole() -> bytes:
            return super(FaultyOs, self).read_at(fd, size, offset)

        def half(_: Fault) -> bytes:
            data = whole()
            return data[: (len(data) + 1) // 2]

        return self.faults.meet("read_at", whole, half)

    def write_new(self, path: Path, data: bytes) -> None:
        def put(data: bytes) -> None:
            with path.open("xb") as out:
                out.write(data)

        def half(fault: Fault) -> None:
            put(data[: len(data) // 2])
            # And it cannot even be removed. A fault that is meant for another call comes
            # here too, where parent and child are struck by one number.
            if fault not in KILLS:
                _fail(errno.ENOSPC)

        self.faults.meet("write_new", lambda: put(data), half)

    def sync(self, fd: int) -> None:
        behind = threading.current_thread() is not threading.main_thread()
        try:
            if behind and self.faults.background is not None:
                _fail(self.faults.background)
            self.faults.meet("sync", lambda: None)
            self.faults.unsynced = False
            self.faults.syncs += 1
        except OSError:
            self.failed_syncs += 1
            raise
        finally:
            if behind:
                self.faults.synced_behind.set()

    def sync_folder(self, path: Path) -> None:
        self.faults.meet("sync_folder", lambda: None)


def _part(fault: Fault, data: bytes | memoryview) -> int:
    """Tell how much of a write is done: something, and not all of it."""
    first_line = bytes(data).find(b"\n") + 1
    if fault in ("short at newline", "killed at newline"):
        return len(data) - 1
    if fault in ("short at line", "killed at line") and first_line < len(data):
        return first_line
    if fault == "killed midway":
        return len(data) // 2
    return max(1, len(data) * 2 // 3) if len(data) > 1 else 0


def _guarded(name: str) -> Callable[..., Any]:
    real = getattr(Os, name)

    @functools.wraps(real)
    def call(self: FaultyOs, *args: Any, **options: Any) -> Any:
        return self.faults.meet(name, lambda: real(self, *args, **options))

    return call


for _name in CALLS - vars(FaultyOs).keys():
    setattr(FaultyOs, _name, _guarded(_name))


class FaultyLock:
    """A lock backend that fails on order.

    Args:
        faults: What fails.
        backend: Who really locks.
    """

    def __init__(self, faults: Faults, backend: LockBackend | None = None) -> None:
        self.faults = faults
        self._backend = backend or FcntlBackend()

    def try_lock(self, fd: int) -> bool:
        """Take the lock; False if another open file holds it."""
        return self.faults.meet("try_lock", lambda: self._backend.try_lock(fd))

    def unlock(self, fd: int) -> None:
        """Give it back."""
        self.faults.meet("unlock", lambda: self._backend.unlock(fd))
