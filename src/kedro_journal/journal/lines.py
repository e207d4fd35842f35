"""Arriving bytes -> whole lines and a tail. Pure: no file.

Bytes are split on b"\\n" only: a line may hold any other line separator of Unicode.
"""

from __future__ import annotations

from typing import NamedTuple

from .codec import LINE_MAX_BYTES

__all__ = ["Cut", "Line", "LineBuffer"]


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


class Cut(NamedTuple):
    """Whole lines, most of them as bare bytes: there may be very many.

    Attributes:
        first: The first one, which may have arrived in pieces; None if there is none.
        offset: Byte position after it.
        rest: The bytes of the others, without their newlines, one behind the other.
    """

    first: Line | None
    offset: int
    rest: list[bytes]


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
        first, offset, rest = self.cut(data)
        if first is None:
            return []
        lines = [first]
        for piece in rest:
            lines.append(self.line(offset, piece))
            offset = lines[-1].end
        return lines

    def cut(self, data: bytes) -> Cut:
        """Take more bytes; give the lines that are now whole, all but one bare."""
        if b"\n" not in data:
            self._tail += data
            self._bound()
            return Cut(None, self._offset, [])
        head, *rest = data.split(b"\n")
        tail = rest.pop()
        first = self.line(self._offset, bytes(self._tail + head), self._skipped)
        self._skipped = 0
        self._tail = bytearray(tail)
        self._offset = first.end + len(data) - len(head) - 1 - len(tail)
        self._bound()
        return Cut(first, first.end, rest)

    def line(self, offset: int, piece: bytes, skipped: int = 0) -> Line:
        """Give a line of bare bytes its place.

        Args:
            offset: Where it begins.
            piece: Its bytes, or what is left of them.
            skipped: How many were too many to keep.
        """
        length = skipped + len(piece)
        kept = piece if length <= self._limit else None
        return Line(offset, kept, offset + length + 1)

    def _bound(self) -> None:
        if self._skipped or len(self._tail) > self._limit:
            self._skipped += len(self._tail)
            self._tail.clear()
