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
    """What every journal can do, wherever it is kept.

    Attributes:
        written: The data of the last event that stands in the journal.
    """

    written: bytes

    def append(self, *events: Event, at: datetime | None = None) -> list[Record]:
        """Append events; see `JournalWriter.append`."""
        ...

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        """Append events that are encoded already; see `JournalWriter`."""
        ...

    def close(self) -> None:
        """Release what is held."""


class MemoryJournal:
    """Holds the lines of one journal in memory. Safe between threads.

    Args:
        header: The first record.
        opened: Describes this process.

    Attributes:
        written: As of `JournalWriter`.
    """

    _live: Final[weakref.WeakSet[MemoryJournal]] = weakref.WeakSet()

    def __init__(self, header: JournalHeader, opened: WriterOpened) -> None:
        self._lines: list[bytes] = []
        self._lock = threading.Lock()
        self._last = Cursor(0, 0, NO_PREV)  # lines behind it were never appended
        self._closed_seq = 0
        self.written = b""
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
            del self._lines[self._last.seq :]  # of an append that was interrupted
            begun_at = batch[0].at if batch else None
            first = [Encoded(e, encode_event(e), begun_at) for e in self._first]
            here = now()
            last, added = self._last, list[Record]()
            for each in (*first, *batch):
                when = _timestamp(each.at or here)
                last, record = self._add(last, each.event, each.data, when)
                added.append(record)
            closed = bool(batch) and isinstance(batch[-1].event, SessionClosed)
            written = batch[-1].data if batch else b""
            # No call from here on: where there is none, no signal handler runs.
            self._closed_seq = last.seq if closed else 0
            self._last, self.written, self._first = last, written, ()
            return added[len(first) :]

    def _add(
        self, last: Cursor, event: Event, data: bytes, when: str
    ) -> tuple[Cursor, Record]:
        line, crc = seal(
            seq=last.seq + 1,
            at=when,
            writer="w1",
            prev=last.crc,
            event=event,
            data=data,
        )
        end = last.offset + len(line)
        self._lines.append(line)
        record = decode(line[:-1], last.offset, end)
        if isinstance(record, BadLine):  # pragma: no cover - seal and decode agree
            raise AssertionError(record.reason)
        return Cursor(last.seq + 1, end, crc), record

    def read(self, start: Cursor | None = None) -> Iterator[Record]:
        """Yield the records after *start*."""
        offset = 0
        for seq, line in enumerate(self.lines(), 1):
            record = decode(line[:-1], offset, offset + len(line))
            offset += len(line)
            if isinstance(record, Record) and seq > (start.seq if start else 0):
                yield record

    def lines(self) -> list[bytes]:
        """Return the lines as they would stand in a file."""
        return self._lines[: self._last.seq]

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
