"""Where a journal ends, from its last bytes."""

from __future__ import annotations

import pytest
from fuzzing.lines import Chain
from hypothesis import example, given
from hypothesis import strategies as st
from journals import sample_lines

from kedro_journal.events import Record
from kedro_journal.journal.codec import decode
from kedro_journal.journal.tail import Tail, examine, fits

LINES = sample_lines(6)
RECORDS = [decode(line[:-1]) for line in LINES]


def chained(seq: int, prev: str) -> bytes:
    chain = Chain()
    chain.seq, chain.prev = seq - 1, prev
    return chain.add("note.added", {"text": "n"})[:-1]


def test_nothing_is_at_the_end_of_nothing() -> None:
    for whole in (True, False):
        assert examine(b"", whole=whole) == Tail(None, 1, 0, b"", "nothing")


def test_the_last_record_is_found() -> None:
    for count in range(1, 7):
        tail = examine(b"".join(LINES[:count]), whole=True)
        assert tail == Tail(RECORDS[count - 1], 1, 0, b"", "nothing")  # type: ignore[arg-type]


def test_a_partial_first_line_is_left_out() -> None:
    """A look that begins in the middle of a line must not take its end for damage."""
    tail = examine(LINES[4][10:], whole=False)
    assert (tail.record, tail.bad_lines) == (None, 0)
    tail = examine(LINES[4][10:] + b"bad\n", whole=False)
    assert (tail.record, tail.bad_lines) == (None, 1)
    tail = examine(LINES[3][10:] + LINES[4], whole=False)
    assert tail.record == RECORDS[4]
    # It looks like a whole one, but who knows what stood before it.
    assert examine(LINES[4], whole=False).record is None


@pytest.mark.parametrize("junk", [b"\n", b"x\n", b"\n\n", b"\nx\n\n", b"a\nb\nc\nd\n"])
@pytest.mark.parametrize("fragment", [b"", b"torn"])
def test_damaged_lines_after_the_last_record_are_counted(
    junk: bytes, fragment: bytes
) -> None:
    count = junk.count(b"\n")
    tail = examine(b"".join(LINES[:3]) + junk + fragment, whole=True)
    assert (tail.record, tail.bad_lines) == (RECORDS[2], count)
    assert (tail.fragment, tail.repair) == (fragment, "cut" if fragment else "nothing")
    assert examine(junk + fragment, whole=True).bad_lines == count
    assert examine(junk + fragment, whole=False).bad_lines == count - 1
    # Those before it are no matter of its end.
    assert examine(junk + LINES[0], whole=True).bad_lines == 0
    assert examine(junk + LINES[0], whole=True).record == RECORDS[0]


def test_a_repeated_record_is_passed_over() -> None:
    data = b"".join([LINES[3], LINES[4], LINES[1], LINES[2]])
    for after, seq in ((0, 3), (1, 3), (2, 3), (3, 5), (4, 5)):
        found = examine(data, whole=True, after=after).record
        assert found is not None
        assert found.seq == seq
    tail = examine(data, whole=True, after=5)
    assert (tail.record, tail.bad_lines) == (None, 0)
    assert examine(LINES[0], whole=True).record == RECORDS[0]


def test_the_line_format_is_that_of_the_last_record() -> None:
    chain = Chain()
    for version in (1, 2, 3, 1):
        chain.add("note.added", {"text": "n"}, v=version)
    for count, version in enumerate((1, 2, 3, 1), 1):
        assert examine(b"".join(chain.lines[:count]), whole=True).version == version
    assert examine(b"".join([*chain.lines[:3], b"bad\n"]), whole=True).version == 3


def test_what_is_to_be_done_with_the_bytes_after_the_last_newline() -> None:
    data, line = b"".join(LINES[:3]), LINES[3][:-1]
    for fragment, mend in (
        (b"", "nothing"),
        (line, "adopt"),
        (line + b"\0", "terminator"),
        (line + b"\0\0", "cut"),
        (line[:-1], "cut"),
        (line[:1], "cut"),
        (b"\0", "cut"),
    ):
        tail = examine(data + fragment, whole=True)
        assert (tail.fragment, tail.repair) == (fragment, mend)
        assert tail.record == RECORDS[2]


@given(st.lists(st.sampled_from([b"\n", b"x", *LINES[:2]]), max_size=12), st.booleans())
@example([b"\n", LINES[0]], True)
def test_the_end_is_what_reading_every_line_shows(
    pieces: list[bytes], whole: bool
) -> None:
    """The quick look from behind and a plain one from the front agree."""
    data = b"".join(pieces)
    *lines, fragment = data.split(b"\n")
    last, bad_lines = None, 0
    for line in lines if whole else lines[1:]:
        found = decode(line)
        good = isinstance(found, Record)
        last, bad_lines = (found, 0) if good else (last, bad_lines + 1)
    tail = examine(data, whole=whole)
    assert (tail.record, tail.bad_lines, tail.fragment) == (last, bad_lines, fragment)


def test_a_line_fits_if_its_number_and_chain_go_on() -> None:
    crc = "1f0c9a77"
    assert fits(chained(8, crc), 7, crc)
    assert not fits(chained(8, "1f0c9a78"), 7, crc)
    assert not fits(chained(7, crc), 7, crc)
    assert not fits(chained(6, crc), 7, crc)


def test_a_line_fits_after_damaged_ones() -> None:
    """Their checksums are gone with them, so the number alone must do."""
    for seq in (9, 10, 900):
        assert fits(chained(seq, "89abcdef"), 7, "1f0c9a77")


def test_what_is_no_record_does_not_fit() -> None:
    assert not fits(b"", 0, "00000000")
    assert not fits(LINES[0][:-2], 0, "00000000")
    assert fits(LINES[0][:-1], 0, "00000000")
