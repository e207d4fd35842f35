"""Bytes -> lines: how the bytes arrive makes no difference."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_journal.journal.lines import Line, LineBuffer
from kedro_journal.journal.tail import examine

DATA = "one\n\u2028two\u0085\n\n\r\nfive\x0b\x0c\x1c\nsi".encode()


def test_lines_do_not_depend_on_how_the_bytes_arrive() -> None:
    whole = LineBuffer().feed(DATA)
    for size in range(1, len(DATA) + 1):
        buffer, lines = LineBuffer(), []
        for start in range(0, len(DATA), size):
            lines += buffer.feed(DATA[start : start + size])
        assert lines == whole
        assert (buffer.tail, buffer.tail_offset) == (b"si", len(DATA) - 2)


def test_only_the_newline_byte_ends_a_line() -> None:
    lines = [line.data for line in LineBuffer().feed(DATA)]
    assert lines == DATA.split(b"\n")[:-1]


@given(
    st.lists(st.binary(max_size=30), max_size=20),
    st.integers(0, 40),
    st.integers(1, 20),
)
def test_lines_and_offsets_cover_every_byte(
    pieces: list[bytes], offset: int, limit: int
) -> None:
    buffer, lines = LineBuffer(offset, limit), []
    for piece in pieces:
        lines += buffer.feed(piece)
    data = b"".join(pieces)
    at = offset
    for line in lines:
        assert line.offset == at
        expected = data[at - offset : line.end - offset - 1]
        assert line.data == (expected if len(expected) <= limit else None)
        at = line.end
    assert at == buffer.tail_offset
    assert at + buffer.tail_length == offset + len(data)


def test_a_tail_that_never_ends_is_not_kept() -> None:
    buffer = LineBuffer(limit=100)
    for _ in range(1000):
        assert buffer.feed(b"x" * 99) == []
    assert len(buffer.tail) <= 100
    assert buffer.tail_length == 99_000
    (line,) = buffer.feed(b"\n")
    assert (line.data, line.end) == (None, 99_001)


@pytest.mark.parametrize("length", range(1, 6))
def test_a_line_as_long_as_the_limit_is_kept(length: int) -> None:
    """Whether it comes whole or byte by byte; a longer one is not."""
    for size in range(1, 7):
        buffer, lines = LineBuffer(limit=3), []
        data = b"x" * length + b"\n"
        for start in range(0, len(data), size):
            lines += buffer.feed(data[start : start + size])
        assert lines == [Line(0, data[:-1] if length <= 3 else None, length + 1)]
        buffer.feed(b"x" * length)
        assert buffer.tail == (b"x" * length if length <= 3 else b"")
        assert (buffer.tail_offset, buffer.tail_length) == (length + 1, length)


def test_a_line_after_one_that_was_too_long_is_kept() -> None:
    buffer = LineBuffer(limit=3)
    assert buffer.feed(b"xx") + buffer.feed(b"xx") + buffer.feed(b"xx\nab") == [
        Line(0, None, 7)
    ]
    assert buffer.feed(b"\n") == [Line(7, b"ab", 10)]
    assert buffer.feed(b"c\nabcd") == [Line(10, b"c", 12)]
    assert (buffer.tail, buffer.tail_length) == (b"", 4)


def test_a_long_line_may_arrive_byte_by_byte() -> None:
    """In the time of its bytes, not of their square."""
    buffer, size = LineBuffer(), 400_000
    begun = time.process_time()
    for _ in range(size):
        assert buffer.feed(b"x") == []
    assert [line.end for line in buffer.feed(b"\n")] == [size + 1]
    assert time.process_time() - begun < 3


@given(st.binary(max_size=200), st.booleans())
def test_the_end_of_any_bytes_can_be_examined(data: bytes, whole: bool) -> None:
    tail = examine(data, whole=whole)
    assert tail.record is None
    assert tail.fragment == data.rpartition(b"\n")[2]
    assert tail.repair == ("cut" if tail.fragment else "nothing")
    lines = data.count(b"\n")
    assert tail.bad_lines == (lines if whole else max(0, lines - 1))
