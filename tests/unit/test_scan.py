"""What the scanner says of each wound: where, how long, how much is gone, in words."""

from __future__ import annotations

import pytest
from fuzzing.lines import Chain
from journals import HEADER, note, opened, sample_lines, seal_all

from kedro_journal.events import Cursor, Record, UnknownEvent
from kedro_journal.journal import LINE_MAX_BYTES, Finding, Scanner
from kedro_journal.journal.lines import Line, LineBuffer

LINES = sample_lines(8)
FOREIGN = sample_lines(8, seed=2)
ENDS = [sum(map(len, LINES[:count])) for count in range(9)]
CRCS = ["00000000", *(line[-11:-3].decode() for line in LINES)]
FOREIGN_CRCS = ["00000000", *(line[-11:-3].decode() for line in FOREIGN)]
JUNK = b"junk\n"


def scan(*pieces: bytes, start: Cursor | None = None) -> tuple[list[int], Scanner]:
    """Read as `read` does. Gives the numbers of the records, and the scanner."""
    scanner = Scanner(start)
    buffer = LineBuffer(scanner.last.offset)
    found = [scanner.take(line) for line in buffer.feed(b"".join(pieces))]
    found.append(scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length))
    return [record.seq for record in found if record is not None], scanner


def only(scanner: Scanner) -> Finding:
    (finding,) = scanner.findings
    return finding


def test_a_torn_tail() -> None:
    numbers, scanner = scan(*LINES[:4], LINES[4][:-20])
    assert numbers == [1, 2, 3, 4]
    length = len(LINES[4]) - 20
    assert only(scanner) == Finding(
        kind="torn tail",
        severity="info",
        offset=ENDS[4],
        length=length,
        seq=4,
        detail=f"{length} bytes after the last record: an append that was cut short; "
        "it was never acknowledged",
    )


def test_a_torn_tail_that_is_a_whole_record() -> None:
    """Without its newline it is not committed, however whole it is."""
    numbers, scanner = scan(*LINES[:4], LINES[4][:-1])
    assert numbers == [1, 2, 3, 4]
    finding = only(scanner)
    assert (finding.kind, finding.length) == ("torn tail", len(LINES[4]) - 1)
    assert finding.detail.startswith("a whole record without its newline after")


def test_a_torn_tail_too_long_to_keep() -> None:
    _, scanner = scan(*LINES, b"x" * (LINE_MAX_BYTES + 7))
    finding = only(scanner)
    assert (finding.offset, finding.length) == (ENDS[8], LINE_MAX_BYTES + 7)
    assert finding.detail.startswith(f"{LINE_MAX_BYTES + 7} bytes after")


def test_a_damaged_terminator() -> None:
    numbers, scanner = scan(*LINES[:4], LINES[4][:-1] + b"\x8a")
    assert numbers == [1, 2, 3, 4, 5]
    assert scanner.last == Cursor(5, ENDS[5], CRCS[5])
    assert only(scanner) == Finding(
        kind="damaged terminator",
        severity="warning",
        offset=ENDS[5] - 1,
        length=1,
        seq=5,
        detail="the newline after record 5 is damaged; the record itself is intact",
    )


def test_the_record_of_a_damaged_terminator_knows_its_place() -> None:
    scanner = Scanner(Cursor(4, ENDS[4], CRCS[4]))
    tail = LINES[4][:-1] + b"\0"
    record = scanner.finish(tail, ENDS[4], len(tail))
    assert record is not None
    assert (record.offset, record.cursor) == (ENDS[4], Cursor(5, ENDS[5], CRCS[5]))


def test_a_repetition_without_its_newline_is_not_delivered() -> None:
    numbers, scanner = scan(*LINES[:4], LINES[2][:-1] + b"\0")
    assert numbers == [1, 2, 3, 4]
    kinds = [finding.kind for finding in scanner.findings]
    assert kinds == ["duplicate record", "damaged terminator"]


def test_a_healed_tear() -> None:
    numbers, scanner = scan(*LINES[:4], JUNK, b"\0\n", *LINES[4:])
    assert numbers == list(range(1, 9))
    assert only(scanner) == Finding(
        kind="healed tear",
        severity="warning",
        offset=ENDS[4],
        length=len(JUNK) + 2,
        seq=4,
        detail="2 broken line(s) between records 4 and 5; the chain shows that nothing "
        "is lost",
    )


