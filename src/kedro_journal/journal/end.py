"""The end of a journal, as its writer knows it: found, repaired and remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kedro_journal.errors import JournalUnwritable, NewerJournal
from kedro_journal.events import (
    Cursor,
    JournalRepaired,
    Record,
    SessionClosed,
    closes,
)

from .codec import FORMAT_VERSION
from .file import JournalFile
from .port import Os
from .repair import repair
from .tail import Tail, examine

__all__ = ["JournalEnd"]

_WINDOW_BYTES: Final = 4096


class JournalEnd:
    """What a writer knows of the end of its journal.

    Args:
        port: The operating system.

    Attributes:
        last: Place after the last record: where the next one goes.
        known: Whether that was seen in the file that is open.
        closed_seq: Number of the record that closed the session; 0 if it is open.
        highest_seq: The highest number ever seen committed; none is used twice.
        repairs: What was done to the file and is not recorded yet.
    """

    def __init__(self, port: Os) -> None:
        self._port = port
        self.forget()

    def forget(self) -> None:
        """Know nothing, as in a process that was just forked."""
        self.last = Cursor()
        self.known = False
        self.closed_seq = self.highest_seq = 0
        self.repairs: list[JournalRepaired] = []

    def find(self, file: JournalFile, size: int, *, may_begin: bool) -> None:
        """Find where the journal ends now, and repair that; for a holder of its lock.

        Args:
            file: The journal.
            size: How long it is.
            may_begin: Whether it may be without a header: the caller has one for it.

        Raises:
            NewerJournal: A newer version wrote there.
            JournalUnwritable: It has no header.
            UnsafeJournal, OSError: As for `repair.repair`.
        """
        if self.known and size == self.last.offset:
            return
        tail, start = self._look_back(file, size)
        if tail.version > FORMAT_VERSION:
            raise NewerJournal(file.path, tail.version)
        if tail.record is None and start == 0 and not may_begin:
            reason = "it has no header: the process that made it died before that"
            raise JournalUnwritable(file.path, None, reason)
        seq, crc = self.last.seq, self.last.crc
        if tail.record is not None:
            seq, crc = tail.record.seq, tail.record.crc
            closed = closes(tail.record.event)
            self.closed_seq = seq if closed else 0
        elif start == 0:
            seq, crc, self.closed_seq = 0, Cursor().crc, 0
        self.known = False  # until the end is repaired: that may be interrupted
        self.last = Cursor(seq, size, crc)
        if not self.closed_seq:
            repaired = repair(file, tail, self.last, self._port)
            self.last = repaired.last
            self.closed_seq = self.last.seq if repaired.closed else 0
            self.repairs += repaired.repairs
        self.known = True

    def _look_back(self, file: JournalFile, size: int) -> tuple[Tail, int]:
        known = self.last.offset
        if self.known and known < size and size - known <= _WINDOW_BYTES * 16:
            data = file.read(known, size)
            return examine(data, whole=True, after=self.last.seq), known
        window = _WINDOW_BYTES
        while True:
            start = max(0, size - window)
            tail = examine(file.read(start, size), whole=start == 0)
            if tail.record is not None or start == 0:
                return tail, start
            window *= 2

    def keep_loss_visible(self) -> None:
        """Never number two records alike, not even after another program cut it."""
        lost = self.highest_seq - self.last.seq
        if lost > 0 and not self.closed_seq:
            self.last = self.last._replace(seq=self.highest_seq)
            self.repairs.append(
                JournalRepaired(
                    offset=self.last.offset, length=0, action="skipped", lost=lost
                )
            )
        self.highest_seq = self.last.seq

    def move(self, records: Sequence[Record]) -> None:
        """Go on behind records that were written, repairs among them."""
        if records:
            last = records[-1]
            if type(last.event) is SessionClosed:
                self.closed_seq = last.seq
            self.last = Cursor(last.seq, last.end, last.crc)
        self.highest_seq = self.last.seq
        if self.repairs:
            self.repairs = []

    def keep_repairs(self) -> None:
        """After an append, keep what was done to the file and was not recorded.

        Skipped lines are still there to be found again.
        """
        if self.repairs:
            self.repairs = [each for each in self.repairs if each.action != "skipped"]
