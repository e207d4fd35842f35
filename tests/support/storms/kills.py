"""Writers are killed with SIGKILL while a live tail follows; exact accounting.

Writers acknowledge over a pipe, one line after each append. What was acknowledged must
be in the journal once, in its writer's order, and the live tail must have delivered
exactly the journal. The writers are forked children, forked children with several
threads, and processes started anew.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from journals import create, file, join, note

from kedro_journal.events import SessionClosed
from kedro_journal.journal import JournalWriter, choose_backend

from .account import Account, Say, Suite
from .ledger import Ledger
from .live_tail import LiveTail

__all__ = ["KINDS", "SUITE", "Storm", "run", "storm"]

Kind = Literal["forked", "threaded", "started anew"]
KINDS: Final[tuple[Kind, ...]] = (
    *("forked",) * 10,
    *("threaded",) * 5,
    "started anew",  # an interpreter's start costs fifty forks
)
SIZES: Final = (300, 9_000, 30_000, 60_000)
PAGE_BYTES: Final = 4096  # where a kill tears a write
THREADS: Final = 3
KILLS_PER_JOURNAL: Final = 250  # some hundred megabytes
SUPPORT: Final = Path(__file__).parents[1]
STARTED_ANEW: Final = """
import sys
sys.path.insert(0, sys.argv[3])
from storms.kills import started_anew
started_anew(sys.argv[1], sys.argv[2])
"""
Make = Callable[[Path], JournalWriter]


@dataclass(frozen=True)
class Storm:
    """One journal's storm.

    Attributes:
        kills: How many writers are killed.
        writers: How many there are at any time.
        kinds: What they are, drawn from this.
        make: Gives a writer; those started anew always take the real one.
        early: Acknowledge before the append instead of after it (sabotage).
        seed: Of everything that is drawn.
    """

    kills: int
    writers: int = 4
    kinds: tuple[Kind, ...] = KINDS
    make: Make = join
    early: bool = False
    seed: int = 1


def storm(folder: Path, plan: Storm) -> Account:
    """Run one journal's storm and give the account."""
    account = Account()
    create(folder).append(note("start"))
    tail = LiveTail(folder)
    crew = _Crew(folder, plan, account)
    crew.storm()
    join(folder).append(SessionClosed())
    account.count = crew.killed
    delivered = tail.finish(account)
    ledger = Ledger(file(folder))
    account.add("acknowledged events", len(crew.acknowledged))
    account.add("tears", ledger.repairs["cut"])
    account.add("adopted", ledger.repairs["adopted"])
    account.add("tail deliveries", len(delivered))
    lost = ledger.missing(crew.acknowledged)
    account.add("acknowledged lost", len(lost))
    if lost:
        account.violations.append(f"{len(lost)} acknowledged lost, first {lost[0]}")
    ledger.judge(account)
    if delivered != ledger.crcs:
        account.violations.append("the live tail delivered something else")
    return account


# --- the writers -----------------------------------------------------------------


def append_for_ever(
    writer: JournalWriter, name: str, pipe: int, *, early: bool = False
) -> None:
    """Append until killed, acknowledging each append.

    Every few appends the line is made to end one byte into a page, as far as this
    process knows where the journal ends: torn there, only its newline is missing.
    """
    rng = random.Random(name)
    number, ahead = 0, 0
    while True:
        text = f"{name} {number}"
        size = rng.choice(SIZES)
        if ahead and rng.random() < 0.25:
            size = (1 - ahead) % PAGE_BYTES + PAGE_BYTES
        if early:
            os.write(pipe, f"{text}\n".encode())
        try:
            (record,) = writer.append(note(text, size))
        except Exception as error:  # a thread's death alone would go unseen
            os.write(2, f"{name}: {error!r}\n".encode())
            os._exit(3)
        if not early:
            os.write(pipe, f"{text}\n".encode())
        # Where the next line would end if it had no padding.
        ahead = record.end + (record.end - record.offset - size)
        number += 1


def append_in_threads(
    writer: JournalWriter, name: str, pipe: int, *, early: bool = False
) -> None:
    """Append from several threads that share one writer, until killed."""
    for number in range(THREADS):
        threading.Thread(
            target=append_for_ever,
            args=(writer, f"{name}.{number}", pipe),
            kwargs={"early": early},
        ).start()


def started_anew(folder: str, name: str) -> None:
    """Append from a process of its own; called there."""
    os.write(1, b"\n")  # from now on it may be killed
    append_for_ever(join(Path(folder)), name, 1)


