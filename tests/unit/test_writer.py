"""The writer, rule by rule: names, times, what it looks at, what it syncs, its errors."""

from __future__ import annotations

import errno
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faulty import Fault, Faults, FaultyLock, FaultyOs, Strike
from fuzzing.lines import Chain
from journals import (
    HEADER,
    create,
    file,
    join,
    note,
    opened,
    put,
    salvage,
    sample_lines,
    seal_all,
    texts,
)

from kedro_journal.errors import (
    JournalBusy,
    JournalClosed,
    JournalUnwritable,
    NewerJournal,
    RecordTooLarge,
)
from kedro_journal.events import (
    ErrorInfo,
    JournalRepaired,
    Record,
    RunFailed,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.journal import PAYLOAD_MAX_BYTES, JournalWriter, read
from kedro_journal.journal.codec import Encoded, encode_event
from kedro_journal.journal.liveness import start_ticks
from kedro_journal.journal.port import Os

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
LINES = sample_lines(8)
FULL = errno.ENOSPC


def failing(*strikes: tuple[str, int, Fault]) -> FaultyOs:
    """Give a system whose n-th call of a name fails."""
    return FaultyOs(
        Faults(*(Strike(at, fault, call=call) for call, at, fault in strikes))
    )


def types(folder: Path) -> list[str]:
    return [record.type for record in read(file(folder))]


class Watched(Os):
    """Counts what is read, and remembers what is synced."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.syncs = 0
        self.synced_folders: list[Path] = []

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        data = super().read_at(fd, size, offset)
        self.bytes_read += len(data)
        return data

    def sync(self, fd: int) -> None:
        self.syncs += 1

    def sync_folder(self, path: Path) -> None:
        self.synced_folders.append(path)


# --- names and times --------------------------------------------------------------


def test_a_new_journal_begins_with_its_header_and_its_writer(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    assert (writer.name, writer.seq) == ("", 0)
    (record,) = writer.append(note("a"))
    assert (writer.name, writer.seq, record.seq) == ("w1", 3, 3)
    assert writer.folder == tmp_path / "s"
    assert writer.path == tmp_path / "s" / "journal.jsonl"
    assert [r.event for r in read(writer.path)] == [HEADER, opened(), note("a")]
    assert {r.writer for r in read(writer.path)} == {"w1"}


def test_a_new_journal_is_brought_to_the_disk_with_its_name(tmp_path: Path) -> None:
    port = Watched()
    writer = create(tmp_path / "s", port=port)
    writer.append(note())
    assert port.synced_folders == [tmp_path / "s", tmp_path]
    writer.close()
    writer.append(note())
    assert len(port.synced_folders) == 2


def test_an_append_of_nothing_still_begins_the_journal(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    assert writer.append() == []
    assert types(tmp_path / "s") == ["journal.header", "writer.opened"]
    assert writer.append() == []
    assert writer.seq == 2


def test_a_creator_that_finds_records_adds_no_second_header(tmp_path: Path) -> None:
    put(tmp_path / "s", b"".join(LINES))
    writer = create(tmp_path / "s")
    writer.append(note())
    assert types(tmp_path / "s").count("journal.header") == 1
    assert writer.name == "w9"


@pytest.mark.parametrize("tail", [b"", b"torn", b"bad\n", b"bad\nbad\ntorn"])
def test_a_writer_is_named_by_the_number_of_its_first_record(
    tmp_path: Path, tail: bytes
) -> None:
    """Repairs stand before it, under its name already."""
    put(tmp_path / "s", b"".join(LINES) + tail)
    writer = join(tmp_path / "s")
    writer.append(note())
    (first,) = [
        r for r in salvage(tmp_path / "s")[0] if r.type == "writer.opened" and r.seq > 2
    ]
    assert writer.name == first.writer == f"w{first.seq}"
    ours = [r for r in salvage(tmp_path / "s")[0] if r.seq > 8]
    assert {record.writer for record in ours} == {writer.name}
    writer.close()
    writer.append(note())
    assert writer.name == first.writer


def test_a_name_is_taken_only_with_a_record_of_it(tmp_path: Path) -> None:
    """After a refused append another writer may have that number."""
    create(tmp_path / "s").append(note())
    writer = join(tmp_path / "s", port=failing(("write", 1, FULL)))
    with pytest.raises(JournalUnwritable):
        writer.append(note("a"))
    assert writer.name == ""
    other = join(tmp_path / "s")
    other.append(note("b"))
    writer.append(note("c"))
    assert (other.name, writer.name) == ("w4", "w6")


def test_what_a_batch_needs_before_it_has_the_time_of_its_first_event(
    tmp_path: Path,
) -> None:
    writer = create(tmp_path / "s")
    writer.append_encoded(
        Encoded(note("a"), b'{"text":"a"}', AT), Encoded(note("b"), b'{"text":"b"}')
    )
    *first, last = read(writer.path)
    assert {record.at for record in first} == {AT}
    assert last.at > AT


def test_the_time_is_that_of_the_system_if_none_is_given(tmp_path: Path) -> None:
    class Clock(Os):
        def now(self) -> datetime:
            return AT

    create(tmp_path / "s", port=Clock()).append(note())
    assert {record.at for record in read(file(tmp_path / "s"))} == {AT}


def test_an_append_gives_its_own_records_only(tmp_path: Path) -> None:
    put(tmp_path / "s", b"".join(LINES) + b"torn")
    writer = join(tmp_path / "s")
    given = writer.append(note("a"), note("b"))
    assert texts(given) == ["a", "b"]
    assert given == list(read(writer.path))[-2:]
    assert types(tmp_path / "s")[8:10] == ["journal.repaired", "writer.opened"]


# --- what is refused --------------------------------------------------------------


def test_a_batch_that_no_journal_may_hold_touches_nothing(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    with pytest.raises(RecordTooLarge):
        writer.append(note("a"), note("x" * PAYLOAD_MAX_BYTES))
    with pytest.raises(JournalClosed) as caught:
        writer.append(SessionClosed(), note())
    assert caught.value.path == writer.path
    assert list((tmp_path / "s").iterdir()) == []


def test_a_closed_journal_says_by_which_record(tmp_path: Path) -> None:
    """To its own writer, to another one, and to one that looks again."""
    writer = create(tmp_path / "s")
    writer.append(SessionCreated(session_id="s"), note())
    other = join(tmp_path / "s")
    other.append(note())
    writer.append(note(), SessionClosed())
    before = writer.path.read_bytes()
    for _ in range(2):
        for one in (writer, other, join(tmp_path / "s")):
            with pytest.raises(JournalClosed) as caught:
                one.append(note())
            assert (caught.value.path, caught.value.seq) == (writer.path, 8)
        writer.close()
    assert writer.path.read_bytes() == before


def test_a_journal_that_goes_on_after_its_closing_record_is_open(
    tmp_path: Path,
) -> None:
    """Somebody wrote on: the last record counts, and another one can be appended."""
    lines = seal_all([HEADER, opened(), SessionClosed(), note("late")])
    put(tmp_path / "s", b"".join(lines[:3]))
    writer = join(tmp_path / "s")
    with pytest.raises(JournalClosed):
        writer.append(note())
    with writer.path.open("ab") as out:
        out.write(lines[3])
    writer.append(note("a"))
    assert texts(list(read(writer.path))) == ["late", "a"]


def test_an_adopted_closing_record_says_which_one_it_is(tmp_path: Path) -> None:
    put(tmp_path / "s", b"".join(seal_all([HEADER, opened(), SessionClosed()]))[:-1])
    writer = join(tmp_path / "s")
    for _ in range(2):
        with pytest.raises(JournalClosed) as caught:
            writer.append(note())
        assert caught.value.seq == 3


def test_a_deleted_journal_is_named(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(note())
    writer.path.unlink()
    with pytest.raises(JournalUnwritable, match="written: the journal was") as caught:
        writer.append(SessionCreated(session_id="s"))
    assert (caught.value.path, caught.value.errno) == (writer.path, None)
    with pytest.raises(JournalUnwritable) as caught:
        writer.append(note())
    assert caught.value.errno == errno.ENOENT


def test_a_journal_without_a_header_is_named(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"")
    with pytest.raises(
        JournalUnwritable,
        match="written: it has no header: the process that made it died before that",
    ) as caught:
        join(tmp_path / "s").append(note())
    assert (caught.value.path, caught.value.errno) == (path, None)


def test_a_journal_that_has_its_header_only_is_gone_on_with(tmp_path: Path) -> None:
    """Its creator died right after that, so a worker can still tell of it."""
    put(tmp_path / "s", LINES[0])
    join(tmp_path / "s").append(note())
    assert types(tmp_path / "s") == ["journal.header", "writer.opened", "note.added"]


@pytest.mark.parametrize("size", [1, 30])
def test_the_header_stands_first_also_after_a_torn_one(
    tmp_path: Path, size: int
) -> None:
    """The creator's first write failed and could not be taken back."""
    put(tmp_path / "s", LINES[0][:size])
    writer = create(tmp_path / "s")
    writer.append(note())
    assert types(tmp_path / "s") == [
        "journal.header",
        "journal.repaired",
        "writer.opened",
        "note.added",
    ]
    assert writer.name == "w1"


def test_a_closed_journal_is_looked_at_once(tmp_path: Path) -> None:
    """However often somebody wants to write on."""
    create(tmp_path / "s").append(SessionClosed())
    port = Watched()
    writer = join(tmp_path / "s", port=port)
    seen = set()
    for _ in range(3):
        with pytest.raises(JournalClosed):
            writer.append(note())
        seen.add(port.bytes_read)
    assert len(seen) == 1


@pytest.mark.parametrize("size", [0, 5000])
def test_a_journal_of_a_newer_line_format_is_named(tmp_path: Path, size: int) -> None:
    chain = Chain()
    for version in (1, 1, 3):
        chain.add("note.added", {"text": "n" * size}, v=version)
    path = put(tmp_path / "s", chain.data)
    for make in (join, create):
        with pytest.raises(NewerJournal) as caught:
            make(tmp_path / "s").append(note())
        assert (caught.value.path, caught.value.version) == (path, 3)
    assert path.read_bytes() == chain.data


def test_an_error_of_the_system_is_ours_with_its_number_and_reason(
    tmp_path: Path,
) -> None:
    writer = create(tmp_path / "s", port=failing(("write", 1, errno.EIO)))
    with pytest.raises(JournalUnwritable, match="Input/output error") as caught:
        writer.append(note())
    assert (caught.value.path, caught.value.errno) == (writer.path, errno.EIO)
    assert isinstance(caught.value.__cause__, OSError)


def test_an_error_without_a_number_still_has_a_reason(tmp_path: Path) -> None:
    class Odd(Os):
        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            raise OSError("the cable is out")

    with pytest.raises(JournalUnwritable, match="the cable is out") as caught:
        create(tmp_path / "s", port=Odd()).append(note())
    assert caught.value.errno is None


def test_half_a_minute_is_waited_for_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr("kedro_journal.journal.lock.monotonic_s", lambda: now)
    faults = Faults(Strike(1, "busy", lasting=True, call="try_lock"))
    writer = create(tmp_path / "s", backend=FaultyLock(faults))
    with pytest.raises(JournalBusy) as caught:
        writer.append(note())
    assert caught.value.path == writer.path
    assert caught.value.waited_s == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("beside", [False, True])
def test_the_lock_and_the_journal_are_opened_through_the_same_door(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, beside: bool
) -> None:
    """The lock has a file of its own only where it shuts readers out."""
    monkeypatch.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", not beside)
    names = ["journal.jsonl", *(["append.lock"] if beside else [])]

    class Recording(Watched):
        def __init__(self) -> None:
            super().__init__()
            self.opened: list[str] = []

        def open_append(self, path: Path, *, create: bool = False) -> int:
            self.opened.append(path.name)
            return super().open_append(path, create=create)

    port = Recording()
    writer = create(tmp_path / "s", port=port)
    writer.append(note())
    writer.append(note())
    assert port.opened == names
    # A child that shared its parent's lock would be excluded by nobody.
    writer.start_over()
    writer.append(note())
    assert port.opened == names * 2


@pytest.mark.parametrize("call", ["try_lock", "open_append", "stat", "read_at"])
def test_after_an_error_nothing_is_held(tmp_path: Path, call: str) -> None:
    """Neither a descriptor nor the lock: the next writer has its turn at once."""
    put(tmp_path / "s", b"".join(LINES))
    faults = Faults(Strike(1, errno.EIO, call=call))
    writer = join(tmp_path / "s", port=FaultyOs(faults), backend=FaultyLock(faults))
    with pytest.raises(JournalUnwritable):
        writer.append(note("a"))
    assert faults.calls.count("close") == faults.calls.count("open_append") - (
        call == "open_append"
    )
    join(tmp_path / "s", deadline_s=0).append(note("b"))
    writer.append(note("c"))
    assert texts(salvage(tmp_path / "s")[0])[-2:] == ["b", "c"]


def test_the_lock_is_free_after_a_refusal_that_is_no_error_of_the_system(
    tmp_path: Path,
) -> None:
    create(tmp_path / "s").append(SessionClosed())
    one, other = (join(tmp_path / "s", deadline_s=0) for _ in range(2))
    for writer in (one, other, one):
        with pytest.raises(JournalClosed):
            writer.append(note())


# --- what it looks at -------------------------------------------------------------


def test_a_writer_that_is_alone_reads_nothing_back(tmp_path: Path) -> None:
    port = Watched()
    writer = create(tmp_path / "s", port=port)
    for number in range(20):
        writer.append(note(number, 5000))
    assert port.bytes_read == 0


@pytest.mark.parametrize("size", [0, 3000, 20_000, 100_000, 250_000])
def test_what_another_one_wrote_is_all_that_is_read(tmp_path: Path, size: int) -> None:
    """And no more than that, or than the last record, be the journal ever so long."""
    port = Watched()
    one = create(tmp_path / "s", port=port)
    one.append(*(note(number, 50_000) for number in range(20)))
    other = join(tmp_path / "s")
    other.append(note("others", size))
    one.append(note("mine"))
    added = list(read(one.path))[-3:]
    assert [record.type for record in added] == [
        "writer.opened",
        "note.added",
        "note.added",
    ]
    written = added[1].end - added[0].offset
    if written <= 65_536:
        assert port.bytes_read == written
    else:
        assert port.bytes_read <= 4 * (size + 4096)
    other.append(note("others again", size))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert texts(found)[-3:] == ["others", "mine", "others again"]


@pytest.mark.parametrize("size", [0, 2000, 4000, 4096, 8000, 60_000, 250_000])
def test_a_new_writer_goes_on_from_a_record_of_any_size(
    tmp_path: Path, size: int
) -> None:
    """It looks at the end, further and further back, until it sees a whole record."""
    port = Watched()
    lines = seal_all([HEADER, opened(), *(note(n, size) for n in range(9))])
    put(tmp_path / "s", b"".join(lines))
    join(tmp_path / "s", port=port).append(note("mine"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert [record.seq for record in found] == list(range(1, 14))
    assert port.bytes_read <= 4 * (4096 + len(lines[-1]))


@pytest.mark.parametrize("size", [0, 30_000])
def test_somebody_cuts_the_journal_and_others_write_on(
    tmp_path: Path, size: int
) -> None:
    """What the writer knew is no more: it looks again, from the new end."""
    one = create(tmp_path / "s")
    records = [one.append(note(number, size))[0] for number in range(6)]
    os.truncate(one.path, records[1].end)
    other = join(tmp_path / "s")
    other.append(note("others", 10))
    one.append(note("mine"))
    found, findings = salvage(tmp_path / "s")
    assert texts(found) == ["0", "1", "others", "mine"]
    assert [finding.kind for finding in findings] == ["records missing"]


@pytest.mark.parametrize("lost", [1, 3])
def test_numbers_that_were_seen_are_not_used_again_also_after_a_reopening(
    tmp_path: Path, lost: int
) -> None:
    writer = create(tmp_path / "s")
    records = [writer.append(note(number))[0] for number in range(4)]
    end = records[3 - lost].end
    os.truncate(writer.path, end)
    writer.close()
    (after,) = writer.append(note("after"))
    repaired, last = list(read(writer.path, mode="salvage"))[-2:]
    assert (repaired.seq, last) == (7, after)
    assert repaired.event == JournalRepaired(
        offset=end, length=0, action="skipped", lost=lost
    )
    writer.append(note("again"))
    assert writer.seq == 9


def test_numbers_that_were_seen_are_not_used_again_also_after_a_refused_append(
    tmp_path: Path,
) -> None:
    """What another writer had appended was seen, though nothing came of it."""
    create(tmp_path / "s").append(note("a"))
    other = join(tmp_path / "s")
    writer = join(tmp_path / "s", port=failing(("write", 1, FULL)))
    ends = [other.append(note(number))[0].end for number in range(4)]
    with pytest.raises(JournalUnwritable):
        writer.append(note("b"))
    os.truncate(writer.path, ends[1])
    writer.append(note("c"))
    found, findings = salvage(tmp_path / "s")
    assert [(f.kind, f.lost) for f in findings] == [("records missing", 2)]
    assert [record.seq for record in found] == [1, 2, 3, 4, 5, 6, 9, 10, 11]


def test_a_journal_that_was_cut_into_and_closed_is_closed(tmp_path: Path) -> None:
    """No loss is put on record behind the closing one."""
    lines = seal_all([HEADER, opened(), SessionClosed()])
    writer = create(tmp_path / "s")
    for number in range(6):
        writer.append(note(number))
    writer.path.write_bytes(b"".join(lines))
    with pytest.raises(JournalClosed):
        writer.append(note())
    assert writer.path.read_bytes() == b"".join(lines)


def test_a_journal_that_was_emptied_is_gone_on_with_by_its_creator_only(
    tmp_path: Path,
) -> None:
    """With the numbers after those that it knew, and the loss on record."""
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    other = join(tmp_path / "s")
    other.append(note("b"))
    os.truncate(writer.path, 0)
    with pytest.raises(JournalUnwritable, match="no header"):
        other.append(note("c"))
    assert writer.path.read_bytes() == b""
    writer.append(note("d"))
    found, findings = salvage(tmp_path / "s")
    assert [(r.seq, r.type) for r in found] == [
        (4, "journal.repaired"),
        (5, "note.added"),
    ]
    assert found[0].prev == "00000000"
    assert [(f.kind, f.lost) for f in findings] == [("records missing", 3)]


def test_a_repair_that_could_not_be_put_on_record_is_put_there_later(
    tmp_path: Path,
) -> None:
    """It was done: the bytes are gone, and nobody else would know."""
    put(tmp_path / "s", b"".join(LINES) + b"torn")
    writer = join(tmp_path / "s", port=failing(("write", 1, FULL), ("write", 2, FULL)))
    for _ in range(2):
        with pytest.raises(JournalUnwritable):
            writer.append(note("a"))
    writer.append(note("b"))
    writer.append(note("c"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert [r.event.action for r in found if isinstance(r.event, JournalRepaired)] == [
        "cut"
    ]


def test_damaged_lines_are_put_on_record_once_also_after_a_refused_append(
    tmp_path: Path,
) -> None:
    """They are still there to be found again, so the refused report is dropped."""
    put(tmp_path / "s", b"".join(LINES) + b"bad\n")
    writer = join(tmp_path / "s", port=failing(("write", 1, FULL)))
    with pytest.raises(JournalUnwritable):
        writer.append(note("a"))
    writer.append(note("b"))
    found = salvage(tmp_path / "s")[0]
    repairs = [r.event for r in found if isinstance(r.event, JournalRepaired)]
    assert [(repair.action, repair.lost) for repair in repairs] == [("skipped", 1)]
    assert [record.seq for record in found] == [*range(1, 9), 10, 11, 12]


# --- full disks -------------------------------------------------------------------


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_the_reserve_makes_room_for_an_ending(tmp_path: Path, number: int) -> None:
    reserve = tmp_path / ".reserve"
    reserve.write_bytes(bytes(100))
    port = failing(("write", 1, number))
    create(tmp_path / "s", port=port).append_encoded(
        Encoded(note("a"), encode_event(note("a"))), reserve=True
    )
    assert not reserve.exists()
    assert texts(salvage(tmp_path / "s")[0]) == ["a"]


@pytest.mark.parametrize(
    ("strikes", "asks"),
    [
        ([("write", 1, errno.ENOSPC)], False),
        ([("write", 1, errno.EIO)], True),
        ([("write", 1, errno.EFBIG)], True),
    ],
    ids=["not asked for", "broken", "too large"],
)
def test_the_reserve_is_kept_for_what_it_is_for(
    tmp_path: Path, strikes: list[tuple[str, int, Fault]], asks: bool
) -> None:
    reserve = tmp_path / ".reserve"
    reserve.write_bytes(bytes(100))
    writer = create(tmp_path / "s", port=failing(*strikes))
    with pytest.raises(JournalUnwritable) as caught:
        writer.append_encoded(Encoded(note("a"), b'{"text":"a"}'), reserve=asks)
    assert caught.value.errno == strikes[0][2]
    assert reserve.exists()
    assert writer.path.read_bytes() == b""


def test_without_a_reserve_it_is_tried_once_more(tmp_path: Path) -> None:
    """Another session may have given it up for both."""
    writer = create(tmp_path / "s", port=failing(("write", 1, FULL)))
    writer.append_encoded(Encoded(note("a"), b'{"text":"a"}'), reserve=True)
    assert texts(salvage(tmp_path / "s")[0]) == ["a"]
    writer = join(tmp_path / "s", port=failing(("write", 1, FULL), ("write", 2, FULL)))
    with pytest.raises(JournalUnwritable):
        writer.append_encoded(Encoded(note("b"), b'{"text":"b"}'), reserve=True)
    assert texts(salvage(tmp_path / "s")[0]) == ["a"]


def test_nothing_is_written_behind_a_part_that_could_not_be_taken_back(
    tmp_path: Path,
) -> None:
    """The reserve helps only where the file is as it was."""
    create(tmp_path / "s").append(note("a"))
    before = file(tmp_path / "s").read_bytes()

    class GrowsMeanwhile(FaultyOs):
        """Somebody without the lock writes right behind our refused write."""

        def remove(self, path: Path) -> None:
            with file(tmp_path / "s").open("ab") as out:
                out.write(b"not ours")

    faults = Faults(
        Strike(1, "short", call="write"), Strike(1, errno.EIO, call="truncate")
    )
    writer = join(tmp_path / "s", port=GrowsMeanwhile(faults))
    with pytest.raises(JournalUnwritable):
        writer.append_encoded(Encoded(note("b"), b'{"text":"b"}'), reserve=True)
    data = file(tmp_path / "s").read_bytes()
    assert data.startswith(before)
    assert data.endswith(b"not ours")
    assert texts(salvage(tmp_path / "s")[0]) == ["a"]


# --- syncing ----------------------------------------------------------------------


def test_each_level_syncs_when_it_must(tmp_path: Path) -> None:
    failure = RunFailed(run_id="r", error=ErrorInfo(type="E"))
    for durability, plain in (("flush", 0), ("group", 0), ("sync", 1)):
        port = Watched()
        writer = create(tmp_path / durability, port=port, durability=durability)
        writer.append(SessionCreated(session_id="s"))
        assert port.syncs == 1
        if durability != "group":  # its thread syncs when it likes
            writer.append(note())
            assert port.syncs == 1 + plain
            writer.append(note(), failure, note())
            assert port.syncs == 2 + plain
        writer.close()


def test_a_repair_on_record_is_synced_and_what_follows_is_not(tmp_path: Path) -> None:
    put(tmp_path / "s", b"".join(LINES) + b"torn")
    port = Watched()
    writer = join(tmp_path / "s", port=port)
    writer.append(note())
    assert port.syncs == 1
    writer.append(note())
    assert port.syncs == 1


def test_a_repair_that_got_on_record_late_is_synced_then(tmp_path: Path) -> None:
    put(tmp_path / "s", b"".join(LINES) + b"torn")
    writer = join(tmp_path / "s", port=(port := failing(("write", 1, FULL))))
    with pytest.raises(JournalUnwritable):
        writer.append(note())
    before = port.faults.syncs
    writer.append(note())
    assert port.faults.syncs == before + 1
    writer.append(note())
    assert port.faults.syncs == before + 1


def test_group_brings_appends_to_the_disk_behind_them(tmp_path: Path) -> None:
    class Background(Watched):
        def __init__(self) -> None:
            super().__init__()
            self.by: list[str] = []
            self.synced = threading.Event()

        def sync(self, fd: int) -> None:
            super().sync(fd)
            self.by.append(threading.current_thread().name)
            self.synced.set()

    port = Background()
    writer = create(tmp_path / "s", port=port, durability="group")
    for _ in range(2):
        writer.append(note())
        assert port.synced.wait(20)
        port.synced.clear()
    assert set(port.by) == {"kedro-journal-sync"}
    writer.append(note())
    writer.close()
    assert port.by[-1] == threading.current_thread().name
    port.synced.clear()
    writer.append(note("reopened"))
    assert port.synced.wait(20)
    writer.close()
    assert texts(salvage(tmp_path / "s")[0])[-1] == "reopened"


def test_one_thread_syncs_for_a_writer_until_it_is_closed(tmp_path: Path) -> None:
    writer = create(tmp_path / "s", port=Watched(), durability="group")
    before = set(threading.enumerate())
    for _ in range(5):
        writer.append(note())
    (thread,) = set(threading.enumerate()) - before
    writer.close()
    thread.join(20)
    assert not thread.is_alive()


def test_where_no_thread_is_to_be_had_the_group_is_synced_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    port = Watched()
    writer = create(tmp_path / "s", port=port, durability="group")
    monkeypatch.setattr(threading.Thread, "start", fail)
    for count in (1, 2):
        writer.append(note())
        assert port.syncs == count


@pytest.mark.parametrize("refuses", [False, True])
def test_what_the_group_held_is_synced_before_an_error_closes_the_file(
    tmp_path: Path, refuses: bool
) -> None:
    """Else nobody would ever sync what was acknowledged before."""

    class NeverBehind(FaultyOs):
        """The background never gets to it."""

        def sync(self, fd: int) -> None:
            if threading.current_thread() is threading.main_thread():
                super().sync(fd)

    strikes = [Strike(2, FULL, call="write")]
    strikes += [Strike(1, errno.EIO, call="sync")] if refuses else []
    faults = Faults(*strikes)
    writer = create(tmp_path / "s", port=NeverBehind(faults), durability="group")
    writer.append(note("a"))
    with pytest.raises(JournalUnwritable, match="No space left"):
        writer.append(note("b"))
    assert faults.syncs == (0 if refuses else 2)  # what was taken back, and this
    assert faults.unsynced is refuses
    writer.close()


def test_closing_syncs_only_what_the_group_still_held(tmp_path: Path) -> None:
    for durability in ("flush", "sync"):
        port = Watched()
        writer = create(tmp_path / durability, port=port, durability=durability)
        writer.append(note())
        before = port.syncs
        writer.close()
        writer.close()
        assert port.syncs == before


def test_closing_succeeds_also_if_the_last_sync_does_not(tmp_path: Path) -> None:
    port = failing(("sync", 1, errno.EIO))
    port.faults.background = errno.EIO
    writer = create(tmp_path / "s", port=port, durability="group")
    writer.append(note("a"))
    writer.close()
    with pytest.raises(JournalUnwritable, match="which is final"):
        writer.append(note("b"))
    assert texts(salvage(tmp_path / "s")[0]) == ["a"]


def test_there_is_nothing_to_sync_in_a_journal_that_is_not_open(tmp_path: Path) -> None:
    port = Watched()
    writer = create(tmp_path / "s", port=port)
    writer.sync()
    writer.append(note())
    writer.sync()
    assert port.syncs == 1
    writer.close()
    writer.sync()
    assert port.syncs == 1


def test_a_failed_sync_says_so_each_time(tmp_path: Path) -> None:
    writer = create(tmp_path / "s", port=failing(("sync", 1, errno.EIO)))
    writer.append(note())
    reason = "a sync failed, which is final: Input/output error"
    for _ in range(2):
        with pytest.raises(JournalUnwritable, match=reason) as caught:
            writer.sync()
        assert (caught.value.path, caught.value.errno) == (writer.path, errno.EIO)
        with pytest.raises(JournalUnwritable, match=reason):
            writer.append(note())


def test_a_failed_sync_without_a_number_still_has_a_reason(tmp_path: Path) -> None:
    class Odd(Os):
        def sync(self, fd: int) -> None:
            raise OSError("the cable is out")

    writer = create(tmp_path / "s", port=Odd())
    writer.append(note())
    with pytest.raises(JournalUnwritable, match="final: the cable is out"):
        writer.sync()


# --- forks ------------------------------------------------------------------------


def somebodys(folder: Path) -> JournalWriter:
    """Give the writer of an owner of whom everything is known."""
    me = WriterOpened(
        pid=os.getpid(),
        host="testhost",
        boot_id="boot",
        user="somebody",
        python="3",
        role="owner",
    )
    folder.mkdir()
    return JournalWriter(folder, me, header=HEADER)


def test_a_forked_child_introduces_itself(tmp_path: Path) -> None:
    """As a worker, with a name of its own; its parent goes on under its old one."""
    writer = somebodys(tmp_path / "s")
    writer.append(note("parent"))
    pid = os.fork()
    if pid == 0:
        try:
            writer.append(note("child"))
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    writer.append(note("parent again"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert [(r.writer, r.type) for r in found[2:]] == [
        ("w1", "note.added"),
        ("w4", "writer.opened"),
        ("w4", "note.added"),
        ("w1", "note.added"),
    ]
    child = found[3].event
    assert isinstance(child, WriterOpened)
    assert child == WriterOpened(
        pid=pid,
        parent_pid=os.getpid(),
        host="testhost",
        boot_id="boot",
        started_at_ticks=child.started_at_ticks,
        user="somebody",
        python="3",
        role="worker",
    )
    assert isinstance(child.started_at_ticks, int)


def test_a_writer_that_starts_over_is_as_new_but_not_the_creator(
    tmp_path: Path,
) -> None:
    """Called here as after a fork, in the process itself."""
    writer = somebodys(tmp_path / "s")
    writer.append(note("a"))
    JournalWriter.reset_in_child()
    assert (writer.name, writer.seq) == ("", 0)
    (record,) = writer.append(note("b"))
    assert (record.seq, writer.name) == (5, "w4")
    found = list(read(writer.path))
    assert found[3].event == WriterOpened(
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host="testhost",
        boot_id="boot",
        started_at_ticks=start_ticks(os.getpid()),
        user="somebody",
        python="3",
        role="worker",
    )


def test_a_child_of_a_writer_that_never_wrote_cannot_begin_the_journal(
    tmp_path: Path,
) -> None:
    writer = create(tmp_path / "s")
    writer.start_over()
    with pytest.raises(JournalUnwritable, match="No such file"):
        writer.append(note())
    put(tmp_path / "s", b"")
    with pytest.raises(JournalUnwritable, match="no header"):
        writer.append(note())


def test_a_child_takes_over_no_trouble_of_its_parent(tmp_path: Path) -> None:
    """Neither a failed sync, nor a repair or a roll-back that it owes."""
    put(tmp_path / "s", b"".join(LINES) + b"torn")
    strikes = [
        ("write", 1, "short"),
        ("truncate", 2, errno.EIO),
        ("sync", 1, errno.EIO),
    ]
    port = failing(*strikes)
    writer = join(tmp_path / "s", port=port)
    with pytest.raises(JournalUnwritable):
        writer.append(note("a"))
    part = file(tmp_path / "s").read_bytes().rpartition(b"\n")[2]
    assert part != b""
    writer.start_over()
    with pytest.raises(JournalUnwritable, match="which is final"):
        writer.append(SessionCreated(session_id="s"))
    repairs = [
        r.event
        for r in salvage(tmp_path / "s")[0]
        if isinstance(r.event, JournalRepaired)
    ]
    # The parent's part of a line is to it what any torn line is; a line that got
    # through whole is on record.
    assert [r.length for r in repairs] == [len(b"torn"), len(part)]
    writer.start_over()
    writer.append(SessionCreated(session_id="s"))


def test_a_child_does_not_wait_for_a_thread_that_it_does_not_have(
    tmp_path: Path,
) -> None:
    """Another thread of the parent was in the middle of an append at the fork."""
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    held, done = threading.Event(), threading.Event()
    in_time: list[bool] = []

    def hold() -> None:
        with writer._thread_lock:
            held.set()
            in_time.append(done.wait(20))

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(20)
    writer.start_over()
    writer.append(note("b"))
    done.set()
    thread.join(20)
    assert in_time == [True]
    assert texts(list(read(writer.path))) == ["a", "b"]


def test_a_child_syncs_its_group_by_a_thread_of_its_own(tmp_path: Path) -> None:
    class Counting(Os):
        synced = threading.Event()

        def sync(self, fd: int) -> None:
            self.synced.set()

    writer = create(tmp_path / "s", port=Counting(), durability="group")
    writer.append(note())
    assert Counting.synced.wait(20)
    before = set(threading.enumerate())
    writer.start_over()
    Counting.synced.clear()
    writer.append(note())
    assert Counting.synced.wait(20)
    added = set(threading.enumerate()) - before
    assert [thread.name for thread in added] == ["kedro-journal-sync"]
    writer.close()


def test_threads_take_turns_within_one_writer(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    threads = [
        threading.Thread(
            target=lambda name=name: [writer.append(note(f"{name}")) for _ in range(50)]
        )
        for name in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found: list[Record] = list(read(writer.path))
    assert [record.seq for record in found] == list(range(1, 103))
