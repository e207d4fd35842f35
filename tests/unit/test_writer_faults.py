"""Every call to the system fails once: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from faulty import CALLS, Fault, Faults, FaultyOs, Strike
from journals import (
    create,
    file,
    join,
    note,
    put,
    salvage,
    sample_lines,
    texts,
)
from scenarios import SCENARIOS
from stage import Stage

from kedro_journal.errors import (
    JournalUnwritable,
    NewerJournal,
    UnsafeJournal,
)
from kedro_journal.events import RunFailed, SessionClosed
from kedro_journal.events.base import ErrorInfo
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.codec import Encoded, encode_event
from kedro_journal.journal.lock import FcntlBackend
from kedro_journal.journal.names import RESERVE_NAME
from kedro_journal.journal.port import Os

# What must be on record in the end; sync is left out, for that is final: see below.
REPAIRS = {
    "create and append": [],
    "cut a torn tail": ["cut"],
    "adopt a whole tail": ["adopted"],
    "mend a terminator": ["terminator"],
    "skip bad lines": ["skipped"],
}
WATCHED = CALLS - {"sync"}


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "until mended"])
@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC, errno.EINTR, "short"])
@pytest.mark.parametrize("name", REPAIRS)
def test_any_failing_call_leaves_a_whole_journal_that_goes_on(
    tmp_path: Path, name: str, fault: Fault, lasting: bool
) -> None:
    """For the n-th call, n = 1, 2, 3... until the script is through before it fails."""
    (scenario,) = (known for known in SCENARIOS if known.name == name)

    def play(folder: Path, faults: Faults) -> Stage:
        scenario.prepare(folder)
        backend = FcntlBackend()
        stage = Stage(folder, port=lambda: FaultyOs(faults), backend=backend)
        scenario.play(stage)
        return stage

    clean = Faults(watched=WATCHED)
    play(tmp_path / "clean", clean)
    hits = 0
    for at in range(1, len(clean.calls) + 1):
        folder = tmp_path / str(at)
        faults = Faults(Strike(at, fault, lasting), watched=WATCHED)
        stage = play(folder, faults)
        hits += bool(faults.struck)
        faults.mend()
        stage.hands[0].append("last")
        refused = [batch for batch in stage.batches if batch.outcome == "refused"]
        accepted = [batch for batch in stage.batches if batch not in refused]
        assert stage.batches[-1].outcome == "acknowledged"
        assert {batch.error for batch in refused} <= {"JournalUnwritable"}
        assert None not in [batch.errno for batch in refused]
        found, findings = salvage(folder)
        errors = [f.kind for f in findings if f.severity == "error"]
        assert errors == (["records lost"] if scenario.skipped else [])
        ours = [text for text in texts(found) if not text.startswith("1.")]
        assert ours == [name for batch in accepted for name in batch.names]
        actions = [r.event.action for r in found if r.type == "journal.repaired"]  # type: ignore[union-attr]
        # On record once, also if the next write failed.
        assert actions == REPAIRS[name] or (refused and actions == ["cut"])
        stage.close()
    assert hits > 3


def test_a_failed_sync_is_final_and_nothing_is_written_twice(tmp_path: Path) -> None:
    """The kernel may have dropped the pages: trying again could succeed without."""

    class FailingSync(Os):
        calls = 0

        def sync(self, fd: int) -> None:
            self.calls += 1
            raise OSError(errno.EIO, "Input/output error")

    port = FailingSync()
    writer = create(tmp_path / "s", port=port)
    writer.append(note("a"))
    failure = RunFailed(run_id="r", error=ErrorInfo(type="E"))
    for _ in range(3):
        with pytest.raises(JournalUnwritable, match="sync failed, which is final"):
            writer.append(failure)
    assert port.calls == 1
    types = [record.type for record in salvage(tmp_path / "s")[0]]
    assert types.count("run.failed") == 1


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_that_cannot_sync_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(fd: int) -> None:
        raise OSError(number, "not here")

    monkeypatch.setattr("kedro_journal.journal.port._datasync", refuse)
    monkeypatch.setattr(os, "fsync", refuse)
    put(tmp_path / "s", b"".join(sample_lines(4)) + b"torn")
    writer = join(tmp_path / "s", durability="sync")
    writer.append(note("a"))
    writer.append(note("b"))
    assert texts(salvage(tmp_path / "s")[0])[-2:] == ["a", "b"]


class CountingSync(Os):
    """Counts the syncs of journal files."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, fd: int) -> None:
        self.syncs += 1


