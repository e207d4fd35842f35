"""Processes with several threads each append to one journal, as fast as they can.

Every event must be there once, with numbers without gaps and every thread's own order
kept, and the wait of each append is measured where it is made. The processes are begun
in every way that Python knows, use both lock backends against each other, and fork
while their threads append.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import pickle
import select
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from journals import create, file, join, note

from kedro_journal.events import SessionClosed
from kedro_journal.journal import JournalWriter, choose_backend

from .account import Account, Say, Suite
from .ledger import Ledger
from .live_tail import LiveTail

__all__ = ["SUITE", "Crowd", "crowd", "run"]

Backend = Literal["fcntl", "filelock"]
Start = Literal["fork", "spawn", "forkserver", "exec"]
STARTS: Final[tuple[Start, ...]] = ("fork", "spawn", "forkserver", "exec")
BACKENDS: Final[tuple[Backend, ...]] = ("fcntl", "filelock")
SMALL_FORK_NOTES: Final = 3
WAIT_P99_S: Final = 0.050  # the promise
WAIT_HOPELESS_S: Final = 10.0  # a test is no place for the promise
START_DEADLINE_S: Final = 60.0
SUPPORT: Final = Path(__file__).parents[1]
STARTED_ANEW: Final = """
import sys
sys.path.insert(0, sys.argv[2])
from storms.contention import started_anew
started_anew(sys.argv[1])
"""
Make = Callable[[Path, Backend], JournalWriter]


def make(folder: Path, backend: Backend) -> JournalWriter:
    """Give the writer that the threads of one process share."""
    return join(folder, backend=choose_backend(backend))


@dataclass(frozen=True)
class Crowd:
    """Who appends to one journal.

    Attributes:
        processes: How many.
        threads: Of each process; they share its writer.
        events: Of each thread.
        starts: How the processes are begun, in turn.
        backends: Who locks, in turn.
        forks: How many children each process forks while its threads append.
        make: Gives a writer.
        wait_p99_s: What 99 of 100 appends may last.
    """

    processes: int = 8
    threads: int = 4
    events: int = 100
    starts: tuple[Start, ...] = STARTS
    backends: tuple[Backend, ...] = BACKENDS
    forks: int = 0
    make: Make = make
    wait_p99_s: float = WAIT_HOPELESS_S


@dataclass
class Report:
    """What one process did.

    Attributes:
        counts: How many notes each of its writers appended.
        waits: How long each append of its threads lasted, in seconds.
    """

    counts: dict[str, int]
    waits: array[float]


# --- one process -----------------------------------------------------------------


@dataclass(frozen=True)
class Task:
    """What one process has to do."""

    folder: Path
    name: str
    backend: Backend
    plan: Crowd

    @property
    def report(self) -> Path:
        return self.folder / f"{self.name}.report"


def append_all(task: Task) -> None:
    """Append what one process has to, from its threads; called in that process."""
    writer = task.plan.make(task.folder, task.backend)
    threads = range(task.plan.threads)
    report = Report({}, array("d"))
    waits = [array("d") for _ in threads]
    failures: list[BaseException] = []

    def append(thread: int) -> None:
        try:
            name = f"{task.name}.{thread}"
            _append(writer, name, task.plan.events, waits[thread])
            report.counts[name] = task.plan.events
        except BaseException as error:
            failures.append(error)

    started = [threading.Thread(target=append, args=(number,)) for number in threads]
    _wait_for_the_others(task.folder)
    for thread in started:
        thread.start()
    for number in range(task.plan.forks):
        name = f"{task.name}.forked{number}"
        _fork(writer, name)
        report.counts[name] = SMALL_FORK_NOTES
    for thread in started:
        thread.join()
    if failures:
        raise failures[0]
    for mine in waits:
        report.waits.extend(mine)
    task.report.write_bytes(pickle.dumps(report))


def _append(writer: JournalWriter, name: str, count: int, waits: array[float]) -> None:
    for number in range(count):
        event = note(f"{name} {number}")
        started = time.perf_counter()
        writer.append(event)
        waits.append(time.perf_counter() - started)


def _fork(writer: JournalWriter, name: str) -> None:
    """Have a forked child append with its parent's writer, while others do."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _append(writer, name, SMALL_FORK_NOTES, array("d"))
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        message = f"the forked child {name} ended with {code}"
        raise RuntimeError(message)


def started_anew(task: str) -> None:
    """Do what a file says; called in a process that was executed."""
    append_all(pickle.loads(Path(task).read_bytes()))


# --- all of them -----------------------------------------------------------------


