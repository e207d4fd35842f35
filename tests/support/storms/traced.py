"""The process that is traced: it forks a child for each case, and says how each ended.

Run by `syscalls` as `python traced.py PLAN`, under strace. What strace injects it
counts for each process anew, so that one run strikes every child at its own n-th call.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

sys.path.insert(0, str(Path(__file__).parents[1]))

from scenarios import SCENARIOS, Scenario
from stage import Batch, Hand, NotingOs, Stage

from kedro_journal.errors import JournalError
from kedro_journal.journal import (
    Durability,
    JournalDirectory,
    OwnerLock,
    choose_backend,
)
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.lock import LockBackend

__all__ = ["CLAIM", "SHUT_OUT", "TALES", "TracedCase", "account_of", "write_plan"]

Sabotage = Literal[
    "", "early", "no roll-back", "sync again", "keep nothing", "cut too much", "no lock"
]


@dataclass(frozen=True)
class TracedCase:
    """What one child does.

    Attributes:
        scenario: The name of what it plays.
        level: The durability.
        backend: Who locks.
        short: The write that really comes short, by a limit on the file's size; 0 for
            none.
        held: Another process has the append lock all the time.
        sabotage: The step of the protocol that is left out.
    """

    scenario: str
    level: Durability
    backend: Literal["fcntl", "filelock"] = "fcntl"
    short: int = 0
    held: bool = False
    sabotage: Sabotage = ""

    def __str__(self) -> str:
        short = f", write {self.short} short" if self.short else ""
        return f"{self.scenario}{short}, {self.level}, {self.backend}"


def claim(stage: Stage) -> None:
    """A session from the beginning: its folder, its owner, its journal."""
    backend = stage.backend
    try:
        directory = JournalDirectory(stage.folder.parent)
        folder = directory.claim(stage.folder.name)[1]
        owner = OwnerLock(folder / OWNER_LOCK_NAME, backend)
        owner.acquire()
    except Exception as error:
        batch = stage.ask(("claim",), 99)
        batch.outcome = "refused"
        batch.error, batch.reason = type(error).__name__, str(error)
        batch.errno = getattr(error, "errno", None)
        batch.ours = isinstance(error, JournalError)
        return
    hand = stage.create()
    hand.append("a", "b")
    hand.append("failed 1")
    hand.close()
    owner.release()


def shut_out(stage: Stage) -> None:
    """Another process has the lock."""
    stage.deadline_s = 0.0
    hand = stage.join()
    hand.append("held 1")
    hand.append("held 2", "held 3")


CLAIM: Final = Scenario("claim a session", claim)
_BEFORE: Final = next(tale.before for tale in SCENARIOS if tale.before)
SHUT_OUT: Final = Scenario("another process has the lock", shut_out, _BEFORE)
TALES: Final = {tale.name: tale for tale in (*SCENARIOS, CLAIM, SHUT_OUT)}


class Disk:
    """What the systems of one child's writers have in common.

    Args:
        short: The write that comes short, from 1; 0 for none.

    Attributes:
        unsynced: Something was written since the last sync that succeeded.
    """

    def __init__(self, short: int) -> None:
        self.unsynced = False
        self._short = short
        self._writes = 0

    def room(self, size: int) -> int | None:
        """Give how much of a write there is room for; None if for all of it."""
        self.unsynced = True
        self._writes += 1
        if not self._short or self._writes not in (self._short, self._short + 1):
            return None
        return max(1, size * 2 // 3) if self._writes == self._short else 0


class TracedOs(NotingOs):
    """The real kernel for one writer. It notes what was synced."""

    def __init__(self, disk: Disk, sabotage: Sabotage) -> None:
        self._disk = disk
        self._sabotage = sabotage

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        room = self._disk.room(len(data))
        if room is None:
            return super().write(fd, data, end)
        # The kernel takes what fits below the limit, and refuses the rest: EFBIG.
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        size = os.fstat(fd).st_size + room
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
        try:
            return super().write(fd, data, end)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    def sync(self, fd: int) -> None:
        try:
            super().sync(fd)
        except OSError:
            self.failed_syncs += 1
            if self._sabotage != "sync again":
                raise
        self._disk.unsynced = False

    def truncate(self, fd: int, size: int) -> None:
        if self._sabotage == "cut too much":
            size -= 40
        if self._sabotage != "no roll-back":
            super().truncate(fd, max(0, size))

    def write_new(self, path: Path, data: bytes) -> None:
        if self._sabotage != "keep nothing":
            super().write_new(path, data)


class NoLock:
    """Sabotage: nobody takes turns."""

    def try_lock(self, fd: int) -> bool:
        """Say so without taking it."""
        return True

    def unlock(self, fd: int) -> None:
        """Nothing is to be given back."""


def _play(case: TracedCase, folder: Path, account: int) -> None:
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    clock = itertools.count(1)
    time.time_ns = lambda: next(clock)  # the names of kept bytes are known beforehand
    disk = Disk(case.short)
    backend: LockBackend = choose_backend(case.backend)
    if case.sabotage == "no lock":
        backend = NoLock()

    def watch(hand: Hand, batch: Batch) -> None:
        batch.unsynced = disk.unsynced
        batch.poisoned = isinstance(hand.port, NotingOs) and hand.port.failed_syncs > 0

    def leave() -> None:
        left = len(os.listdir("/proc/self/fd")) - descriptors  # noqa: PTH208
        _tell(account, left_open=left, killed=stage.killed)

    stage = Stage(
        folder,
        port=lambda: TracedOs(disk, case.sabotage),
        backend=backend,
        durability=case.level,
        early=case.sabotage == "early",
        pipe=account,
        watch=watch,
    )
    TALES[case.scenario].play(stage)
    if not case.held:
        for hand in stage.hands:
            hand.append(f"last {hand.number}")
    stage.close()
    leave()


def _tell(account: int, **facts: object) -> None:
    os.write(account, json.dumps({"report": facts}).encode() + b"\n")


def account_of(folder: Path) -> Path:
    """Give the file in which a case with that session folder says how it went."""
    return folder.parent.with_suffix(".account")


def write_plan(path: Path, cases: Sequence[tuple[TracedCase, Path]]) -> None:
    """Write what `main` reads: each case with its session folder."""
    plan = [{"case": asdict(case), "folder": str(folder)} for case, folder in cases]
    path.write_text(json.dumps(plan), encoding="utf-8")


def main() -> None:
    """Fork a child for each case of the plan."""
    for backend in ("fcntl", "filelock"):  # imported once, not in every child
        choose_backend(backend)
    import fcntl  # noqa: F401

    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for entry in plan:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        folder = Path(entry["folder"])
        account = os.open(account_of(folder), flags, 0o600)
        pid = os.fork()
        if pid == 0:
            try:
                _play(TracedCase(**entry["case"]), folder, account)
            except BaseException as error:
                _tell(account, raised=repr(error))
            finally:
                os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
        _tell(account, ended=True, killed=killed)
        os.close(account)


if __name__ == "__main__":
    main()