def test_lifecycle_events_are_synced_at_every_level(tmp_path: Path) -> None:
    port = CountingSync()
    writer = create(tmp_path / "s", port=port)
    writer.append(note())
    assert port.syncs == 0
    writer.append(SessionClosed())
    assert port.syncs == 1


def test_group_durability_syncs_what_is_left_at_close(tmp_path: Path) -> None:
    port = CountingSync()
    writer = create(tmp_path / "s", port=port, durability="group")
    writer.append(note())
    writer.close()
    assert port.syncs >= 1


def test_sync_durability_syncs_every_append(tmp_path: Path) -> None:
    port = CountingSync()
    writer = create(tmp_path / "s", port=port, durability="sync")
    for _ in range(5):
        writer.append(note())
    assert port.syncs == 5


def test_a_journal_that_was_deleted_under_the_writer_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not made anew: half a journal would pass for a whole one."""
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    writer.path.unlink()
    now = time.monotonic()
    monkeypatch.setattr("kedro_journal.journal.writer.monotonic_s", lambda: now + 0.05)
    for _ in range(2):
        with pytest.raises(JournalUnwritable):
            writer.append(note("b"))
    assert not writer.path.exists()


def test_records_that_somebody_cut_off_stay_missing_in_the_numbers(
    tmp_path: Path,
) -> None:
    """The writer knows how far it was: it never numbers two records alike."""
    writer = create(tmp_path / "s")
    ends = [writer.append(note(number))[0].end for number in range(6)]
    os.truncate(writer.path, ends[1])
    writer.append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert [(f.kind, f.lost) for f in findings] == [("records missing", 4)]
    assert texts(found) == ["0", "1", "after"]
    assert [record.seq for record in found] == [1, 2, 3, 4, 9, 10]


def test_a_repeated_old_line_does_not_rewind_the_writer(tmp_path: Path) -> None:
    """Somebody appended a copy of an early line: our numbers go on from ours."""
    writer = create(tmp_path / "s")
    for number in range(6):
        writer.append(note(number))
    lines = writer.path.read_bytes().splitlines(keepends=True)
    with writer.path.open("ab") as out:
        out.write(lines[3])
    writer.append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert [finding.kind for finding in findings] == ["duplicate record"]
    assert texts(found) == ["0", "1", "2", "3", "4", "5", "after"]


def test_a_journal_of_a_newer_version_is_not_appended_to(tmp_path: Path) -> None:
    import zlib

    (tmp_path / "s").mkdir()
    lines = sample_lines(4)
    body = lines[3][:-19].replace(b'{"v":1,', b'{"v":2,')
    newer = b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))
    for data in (b"".join([*lines[:3], newer]), b"".join([*lines[:3], newer[:-1]])):
        file(tmp_path / "s").write_bytes(data)
        with pytest.raises(NewerJournal) as caught:
            join(tmp_path / "s").append(note())
        assert caught.value.version == 2
        assert file(tmp_path / "s").read_bytes() == data


def test_a_writer_catches_up_with_what_others_wrote(tmp_path: Path) -> None:
    """Strictly alternating writers, with records small and larger than any window."""
    one = create(tmp_path / "s")
    one.append(note("start"))
    other = join(tmp_path / "s")
    for number in range(30):
        (one, other)[number % 2].append(note(number, (number % 5) * 40_000))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert texts(found) == ["start", *map(str, range(30))]
    assert {record.writer for record in found} == {"w1", "w5"}


def test_writers_are_named_by_the_record_that_introduces_them(tmp_path: Path) -> None:
    create(tmp_path / "s").append(note())
    for _ in range(3):
        join(tmp_path / "s").append(note())
    for record in salvage(tmp_path / "s")[0]:
        if record.type == "writer.opened":
            assert record.writer in (f"w{record.seq}", "w1")
    names = [r.writer for r in salvage(tmp_path / "s")[0] if r.type == "writer.opened"]
    assert len(set(names)) == len(names) == 4


def test_a_time_of_any_zone_is_written_in_utc(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta, timezone

    zone = timezone(timedelta(hours=5, minutes=30))
    at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=zone)
    writer = create(tmp_path / "s")
    writer.append(note(), at=at)
    last = salvage(tmp_path / "s")[0][-1]
    assert last.at == at
    assert last.at.utcoffset() == timedelta(0)
    assert last.at.replace(tzinfo=UTC) == datetime(2026, 1, 1, 21, 34, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("size", [30_000_000])
def test_megabytes_of_nuls_at_the_end_are_cut_and_kept(
    tmp_path: Path, size: int
) -> None:
    """As a power cut leaves them; the journal is whole again after one append."""
    (tmp_path / "s").mkdir()
    with file(tmp_path / "s").open("wb") as out:
        out.write(b"".join(sample_lines(4)))
        out.truncate(out.tell() + size)
    join(tmp_path / "s").append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert found[4].event.length == size  # type: ignore[union-attr]
    assert next((tmp_path / "s" / "torn").iterdir()).stat().st_size == size


class FullDisk(Os):
    """Full, until the reserve is given up; then it takes as much as that was."""

    room = 0

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        if self.room < len(data):
            head = data[: self.room]
            if head:
                self.room = 0
                return super().write(fd, head, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(data)
        return super().write(fd, data, end)

    def remove(self, path: Path) -> None:
        size = path.stat().st_size
        super().remove(path)
        self.room = size


def test_the_reserve_is_spent_only_where_it_is_asked_for(tmp_path: Path) -> None:
    directory = JournalDirectory(tmp_path / "sessions")
    folder = directory.claim("s")[1]
    reserve = directory.path / RESERVE_NAME
    assert reserve.stat().st_blocks * 512 >= 64 * 1024
    assert reserve.stat().st_mode & 0o777 == 0o600
    port = FullDisk()
    port.room = 100_000
    writer = create(folder, port=port)
    writer.append(note("a"))
    port.room = 50  # not enough for one line: it is written in part
    for _ in range(2):
        with pytest.raises(JournalUnwritable):
            writer.append(note("b"))
        assert reserve.exists()
    port.room = 50
    record = Encoded(note("c"), encode_event(note("c")))
    writer.append_encoded(record, reserve=True)
    assert not reserve.exists()
    found, findings = salvage(folder)
    assert (texts(found), findings) == (["a", "c"], [])
    port.room = 50
    with pytest.raises(JournalUnwritable):
        writer.append_encoded(record, reserve=True)  # spent already
    assert texts(salvage(folder)[0]) == ["a", "c"]
    directory.claim("t")  # the next session puts it there again
    assert reserve.stat().st_size == 64 * 1024


def test_the_reserve_helps_after_a_roll_back_that_failed(tmp_path: Path) -> None:
    class NoCut(FullDisk):
        refusals = 1

        def truncate(self, fd: int, size: int) -> None:
            if self.refusals:
                self.refusals -= 1
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            super().truncate(fd, size)

    directory = JournalDirectory(tmp_path / "sessions")
    folder = directory.claim("s")[1]
    port = NoCut()
    port.room = 100_000
    writer = create(folder, port=port)
    writer.append(note("a"))
    port.room = 50
    record = Encoded(note("c"), encode_event(note("c")))
    writer.append_encoded(record, reserve=True)
    found, findings = salvage(folder)
    assert (texts(found), findings) == (["a", "c"], [])


def test_a_full_disk_at_the_claim_costs_the_reserve_only(tmp_path: Path) -> None:
    class NoRoom(Os):
        def reserve(self, path: Path, size: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    directory = JournalDirectory(tmp_path / "sessions", NoRoom())
    assert directory.claim("s")[1].is_dir()
    assert not (directory.path / RESERVE_NAME).exists()


def test_the_reserve_is_written_out_where_nothing_can_be_allocated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, offset: int, size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    JournalDirectory(tmp_path / "sessions").ensure()
    reserve = tmp_path / "sessions" / RESERVE_NAME
    assert reserve.read_bytes() == bytes(64 * 1024)


@pytest.mark.parametrize("make", ["symlink_to", "write_bytes"])
def test_torn_bytes_are_put_into_no_link_and_no_file(tmp_path: Path, make: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    put(tmp_path / "s", b"".join(sample_lines(4)) + b"torn")
    torn = tmp_path / "s" / "torn"
    getattr(torn, make)(elsewhere if make == "symlink_to" else b"")
    before = file(tmp_path / "s").read_bytes()
    with pytest.raises(UnsafeJournal):
        join(tmp_path / "s").append(note("a"))
    assert list(elsewhere.iterdir()) == []
    assert file(tmp_path / "s").read_bytes() == before
    torn.unlink()
    join(tmp_path / "s").append(note("a"))
    assert texts(salvage(tmp_path / "s")[0])[-1] == "a"
    assert [path.read_bytes() for path in torn.iterdir()] == [b"torn"]
