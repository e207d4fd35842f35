"""What a reader finds, what it means, what it does: one test for each row."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from fuzzing.lines import Chain
from journals import (
    AT,
    HEADER,
    file,
    note,
    opened,
    put,
    salvage,
    sample_lines,
    seal_all,
)

from kedro_journal.errors import CorruptJournal, UnsafeJournal
from kedro_journal.events import Cursor, UnknownEvent
from kedro_journal.journal import LINE_MAX_BYTES, decode, read, seal, verify
from kedro_journal.journal.codec import encode_event

LINES = sample_lines(8)
BROKEN = LINES[4][:40] + b"?" + LINES[4][41:]


def strict(path: Path) -> tuple[list[int], CorruptJournal | None]:
    """Read strictly: what is yielded, and what is raised then."""
    numbers = []
    try:
        numbers.extend(record.seq for record in read(path))
    except CorruptJournal as error:
        return numbers, error
    return numbers, None


def check(
    folder: Path,
    lines: Sequence[bytes],
    *,
    kinds: Sequence[str],
    salvaged: Sequence[int],
    raises_after: int | None = None,
    lost: int = 0,
) -> None:
    """Read the lines in each mode; the three agree on what is wrong."""
    path = put(folder, b"".join(lines))
    report = verify(path)
    assert [finding.kind for finding in report.findings] == kinds
    assert sum(finding.lost for finding in report.findings) == lost
    records, findings = salvage(folder)
    assert tuple(findings) == report.findings
    assert [record.seq for record in records] == list(salvaged)
    numbers, error = strict(path)
    assert report.ok is (error is None) is (raises_after is None)
    if error is None:
        assert numbers == list(salvaged)
        return
    assert numbers == list(range(1, (raises_after or 0) + 1))
    first = next(f for f in report.findings if f.severity == "error")
    facts = (error.path, error.kind, error.offset, error.seq, error.lost)
    assert facts == (path, first.kind, first.offset, first.seq, first.lost)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.kind, again.offset) == (str(error), *facts[1:3])


def test_an_intact_journal_has_no_findings(tmp_path: Path) -> None:
    check(tmp_path / "s", LINES, kinds=[], salvaged=range(1, 9))


def test_an_empty_file_is_an_empty_journal(tmp_path: Path) -> None:
    check(tmp_path / "s", [], kinds=[], salvaged=[])


@pytest.mark.parametrize("tail", [b'{"v":1,"seq":9', b"\0" * 5000, LINES[7][:-2]])
def test_bytes_after_the_last_newline_are_never_delivered_and_no_error(
    tmp_path: Path, tail: bytes
) -> None:
    check(tmp_path / "s", [*LINES[:7], tail], kinds=["torn tail"], salvaged=range(1, 8))


def test_a_broken_line_that_the_chain_passes_over_lost_nothing(tmp_path: Path) -> None:
    lines = [*LINES[:4], b'{"v":1,"torn\n', b"\0\0\0\n", *LINES[4:]]
    check(tmp_path / "s", lines, kinds=["healed tear"], salvaged=range(1, 9))


def test_a_destroyed_record_is_counted_and_raised(tmp_path: Path) -> None:
    check(
        tmp_path / "s",
        [*LINES[:4], BROKEN, *LINES[5:]],
        kinds=["records lost"],
        salvaged=[1, 2, 3, 4, 6, 7, 8],
        raises_after=4,
        lost=1,
    )


def test_a_jump_without_bad_bytes_means_lines_were_removed(tmp_path: Path) -> None:
    check(
        tmp_path / "s",
        [*LINES[:3], *LINES[6:]],
        kinds=["records missing"],
        salvaged=[1, 2, 3, 7, 8],
        raises_after=3,
        lost=3,
    )


def test_a_line_that_stands_twice_is_ignored_and_reported(tmp_path: Path) -> None:
    check(
        tmp_path / "s",
        [*LINES[:5], LINES[2], LINES[4], *LINES[5:]],
        kinds=["duplicate record"] * 2,
        salvaged=range(1, 9),
    )


def test_two_histories_in_one_file_are_a_forked_journal(tmp_path: Path) -> None:
    other = sample_lines(8, seed=2)
    check(
        tmp_path / "s",
        [*LINES[:6], other[5], *LINES[6:]],
        kinds=["forked journal"],
        salvaged=range(1, 9),
        raises_after=6,
    )


def test_a_record_with_the_right_number_and_a_foreign_chain_is_a_splice(
    tmp_path: Path,
) -> None:
    other = sample_lines(8, seed=2)
    path = put(tmp_path / "s", b"".join([*LINES[:6], other[6]]))
    assert [finding.kind for finding in verify(path).findings] == ["splice"]
    numbers, error = strict(path)
    assert error is not None
    assert (numbers, error.kind, error.seq) == ([1, 2, 3, 4, 5, 6], "splice", 6)


def test_records_of_a_newer_line_format_are_read_and_reported_once(
    tmp_path: Path,
) -> None:
    newer = []
    crc = LINES[7][-11:-3].decode()
    for seq in (9, 10):
        line, _ = seal(
            seq=seq,
            at=AT,
            writer="w2",
            prev=crc,
            event=note(),
            data=encode_event(note()),
        )
        newer.append(reseal(line.replace(b'{"v":1,', b'{"v":2,')))
        crc = newer[-1][-11:-3].decode()
    check(
        tmp_path / "s",
        [*LINES, *newer],
        kinds=["newer version", "unknown event"],
        salvaged=range(1, 11),
    )


def test_an_unknown_event_is_delivered_and_reported(tmp_path: Path) -> None:
    event = UnknownEvent(type="node.paused", raw=b'{"x":1}')
    lines = seal_all([HEADER, opened(), event, note()])
    check(tmp_path / "s", lines, kinds=["unknown event"], salvaged=range(1, 5))


def test_damaged_whole_lines_at_the_end_are_an_error(tmp_path: Path) -> None:
    check(
        tmp_path / "s",
        [*LINES[:4], BROKEN, b"\0\n"],
        kinds=["damaged end"],
        salvaged=range(1, 5),
        raises_after=4,
        lost=2,
    )


def test_a_damaged_newline_at_the_end_loses_nothing(tmp_path: Path) -> None:
    check(
        tmp_path / "s",
        [*LINES[:7], LINES[7][:-1] + b"\0"],
        kinds=["damaged terminator"],
        salvaged=range(1, 9),
    )


@pytest.mark.parametrize("excess", [0, 1])
def test_a_line_over_the_limit_is_skipped_unread(tmp_path: Path, excess: int) -> None:
    """The limit itself is still read: there it is the checksum that fails."""
    lines = [*LINES[:4], b"x" * (LINE_MAX_BYTES + excess) + b"\n", *LINES[5:]]
    path = put(tmp_path / "s", b"".join(lines))
    (finding,) = verify(path).findings
    reason = "longer than any record" if excess else "no checksum"
    assert reason in finding.detail


def test_damage_everywhere_is_counted_piece_by_piece(tmp_path: Path) -> None:
    """Salvage goes on after each finding, to the end."""
    junk = b"junk\n"
    lines = [LINES[0], junk, LINES[1], LINES[3], LINES[3], LINES[5], junk, LINES[7]]
    path = put(tmp_path / "s", b"".join(lines))
    assert [finding.kind for finding in verify(path).findings] == [
        "healed tear",
        "records missing",
        "duplicate record",
        "records missing",
        "records lost",
    ]
    assert [record.seq for record in salvage(path.parent)[0]] == [1, 2, 4, 6, 8]


def test_a_cursor_behind_the_end_of_a_cut_file_is_missing_records(
    tmp_path: Path,
) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    last = list(read(path))[-1].cursor
    put(tmp_path / "s", b"".join(LINES[:4]))
    with pytest.raises(CorruptJournal) as caught:
        list(read(path, start=last))
    assert (caught.value.kind, caught.value.seq) == ("records missing", 8)


def test_reading_goes_on_from_every_cursor(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    records = list(read(path))
    for number, start in enumerate([Cursor(), *(r.cursor for r in records)]):
        assert list(read(path, start=start)) == records[number:]


def test_a_repair_during_a_read_is_not_taken_for_damage(tmp_path: Path) -> None:
    """The reader saw the head of the old tail and the end of the new one, once."""
    from kedro_journal.journal.port import Os

    path = put(tmp_path / "s", b"".join(LINES))

    class Mixing(Os):
        looks = 0  # at the place of the repair

        def read_at(self, fd: int, size: int, offset: int) -> bytes:
            data = super().read_at(fd, size, offset)
            self.looks += LINES[5][:30] in data
            return data.replace(LINES[5][:30], b"x" * 30) if self.looks == 1 else data

    port = Mixing()
    assert [r.seq for r in read(path, port=port)] == list(range(1, 9))
    assert port.looks == 2


def test_reading_past_damage_everywhere_takes_no_longer_than_the_file_is_long(
    tmp_path: Path,
) -> None:
    """Each damage is looked at twice, but not all that comes after it."""
    from kedro_journal.journal.port import Os

    chain = Chain()
    for _ in range(2000):
        chain.add("note.added", {"text": "n"}, seq=chain.seq + 2)
    path = put(tmp_path / "s", chain.data)

    class Counting(Os):
        bytes_read = 0

        def read_at(self, fd: int, size: int, offset: int) -> bytes:
            data = super().read_at(fd, size, offset)
            self.bytes_read += len(data)
            return data

    port = Counting()
    assert len(list(read(path, mode="salvage", port=port))) == 2000
    assert len(chain.data) < port.bytes_read < 12 * len(chain.data)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(UnsafeJournal, match="not a regular file"):
        list(read(tmp_path / "journal.jsonl"))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify(file(tmp_path))


def test_an_envelope_that_does_not_read_is_no_record() -> None:
    for body in (b'{"v":1}', b"[]", b'{"v":1,"seq":"1"}', b"[" * 100_000, b"\xff\xfe"):
        found = decode(reseal(body + b" " * 17 + b"}\n")[:-1])
        assert "envelope is invalid" in getattr(found, "reason", "")


def reseal(line: bytes) -> bytes:
    """Give a line the checksum that its bytes deserve."""
    import zlib

    body = line[:-19]
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def test_findings_without_end_are_put_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may hold millions: the first are told one by one, the others by kind."""
    for module, name in (("reader", "_TOLD_MAX"), ("verification", "_FINDINGS_MAX")):
        monkeypatch.setattr(sys.modules[f"kedro_journal.journal.{module}"], name, 10)
    path = put(
        tmp_path / "s", b"".join([*LINES[:4], *[LINES[2]] * 30, LINES[6], LINES[7]])
    )
    report = verify(path)
    assert report.records == 6
    assert [f.kind for f in report.findings] == [
        *["duplicate record"] * 11,
        "records missing",
    ]
    together, missing = report.findings[-2:]
    start = sum(map(len, LINES[:4])) + 10 * len(LINES[2])
    assert (together.offset, together.length) == (start, 20 * len(LINES[2]))
    assert together.detail.startswith("20 more of this kind")
    assert (missing.lost, report.ok) == (2, False)
    assert sum(finding.lost for finding in report.findings) == 2


def test_findings_are_plain_data(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join([*LINES[:4], BROKEN, *LINES[5:]]))
    report = verify(path)
    text = msgspec.json.encode(report)
    assert msgspec.json.decode(text, type=type(report)) == report
