"""Run a probe in a child process, for so long and no longer.

A system call on a file system whose server is gone does not return, and no signal ends
it. So whatever touches the journal directory runs in a forked child; the parent waits
so long, kills it, and goes on whether it dies or not. What the child found until then
is not lost: it sends one check at a time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Final, NamedTuple

import msgspec

from .model import Check, problem, reason_of

__all__ = ["Probe", "end_process", "guarded", "isolated", "orderly", "undisturbed"]

HANGS: Final = "hangs"
"""Last part of the key of a check that says that a probe did not come back."""

_LENGTH: Final = struct.Struct(">I")
_REAP_S: Final = 1.0
_ALONE_S: Final = 1.0  # a child whose parent was killed ends by itself, so much later
_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)


class Probe(NamedTuple):
    """Something to be tried.

    Attributes:
        key: Key of its check, or of the first of them.
        what: What it tries, as a noun: `locking between processes`.
        run: Tries it.
    """

    key: str
    what: str
    run: Callable[[], Iterable[Check]]


def guarded(probe: Probe) -> Iterator[Check]:
    """Run a probe here; what it raises becomes a problem."""
    key = probe.key
    try:
        for check in probe.run():
            yield check
            key = f"{probe.key}.failed"
    except Exception as error:
        yield problem(
            key,
            f"Probing {probe.what} failed: {reason_of(error)}.",
            "Journals may not work here either. Fix the cause, or set `directory` "
            "in [tool.kedro_journal] to another place.",
            error=type(error).__name__,
            errno=getattr(error, "errno", None),
        )


def isolated(probe: Probe, limit_s: float) -> list[Check]:
    """Run a probe in a child process and give what it found. Raises nothing of its own.

    A probe that does not come back within *limit_s* seconds is a problem with the key
    `<key>.hangs`. Where there is no fork, it runs here, without a limit.
    """
    if not hasattr(os, "fork"):
        return list(guarded(probe))
    checks: list[Check] = []
    reading, writing = os.pipe()
    pid = -1
    try:
        try:
            with undisturbed():
                pid = os.fork()
                if pid == 0:
                    _be_child(probe, writing, limit_s)
                with contextlib.suppress(OSError):
                    os.setpgid(pid, pid)
        finally:
            os.close(writing)
        ended = _receive(reading, checks, time.monotonic() + limit_s)
    except OSError as error:
        ended = reason_of(error)
    finally:
        os.close(reading)
        if pid > 0:
            end_process(pid)
    if ended == HANGS:
        checks.append(_hangs(probe, limit_s, checks))
    elif ended:
        checks.append(_died(probe, ended, checks))
    return checks


def _hangs(probe: Probe, limit_s: float, before: list[Check]) -> Check:
    after = f", after {before[-1].key}" if before else ""
    return problem(
        f"{probe.key}.{HANGS}",
        f"Probing {probe.what} did not end within {limit_s:g} s{after}: it hangs.",
        "So it is on a network file system whose server does not answer. Fix the "
        "mount, or set `directory` in [tool.kedro_journal] to a local disk.",
        limit_s=limit_s,
    )


def _died(probe: Probe, why: str, before: list[Check]) -> Check:
    return problem(
        f"{probe.key}.failed" if before else probe.key,
        f"The process that was to probe {probe.what} died before it did so: {why}.",
        "Look for a limit on processes, memory or file sizes (`ulimit -a`).",
    )


def _be_child(probe: Probe, writing: int, limit_s: float) -> None:
    try:
        os.setpgid(0, 0)  # whatever it starts can be ended with it
        for number in (*_SIGNALS, signal.SIGALRM):
            signal.signal(number, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, limit_s + _ALONE_S)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)  # who reads our output must not wait for a child
        for check in guarded(probe):
            _send(writing, msgspec.msgpack.encode(check))
        _send(writing, b"")
    finally:
        os._exit(0)


def _send(fd: int, data: bytes) -> None:
    view = memoryview(_LENGTH.pack(len(data)) + data)
    while view:
        view = view[os.write(fd, view) :]


def _receive(fd: int, checks: list[Check], deadline: float) -> str:
    """Take checks as they come. Returns what kept the child from its end, if any."""
    data = b""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while True:
        while len(data) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(data)
            end = _LENGTH.size + length
            if len(data) < end:
                break
            if not length:
                return ""
            checks.append(msgspec.msgpack.decode(data[_LENGTH.size : end], type=Check))
            data = data[end:]
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not poll.poll(left_s * 1000):
            return HANGS
        part = os.read(fd, 65536)
        if not part:
            return "it was killed"
        data += part


def end_process(pid: int, limit_s: float = _REAP_S) -> None:
    """Kill a process that leads a group, and its group; wait so long for its end.

    A process in the middle of a system call that hangs does not die: it is left alone.
    """
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + limit_s
    with contextlib.suppress(OSError):
        while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.0005)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a block, which must be short.

    In a process of one thread, as the doctor's is: of several the kernel picks any.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def orderly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end a block as Ctrl-C does, so that it can clean up."""
    changed = []
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _stop)
                changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
