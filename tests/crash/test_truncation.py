"""A journal is cut at every byte, as a death in the middle of a write leaves it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from journals import (
    file,
    join,
    note,
    put,
    salvage,
    sample_lines,
)
from storms import cuts

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import JournalRepaired
from kedro_journal.journal import JournalWriter, Scanner, decode, read
from kedro_journal.journal.end import JournalEnd
from kedro_journal.journal.file import JournalFile
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.tail import Tail


def test_whatever_byte_a_journal_is_cut_at_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    """Cut, reopen, append, read: every whole line is there, and nothing invented."""
    account = cuts.SUITE.run(cuts.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert account.count >= cuts.SUITE.small
    assert int(account.figures["torn"]) > account.count * 0.9
    assert int(account.figures["adopted"]) >= 4
    assert int(account.figures["cut again"]) > 1000


class NoCut(JournalEnd):
    """Sabotage: the torn tail is written on."""

    def _look_back(self, file: JournalFile, size: int) -> tuple[Tail, int]:
        tail, start = super()._look_back(file, size)
        return tail._replace(repair="nothing"), start


class CutsTooMuch(JournalEnd):
    """Sabotage: the last whole line goes with the torn tail."""

    def _look_back(self, file: JournalFile, size: int) -> tuple[Tail, int]:
        tail, start = super()._look_back(file, size)
        if tail.repair == "cut":
            whole = file.read(0, size).rstrip(tail.fragment)
            line = whole[whole[:-1].rfind(b"\n") + 1 :]
            tail = tail._replace(fragment=line + tail.fragment)
        return tail, start


@pytest.mark.parametrize("sabotage", [NoCut, CutsTooMuch])
def test_the_cuts_see_a_repair_that_does_too_little_or_too_much(
    tmp_path: Path, sabotage: type[JournalEnd]
) -> None:
    """Teeth."""

    def make(folder: Path, **options: object) -> JournalWriter:
        writer = join(folder, **options)
        writer._end = sabotage(writer._port)
        return writer

    assert cuts.run(300, tmp_path, 1, print, make=make).violations


def test_every_cut_of_a_journal_opens_and_is_read_up_to_its_last_whole_line() -> None:
    """A reader of any byte prefix delivers the whole records and nothing else."""
    data = b"".join(sample_lines(12, (0, 1200)))
    records = _with_offsets(data)
    for cut in range(len(data) + 1):
        scanner, buffer = Scanner(), LineBuffer()
        found = [scanner.take(line) for line in buffer.feed(data[:cut])]
        rescued = scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length)
        assert rescued is None
        assert found == [record for record in records if record.end <= cut]
        kinds = [finding.kind for finding in scanner.findings]
        at_an_end = cut == 0 or cut in {record.end for record in records}
        assert kinds == ([] if at_an_end else ["torn tail"])


def test_a_cut_tail_is_kept_aside_byte_for_byte(tmp_path: Path) -> None:
    """`journal.repaired` names the file, the place, the length and the hash."""
    lines = sample_lines(5)
    whole, fragment = b"".join(lines[:4]), lines[4][:-30]
    put(tmp_path / "s", whole + fragment)
    join(tmp_path / "s").append(note("after"))
    (event,) = [
        r.event for r in read(file(tmp_path / "s")) if r.type == "journal.repaired"
    ]
    assert isinstance(event, JournalRepaired)
    assert (event.action, event.offset, event.length) == (
        "cut",
        len(whole),
        len(fragment),
    )
    kept = tmp_path / "s" / "torn" / event.kept_as
    assert kept.read_bytes() == fragment
    assert event.sha256 == hashlib.sha256(fragment).hexdigest()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_whole_record_without_its_newline_is_adopted(tmp_path: Path) -> None:
    """It may have been acknowledged by nobody, but it is whole: it stays."""
    lines = sample_lines(4)
    put(tmp_path / "s", b"".join(lines)[:-1])
    join(tmp_path / "s").append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert found[4].event.action == "adopted"  # type: ignore[union-attr]
    assert file(tmp_path / "s").read_bytes().startswith(b"".join(lines))


@pytest.mark.parametrize("bit", range(8))
def test_a_record_whose_newline_was_damaged_is_not_lost(
    tmp_path: Path, bit: int
) -> None:
    """It was committed: a reader delivers it, a writer puts the newline right."""
    lines = sample_lines(4)
    data = b"".join(lines)[:-1] + bytes([10 ^ 1 << bit])
    put(tmp_path / "s", data)
    before, findings = salvage(tmp_path / "s")
    assert [record.seq for record in before] == [1, 2, 3, 4]
    assert [finding.kind for finding in findings] == ["damaged terminator"]
    join(tmp_path / "s").append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert found[:4] == before
    assert found[4].event.action == "terminator"  # type: ignore[union-attr]


def test_a_foreign_record_without_newline_is_cut_and_not_adopted(
    tmp_path: Path,
) -> None:
    """Whole, but no continuation of this journal: its number would rewind ours."""
    lines, foreign = sample_lines(6, seed=1), sample_lines(6, seed=2)
    for number, fragment in enumerate(
        (foreign[1][:-1], foreign[5][:-1], lines[2][:-1])
    ):
        folder = tmp_path / str(number)
        put(folder, b"".join(lines[:5]) + fragment)
        join(folder).append(note("after"))
        found, findings = salvage(folder)
        assert findings == []
        assert [record.seq for record in found] == list(range(1, 9))
        assert found[5].event.action == "cut"  # type: ignore[union-attr]


def test_damaged_whole_lines_at_the_end_stay_and_the_loss_stays_visible(
    tmp_path: Path,
) -> None:
    """The next writer skips one number for each: readers see how many are gone."""
    lines = sample_lines(8)
    broken = [line[:50] + b"?" + line[51:] for line in lines[5:]]
    put(tmp_path / "s", b"".join(lines[:5] + broken))
    writer = join(tmp_path / "s")
    writer.append(note("after"))
    found, findings = salvage(tmp_path / "s")
    assert [(f.kind, f.lost) for f in findings] == [("records lost", 3)]
    assert [record.seq for record in found] == [1, 2, 3, 4, 5, 9, 10, 11]
    assert (found[5].event.action, found[5].event.lost) == ("skipped", 3)  # type: ignore[union-attr]


def test_a_closed_journal_with_a_torn_tail_is_never_repaired(tmp_path: Path) -> None:
    """After `session.closed` nobody writes, not even to mend."""
    from journals import HEADER, opened, seal_all

    from kedro_journal.errors import JournalClosed
    from kedro_journal.events import SessionClosed

    data = b"".join(seal_all([HEADER, opened(), SessionClosed()])) + b'{"v":1,'
    put(tmp_path / "s", data)
    with pytest.raises(JournalClosed) as caught:
        join(tmp_path / "s").append(note())
    assert caught.value.seq == 3
    assert file(tmp_path / "s").read_bytes() == data


def test_an_adopted_closing_record_closes_the_journal(tmp_path: Path) -> None:
    """`session.closed` that lacks only its newline counts, once it is adopted."""
    from journals import HEADER, opened, seal_all

    from kedro_journal.errors import JournalClosed
    from kedro_journal.events import SessionClosed

    data = b"".join(seal_all([HEADER, opened(), SessionClosed()]))
    put(tmp_path / "s", data[:-1])
    with pytest.raises(JournalClosed):
        join(tmp_path / "s").append(note())
    assert file(tmp_path / "s").read_bytes() == data


@pytest.mark.parametrize("size", [0, 1, 100])
def test_a_journal_without_a_header_takes_records_from_its_creator_only(
    tmp_path: Path, size: int
) -> None:
    """The owner died before the header: a worker must not begin the journal for it."""
    from journals import create

    data = sample_lines(1)[0][:size]
    put(tmp_path / "s", data)
    with pytest.raises(JournalUnwritable, match="no header"):
        join(tmp_path / "s").append(note())
    assert file(tmp_path / "s").read_bytes() == data
    create(tmp_path / "s").append(note("mine"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert found[0].type == "journal.header"
    assert found[-1].writer == "w1"


def _with_offsets(data: bytes):  # type: ignore[no-untyped-def]
    return [
        decode(line.data, line.offset, line.end) for line in LineBuffer().feed(data)
    ]