def test_records_lost_in_broken_lines() -> None:
    numbers, scanner = scan(*LINES[:4], JUNK, *LINES[6:])
    assert numbers == [1, 2, 3, 4, 7, 8]
    assert only(scanner) == Finding(
        kind="records lost",
        severity="error",
        offset=ENDS[4],
        length=len(JUNK),
        seq=4,
        lost=2,
        detail="2 record(s) after record 4 are destroyed: it has no checksum",
    )


def test_the_first_fault_of_several_lines_is_the_one_that_is_told() -> None:
    wrong = LINES[4][:40] + b"?" + LINES[4][41:]
    long = b"x" * (LINE_MAX_BYTES + 1) + b"\n"
    for first, reason in (
        (wrong, "its checksum is wrong"),
        (long, "it is longer than any record"),
        (JUNK, "it has no checksum"),
    ):
        _, scanner = scan(*LINES[:4], first, JUNK, wrong, *LINES[7:])
        assert (
            only(scanner).detail
            == f"3 record(s) after record 4 are destroyed: {reason}"
        )


def test_records_missing() -> None:
    numbers, scanner = scan(*LINES[:3], *LINES[6:])
    assert numbers == [1, 2, 3, 7, 8]
    assert only(scanner) == Finding(
        kind="records missing",
        severity="error",
        offset=ENDS[3],
        seq=3,
        lost=3,
        detail="record 7 follows record 3: 3 missing",
    )


def test_a_file_that_ends_before_the_place_to_go_on_from() -> None:
    scanner = Scanner(Cursor(8, ENDS[8], CRCS[8]))
    scanner.cut(ENDS[4])
    assert only(scanner) == Finding(
        kind="records missing",
        severity="error",
        offset=ENDS[4],
        seq=8,
        detail=f"the file ends before record 8 did, at byte {ENDS[8]}",
    )


def test_a_damaged_end() -> None:
    numbers, scanner = scan(*LINES[:4], JUNK, b"\n")
    assert numbers == [1, 2, 3, 4]
    assert only(scanner) == Finding(
        kind="damaged end",
        severity="error",
        offset=ENDS[4],
        length=len(JUNK) + 1,
        seq=4,
        lost=2,
        detail="2 damaged line(s) after the last good record: it has no checksum",
    )


def test_a_duplicate_record() -> None:
    numbers, scanner = scan(*LINES[:6], LINES[2], *LINES[6:])
    assert numbers == list(range(1, 9))
    assert only(scanner) == Finding(
        kind="duplicate record",
        severity="warning",
        offset=ENDS[6],
        length=len(LINES[2]),
        seq=6,
        detail="record 3 stands here again, byte for byte; ignored",
    )


def test_a_copy_of_the_record_before_the_cursor_is_a_duplicate_too() -> None:
    """Whoever goes on from a cursor knows the record that it stands behind."""
    start = Cursor(5, ENDS[5], CRCS[5])
    numbers, scanner = scan(LINES[4], *LINES[5:], start=start)
    assert numbers == [6, 7, 8]
    assert (only(scanner).kind, only(scanner).offset) == ("duplicate record", ENDS[5])


def test_a_copy_from_long_ago_is_a_duplicate_as_long_as_it_is_remembered() -> None:
    lines = seal_all([HEADER, opened(), *map(note, range(4100))])
    for copied, kind in (
        (4102 - 4096, "forked journal"),
        (4102 - 4095, "duplicate record"),
    ):
        _, scanner = scan(*lines, lines[copied - 1])
        assert only(scanner).kind == kind


def test_a_forked_journal() -> None:
    numbers, scanner = scan(*LINES[:6], FOREIGN[4], *LINES[6:])
    assert numbers == list(range(1, 9))
    assert only(scanner) == Finding(
        kind="forked journal",
        severity="error",
        offset=ENDS[6],
        length=len(FOREIGN[4]),
        seq=6,
        detail="record 5 comes after record 6: out of order, or two histories in one "
        "file",
    )


