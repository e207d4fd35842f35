"""Lines -> records and findings: the reader as a machine without I/O.

The machine knows how a journal may look after crashes, repairs and damage, and says
which of them it sees. It decides nothing: `read` raises, `verify` lists, `follow`
waits. The rules are the table of docs/concepts/format.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal

import msgspec

from kedro_journal.events import Cursor, Record

from .codec import FORMAT_VERSION, SEAL_BYTES, BadLine, decode, line_version
from .lines import Line
from .plain import PlainLine, plain_lines
from .seen import SeenRecords

__all__ = ["Finding", "FindingKind", "Scanner"]

FindingKind = Literal[
    "torn tail",
    "damaged terminator",
    "healed tear",
    "records lost",
    "records missing",
    "damaged end",
    "duplicate record",
    "forked journal",
    "splice",
    "newer version",
    "unknown event",
]

_SEVERITY: Final[dict[FindingKind, Literal["info", "warning", "error"]]] = {
    "torn tail": "info",
    "damaged terminator": "warning",
    "healed tear": "warning",
    "records lost": "error",
    "records missing": "error",
    "damaged end": "error",
    "duplicate record": "warning",
    "forked journal": "error",
    "splice": "error",
    "newer version": "warning",
    "unknown event": "info",
}
_NAME_MAX_CHARS: Final = 80  # of a line's own words in a finding
_AT_ONCE_MAX: Final = 512  # plain lines


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something in a journal that is not a plain record, as a value.

    Attributes:
        kind: What it is; docs/concepts/format.md explains each.
        severity: info (normal), warning (nothing lost) or error (something is).
        offset: Byte position where it begins.
        length: How many bytes it covers.
        seq: Sequence number of the last good record before it.
        lost: Committed records that are known to be gone.
        detail: The same in words.
    """

    kind: FindingKind
    severity: Literal["info", "warning", "error"]
    offset: int
    length: int = 0
    seq: int = 0
    lost: int = 0
    detail: str = ""


class _Bad:
    """Whole lines in a row that are no records: where, how many, and the first's fault.

    Their bytes are not kept: there may be millions.
    """

    __slots__ = ("count", "end", "offset", "reason")

    def __init__(self, line: Line, reason: str) -> None:
        self.count = 1
        self.offset = line.offset
        self.end = line.end
        self.reason = reason

    def add(self, line: Line) -> None:
        self.count += 1
        self.end = line.end


