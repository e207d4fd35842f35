"""Checksums of the last records: a repeated line is no second history. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

__all__ = ["SeenRecords"]

_REMEMBERED: Final = 4096


class SeenRecords:
    """Remembers the checksum of the last 4096 records by their numbers.

    What comes in order, nearly everything, is put aside as it is: it is looked into
    only when a number comes that was there before.
    """

    def __init__(self, seq: int, crc: str) -> None:
        self._crcs = {seq % _REMEMBERED: (seq, crc)}
        self._aside: deque[tuple[int, Sequence[str]]] = deque()
        self._count = 0  # of those put aside

    def add(self, seq: int, crc: str) -> None:
        """Remember one record."""
        self.add_run(seq, (crc,))

    def add_run(self, seq: int, crcs: Sequence[str]) -> None:
        """Remember records that follow one another, from number *seq* on."""
        self._aside.append((seq, crcs))
        self._count += len(crcs)
        while self._count - len(self._aside[0][1]) >= _REMEMBERED:
            self._count -= len(self._aside.popleft()[1])

    def has(self, seq: int, crc: str) -> bool:
        """Tell whether that record was there."""
        self._sort_in()
        return self._crcs.get(seq % _REMEMBERED) == (seq, crc)

    def _sort_in(self) -> None:
        for first, crcs in self._aside:
            for seq, crc in enumerate(crcs, first):
                self._crcs[seq % _REMEMBERED] = (seq, crc)
        self._aside.clear()
        self._count = 0