def test_damage_before_a_repetition_is_counted_line_by_line() -> None:
    """Nothing tells how many numbers were in it, but for the lines themselves."""
    for repeated in (LINES[2], FOREIGN[2]):
        _, scanner = scan(*LINES[:6], JUNK, JUNK, repeated)
        assert scanner.findings[0] == Finding(
            kind="records lost",
            severity="error",
            offset=ENDS[6],
            length=2 * len(JUNK),
            seq=6,
            lost=2,
            detail="2 damaged line(s) after record 6: it has no checksum",
        )
        assert len(scanner.findings) == 2


def test_a_splice_and_the_way_back() -> None:
    """One foreign line in between: both of its edges are shown, no record is lost."""
    numbers, scanner = scan(*LINES[:6], FOREIGN[6], *LINES[6:])
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 7, 8]
    there, back = scanner.findings
    assert there == Finding(
        kind="splice",
        severity="error",
        offset=ENDS[6],
        length=len(FOREIGN[6]),
        seq=6,
        detail=f"record 7 was not written after record 6 of this journal: it names "
        f"{FOREIGN_CRCS[6]} before it, not {CRCS[6]}",
    )
    assert back == Finding(
        kind="splice",
        severity="error",
        offset=ENDS[6] + len(FOREIGN[6]),
        seq=7,
        detail="records up to 7 do not belong here: record 7 follows record 6, not them",
    )
    assert scanner.last.seq == 8


def test_a_foreign_record_from_further_on_and_the_way_back() -> None:
    """It seems to show that records are missing, until the true ones go on."""
    numbers, scanner = scan(*LINES[:5], FOREIGN[7], *LINES[5:])
    assert numbers == [1, 2, 3, 4, 5, 8, 6, 7, 8]
    missing, back = scanner.findings
    assert (missing.kind, missing.lost) == ("records missing", 2)
    assert back.detail == (
        "records up to 8 do not belong here: record 6 follows record 5, not them"
    )


def test_there_is_one_way_back_to_the_true_records() -> None:
    """Once they went on, an older line is a repetition again."""
    _, scanner = scan(*LINES[:6], FOREIGN[6], *LINES[6:], LINES[6])
    kinds = [finding.kind for finding in scanner.findings]
    assert kinds == ["splice", "splice", "duplicate record"]


@pytest.mark.parametrize("wrong", ["number", "chain"])
def test_the_way_back_takes_the_number_and_the_chain(wrong: str) -> None:
    """Else it is one more history."""
    other = Chain()
    other.seq, other.prev = (5, CRCS[6]) if wrong == "number" else (6, CRCS[5])
    line = other.add("note.added", {"text": "n"})
    _, scanner = scan(*LINES[:6], FOREIGN[6], line)
    kinds = [finding.kind for finding in scanner.findings]
    assert kinds == ["splice", "forked journal"]


def test_damage_before_a_splice_is_told_before_it() -> None:
    _, scanner = scan(*LINES[:6], JUNK, FOREIGN[6])
    kinds = [(finding.kind, finding.lost) for finding in scanner.findings]
    assert kinds == [("records lost", 1), ("splice", 0)]


def test_damage_before_the_way_back_is_told_before_it() -> None:
    _, scanner = scan(*LINES[:6], FOREIGN[6], JUNK, *LINES[6:])
    kinds = [(finding.kind, finding.lost) for finding in scanner.findings]
    assert kinds == [("splice", 0), ("records lost", 1), ("splice", 0)]


def test_a_newer_version_is_told_once_and_then_every_unknown_event() -> None:
    chain = Chain()
    first = chain.add("journal.header", {"session_id": "s", "uid": "u"})
    newer = [chain.add("note.added", {"text": "n"}, v=2) for _ in range(2)]
    at = len(first)
    numbers, scanner = scan(*chain.lines, start=None)
    assert numbers == [1, 2, 3]
    assert scanner.findings == [
        Finding(
            kind="unknown event",
            severity="info",
            offset=0,
            length=at,
            seq=1,
            detail="record 1 is a journal.header event that this version does not "
            "know; kept",
        ),
        Finding(
            kind="newer version",
            severity="warning",
            offset=at,
            length=len(newer[0]),
            seq=2,
            detail="record 2 has line format 2, newer than 1",
        ),
        Finding(
            kind="unknown event",
            severity="info",
            offset=at + len(newer[0]),
            length=len(newer[1]),
            seq=3,
            detail="record 3 is a note.added event that this version does not know; "
            "kept",
        ),
    ]


