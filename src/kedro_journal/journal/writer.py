"""Append records to a journal file: many threads, processes and forked children.

The protocol, in the order it must keep: encode outside the locks; take the thread lock,
then the file lock; catch up with what others wrote, repairing a torn tail (only here,
for only the holder of the lock knows that no append is in progress); number
and seal; one write; release both; sync if the policy says so, together with all
threads that wait for the same; only then acknowledge.

Longer than other modules: the ordinary way and the fast path of one protocol stand side
by side, so that a change of one is not made without the other.
"""

from __future__ import annotations

# A forked child must import nothing: another thread of its parent may have held the
# lock of an import at the fork. `descriptor.warn_lost` needs logging.
import logging  # noqa: F401
import os
import threading
import weakref
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from kedro_journal._clock import monotonic_s
from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import JournalClosed, JournalUnwritable
from kedro_journal.events import (
    Event,
    JournalHeader,
    Record,
    WriterOpened,
)

from .codec import (
    Encoded,
    check_batch,
    encode_event,
    is_plain,
    seal_batch,
)
from .descriptor import Lost, warn_lost
from .end import JournalEnd
from .file import JournalFile
from .liveness import start_ticks
from .lock import AppendLock, LockBackend, OwnerLock
from .names import JOURNAL_NAME, OWN_NAME, RESERVE_NAME
from .port import REAL_OS, Os
from .syncer import GroupSyncer

__all__ = [
    "Durability",
    "JournalWriter",
]

