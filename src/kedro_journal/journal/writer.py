"""Append records to a journal file: many threads, processes and forked children.

The protocol, in the order it must keep: encode outside the locks; take the thread lock,
then the file lock; catch up with what others wrote, repairing a torn tail (only here,
for only the holder of the lock knows that nobody is in the middle of an append); number
and seal; one write; release; sync if the policy says so; only then acknowledge.

Longer than other modules: the steps share one state, and their order is the point.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
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
    LIFECYCLE_TYPES,
    Event,
    JournalHeader,
    JournalRepaired,
    Record,
    SessionClosed,
    WriterOpened,
)

from .codec import (
    FORMAT_VERSION,
    NO_PREV,
    check_batch,
    encode_event,
    line_version,
    seal,
    timestamp,
)
from .liveness import start_ticks
from .lock import AppendLock, LockBackend
from .port import REAL_OS, Os
from .syncer import GroupSyncer
from .tail import Tail, examine, fits

__all__ = ["Durability", "JournalWriter", "JOURNAL_NAME", "APPEND_LOCK_NAME"]

Durability = Literal["flush", "group", "sync"]
JOURNAL_NAME: Final = "journal.jsonl"
APPEND_LOCK_NAME: Final = "append.lock"
TORN_NAME: Final = "torn"
_WINDOW_BYTES: Final = 4096
# The file system has no such thing as syncing: nothing failed.
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


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
            folder / APPEND_LOCK_NAME, deadline_s=deadline_s, backend=backend, port=port
        )
        self._thread_lock = threading.RLock()
        self._fd = -1
        self._end = -1  # -1: nothing is known of the file
        self._seq = 0
        self._crc = NO_PREV
        self._name = ""
        self._closed_seq = 0
        self._highest_seq = 0  # ever seen committed; numbers are not used twice
        self._repairs: list[JournalRepaired] = []  # made, but not on record yet
        self._sync_due = False  # a repair was put on record
        self._written = 0  # bytes of the last write
        self._unfinished: tuple[int, int] | None = None  # a roll-back: to, from
        self._sync_failure: OSError | None = None
        self._syncer: GroupSyncer | None = None
        self._live.add(self)

    @property
    def name(self) -> str:
        """This process's name in the envelope, such as `w1`; empty before it wrote."""
        return self._name

    @property
    def seq(self) -> int:
        """Sequence number of the last record this writer knows of."""
        return self._seq

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
            RecordTooLarge: An event over the payload limit. Nothing was written.
            ValueError: An event's bytes hold a newline. Nothing was written.
            NewerJournal: A newer version wrote here. Nothing was written.
            UnsafeJournal: The journal is a link, a device or somebody else's.
        """
        return self.append_encoded(
            [(event, encode_event(event)) for event in events], at=at
        )

    def append_encoded(
        self, encoded: Sequence[tuple[Event, bytes]], at: datetime | None = None
    ) -> list[Record]:
        """Append events that the caller encoded, as `append` does.

        Args:
            encoded: Each event with the bytes of its `data`.
            at: As for `append`.

        Raises:
            JournalError: As for `append`.
        """
        check_batch(encoded, self.path)
        with self._thread_lock:
            if self._sync_failure is not None:
                raise self._not_durable(self._sync_failure)
            try:
                records = self._append_locked(encoded, at)
            except OSError as error:
                self._forget()
                reason = error.strerror or str(error)
                raise JournalUnwritable(self.path, error.errno, reason) from error
            self._make_durable(encoded)
        return records

    def _append_locked(
        self, encoded: Sequence[tuple[Event, bytes]], at: datetime | None
    ) -> list[Record]:
        try:
            self._lock.acquire()
            self._repairs += self._catch_up()
            self._keep_loss_visible()
            if self._closed_seq:
                raise JournalClosed(self.path, self._closed_seq)
            when = at or self._port.now()
            records = self._write_batch(self._repairs, encoded, when)
            self._sync_due = bool(self._repairs)
            self._repairs = []
            self._highest_seq = self._seq
            return records
        finally:
            # What is left was done to the file but is not on record yet; skipped lines
            # are still there to be found again.
            self._repairs = [
                event for event in self._repairs if event.action != "skipped"
            ]
            self._lock.release()

    def _write_batch(
        self,
        repairs: Sequence[Event],
        encoded: Sequence[tuple[Event, bytes]],
        when: datetime,
    ) -> list[Record]:
        before = (self._seq, self._crc, self._name, self._end)
        lines: list[bytes] = []
        records: list[Record] = []
        first = list(repairs)
        if self._header and not self._seq and not self._end:
            first.insert(0, self._header)
        pairs = [(event, encode_event(event)) for event in first]
        if not self._name:
            pairs.append((self._opened, encode_event(self._opened)))
            creator = not self._seq and not self._end
            self._name = "w1" if creator else f"w{self._seq + len(pairs)}"
        skip, at = len(pairs), timestamp(when)
        for event, data in [*pairs, *encoded]:
            prev, seq, offset = self._crc, self._seq + 1, self._end
            line, crc = seal(
                seq=seq, at=at, writer=self._name, prev=prev, event=event, data=data
            )
            lines.append(line)
            self._seq, self._crc, self._end = seq, crc, offset + len(line)
            records.append(
                Record(
                    seq=seq,
                    at=when,
                    writer=self._name,
                    prev=prev,
                    crc=crc,
                    event=event,  # type: ignore[arg-type]
                    offset=offset,
                    end=self._end,
                )
            )
        try:
            self._write_all(b"".join(lines))
        except BaseException:
            self._seq, self._crc, self._name, self._end = before
            self._roll_back()
            raise
        if encoded and isinstance(encoded[-1][0], SessionClosed):
            self._closed_seq = self._seq
        return records[skip:]

    def _write_all(self, data: bytes) -> None:
        self._written = 0
        view = memoryview(data)
        while view:
            count = self._port.write(self._fd, view)
            self._written += count
            view = view[count:]

    def _roll_back(self) -> None:
        """Take back a partial write while still holding the lock."""
        end, self._end = self._end, -1
        try:
            self._port.truncate(self._fd, end)
        except OSError:
            # The next append does it, unless another process repaired the tail first.
            self._unfinished = (end, end + self._written)

    def _catch_up(self) -> list[JournalRepaired]:
        """Learn where the journal ends now. Returns repair events to write first."""
        if self._fd < 0:
            creating = self._header is not None and self._end < 0 and not self._seq
            self._fd = self._port.open_append(self.path, create=creating)
            if creating:
                self._port.sync_folder(self.folder)
                self._port.sync_folder(self.folder.parent)
        found = self._port.stat(self._fd)
        if not found.links:
            self._forget()
            raise JournalUnwritable(self.path, None, "the journal was deleted")
        size = self._finish_roll_back(found.size)
        if size == self._end:
            return []
        tail, start = self._look_back(size)
        if tail.version > FORMAT_VERSION:
            raise NewerJournal(self.path, tail.version)
        if tail.record is None and start == 0 and self._header is None:
            reason = "it has no header: the process that made it died before that"
            raise JournalUnwritable(self.path, None, reason)
        if tail.record is not None:
            self._seq, self._crc = tail.record.seq, tail.record.crc
            closed = isinstance(tail.record.event, SessionClosed)
            self._closed_seq = tail.record.seq if closed else 0
        elif start == 0:
            self._seq, self._crc, self._closed_seq = 0, NO_PREV, 0
        self._end = size
        if self._closed_seq:
            return []
        return self._mend(tail, size)

    def _finish_roll_back(self, size: int) -> int:
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is None or unfinished[1] != size or unfinished[0] > size:
            return size
        try:
            self._port.truncate(self._fd, unfinished[0])
        except OSError:
            self._unfinished = unfinished
            raise
        return unfinished[0]

    def _keep_loss_visible(self) -> None:
        """Never number two records alike, also where somebody cut the file."""
        if self._seq < self._highest_seq and not self._closed_seq:
            lost, self._seq = self._highest_seq - self._seq, self._highest_seq
            self._repairs.append(
                JournalRepaired(offset=self._end, length=0, action="skipped", lost=lost)
            )
        self._highest_seq = self._seq

    def _look_back(self, size: int) -> tuple[Tail, int]:
        known = self._end
        if 0 <= known < size and size - known <= _WINDOW_BYTES * 16:
            data = self._read(known, size)
            return examine(data, whole=True, after=self._seq), known
        window = _WINDOW_BYTES
        while True:
            start = max(0, size - window)
            tail = examine(self._read(start, size), whole=start == 0)
            if tail.record is not None or start == 0:
                return tail, start
            window *= 2

    def _read(self, start: int, end: int) -> bytes:
        parts: list[bytes] = []
        while start < end:
            part = self._port.read_at(self._fd, end - start, start)
            if not part:
                break
            parts.append(part)
            start += len(part)
        return b"".join(parts)

    def _mend(self, tail: Tail, size: int) -> list[JournalRepaired]:
        """Repair the end of the file. Bytes before the last newline are never touched.

        A damaged whole line keeps one sequence number, so that the loss stays visible.
        """
        events: list[JournalRepaired] = []
        length = len(tail.fragment)
        start = size - length
        mend = tail.mend
        if mend in ("adopt", "terminator"):
            sound = tail.fragment if mend == "adopt" else tail.fragment[:-1]
            if (version := line_version(sound)) > FORMAT_VERSION:
                raise NewerJournal(self.path, version)
            if not fits(sound, self._seq, self._crc):
                mend = "cut"  # whole, but no continuation of this journal
        if tail.bad_lines:
            self._seq += tail.bad_lines
            events.append(
                JournalRepaired(
                    offset=start, length=0, action="skipped", lost=tail.bad_lines
                )
            )
        if mend == "nothing":
            return events
        kept_as, action = "", "cut"
        if mend == "cut":
            kept_as = self._set_aside(tail.fragment, start)
            self._port.truncate(self._fd, start)
            self._end = start
        else:
            if mend == "terminator":
                action = "terminator"
                self._port.truncate(self._fd, size - 1)
                line = tail.fragment[:-1]
            else:
                action = "adopted"
                line = tail.fragment
            self._write_all(b"\n")
            self._end = start + len(line) + 1
            self._adopt(line)
        if self._closed_seq:
            return []
        digest = hashlib.sha256(tail.fragment).hexdigest()
        events.append(
            JournalRepaired(
                offset=start,
                length=length,
                sha256=digest,
                kept_as=kept_as,
                action=action,
            )
        )
        return events

    def _adopt(self, line: bytes) -> None:
        record = examine(line + b"\n", whole=True).record
        if record is not None:
            self._seq, self._crc = record.seq, record.crc
            if isinstance(record.event, SessionClosed):
                self._closed_seq = record.seq

    def _set_aside(self, fragment: bytes, offset: int) -> str:
        folder = self.folder / TORN_NAME
        with contextlib.suppress(FileExistsError):
            self._port.make_folder(folder)
        name = f"{offset}-{time.time_ns()}.bin"
        self._port.write_new(folder / name, fragment)
        self._port.sync_folder(folder)
        return name

    def _make_durable(self, encoded: Sequence[tuple[Event, bytes]]) -> None:
        due, self._sync_due = self._sync_due, False
        lifecycle = any(event.TYPE in LIFECYCLE_TYPES for event, _ in encoded)
        must = due or lifecycle or self._durability == "sync"
        if must:
            self.sync()
        elif self._durability == "group":
            if self._syncer is None:
                self._syncer = GroupSyncer(self)
            self._syncer.wake()

    def sync(self) -> None:
        """Bring everything appended so far to the disk.

        Raises:
            JournalUnwritable: The disk refused. The kernel may have dropped the pages,
                so trying again could succeed without them: it is final.
        """
        with self._thread_lock:
            if self._fd < 0:
                return
            if self._sync_failure is not None:
                raise self._not_durable(self._sync_failure)
            try:
                self._port.sync(self._fd)
            except OSError as error:
                if error.errno in _NO_SYNC:
                    return
                self._sync_failure = error
                raise self._not_durable(error) from error

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
        fd, self._fd = self._fd, -1
        self._end = -1
        self._lock.drop()
        if fd >= 0:
            with contextlib.suppress(OSError):
                self._port.close(fd)

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
        self._forget()
        self._syncer = None
        self._header = None
        self._repairs = []
        self._unfinished = None
        self._sync_failure, self._sync_due = None, False
        self._name = ""
        self._seq, self._crc, self._highest_seq = 0, NO_PREV, 0
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
