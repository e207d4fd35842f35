"""Append records to a journal file: many threads, processes and forked children.

The protocol, in the order it must keep: encode outside the locks; take the thread lock,
then the file lock; catch up with what others wrote, repairing a torn tail (only here,
for only the holder of the lock knows that nobody is in the middle of an append); number
and seal; one write; release both; sync if the policy says so, together with whoever
waits for the same; only then acknowledge.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
import weakref
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from kedro_journal.errors import (
    JournalClosed,
    JournalUnwritable,
    NewerJournal,
)
from kedro_journal.events import (
    Cursor,
    Event,
    JournalHeader,
    JournalRepaired,
    Record,
    SessionClosed,
    WriterOpened,
)

from .codec import (
    FORMAT_VERSION,
    Encoded,
    check_batch,
    encode_event,
    is_plain,
    seal_batch,
)
from .file import JournalFile
from .liveness import start_ticks
from .lock import AppendLock, LockBackend
from .port import REAL_OS, Os
from .repair import mend
from .syncer import GroupSyncer
from .tail import Tail, examine

__all__ = [
    "JOURNAL_NAME",
    "RESERVE_NAME",
    "Durability",
    "JournalWriter",
]

Durability = Literal["flush", "group", "sync"]
JOURNAL_NAME: Final = "journal.jsonl"
RESERVE_NAME: Final = ".reserve"
"""In the journal directory: room that endings get when the disk is full."""
_WINDOW_BYTES: Final = 4096
_DELETED_AFTER_S: Final = 0.05  # it is noticed at the first append so late, at most
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class JournalWriter:
    """Appends events to one journal. Safe to share between threads.

    A forked child that uses its parent's writer gets descriptors and a writer name of
    its own at its first append; the parent's are left alone.

    Args:
        folder: The session folder; it must exist.
        opened: Describes this process; written before its first event.
        header: Given by the creator only: the first record of a new journal.
        durability: When an append returns. flush: the bytes are the kernel's, any
            death of the process keeps them. group: the same, and on the disk within
            50 ms. sync: on the disk. Lifecycle and failure events are synced always.
        deadline_s: Seconds to wait for the append lock.
        backend: Who locks; see `lock`.
        port: The operating system.
    """

    _live: Final[weakref.WeakSet[JournalWriter]] = weakref.WeakSet()

    def __init__(
        self,
        folder: Path,
        opened: WriterOpened,
        *,
        header: JournalHeader | None = None,
        durability: Durability = "flush",
        deadline_s: float = 30.0,
        backend: LockBackend | None = None,
        port: Os = REAL_OS,
    ) -> None:
        self.folder = folder
        self.path = folder / JOURNAL_NAME
        self._opened = opened
        self._header = header
        self._durability: Durability = durability
        self._port = port
        self._lock = AppendLock(
            self.path, deadline_s=deadline_s, backend=backend, port=port
        )
        self._thread_lock = threading.RLock()
        self._file = JournalFile(self.path, port)
        self._known = False  # whether `_last` is where the journal ended once
        self._settled = False  # whether nothing is to be done before the next event
        self._look_at_s = 0.0  # when to see again whether the journal was deleted
        self._last = Cursor()
        self._name = ""
        self._closed_seq = 0
        self._highest_seq = 0  # ever seen committed; numbers are not used twice
        self._repairs: list[JournalRepaired] = []  # made, but not on record yet
        self._stuck = False  # the journal is still locked: closing it lets go
        self._syncer: GroupSyncer | None = None
        self._live.add(self)

    @property
    def name(self) -> str:
        """This process's name in the envelope, such as `w1`; empty before it wrote."""
        return self._name

    @property
    def seq(self) -> int:
        """Sequence number of the last record this writer knows of."""
        return self._last.seq

    def append(self, *events: Event, at: datetime | None = None) -> list[Record]:
        """Append events in one write.

        A write that fails leaves none of them. Death in the middle of it may leave the
        first ones: each line is committed by its own newline.

        Args:
            events: One or more, in order.
            at: Wall clock of the events if it is not now.

        Returns:
            Their records, without this process's `writer.opened` or a repair.

        Raises:
            JournalClosed: The session was closed. Nothing was written.
            JournalBusy: Another process held the lock too long. Nothing was written.
            JournalUnwritable: The system refused; what was written is rolled back.
                Or a sync failed, now or earlier: see `sync`.
            RecordTooLarge: An event over the payload limit. Nothing was written.
            ValueError: An event's bytes hold a newline. Nothing was written.
            NewerJournal: A newer version wrote here. Nothing was written.
            UnsafeJournal: The journal is a link, a device or somebody else's.
        """
        return self.append_encoded(*[Encoded(e, encode_event(e), at) for e in events])

    def append_encoded(self, *batch: Encoded, reserve: bool = False) -> list[Record]:
        """Append events that the caller encoded, as `append` does.

        Args:
            batch: One or more, in order.
            reserve: On a full disk, give up the reserve of the journal directory for
                them: 64 KiB that are kept for how sessions end.

        Raises:
            JournalError: As for `append`.
        """
        if self._settled and not reserve:
            records = self._append_next(batch)
            if records is not None:
                return records
        return self._append_batch(batch, reserve=reserve)

    def _append_next(self, batch: Sequence[Encoded]) -> list[Record] | None:
        """Append plain events right behind this writer's own last record.

        Nearly every event of a run is such, and this is half as dear as the whole way,
        `_append_batch`. It keeps the same order, and leaves to that one whatever needs
        more: a lock that is not free, a journal that grew, one that may be gone.

        Returns:
            Their records; None if nothing was done.
        """
        if not batch:
            return None
        for encoded in batch:
            if not is_plain(encoded.event, encoded.data):
                return None
        file, lock, number = self._file, self._lock, 0
        with self._thread_lock:
            if not self._settled or file.sync_failure is not None:
                return None
            try:
                if not lock.try_acquire(file.fd):
                    return None
                self._settled = False
                last = self._last
                if file.end() != last.offset or time.monotonic() >= self._look_at_s:
                    return None
                data, records = seal_batch(batch, last, self._name, self._port.now())
                file.append(data, last.offset)
                end = records[-1]
                self._last = Cursor(end.seq, end.end, end.crc)
                self._highest_seq = end.seq
                self._settled = True
                if self._durability == "sync":
                    number = file.want_sync()
                elif self._durability == "group":
                    self._sync_soon()
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                if not lock.release():
                    self._close_synced()
        if number:
            self._sync(number)
        return records

    def _append_batch(self, batch: Sequence[Encoded], *, reserve: bool) -> list[Record]:
        urgent = check_batch(batch, self.path) or self._durability == "sync"
        with self._thread_lock:
            if self._file.sync_failure is not None:
                raise self._not_durable(self._file.sync_failure)
            try:
                records, mended = self._append_locked(batch, urgent, reserve=reserve)
                number = self._file.want_sync() if urgent or mended else None
                if number is None and self._durability == "group":
                    self._sync_soon()
            except OSError as error:
                raise self._unwritable(error) from error
            finally:
                if self._stuck:
                    self._close_synced()
        if number is not None:
            self._sync(number)
        return records

    def _unwritable(self, error: OSError) -> JournalUnwritable:
        with contextlib.suppress(JournalUnwritable):
            self._close_synced()
        reason = error.strerror or str(error)
        return JournalUnwritable(self.path, error.errno, reason)

    def _close_synced(self) -> None:
        """Let go of the files, and leave nothing that waits for the next window."""
        try:
            if self._syncer is not None:
                self.sync()
        finally:
            self._forget()

    def _append_locked(
        self, batch: Sequence[Encoded], urgent: bool, *, reserve: bool
    ) -> tuple[list[Record], bool]:
        """Give the records, and whether a repair was put on record before them."""
        settled, self._settled = self._settled, False
        try:
            if not self._file.is_open:
                creating = self._header is not None and not self._known
                self._file.open(create=creating and not self._last.seq)
            self._lock.acquire(self._file.fd)
            if (
                not settled
                or urgent
                or self._file.end() != self._last.offset
                or time.monotonic() >= self._look_at_s
            ):
                self._catch_up()
                if self._highest_seq != self._last.seq:
                    self._keep_loss_visible()
                if self._closed_seq:
                    raise JournalClosed(self.path, self._closed_seq)
            name = self._name
            before: list[Encoded] = []
            if not name or self._repairs:
                name, before = self._before(batch)
            every = [*before, *batch] if before else batch
            data, records = seal_batch(every, self._last, name, self._port.now())
            self._write(data, reserve=reserve)
            self._name = name
            if records:
                last = records[-1]
                self._last = Cursor(last.seq, last.end, last.crc)
                if isinstance(last.event, SessionClosed):
                    self._closed_seq = last.seq
            self._highest_seq = self._last.seq
            self._settled = not self._closed_seq
            mended = bool(self._repairs)
            self._repairs = []
            return (records[len(before) :] if before else records), mended
        finally:
            # What is left was done to the file but is not on record yet; skipped lines
            # are still there to be found again.
            if self._repairs:
                self._repairs = [
                    event for event in self._repairs if event.action != "skipped"
                ]
            self._stuck = not self._lock.release()

    def _before(self, batch: Sequence[Encoded]) -> tuple[str, list[Encoded]]:
        """Give the name of this writer, and what is put on record before a batch."""
        first: list[Event] = list(self._repairs)
        creating = not self._last.seq and not self._last.offset
        if self._header and creating:
            first.insert(0, self._header)
        name = self._name
        if not name:
            first.append(self._opened)
            name = "w1" if creating else f"w{self._last.seq + len(first)}"
        at = batch[0].at if batch else None
        return name, [Encoded(event, encode_event(event), at) for event in first]

    def _write(self, data: bytes, *, reserve: bool) -> None:
        end = self._last.offset
        try:
            self._file.append(data, end)
        except OSError as error:
            if not (reserve and error.errno in _FULL and self._free_reserve(end)):
                raise
            self._file.append(data, end)

    def _free_reserve(self, end: int) -> bool:
        """Give up the reserve. Tells whether the file is as it was before the write."""
        with contextlib.suppress(OSError):  # gone already: its room may be free still
            self._port.remove(self.folder.parent / RESERVE_NAME)
        return self._file.finish_roll_back(self._file.stat().size) == end

    def _catch_up(self) -> None:
        """Learn where the journal ends now, and mend its end."""
        found = self._file.stat()
        if not found.links:
            self._forget()
            raise JournalUnwritable(self.path, None, "the journal was deleted")
        self._file.sync_name()
        self._look_at_s = time.monotonic() + _DELETED_AFTER_S
        size = self._file.finish_roll_back(found.size)
        if self._known and size == self._last.offset:
            return
        tail, start = self._look_back(size)
        if tail.version > FORMAT_VERSION:
            raise NewerJournal(self.path, tail.version)
        if tail.record is None and start == 0 and self._header is None:
            reason = "it has no header: the process that made it died before that"
            raise JournalUnwritable(self.path, None, reason)
        seq, crc = self._last.seq, self._last.crc
        if tail.record is not None:
            seq, crc = tail.record.seq, tail.record.crc
            closed = isinstance(tail.record.event, SessionClosed)
            self._closed_seq = seq if closed else 0
        elif start == 0:
            seq, crc, self._closed_seq = 0, Cursor().crc, 0
        self._last = Cursor(seq, size, crc)
        if not self._closed_seq:
            mended = mend(self._file, tail, self._last, self._port)
            self._last = mended.last
            self._closed_seq = self._last.seq if mended.closed else 0
            self._repairs += mended.repairs
        self._known = True

    def _keep_loss_visible(self) -> None:
        """Never number two records alike, also where somebody cut the file."""
        lost = self._highest_seq - self._last.seq
        if lost > 0 and not self._closed_seq:
            self._last = self._last._replace(seq=self._highest_seq)
            self._repairs.append(
                JournalRepaired(
                    offset=self._last.offset, length=0, action="skipped", lost=lost
                )
            )
        self._highest_seq = self._last.seq

    def _look_back(self, size: int) -> tuple[Tail, int]:
        known = self._last.offset
        if self._known and known < size and size - known <= _WINDOW_BYTES * 16:
            data = self._file.read(known, size)
            return examine(data, whole=True, after=self._last.seq), known
        window = _WINDOW_BYTES
        while True:
            start = max(0, size - window)
            tail = examine(self._file.read(start, size), whole=start == 0)
            if tail.record is not None or start == 0:
                return tail, start
            window *= 2

    def sync(self) -> None:
        """Bring everything appended so far to the disk.

        Raises:
            JournalUnwritable: The disk refused, which is final.
        """
        self._sync(None)

    def _sync(self, number: int | None) -> None:
        try:
            self._file.sync(number)
        except OSError as error:
            raise self._not_durable(error) from error

    def _sync_soon(self) -> None:
        try:
            self._syncer = self._syncer or GroupSyncer(self)
        except RuntimeError:  # no thread is to be had: at once, then
            self.sync()
        else:
            self._syncer.wake()

    def _not_durable(self, error: OSError) -> JournalUnwritable:
        reason = f"a sync failed, which is final: {error.strerror or error}"
        return JournalUnwritable(self.path, error.errno, reason)

    def close(self) -> None:
        """Let go of the files. A later append opens them again."""
        with self._thread_lock:
            if self._syncer is not None:
                self._syncer.stop()
                self._syncer = None
                with contextlib.suppress(JournalUnwritable):
                    self.sync()  # what the window still held
            self._forget()

    def _forget(self) -> None:
        self._known = self._settled = self._stuck = False
        self._lock.drop()
        self._file.close()

    @classmethod
    def reset_in_child(cls) -> None:
        """Make every writer new in a forked child.

        The descriptors are closed without unlocking: the lock is the parent's. Nothing
        that another thread was doing at the fork is taken over.
        """
        for writer in list(cls._live):
            writer.start_over()

    def start_over(self) -> None:
        """Become the writer of a process that was just forked."""
        self._thread_lock = threading.RLock()
        self._file.forget()  # first: another thread may have been in a sync
        self._forget()
        self._syncer = None
        self._header = None
        self._repairs = []
        self._name = ""
        self._last, self._highest_seq = Cursor(), 0
        self._closed_seq = 0
        self._opened = _in_child(self._opened)


def _in_child(opened: WriterOpened) -> WriterOpened:
    return WriterOpened(
        pid=os.getpid(),
        parent_pid=os.getppid(),
        host=opened.host,
        boot_id=opened.boot_id,
        started_at_ticks=start_ticks(os.getpid()),
        user=opened.user,
        python=opened.python,
        role="worker",
    )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JournalWriter.reset_in_child)
