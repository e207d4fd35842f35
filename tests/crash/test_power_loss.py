"""The power fails at every step, and takes what was not synced."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import file, sample_lines
from storms.power import SECTORS, SUITE, Storm
from storms.power_check import AFTER, WORKER, look
from storms.power_disk import Disk, File, Op, State, losses
from storms.power_play import Base, Hands
from storms.power_port import MemoryOs, NoOthers, RecordingOs
from storms.power_scripts import recovery

from kedro_journal.journal import JournalWriter, decode, scan
from kedro_journal.journal.repair import TORN_NAME

pytestmark = pytest.mark.storm
JOURNAL = Path("/project/sessions/s/journal.jsonl")
ROLL_BACK = "disk full, then smaller records"


def storm(folder: Path, count: int, **options: Any) -> Storm:
    folder.mkdir()
    done = Storm(count, folder, 1, lambda _: None, **options)
    done.run()
    return done


def test_a_power_failure_takes_nothing_that_was_promised(tmp_path: Path) -> None:
    """What was synced is delivered, nothing is invented, and every hole is told."""
    account = SUITE.run(SUITE.small, tmp_path, 1, lambda _: None)
    assert account.violations == []
    assert account.count >= SUITE.small
    struck = {name: int(number) for name, number in account.figures.items()}
    assert struck["torn tails"] > 2_500
    assert struck["holes, all told"] > 1_000
    assert struck["without a header"] > 250
    assert struck["damaged newlines"] > 10
    assert struck["failures of a recovery"] > 2_500
    assert struck["reopened by a writer"] > SUITE.small / 8


def test_records_that_were_rolled_back_do_not_come_back_between_new_ones(
    tmp_path: Path,
) -> None:
    """A cut that never reached the disk must not number two records alike."""
    done = storm(tmp_path / "s", 8_000, scripts=(ROLL_BACK,), depth=1)
    assert done.account.violations == []


@pytest.mark.parametrize("sector", SECTORS)
def test_a_record_is_not_lost_while_its_damaged_newline_is_put_right(
    tmp_path: Path, sector: int
) -> None:
    """What is written behind it must not fuse with it if the newline is lost again."""
    image = b"".join(sample_lines(5))[:-1] + b"?"
    lines = tuple(look(image).lines)
    assert len(lines) == 5
    storm, rng = Storm(0, tmp_path, 1, lambda _: None), random.Random(1)
    for _ in range(20):
        base = Base(image, lines=lines, given=frozenset(lines))
        tape = storm.perform("newline", recovery, rng, base)
        storm.strike(tape, sector, rng, depth=storm.depth)
    assert storm.account.count > 1_000
    assert storm.account.violations == []


class NoFolderSync(RecordingOs):
    """Sabotage: names of new files are not brought to the disk."""

    def sync_folder(self, path: Path) -> None:
        pass


class NoSync(RecordingOs):
    """Sabotage: the system says that it synced, and did not."""

    def sync(self, fd: int) -> None:
        self.synced.set()


class NothingAside(RecordingOs):
    """Sabotage: what a repair cuts off is not kept."""

    def write_new(self, path: Path, data: bytes) -> None:
        if path.parent.name != TORN_NAME:
            super().write_new(path, data)


class NoCut(MemoryOs):
    """Sabotage: after the failure, a torn tail is written on."""

    def truncate(self, fd: int, size: int) -> None:
        pass


class NoLifecycleSync(JournalWriter):
    """Sabotage: how a run ends is synced like anything else."""

    def _sync(self, number: int | None) -> None:
        if self._durability == "sync":
            super()._sync(number)


class NeverSync(JournalWriter):
    """Sabotage: at no level is anything synced."""

    def _sync(self, number: int | None) -> None:
        pass


LOST = "synced records lost"


@pytest.mark.parametrize(
    ("script", "hands", "broken"),
    [
        ("sync", Hands(port=NoFolderSync), "the journal is gone"),
        ("closed", Hands(port=NoFolderSync), "the journal is gone"),
        ("lifecycle", Hands(writer=NoLifecycleSync), LOST),
        ("closed", Hands(writer=NoLifecycleSync), LOST),
        ("sync", Hands(writer=NeverSync), LOST),
        ("two writers", Hands(writer=NeverSync), LOST),
        ("sync", Hands(early=True), LOST),
        ("lifecycle", Hands(early=True), LOST),
        ("group, synced by hand", Hands(port=NoSync), LOST),
        ("group, synced by its thread", Hands(port=NoSync), LOST),
        ("killed, then repaired", Hands(port=NothingAside), "kept are gone"),
        ("flush", Hands(memory=NoCut), "what was appended is not delivered"),
    ],
)
def test_the_storm_sees_a_broken_protocol(
    tmp_path: Path, script: str, hands: Hands, broken: str
) -> None:
    """Teeth: it goes red when one step is left out, and only then."""
    dose: dict[str, Any] = {"scripts": (script,), "depth": 1, "enough": 100}
    assert storm(tmp_path / "0", 300, **dose).account.violations == []
    done = storm(tmp_path / "1", 3_000, hands=hands, **dose)
    assert any(broken in line for line in done.account.violations)


def without_checksum(line: bytes, *places: int) -> object:
    """Sabotage: the checksum of a line is not compared."""
    import zlib

    crc = b"%08x" % zlib.crc32(line[:-18])
    return decode(line[:-10] + crc + line[-2:], *places)


def forget_prev(self: scan.Scanner, record: Any, line: Any) -> Any:
    """Sabotage: whatever comes next is taken for what was written next."""
    return self._accept(record, line)


@pytest.mark.parametrize(
    ("name", "sabotage", "broken"),
    [
        ("decode", without_checksum, "records invented"),
        ("Scanner._judge", forget_prev, "a silent hole"),
    ],
)
def test_the_storm_sees_a_reader_that_believes_too_much(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    sabotage: Callable[..., object],
    broken: str,
) -> None:
    """Teeth: without the checksum, or without the chain, it goes red."""
    monkeypatch.setattr(f"kedro_journal.journal.scan.{name}", sabotage)
    done = storm(tmp_path / "s", 3_000, scripts=("flush",), depth=1)
    assert any(broken in line for line in done.account.violations)


def test_the_storm_sees_a_roll_back_that_is_not_synced(tmp_path: Path) -> None:
    """Teeth: a cut may be lost with the power, and what it cut come back."""

    class NoSyncOfCuts(RecordingOs):
        def sync(self, fd: int) -> None:
            if self.ops[-1].kind != "cut":
                super().sync(fd)

    done = storm(
        tmp_path / "s",
        20_000,
        scripts=(ROLL_BACK,),
        depth=1,
        hands=Hands(port=NoSyncOfCuts),
        enough=1,
    )
    assert any("new lines are not delivered" in v for v in done.account.violations)


def disk_of(*ops: Op) -> Disk:
    disk = Disk()
    for op in ops:
        disk.do(op)
    return disk


def states(disk: Disk, sector: int = 512, count: int = 400) -> set[State]:
    return set(losses(disk, JOURNAL, sector, random.Random(1), count))


def test_a_disk_on_which_all_is_synced_is_what_it_is() -> None:
    """Then a failure takes nothing."""
    ops = [Op("file", JOURNAL), Op("write", JOURNAL, b"x" * 700), Op("sync", JOURNAL)]
    disk = disk_of(*ops, Op("sync folder", JOURNAL.parent))
    assert states(disk) == {State(b"x" * 700)}


def test_a_file_is_gone_if_its_name_or_its_folders_name_was_not_synced() -> None:
    """Syncing the file does not bring its name to the disk."""
    made = [
        Op("folder", JOURNAL.parent),
        Op("file", JOURNAL),
        Op("write", JOURNAL, b"x"),
        Op("sync", JOURNAL),
    ]
    here = Op("sync folder", JOURNAL.parent)
    above = Op("sync folder", JOURNAL.parent.parent)
    for synced in ([], [here], [above]):
        assert states(disk_of(*made, *synced)) == {State(None), State(b"x")}
    assert states(disk_of(*made, here, above)) == {State(b"x")}


def test_what_was_not_synced_is_there_or_old_or_zeroed_or_garbled_in_any_size() -> None:
    """And what was synced beside it, in the same sector, is there."""
    old, new = b"o" * 100, b"n" * 600
    disk = Disk({JOURNAL: File(old)})
    disk.do(Op("write", JOURNAL, new))
    images = {state.image or b"" for state in states(disk)}
    assert all(image.startswith(old) for image in images)
    assert {len(image) for image in images} > {100, 700}
    assert old in images
    assert old + new in images
    assert old + bytes(600) in images
    assert (old + new)[:512] + bytes(188) in images  # the first sector, not the second
    assert old + bytes(412) + new[412:] in images  # the second, not the first
    strange = {image[100:512] for image in images if len(image) > 512}
    assert strange > {new[:412], bytes(412)}


def test_a_cut_may_not_have_happened_and_new_bytes_may_stand_before_old_ones() -> None:
    """The rest of what was rolled back comes after what took its place."""
    disk = Disk({JOURNAL: File(b"o" * 512)})
    disk.do(Op("write", JOURNAL, b"1" * 1024))
    disk.do(Op("cut", JOURNAL, size=512))
    disk.do(Op("write", JOURNAL, b"2" * 512))
    images = {state.image for state in states(disk, count=2_000)}
    assert b"o" * 512 + b"2" * 512 + b"1" * 512 in images


@pytest.mark.parametrize("end", [b"", b"?", None])
def test_the_system_in_memory_does_what_the_real_one_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: bytes | None
) -> None:
    """A newline to add, one to put right, a tail to cut: the same bytes every time."""
    monkeypatch.setattr(
        "kedro_journal.journal.repair.wall_ns", lambda: 1
    )  # names what is kept aside
    whole = b"".join(sample_lines(6))
    data = whole[:-100] if end is None else whole[:-1] + end
    path = file(tmp_path)
    path.write_bytes(data)
    memory, real = MemoryOs(), RecordingOs()
    memory.files[path] = bytearray(data)
    for port in (memory, real):
        writer = JournalWriter(tmp_path, WORKER, backend=NoOthers(), port=port)
        writer.append(*AFTER)
        writer.close()
    assert len(look(path.read_bytes()).lines) == 5 + 1 + 1 + 2 + (end is not None)
    on_disk = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    assert on_disk == memory.files
