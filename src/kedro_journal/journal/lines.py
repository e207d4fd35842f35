"""Arriving bytes -> whole lines and a tail. Pure: no file.

Bytes are split on b"\\n" only: a line may hold any other line separator of Unicode.
"""

from __future__ import annotations

from typing import NamedTuple

from .codec import LINE_MAX_BYTES, PAYLOAD_MAX_BYTES

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
        first: The first one, if it arrived in pieces and is long.
        offset: Byte position after it, where the others begin.
        pieces: The bytes of the others, without their newlines, one behind the other.
        lists: There is a `[` among the bytes.
    """

    first: Line | None
    offset: int
    pieces: list[bytes]
    lists: bool = False


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
        first, offset, pieces, _ = self.cut(data)
        lines = [] if first is None else [first]
        for piece in pieces:
            lines.append(self.line(offset, piece))
            offset = lines[-1].end
        return lines

    def cut(self, data: bytes) -> Cut:
        """Take more bytes; give the lines that are now whole, nearly all of them bare.

        None of those is longer than *data* or the data of an event may be.
        """
        if b"\n" not in data:
            self._tail += data
            self._bound()
            return Cut(None, self._offset, [])
        pieces = data.split(b"\n")
        tail = pieces.pop()
        first, offset, lists = None, self._offset, b"[" in data
        if self._tail or self._skipped:
            head = bytes(self._tail + pieces[0])
            if self._skipped or len(head) > PAYLOAD_MAX_BYTES:
                first = self.line(offset, head, self._skipped)
                offset = first.end
                del pieces[0]
            else:
                pieces[0], lists = head, lists or b"[" in head
        self._offset += self.tail_length + len(data) - len(tail)
        self._skipped = 0
        self._tail = bytearray(tail)
        self._bound()
        return Cut(first, offset, pieces, lists)

    def skip(self, number: int) -> int:
        """Take bytes without a newline that need not be read, if they are many.

        Args:
            number: How many there are.

        Returns:
            How many were taken: none, unless they make a line too long to keep.
        """
        if number <= self._limit:
            return 0
        self._skipped += len(self._tail) + number
        self._tail.clear()
        return number

    def line(self, offset: int, piece: bytes, skipped: int = 0) -> Line:
        """Return a line of bare bytes its place.

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