class _Crew:
    """The writers that live, and the pipes on which they acknowledge."""

    def __init__(self, folder: Path, plan: Storm, account: Account) -> None:
        self._folder = folder
        self._plan = plan
        self._account = account
        self._rng = random.Random(plan.seed)
        self._pipes: dict[int, int] = {}
        self._rests: dict[int, bytes] = {}  # half lines
        self._ready: set[int] = set()
        self._kinds: dict[int, Kind] = {}
        self._born = 0
        self.killed = 0
        self.acknowledged: list[str] = []

    def storm(self) -> None:
        """Start writers and kill them, until as many as planned are dead."""
        while self._born < self._plan.kills or self._pipes:
            while len(self._pipes) < self._plan.writers:
                if self._born >= self._plan.kills:
                    break
                self._start()
            time.sleep(self._rng.uniform(0.001, 0.006))
            while not self._ready:
                select.select(list(self._pipes.values()), [], [])
                self._drain_all()
            self._kill(self._rng.choice(sorted(self._ready)))
            self._drain_all()

    def _start(self) -> None:
        name, kind = f"c{self._born}", self._rng.choice(self._plan.kinds)
        self._born += 1
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        if kind == "started anew":
            given = [str(self._folder), name, str(SUPPORT)]
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-c", STARTED_ANEW, *given],
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1)],
            )
        else:
            pid = os.fork()
            if pid == 0:
                self._be_child(name, kind, writing, reading)
            self._ready.add(pid)
        os.close(writing)
        self._pipes[pid] = reading
        self._kinds[pid] = kind

    def _be_child(self, name: str, kind: Kind, pipe: int, reading: int) -> None:
        try:
            # With nobody left to read, a write ends the child.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            for inherited in (reading, *self._pipes.values()):
                os.close(inherited)
            writer = self._plan.make(self._folder)
            append = append_in_threads if kind == "threaded" else append_for_ever
            append(writer, name, pipe, early=self._plan.early)
            while True:
                signal.pause()  # the threads go on
        finally:
            os._exit(4)

    def _kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._drain(pid)
        os.close(self._pipes.pop(pid))
        self._rests.pop(pid, None)
        self._ready.discard(pid)
        kind = self._kinds.pop(pid)
        if code == -signal.SIGKILL:
            self.killed += 1
            self._account.add(f"{kind} killed")
        else:
            self._account.violations.append(f"a writer gave up with exit code {code}")

    def _drain_all(self) -> None:
        for pid in self._pipes:
            self._drain(pid)

    def _drain(self, pid: int) -> None:
        data = self._rests.get(pid, b"")
        while True:
            try:
                more = os.read(self._pipes[pid], 1 << 16)
            except BlockingIOError:
                break
            if not more:
                self._ready.add(pid)  # it is dead already: to be found out
                break
            data += more
        *lines, self._rests[pid] = data.split(b"\n")
        if lines:
            self._ready.add(pid)
        self.acknowledged += [line.decode() for line in lines if line]


# --- the suite -------------------------------------------------------------------


@contextmanager
def _places(folder: Path) -> Iterator[list[Path]]:
    """Give a folder on each file system that there is."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield [folder]
        return
    other = Path(tempfile.mkdtemp(prefix="storm-kills-", dir=memory))
    try:
        yield [folder, other]
    finally:
        shutil.rmtree(other, ignore_errors=True)


def file_system(path: Path) -> str:
    """Name the file system that a folder is on, as the kernel does."""
    lines = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    mounts = [(fields[1], fields[2]) for fields in map(str.split, lines)]
    return max((p, name) for p, name in mounts if path.is_relative_to(p))[1]


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Storm one journal after the other, until *count* writers were killed."""
    total = Account()
    rng = random.Random(seed)
    backends = choose_backend("filelock"), choose_backend("fcntl")
    said = time.monotonic()
    with _places(folder) as places:
        if len(places) == 1:
            total.skipped.append("tmpfs: no /dev/shm to write to")
        number = 0
        while total.count < count and not total.violations:
            place = places[number % len(places)]
            plan = Storm(
                kills=min(KILLS_PER_JOURNAL, count - total.count),
                writers=rng.randint(4, 8),
                make=partial(join, backend=backends[number // 2 % 2]),
                seed=rng.getrandbits(32),
            )
            journal = place / f"{number}"
            found = storm(journal, plan)
            shutil.rmtree(journal)
            total.add("journals")
            total.add(f"kills on {file_system(place)}", found.count)
            total.count += found.count
            total.violations += [f"{plan}: {line}" for line in found.violations]
            for name, figure in found.figures.items():
                assert isinstance(figure, int)
                total.add(name, figure)
            number += 1
            if time.monotonic() - said > 10:
                said = time.monotonic()
                say(f"{total.count:,} killed")
    return total


SUITE: Final = Suite(
    name="kills",
    fault="writers killed with SIGKILL at any moment, 4 to 8 at once, a live tail",
    unit="kills",
    full=10_000,
    small=60,
    run=run,
)
