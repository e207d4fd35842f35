"""Arriving bytes -> whole lines and a tail. Pure: no file.

Bytes are split on b"\\n" only: a line may hold any other line separator of Unicode.
"""

from __future__ import annotations

from typing import NamedTuple

from .codec import LINE_MAX_BYTES

__all__ = ["Line", "LineBuffer"]


class Line(NamedTuple):
    """One whole line.

    Attributes:
        offset: Byte position of its start.
        data: Its bytes without the newline; None if it was over the limit.
        end: Byte position after its newline.
    """

    offset: int
    data: bytes | None
    end: int


class LineBuffer:
    """Cuts a stream of bytes into lines, in bounded memory.

    How the bytes arrive makes no difference: whole, in halves or one by one.

    Args:
        offset: Byte position of the first byte that will be fed.
        limit: Longest line in bytes that is kept; longer ones come out as None.
    """

    def __init__(self, offset: int = 0, limit: int = LINE_MAX_BYTES) -> None:
        self._offset = offset
        self._tail = bytearray()  # grows in place, however small the pieces
        self._skipped = 0
        self._limit = limit

    @property
    def tail(self) -> bytes:
        """The bytes after the last newline, none if they are over the limit."""
        return bytes(self._tail)

    @property
    def tail_offset(self) -> int:
        """Where the tail begins."""
        return self._offset

    @property
    def tail_length(self) -> int:
        """Length of the tail in bytes, also when it was too long to keep."""
        return self._skipped + len(self._tail)

    def feed(self, data: bytes) -> list[Line]:
        """Take more bytes; give the lines that are now whole."""
        if b"\n" not in data:
            self._tail += data
            self._bound()
            return []
        first, *rest = data.split(b"\n")
        rest, tail = rest[:-1], rest[-1]
        lines = [self._line(bytes(self._tail + first))]
        self._skipped = 0
        lines += [self._line(piece) for piece in rest]
        self._tail = bytearray(tail)
        self._bound()
        return lines

    def _line(self, piece: bytes) -> Line:
        start = self._offset
        length = self._skipped + len(piece)
        self._offset = start + length + 1
        kept = piece if length <= self._limit else None
        return Line(start, kept, self._offset)

    def _bound(self) -> None:
        if self._skipped or len(self._tail) > self._limit:
            self._skipped += len(self._tail)
            self._tail.clear()
