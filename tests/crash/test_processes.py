"""Real processes append to one journal, and are killed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from journals import create, note, texts
from storms import kills

from kedro_journal.events import Record
from kedro_journal.journal import JournalWriter, read, verify
from kedro_journal.journal.file import JournalFile
from kedro_journal.journal.tail import Tail

SUPPORT = str(Path(__file__).parents[1] / "support")
SPAWNED = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from journals import join, note
writer = join(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    writer.append(note(f"spawned{sys.argv[4]} {number}"))
"""


def forked(work) -> int:  # type: ignore[no-untyped-def]
    """Run in a forked child; its exit code is 0 only if *work* returned."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def join_all(pids: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def check_order(records: list[Record], expected: dict[str, int]) -> None:
    """Every writer's notes are all there, once, in its own order."""
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    mine: dict[str, list[int]] = {}
    for text in texts(records):
        name, _, number = text.partition(" ")
        mine.setdefault(name, []).append(int(number))
    assert mine == {name: list(range(count)) for name, count in expected.items()}


def test_forked_children_threads_and_spawned_processes_share_one_journal(
    tmp_path: Path,
) -> None:
    """Four forked children with three threads each, two spawned, and the parent."""
    writer = create(tmp_path / "s")
    writer.append(note("parent 0"))
    count = 300

    def in_child(name: str) -> None:
        def append(thread: int) -> None:
            for number in range(count):
                writer.append(note(f"{name}.{thread} {number}", number % 700))

        threads = [threading.Thread(target=append, args=(n,)) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    pids = [forked(lambda name=f"fork{n}": in_child(name)) for n in range(4)]
    command = [sys.executable, "-c", SPAWNED, str(tmp_path / "s"), str(count), SUPPORT]
    spawned = [subprocess.Popen([*command, str(number)]) for number in range(2)]
    for number in range(1, count):
        writer.append(note(f"parent {number}"))
    assert join_all(pids) == [0] * 4
    assert [process.wait(60) for process in spawned] == [0, 0]
    records = list(read(writer.path))
    expected = {f"fork{n}.{t}": count for n in range(4) for t in range(3)}
    expected |= {"spawned0": count, "spawned1": count, "parent": count}
    check_order(records, expected)
    assert verify(writer.path).findings == ()
    opened = [record.writer for record in records if record.type == "writer.opened"]
    assert len(opened) == len(set(opened)) == 7
    assert {record.writer for record in records} == set(opened)


def test_a_fork_while_other_threads_append_harms_neither_side(tmp_path: Path) -> None:
    """The child's copy of a lock that another thread held must not stop it."""
    writer = create(tmp_path / "s")
    done = threading.Event()
    counts = Counter[str]()

    def append(name: str) -> None:
        while not done.is_set():
            writer.append(note(f"{name} {counts[name]}", 5000))
            counts[name] += 1

    threads = [threading.Thread(target=append, args=(f"t{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for number in range(40):
        name = f"child{number}"

        def work(name: str = name) -> None:
            for number in range(3):
                writer.append(note(f"{name} {number}"))

        codes += join_all([forked(work)])
    done.set()
    for thread in threads:
        thread.join(30)
    assert codes == [0] * 40
    expected = {f"child{number}": 3 for number in range(40)}
    check_order(list(read(writer.path)), {**expected, **counts})


def test_a_memory_journal_survives_a_fork_while_another_thread_appends() -> None:
    """The child goes on with its own copy; no lock of the parent's stops it."""
    from journals import HEADER, opened

    from kedro_journal.journal import MemoryJournal

    journal = MemoryJournal(HEADER, opened())
    journal.append(note())
    with journal._lock:
        pid = forked(lambda: journal.append(note("in the child")))
    assert join_all([pid]) == [0]
    assert len(journal.lines()) == 3


@pytest.mark.storm
def test_a_storm_of_kills_loses_nothing_acknowledged(tmp_path: Path) -> None:
    """SIGKILL at any moment: acknowledged records stay, once, in order; tail agrees."""
    found = Counter[str]()
    for seed in range(1, 8):
        account = kills.run(kills.SUITE.small, tmp_path, seed, print)
        assert account.violations == []
        assert account.count == kills.SUITE.small
        found.update({name: int(number) for name, number in account.figures.items()})
        for wrong in ("acknowledged lost", "duplicates", "seq errors"):
            assert found[wrong] == 0
        every_kind = all(found[f"{kind} killed"] for kind in kills.KINDS)
        if every_kind and found["tears"] >= 5 and found["acknowledged events"] > 1000:
            break
    assert found["tail deliveries"] > found["acknowledged events"] > 1000
    for kind in kills.KINDS:
        assert found[f"{kind} killed"] > 0
    assert found["tears"] >= 5  # kills really tear lines over a page


class NoLock(JournalWriter):
    """Sabotage: nobody takes turns."""

    def _append_locked(self, *batch, **options):  # type: ignore[no-untyped-def]
        self._lock.acquire = lambda fd: None  # type: ignore[method-assign]
        self._lock.try_acquire = lambda fd: True  # type: ignore[method-assign]
        return super()._append_locked(*batch, **options)


class BrokenChecksum(JournalWriter):
    """Sabotage: now and then a line does not have the checksum of its bytes."""

    def __init__(self, *given, **options):  # type: ignore[no-untyped-def]
        super().__init__(*given, **options)
        append = self._file.append

        def careless(data: bytes, end: int) -> None:
            broken = self.seq % 7 == 0
            append(data[:-4] + b'0"}\n' if broken else data, end)

        self._file.append = careless  # type: ignore[method-assign]


class NoCatchUp(JournalWriter):
    """Sabotage: what others wrote since is not looked at."""

    def _catch_up(self) -> None:
        end = self._end
        if end.known:
            end.last = end.last._replace(offset=self._file.stat().size)
        else:
            super()._catch_up()


class NoLook(JournalWriter):
    """Sabotage: what others wrote is not noticed before the journal is looked at."""

    def __init__(self, *given, **options):  # type: ignore[no-untyped-def]
        super().__init__(*given, **options)
        self._file.end = lambda: self._end.last.offset  # type: ignore[method-assign]


class NoRepair(JournalWriter):
    """Sabotage: a torn tail is written on."""

    def __init__(self, *given, **options):  # type: ignore[no-untyped-def]
        super().__init__(*given, **options)
        look_back = self._end._look_back

        def careless(file: JournalFile, size: int) -> tuple[Tail, int]:
            tail, start = look_back(file, size)
            return tail._replace(fragment=b"", repair="nothing"), start

        self._end._look_back = careless  # type: ignore[method-assign]


@pytest.mark.storm
@pytest.mark.parametrize(
    "sabotage", [NoLock, BrokenChecksum, NoCatchUp, NoLook, NoRepair]
)
def test_the_storm_sees_a_broken_protocol(
    tmp_path: Path, sabotage: type[JournalWriter]
) -> None:
    """Teeth: with one step of the protocol left out, the same storm goes red."""
    from journals import opened

    def make(folder: Path) -> JournalWriter:
        return sabotage(folder, opened("worker"))

    assert storms_until(tmp_path, bool, kills.Storm(kills=10, make=make))


@pytest.mark.storm
def test_the_storm_sees_an_acknowledgement_before_the_write(tmp_path: Path) -> None:
    """Teeth: a writer that says so first, and writes then, is found out."""

    def lost(violations: list[str]) -> bool:
        return any("acknowledged lost" in violation for violation in violations)

    assert storms_until(tmp_path, lost, kills.Storm(kills=15, early=True))


def storms_until(
    tmp_path: Path, seen: Callable[[list[str]], bool], plan: kills.Storm
) -> bool:
    """Repeat a short storm until it is seen, at most 32 times: few kills tear."""
    for seed in range(1, 33):
        folder = tmp_path / str(seed)
        account = kills.storm(folder, replace(plan, seed=seed))
        shutil.rmtree(folder)  # hundreds of megabytes
        if seen(account.violations):
            return True
    return False
