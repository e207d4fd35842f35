"""Processes that own a session and do as they are told: to be looked at and killed.

`Owner` runs this file as a program: the first argument is the session's folder, and
each line of its input is something to do, confirmed with one line when it is done.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, cast

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))

from journals import HEADER, note

from kedro_journal.events import SessionClosed, SessionCreated, WriterOpened
from kedro_journal.journal import JournalWriter, OwnerLock, choose_backend
from kedro_journal.journal.liveness import (
    OWNER_LOCK_NAME,
    boot_id,
    host_name,
    start_ticks,
)
from kedro_journal.journal.lock import BackendName

__all__ = ["Owner", "Session"]

WAITING: Final = "import signal; signal.pause()"


class Session:
    """A session that this process owns, with a journal, as Kedro's would be."""

    def __init__(self, folder: Path, backend: BackendName = "auto") -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        locks = choose_backend(backend)
        self.owner = OwnerLock(folder / OWNER_LOCK_NAME, locks)
        self.owner.acquire()
        opened = WriterOpened(
            pid=os.getpid(),
            host=host_name(),
            boot_id=boot_id(),
            started_at_ticks=start_ticks(os.getpid()),
            python=platform.python_version(),
            role="owner",
        )
        self.writer = JournalWriter(folder, opened, header=HEADER, backend=locks)
        self.writer.append(SessionCreated(session_id=HEADER.session_id))

    def append_for_ever(self) -> None:
        """Append from a thread as long as the process lives.

        Not as fast as it can: each look of a reader would have twice as much to read.
        """

        def append() -> None:
            while True:
                self.writer.append(note("busy", 2000))
                time.sleep(0.001)

        threading.Thread(target=append, daemon=True).start()

    def close(self) -> None:
        """End it in order."""
        self.writer.append(SessionClosed())
        self.writer.close()
        self.owner.release()


class Owner:
    """Handle of an owner that runs as a process of its own.

    Args:
        folder: Its session's folder.
        backend: Who locks.
        before: A command to run it under; then that one has the pid.
    """

    def __init__(
        self, folder: Path, backend: BackendName = "auto", before: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [*before, sys.executable, __file__, str(folder), backend],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self._answer()

    def tell(self, what: str) -> str:
        """Have it do something; give its answer when it is done."""
        self.say(what)
        return self._answer()

    def say(self, what: str) -> None:
        """Have it do something from which it does not come back."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        assert answer, "the owner is gone"
        return answer

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; return when it has stopped or gone on, if it is that."""
        os.kill(self.pid, number)
        waited = {signal.SIGSTOP: os.WSTOPPED, signal.SIGCONT: os.WCONTINUED}
        if number in waited:
            os.waitid(os.P_PID, self.pid, waited[number])

    def wait(self) -> int:
        """Wait for its end; give its exit code."""
        return self._process.wait(60)

    def discard(self) -> None:
        """Leave nothing of it behind."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()


# --- the program -----------------------------------------------------------------


def _fork(_: Session) -> int:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, b".")
        while True:
            signal.pause()
    os.read(reading, 1)  # it runs
    return pid


def _fork_in_c(_: Session) -> int:
    """Fork as a C library may: Python is not told, so nothing is closed."""
    pid = ctypes.CDLL(None).fork()
    if pid == 0:
        while True:
            signal.pause()
    return int(pid)


def _spawn(_: Session) -> int:
    process = multiprocessing.get_context("spawn").Process(target=signal.pause)
    process.start()
    assert process.pid is not None
    return process.pid


def _execute(_: Session) -> int:
    command = [sys.executable, "-c", f"print(flush=True); {WAITING}"]
    child = subprocess.Popen(command, close_fds=False, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()  # the new program runs
    return child.pid


def _append(session: Session) -> int:
    session.append_for_ever()
    return os.getpid()


def _become_another_program(_: Session) -> int:
    os.execv(sys.executable, [sys.executable, "-c", f"print(1, flush=True); {WAITING}"])


def _close(session: Session) -> int:
    session.close()
    return os.getpid()


ORDERS: Final[dict[str, Callable[[Session], int]]] = {
    "append": _append,
    "become another program": _become_another_program,
    "close": _close,
    "end": lambda _: sys.exit(0),  # the lock is not released, nothing is closed
    "end at once": lambda _: os._exit(0),
    "execute": _execute,
    "fork": _fork,
    "fork in C": _fork_in_c,
    "spawn": _spawn,
}


def main() -> None:
    """Own a session and take orders, until the input ends."""
    session = Session(Path(sys.argv[1]), cast("BackendName", sys.argv[2]))
    _say(os.getpid())
    for order in sys.stdin:
        _say(ORDERS[order.strip()](session))


def _say(answer: int) -> None:
    os.write(1, b"%d\n" % answer)


if __name__ == "__main__":
    main()