Durability = Literal["flush", "group", "sync"]
_DELETED_AFTER_S: Final = 0.05  # it is noticed at the first append so late, at most


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

    Attributes:
        written: Data of the last event that was appended: by its identity, an
            interrupted caller knows whether an append was done.
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
        self._end = JournalEnd(port)
        self._settled = False  # whether nothing is to be done before the next event
        self._look_at_s = 0.0  # when to see again whether the journal was deleted
        self._name = ""
        self._lost: list[Lost] = []  # what is to be logged after the append
        self._warned = False
        self.written = b""
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
        return self._end.last.seq

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
            UnsafeJournal: The journal is a link, a device or another user's.
        """
        # Most often there is one event, and a comprehension is a call of its own.
        if len(events) == 1:
            return self.append_encoded(Encoded(events[0], encode_event(events[0]), at))
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
        try:
            quick = self._settled and not reserve
            if quick and (records := self._append_next(batch)) is not None:
                return records
            return self._append_batch(batch, reserve=reserve)
        except BaseException:
            with self._thread_lock:  # a signal may come as the lock is released
                if self._lock.is_held and not self._lock.release():
                    self._close_synced()
            raise

    def _append_next(self, batch: Sequence[Encoded]) -> list[Record] | None:
        """Append plain events right behind this writer's own last record.

        Nearly every event of a run is such, at half the price of `_append_batch`. That
        one does whatever needs more: a lock that is not free, a journal that grew.

        Returns:
            Their records; None if nothing was done.
        """
        if not batch:
            return None
        for encoded in batch:
            if not is_plain(encoded.event, encoded.data):
                return None
        file, lock, known, number = self._file, self._lock, self._end, 0
        with self._thread_lock:
            if not self._settled or file.sync_failure is not None:
                return None
            try:
                if not (file.seems_ours() and lock.try_acquire(file.fd)):
                    return None
                self._settled = False
                last = known.last
                if file.end() != last.offset or monotonic_s() >= self._look_at_s:
                    return None
                data, records = seal_batch(batch, last, self._name, self._port.now())
                file.append(data, last.offset)
                self.written = batch[-1].data
                known.move(records)
                self._settled = True
                if self._durability == "sync":
                    number = file.want_sync()
                elif self._durability == "group":
                    self._sync_soon()
            except OSError as error:
                let_through(error, system=True)
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
                records, repaired = self._append_locked(batch, urgent, reserve=reserve)
                number = self._file.want_sync() if urgent or repaired else None
                if number is None and self._durability == "group":
                    self._sync_soon()
            except OSError as error:
                let_through(error, system=True)
                raise self._unwritable(error) from error
            finally:
                if self._stuck:
                    self._close_synced()
        if number is not None:
            self._sync(number)
        while self._lost:  # not under a lock: a log handler may take its time
            warn_lost(self._lost.pop())
        return records

    def _unwritable(self, error: OSError) -> JournalUnwritable:
        with suppress(JournalUnwritable):
            self._close_synced()
        return JournalUnwritable(self.path, error.errno, error.strerror or str(error))

    def _close_synced(self) -> None:
        """Close the files, and leave nothing that waits for the next window."""
        try:
            if self._syncer is not None:
                self.sync()
        finally:
            self._forget()

    def _append_locked(
        self, batch: Sequence[Encoded], urgent: bool, *, reserve: bool
    ) -> tuple[list[Record], bool]:
        """Append under both locks; the numbered steps must keep this order.

        Returns:
            The records, and whether a repair was recorded before them.
        """
        # Until the last step the writer counts as unsettled: an exception between two
        # steps makes the next append look at the file again.
        settled, self._settled = self._settled, False
        file, known = self._file, self._end
        try:
            # 1. Have a descriptor of the journal. Other code may have closed ours and
            #    opened a file of its own under the same number.
            if file.drop_lost():
                settled = known.known = False
                if not self._warned:
                    self._warned = True
                    self._lost.append(Lost("journal", self.path, "It is open again."))
            if not file.is_open:
                creating = self._header is not None and not known.known
                file.open(create=creating and not known.last.seq)
            # 2. Lock that descriptor. The lock is tied to the file, not to its path.
            self._lock.acquire(file.fd)
            # 3. Catch up with what other processes wrote, and repair a torn tail. Only
            #    the holder of the lock knows that no append is in progress.
            if (
                not settled
                or urgent
                or file.end() != known.last.offset
                or monotonic_s() >= self._look_at_s
            ):
                self._catch_up()
                if known.closed_seq:
                    raise JournalClosed(self.path, known.closed_seq)
            # 4. Number and seal the batch behind the last record, after the records
            #    that introduce this process and report a repair.
            name = self._name
            before: list[Encoded] = []
            if not name or known.repairs:
                name, before = self._before(batch)
            every = [*before, *batch] if before else batch
            data, records = seal_batch(every, known.last, name, self._port.now())
            # 5. Write all lines with one call, or take back what was written.
            if reserve:
                spare = _reserve_in(self.folder.parent)
                file.append_or_free(data, known.last.offset, spare)
            else:
                file.append(data, known.last.offset)
            # 6. Remember the new end, and which event was written last.
            self.written = batch[-1].data if batch else b""
            self._name, repaired = name, bool(known.repairs)
            known.move(records)
            self._settled = not known.closed_seq
            return (records[len(before) :] if before else records), repaired
        finally:
            # 7. Unlock, but never a file of the user's that has the number of a
            #    descriptor that was ours.
            if not (file.seems_ours() or file.is_ours()):
                self._lock.forsake()
            self._stuck = not self._lock.release()
            known.keep_repairs()

    def _before(self, batch: Sequence[Encoded]) -> tuple[str, list[Encoded]]:
        """Return the name of this writer, and what is recorded before a batch."""
        seq, offset, _ = self._end.last
        first, creating = list[Event](self._end.repairs), not seq and not offset
        if self._header and creating:
            first.insert(0, self._header)
        name = self._name
        if not name:
            first.append(self._opened)
            name = "w1" if creating else f"w{seq + len(first)}"
        at = batch[0].at if batch else None
        return name, [Encoded(event, encode_event(event), at) for event in first]

    def _catch_up(self) -> None:
        """Find where the journal ends now, and repair its end."""
        found = self._file.stat()
        if not found.links:
            self._forget()
            raise JournalUnwritable(self.path, None, "the journal was deleted")
        self._file.sync_name()
        self._lost += OwnerLock.keep_all()
        self._look_at_s = monotonic_s() + _DELETED_AFTER_S
        size = self._file.finish_roll_back(found.size)
        self._end.find(self._file, size, may_begin=self._header is not None)
        self._end.keep_loss_visible()

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
            let_through(error, system=True)
            raise self._not_durable(error) from error

    def _sync_soon(self) -> None:
        try:
            self._syncer = self._syncer or GroupSyncer(self)
        except RuntimeError as error:  # no thread can start: sync at once
            let_through(error)
            self.sync()
        else:
            self._syncer.wake()

    def _not_durable(self, error: OSError) -> JournalUnwritable:
        why = f"a sync failed, which is final: {error.strerror or error}"
        return JournalUnwritable(self.path, error.errno, why)

    def close(self) -> None:
        """Close the files. A later append opens them again."""
        with self._thread_lock:
            if self._syncer is not None:
                self._syncer.stop()
                self._syncer = None
                with suppress(JournalUnwritable):
                    self.sync()  # what the window still held
            self._forget()
            self.written = b""

    def _forget(self) -> None:
        self._end.known = self._settled = self._stuck = False
        self._lock.drop()
        self._file.close()

    @classmethod
    def reset_in_child(cls) -> None:
        """Make every writer new in a forked child, and leave the parent's lock."""
        for writer in list(cls._live):
            writer.start_over()

    def start_over(self, role: str = "worker") -> None:
        """Become the writer of a process that was just forked, or that takes over.

        Args:
            role: The role that its `writer.opened` will name.
        """
        # 1. A new thread lock: a thread that does not exist here may hold the old one.
        self._thread_lock = threading.RLock()
        # 2. Close the inherited descriptors without unlocking: a lock belongs to the
        #    open file, which the parent shares, so an unlock would free its lock.
        #    The file comes first: another thread may have been in a sync.
        self._file.forget()
        self._forget()
        # 3. Forget where the journal ends: the parent goes on writing.
        self._end.forget()
        self._syncer = None
        self._header = None
        # 4. A name of its own, which the first append takes from its own number.
        self._name = ""
        self._opened = replace(
            self._opened,
            pid=os.getpid(),
            parent_pid=os.getppid(),
            started_at_ticks=start_ticks(os.getpid()),
            role=role,
        )


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=JournalWriter.reset_in_child)


def _reserve_in(directory: Path) -> Path:
    spare = directory / RESERVE_NAME
    return spare if spare.exists() else directory / OWN_NAME / RESERVE_NAME
