"""Checksums of the last records: a repeated line is no second history. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["SeenRecords"]

_REMEMBERED: Final = 4096
_CHARS: Final = len("1f0c9a77,")


class SeenRecords:
    """Remembers the checksum of the last 4096 records by their numbers.

    What comes in order, nearly everything, is put aside as it is: it is looked into
    only when a number comes that was there before.
    """

    def __init__(self, seq: int, crc: str) -> None:
        self._crcs = {seq % _REMEMBERED: (seq, crc)}
        self._aside: deque[tuple[int, str]] = deque()
        self._chars = 0  # of those put aside

    def add(self, seq: int, crcs: str) -> None:
        """Remember a record, or several that follow one another.

        Args:
            seq: The number of the first.
            crcs: Their checksums, with a comma between each two.
        """
        self._aside.append((seq, crcs))
        self._chars += len(crcs) + 1
        while self._chars - len(self._aside[0][1]) > _REMEMBERED * _CHARS:
            self._chars -= len(self._aside.popleft()[1]) + 1

    def has(self, seq: int, crc: str) -> bool:
        """Return whether that record was there."""
        self._sort_in()
        return self._crcs.get(seq % _REMEMBERED) == (seq, crc)

    def _sort_in(self) -> None:
        for first, crcs in self._aside:
            for seq, crc in enumerate(crcs.split(","), first):
                self._crcs[seq % _REMEMBERED] = (seq, crc)
        self._aside.clear()
        self._chars = 0