class Scanner:
    """Feed it lines; it gives records and collects findings.

    Args:
        start: Where the caller goes on; the first line fed must begin there.

    Attributes:
        last: Place after the last accepted record.
        sure: The same before the line, or the bad lines, that were last judged.
        findings: What was found since the caller last emptied the list.
    """

    def __init__(self, start: Cursor | None = None) -> None:
        self.last = start or Cursor()
        self.sure = self.last
        self.findings: list[Finding] = []
        self._bad: _Bad | None = None
        self._anchor: Cursor | None = None
        self._sure_anchor: Cursor | None = None
        self._seen = SeenRecords(self.last.seq, self.last.crc)
        self._newer = self._sure_newer = False
        self._at_once = _AT_ONCE_MAX

    def retry(self) -> None:
        """Forget lines that were no records, to be fed again from `last`."""
        self._bad = None

    def go_back(self) -> None:
        """Take back the last judgement: to be fed again from `sure`."""
        self.last, self._anchor = self.sure, self._sure_anchor
        self._newer = self._sure_newer
        self._bad = None
        self.findings = []

    def take(self, line: Line) -> Record | None:
        """Judge one whole line.

        Returns:
            The record to deliver, or None for a line that is none or a repetition.
        """
        if line.data is None:
            self._note_bad(line, "it is longer than any record")
            return None
        record = decode(line.data, line.offset, line.end)
        if isinstance(record, BadLine):
            self._note_bad(line, record.reason)
            return None
        self._keep_sure()
        return self._judge(record, line)

    def take_plain(
        self, lines: Sequence[bytes], first: int, offset: int, *, lists: bool = True
    ) -> Sequence[PlainLine]:
        """Judge lines as long as each directly follows the record before.

        Args:
            lines: Whole lines, without their newlines, one behind the other, none
                longer than the data of an event may be.
            first: Number of the line to begin with.
            offset: Where that one begins.
            lists: There may be a `[` among the bytes.

        Returns:
            What they say; empty if the first of them is for `take`.
        """
        if self._bad is not None:
            return ()
        some = lines[first : first + self._at_once]
        found, crcs, length = plain_lines(some, self.last, lists=lists)
        count, end = len(found), offset + length
        # Where not all of them go on, at most as many more are looked at for nothing.
        most = max(self._at_once, 2 * count) if count == len(some) else 2 * count
        self._at_once = min(max(most, 1), _AT_ONCE_MAX)
        if not found:
            return ()
        before, one = self.last, found[-1]
        if count > 1:
            start = end - len(lines[first + count - 1]) - 1
            before = Cursor(found[-2].seq, start, found[-2].crc)
        self.sure, self._sure_anchor = before, self._anchor
        self._sure_newer = self._newer
        self.last = Cursor(one.seq, end, one.crc)
        self._seen.add(found[0].seq, crcs)
        return found

    def take_short(
        self, lines: Sequence[bytes], first: int, offset: int
    ) -> tuple[int, int]:
        """Judge lines too short for a checksum, after one that is not a record.

        It does what `take` does for each of them, for there may be millions.

        Args:
            lines, first, offset: As for `take_plain`.

        Returns:
            How many they are, and where the next line begins.
        """
        bad = self._bad
        if bad is None:
            return 0, offset
        if first == 0 and not any(lines):
            count = length = len(lines)
        else:
            count = length = 0
            for line in islice(lines, first, None):
                if len(line) >= SEAL_BYTES:
                    break
                count += 1
                length += len(line) + 1
        bad.count += count
        if count:
            bad.end = offset + length
        return count, offset + length

    def _keep_sure(self) -> None:
        self.sure, self._sure_anchor = self.last, self._anchor
        self._sure_newer = self._newer

    def _note_bad(self, line: Line, reason: str) -> None:
        if self._bad is None:
            self._bad = _Bad(line, reason)
        else:
            self._bad.add(line)

    def _accept(self, record: Record, line: Line) -> Record:
        self.last = Cursor(record.seq, line.end, record.crc)
        self._seen.add(record.seq, record.crc)
        if record.type == getattr(record.event, "type", None):
            self._note_unknown(record, line)
        return record

    def _note_unknown(self, record: Record, line: Line) -> None:
        version = line_version(line.data or b"")
        if version > FORMAT_VERSION and not self._newer:
            self._newer = True
            self._find(
                "newer version",
                line.offset,
                line.end - line.offset,
                detail=f"record {record.seq} has line format {version}, "
                f"newer than {FORMAT_VERSION}",
            )
        else:
            self._find(
                "unknown event",
                line.offset,
                line.end - line.offset,
                detail=f"record {record.seq} is a {_short(record.type)} event that "
                "this version does not know; kept",
            )

    def _judge(self, record: Record, line: Line) -> Record | None:
        last, bad = self.last, self._bad
        missing = record.seq - last.seq - 1
        if missing < 0:
            return self._look_back(record, line)
        if missing:
            self._anchor = last
            if bad is not None:
                self._lost(bad, missing)
            else:
                self._find(
                    "records missing",
                    line.offset,
                    lost=missing,
                    detail=f"record {record.seq} follows record {last.seq}: "
                    f"{missing} missing",
                )
        elif record.prev != last.crc:
            self._flush_bad()
            self._anchor = last
            self._find(
                "splice",
                line.offset,
                line.end - line.offset,
                detail=f"record {record.seq} was not written after record {last.seq} "
                f"of this journal: it names {_short(record.prev)} before it, "
                f"not {last.crc}",
            )
        elif bad is not None:
            # Its writer saw nothing committed in between.
            self._bad = None
            self._find(
                "healed tear",
                bad.offset,
                bad.end - bad.offset,
                detail=f"{bad.count} broken line(s) between records {last.seq} and "
                f"{record.seq}; the chain shows that nothing is lost",
            )
        return self._accept(record, line)

    def _look_back(self, record: Record, line: Line) -> Record | None:
        """Judge a record whose number was there already."""
        last, anchor = self.last, self._anchor
        self._flush_bad()
        after = (record.seq - 1, record.prev)
        if anchor is not None and after == (anchor.seq, anchor.crc):
            # The line before came from elsewhere: this one follows the anchor.
            self._find(
                "splice",
                last.offset,
                detail=f"records up to {last.seq} do not belong here: record "
                f"{record.seq} follows record {anchor.seq}, not them",
            )
            self._anchor = None
            return self._accept(record, line)
        length = line.end - line.offset
        if self._seen.has(record.seq, record.crc):
            self._find(
                "duplicate record",
                line.offset,
                length,
                detail=f"record {record.seq} stands here again, byte for byte; ignored",
            )
        else:
            self._find(
                "forked journal",
                line.offset,
                length,
                detail=f"record {record.seq} comes after record {last.seq}: out of "
                "order, or two histories in one file",
            )
        return None

    def cut(self, size: int) -> None:
        """Note that the file ends at *size*, before the place to continue after."""
        last = self.last
        self._find(
            "records missing",
            size,
            detail=f"the file ends before record {last.seq} did, at byte {last.offset}",
        )

    def finish(self, tail: bytes, offset: int, length: int) -> Record | None:
        """Judge the end of a file that no process is writing to.

        Args:
            tail: Bytes after the last newline, cut to the line limit.
            offset: Where they begin.
            length: How many they are.

        Returns:
            A committed record whose newline was damaged, else None.
        """
        rescued = None
        self._keep_sure()
        if length:
            sound = decode(tail[:-1])
            if isinstance(sound, Record):
                rescued = self.take(Line(offset, tail[:-1], offset + length))
                self._find(
                    "damaged terminator",
                    offset + length - 1,
                    1,
                    detail=f"the newline after record {sound.seq} is damaged; "
                    "the record itself is intact",
                )
            else:
                what = (
                    "a whole record without its newline"
                    if isinstance(decode(tail), Record)
                    else f"{length} bytes"
                )
                self._find(
                    "torn tail",
                    offset,
                    length,
                    detail=f"{what} after the last record: an append that was cut "
                    "short; it was never acknowledged",
                )
        bad, self._bad = self._bad, None
        if bad is not None:
            self._find(
                "damaged end",
                bad.offset,
                bad.end - bad.offset,
                lost=bad.count,
                detail=f"{bad.count} damaged line(s) after the last good record: "
                f"{bad.reason}",
            )
        return rescued

    def _lost(self, bad: _Bad, count: int) -> None:
        self._bad = None
        self._find(
            "records lost",
            bad.offset,
            bad.end - bad.offset,
            lost=count,
            detail=f"{count} record(s) after record {self.last.seq} are destroyed: "
            f"{bad.reason}",
        )

    def _flush_bad(self) -> None:
        bad, self._bad = self._bad, None
        if bad is not None:
            self._find(
                "records lost",
                bad.offset,
                bad.end - bad.offset,
                lost=bad.count,
                detail=f"{bad.count} damaged line(s) after record "
                f"{self.last.seq}: {bad.reason}",
            )

    def _find(
        self,
        kind: FindingKind,
        offset: int,
        length: int = 0,
        lost: int = 0,
        *,
        detail: str,
    ) -> None:
        self.findings.append(
            Finding(
                kind=kind,
                severity=_SEVERITY[kind],
                offset=offset,
                length=length,
                seq=self.last.seq,
                lost=lost,
                detail=detail,
            )
        )


def _short(text: str) -> str:
    """Return the beginning of a text that may be as long as a line."""
    return text if len(text) <= _NAME_MAX_CHARS else f"{text[:_NAME_MAX_CHARS]}..."
