"""Everything that a journal's bytes tell about its health, as values."""

from __future__ import annotations

from pathlib import Path

import msgspec

from kedro_journal.events import SessionClosed

from .port import REAL_OS, Os
from .read import read
from .scan import Finding

__all__ = ["Verification", "verify"]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The health of a journal.

    Attributes:
        path: The journal file.
        records: Good records.
        last_seq: Sequence number of the last of them.
        closed: Whether the last one is `session.closed`: only then is it certain that
            no whole records are missing from the end.
        size_bytes: Size of the file.
        findings: What is not a plain record.
    """

    path: str
    records: int
    last_seq: int
    closed: bool
    size_bytes: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Nothing is lost or foreign."""
        return all(finding.severity != "error" for finding in self.findings)


def verify(path: Path, port: Os = REAL_OS) -> Verification:
    """Check every record of a journal and report what is wrong. Writes nothing.

    Raises:
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    findings: list[Finding] = []
    count, last_seq, closed = 0, 0, False
    for record in read(path, mode="salvage", on_finding=findings.append, port=port):
        count += 1
        last_seq = record.seq
        closed = isinstance(record.event, SessionClosed)
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
        findings=tuple(findings),
    )