def _wait_for_the_others(folder: Path) -> None:
    """Say that this process is ready, and wait until all are."""
    with (folder / "ready").open("wb") as ready:  # a FIFO
        ready.write(b".")
    with (folder / "gate").open("rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)


@contextmanager
def _gate(folder: Path, processes: int) -> Iterator[Callable[[], None]]:
    """Give what waits until that many processes are ready, then lets them all go."""
    os.mkfifo(folder / "ready")
    with (
        os.fdopen(os.open(folder / "ready", os.O_RDWR), "rb", buffering=0) as ready,
        (folder / "gate").open("wb") as gate,
    ):
        fcntl.flock(gate, fcntl.LOCK_EX)

        def let_go() -> None:
            waiting = processes
            while waiting:
                if not select.select([ready], [], [], START_DEADLINE_S)[0]:
                    message = f"{waiting} processes did not begin"
                    raise TimeoutError(message)
                waiting -= len(ready.read(waiting))
            fcntl.flock(gate, fcntl.LOCK_UN)

        yield let_go


def _begin(task: Task, start: Start) -> Callable[[], int]:
    """Start a process; give what waits for its exit code."""
    if start == "exec":
        given = task.report.with_suffix(".task")
        given.write_bytes(pickle.dumps(task))
        command = [sys.executable, "-c", STARTED_ANEW, str(given), str(SUPPORT)]
        pid = os.posix_spawn(sys.executable, command, os.environ)
        return lambda: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    context: Any = multiprocessing.get_context(start)
    process = context.Process(target=append_all, args=(task,), name=task.name)
    process.start()

    def wait() -> int:
        process.join()
        return int(process.exitcode)

    return wait


def crowd(folder: Path, plan: Crowd) -> Account:
    """Let a crowd append to one journal and give the account."""
    account = Account()
    create(folder).append(note("start"))
    tail = LiveTail(folder)
    tasks = [
        Task(
            folder,
            f"p{n}",
            plan.backends[n // len(plan.starts) % len(plan.backends)],
            plan,
        )
        for n in range(plan.processes)
    ]
    with _gate(folder, plan.processes) as let_go:
        waits = [
            _begin(task, plan.starts[number % len(plan.starts)])
            for number, task in enumerate(tasks)
        ]
        let_go()
        started = time.monotonic()
        codes = [wait() for wait in waits]
        lasted_s = time.monotonic() - started
    join(folder).append(SessionClosed())
    delivered = tail.finish(account)
    account.violations += [
        f"{task.name} ended with {code}"
        for task, code in zip(tasks, codes, strict=True)
        if code
    ]
    reports = [pickle.loads(t.report.read_bytes()) for t in tasks if t.report.exists()]
    _judge(account, reports, delivered, Ledger(file(folder)))
    _judge_waits(account, plan, reports)
    account.figures["events a second"] = round(account.count / lasted_s)
    return account


def _judge(
    account: Account, reports: list[Report], delivered: list[str], ledger: Ledger
) -> None:
    """Set the journal against what its writers say."""
    ledger.judge(account)
    account.count = len(ledger)
    said: dict[str, int] = {}
    for report in reports:
        said |= report.counts
    found = ledger.counts()
    lost = sum(max(0, count - found.get(name, 0)) for name, count in said.items())
    account.figures["writers"] = ledger.writers
    account.figures["tail deliveries"] = len(delivered)
    account.figures["acknowledged lost"] = lost
    if found != said:
        account.violations.append(f"{lost} acknowledged lost, or something added")
    if delivered != ledger.crcs:
        account.violations.append("the live tail delivered something else")
    threads = [name for name in said if ".forked" not in name]
    shares = ledger.shares_when_the_first_was_done(threads)
    slowest = round(100 * min(shares, default=0) / max(shares, default=1))
    account.figures["slowest thread as the first ended"] = f"{slowest} %"


def _judge_waits(account: Account, plan: Crowd, reports: list[Report]) -> None:
    """Merge the waits of all processes."""
    waits = sorted(wait for report in reports for wait in report.waits)
    if not waits:
        account.violations.append("nobody got anything in")
        return
    places = {"p50": len(waits) // 2, "p99": len(waits) * 99 // 100, "max": -1}
    for name, place in places.items():
        account.figures[f"wait {name}"] = f"{waits[place] * 1e3:.3g} ms"
    p99_s = waits[places["p99"]]
    if p99_s > plan.wait_p99_s:
        account.violations.append(f"1 of 100 appends lasted over {p99_s:.3f} s")
    if waits[-1] > WAIT_HOPELESS_S:
        account.violations.append(f"an append lasted {waits[-1]:.1f} s")


# --- the suite -------------------------------------------------------------------


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Have one journal take *count* events. Nothing is drawn: *seed* is not used."""
    del seed
    plan = Crowd(forks=5)
    events = -(-count // (plan.processes * plan.threads))
    promised = count >= SUITE.full
    plan = replace(
        plan,
        events=events,
        wait_p99_s=WAIT_P99_S if promised else WAIT_HOPELESS_S,
    )
    say(
        f"{plan.processes} processes, {plan.threads} threads each, {events:,} events each"
    )
    return crowd(folder / "s", plan)


SUITE: Final = Suite(
    name="contention",
    fault="8 processes with 4 threads each append to one journal at once",
    unit="events",
    full=1_000_000,
    small=24_000,
    run=run,
)