def test_what_was_judged_can_be_judged_again() -> None:
    """A reader that ran into a repair goes back, and finds what it would have found."""
    chain = Chain()
    for version in (1, 1, 1, 2, 2):
        chain.add("note.added", {"text": "n"}, v=version)
    pieces = [chain.lines[0], JUNK, *chain.lines[3:]]
    first, again = scan(*pieces)[1].findings, Scanner()
    lines = LineBuffer().feed(b"".join(pieces))
    for line in lines[:3]:
        again.take(line)
    again.go_back()
    assert (again.last.seq, again.findings) == (1, [])
    for line in lines[1:]:
        again.take(line)
    assert [finding.kind for finding in first] == [
        "records lost",
        "newer version",
        "unknown event",
    ]
    assert again.findings == first


def test_what_was_told_before_is_not_told_again_after_going_back() -> None:
    chain = Chain()
    for _ in range(4):
        chain.add("note.added", {"text": "n"}, v=2)
    lines = LineBuffer().feed(b"".join([*chain.lines[:2], *chain.lines[3:]]))
    scanner = Scanner()
    for line in lines:
        scanner.take(line)
    scanner.go_back()
    assert scanner.last.seq == 2
    scanner.take(lines[2])
    kinds = [finding.kind for finding in scanner.findings]
    assert kinds == ["records missing", "unknown event"]


@pytest.mark.parametrize("length", [80, 81])
def test_a_long_name_is_told_by_its_beginning(length: int) -> None:
    chain = Chain()
    chain.add("n" * length, {})
    _, scanner = scan(*chain.lines)
    told = "n" * 80 + ("..." if length > 80 else "")
    assert only(scanner).detail.startswith(f"record 1 is a {told} event")


def test_going_back_forgets_lines_that_were_no_records() -> None:
    lines = LineBuffer().feed(b"".join([*LINES[:4], JUNK, *LINES[4:]]))
    scanner = Scanner()
    for line in lines[:5]:
        scanner.take(line)
    scanner.go_back()
    assert scanner.last.seq == 3
    for line in lines[3:]:
        scanner.take(line)
    assert only(scanner).detail.startswith("1 broken line(s) between records 4 and 5")


def test_going_back_also_goes_back_to_the_true_records() -> None:
    lines = LineBuffer().feed(b"".join([*LINES[:6], FOREIGN[6], *LINES[6:]]))
    scanner = Scanner()
    for line in lines[:8]:
        scanner.take(line)
    scanner.go_back()
    scanner.findings = []
    assert scanner.last.crc == FOREIGN_CRCS[7]
    scanner.take(lines[7])
    assert [finding.kind for finding in scanner.findings] == ["splice"]


def test_lines_that_were_no_records_can_be_fed_again() -> None:
    """A follower reads again from the last record: what it left then counts once."""
    lines = LineBuffer().feed(b"".join([*LINES[:4], JUNK, *LINES[4:]]))
    scanner = Scanner()
    for line in lines[:5]:
        scanner.take(line)
    scanner.retry()
    for line in lines[4:]:
        scanner.take(line)
    assert only(scanner).detail.startswith("1 broken line(s)")


def test_a_known_event_is_no_finding_and_an_unknown_one_is_delivered() -> None:
    event = UnknownEvent(type="node.paused", raw=b"{}")
    lines = seal_all([HEADER, opened(), event])
    numbers, scanner = scan(*lines)
    assert numbers == [1, 2, 3]
    assert only(scanner).detail == (
        "record 3 is a node.paused event that this version does not know; kept"
    )


def test_a_record_is_given_with_its_place() -> None:
    found = Scanner().take(Line(0, LINES[0][:-1], len(LINES[0])))
    assert isinstance(found, Record)
    assert (found.offset, found.end) == (0, len(LINES[0]))
