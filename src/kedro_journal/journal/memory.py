"""A journal that lives in memory: the same events, nothing on disk.

Used by `save_on_close=False`. Records go through the same bytes as on disk, so that
what can be journaled does not depend on where.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from kedro_journal._clock import now
from kedro_journal.errors import JournalClosed
from kedro_journal.events import (
    Cursor,
    Event,
    JournalHeader,
    Record,
    SessionClosed,
    WriterOpened,
)

from .codec import NO_PREV, BadLine, Encoded, check_batch, decode, encode_event, seal
from .codec import timestamp as _timestamp

__all__ = ["Journal", "MemoryJournal"]


_NOWHERE: Final = Path("<memory>")


class Journal(Protocol):
    """What every journal can do, wherever it is kept."""

    def append(self, *events: Event, at: datetime | None = None) -> list[Record]:
        """Append events; see `JournalWriter.append`."""
        ...

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        """Append events that are encoded already; see `JournalWriter`."""
        ...

    def close(self) -> None:
        """Let go of what is held."""


class MemoryJournal:
    """Holds the lines of one journal in memory. Safe between threads.

    Args:
        header: The first record.
        opened: Describes this process.
    """

    _live: Final[weakref.WeakSet[MemoryJournal]] = weakref.WeakSet()

    def __init__(self, header: JournalHeader, opened: WriterOpened) -> None:
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._crc = NO_PREV
        self._closed_seq = 0
        self._end = 0
        self._first: tuple[Event, ...] = (header, opened)
        self._live.add(self)

    def append(self, *events: Event, at: datetime | None = None) -> list[Record]:
        """Append events.

        Raises:
            JournalClosed: The session was closed.
            RecordTooLarge: An event over the payload limit.
        """
        return self.append_encoded(*(Encoded(e, encode_event(e), at) for e in events))

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        """Append events that are encoded already, as `append` does.

        Args:
            batch: One or more, in order.
            reserve: Nothing to a memory.

        Raises:
            JournalClosed, RecordTooLarge: As for `append`.
        """
        del reserve
        check_batch(batch, _NOWHERE)
        with self._lock:
            if self._closed_seq:
                raise JournalClosed(_NOWHERE, self._closed_seq)
            begun_at = batch[0].at if batch else None
            first = [Encoded(e, encode_event(e), begun_at) for e in self._first]
            self._first = ()
            here = now()
            added = [
                self._add(each.event, each.data, _timestamp(each.at or here))
                for each in (*first, *batch)
            ]
            return added[len(first) :]

    def _add(self, event: Event, data: bytes, when: str) -> Record:
        line, crc = seal(
            seq=len(self._lines) + 1,
            at=when,
            writer="w1",
            prev=self._crc,
            event=event,
            data=data,
        )
        start = self._end
        self._lines.append(line)
        self._crc, self._end = crc, start + len(line)
        record = decode(line[:-1], start, self._end)
        if isinstance(record, BadLine):  # pragma: no cover - seal and decode agree
            raise AssertionError(record.reason)
        if isinstance(event, SessionClosed):
            self._closed_seq = record.seq
        return record

    def read(self, start: Cursor | None = None) -> Iterator[Record]:
        """Yield the records after *start*."""
        offset = 0
        for seq, line in enumerate(list(self._lines), 1):
            record = decode(line[:-1], offset, offset + len(line))
            offset += len(line)
            if isinstance(record, Record) and seq > (start.seq if start else 0):
                yield record

    def lines(self) -> list[bytes]:
        """Give the lines as they would stand in a file."""
        return list(self._lines)

    def close(self) -> None:
        """Nothing is held."""

    @classmethod
    def reset_in_child(cls) -> None:
        """Free every lock in a forked child: another thread may have held it."""
        for journal in list(cls._live):
            journal.start_over()

    def start_over(self) -> None:
        """Free the lock in a process that was just forked."""
        self._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=MemoryJournal.reset_in_child)
