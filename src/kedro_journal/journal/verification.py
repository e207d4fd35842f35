"""Everything that a journal's bytes tell about its health, as values."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from kedro_journal.events import UnknownEvent, closes

from .codec import FORMAT_VERSION
from .port import REAL_OS, Os
from .reader import read
from .scan import Finding, FindingKind

__all__ = ["Verification", "verify"]

_FINDINGS_MAX: Final = 10_000


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The health of a journal.

    Attributes:
        path: The journal file.
        records: Good records.
        last_seq: Sequence number of the last of them.
        closed: Whether the last one is `session.closed`: only then is it certain that
            no whole records are missing from the end.
        size_bytes: Size of the file.
        unknown: Good records of a type, version or line format that this version does
            not know: their checksums were compared, their data was not.
        newer_format: The newest line format among them that is newer than this version
            knows; 0 for none.
        findings: What is not a plain record. After 10,000 of them, further ones of a
            kind are put together in one.
    """

    path: str
    records: int
    last_seq: int
    closed: bool
    size_bytes: int
    unknown: int = 0
    newer_format: int = 0
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing is lost or foreign."""
        return all(finding.severity != "error" for finding in self.findings)


class _Findings:
    """Findings in bounded memory: a file may hold millions."""

    def __init__(self) -> None:
        self._each: list[Finding] = []
        self._more: dict[FindingKind, tuple[int, Finding]] = {}

    def add(self, finding: Finding) -> None:
        if len(self._each) < _FINDINGS_MAX:
            self._each.append(finding)
            return
        count, first = self._more.get(finding.kind, (0, finding))
        end = finding.offset + finding.length
        together = msgspec.structs.replace(
            first,
            length=max(end - first.offset, first.length),
            lost=first.lost + finding.lost if count else finding.lost,
            detail=f"{count + 1} more of this kind, the last at byte {finding.offset}",
        )
        self._more[finding.kind] = (count + 1, together)

    def all(self) -> tuple[Finding, ...]:
        return (*self._each, *(finding for _, finding in self._more.values()))


def verify(path: Path, port: Os = REAL_OS) -> Verification:
    """Check every record of a journal and report what is wrong. Writes nothing.

    Raises:
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    findings = _Findings()
    count, last_seq, closed = 0, 0, False
    unknown, newer = 0, 0
    for record in read(path, mode="salvage", on_finding=findings.add, port=port):
        count += 1
        last_seq = record.seq
        closed = closes(record.event)
        if isinstance(record.event, UnknownEvent):
            unknown += 1
            if record.event.format > FORMAT_VERSION:
                newer = max(newer, record.event.format)
    fd = port.open_read(path)
    try:
        size_bytes = port.stat(fd).size
    finally:
        port.close(fd)
    return Verification(
        path=str(path),
        records=count,
        last_seq=last_seq,
        closed=closed,
        size_bytes=size_bytes,
        unknown=unknown,
        newer_format=newer,
        findings=findings.all(),
    )
