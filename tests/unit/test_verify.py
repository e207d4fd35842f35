"""The health of a journal, as values."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from journals import HEADER, note, opened, put, sample_lines, seal_all

from kedro_journal.events import SessionClosed
from kedro_journal.journal import Verification, verify
from kedro_journal.journal.port import Os

LINES = sample_lines(8)


def test_a_whole_journal(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    assert verify(path) == Verification(
        path=str(path),
        records=8,
        last_seq=8,
        closed=False,
        size_bytes=path.stat().st_size,
        findings=(),
    )


def test_an_empty_journal(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"")
    assert verify(path) == Verification(
        path=str(path), records=0, last_seq=0, closed=False, size_bytes=0, findings=()
    )


def test_records_are_counted_and_not_numbered(tmp_path: Path) -> None:
    """Where some are missing, the last number is higher than their count."""
    found = verify(put(tmp_path / "s", b"".join([*LINES[:3], *LINES[5:]])))
    assert (found.records, found.last_seq, found.ok) == (6, 8, False)
    assert [finding.lost for finding in found.findings] == [2]


def test_only_an_error_is_not_ok(tmp_path: Path) -> None:
    torn = verify(put(tmp_path / "s", b"".join(LINES) + b"torn"))
    assert [finding.severity for finding in torn.findings] == ["info"]
    assert torn.ok
    healed = verify(put(tmp_path / "s", b"".join([LINES[0], b"junk\n", *LINES[1:]])))
    assert [finding.severity for finding in healed.findings] == ["warning"]
    assert healed.ok


def test_a_journal_is_closed_only_by_its_last_record(tmp_path: Path) -> None:
    """Records after `session.closed` show that it was not the end."""
    lines = seal_all([HEADER, opened(), SessionClosed(), note()])
    assert verify(put(tmp_path / "s", b"".join(lines[:3]))).closed
    assert not verify(put(tmp_path / "s", b"".join(lines))).closed


def test_findings_beyond_the_limit_are_put_together_by_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where they begin and end, how much they lost, and how many they are."""
    module = sys.modules["kedro_journal.journal.verification"]
    monkeypatch.setattr(module, "_FINDINGS_MAX", 2)
    lines = sample_lines(20)
    pieces = [lines[0], lines[2], lines[2], lines[5], lines[7], lines[3], lines[12]]
    starts = [sum(map(len, pieces[:count])) for count in range(8)]
    found = verify(put(tmp_path / "s", b"".join(pieces)))
    seen = [(f.kind, f.offset, f.length, f.lost) for f in found.findings]
    assert seen == [
        ("records missing", starts[1], 0, 1),
        ("duplicate record", starts[2], len(lines[2]), 0),
        ("records missing", starts[3], starts[6] - starts[3], 2 + 1 + 4),
        ("forked journal", starts[5], len(lines[3]), 0),
    ]
    assert [finding.detail for finding in found.findings[2:]] == [
        f"3 more of this kind, the last at byte {starts[6]}",
        f"1 more of this kind, the last at byte {starts[5]}",
    ]


class Elsewhere(Os):
    """Keeps every file in another folder, and knows which are open."""

    def __init__(self, folder: Path, number: int = 0) -> None:
        self.folder, self.number = folder, number
        self.open: set[int] = set()

    def open_read(self, path: Path) -> int:
        fd = super().open_read(self.folder / path.name)
        self.open.add(fd)
        return fd

    def close(self, fd: int) -> None:
        self.open.remove(fd)
        super().close(fd)

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        if self.number:
            raise OSError(self.number, os.strerror(self.number))
        return super().read_at(fd, size, offset)


def test_a_disk_that_cannot_be_read_is_no_finding(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(LINES))
    port = Elsewhere(tmp_path / "s", errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        verify(path, port)
    assert port.open == set()


def test_the_size_comes_from_the_same_system_as_the_records(tmp_path: Path) -> None:
    port = Elsewhere(tmp_path / "elsewhere")
    path = put(tmp_path / "elsewhere", b"".join(LINES))
    found = verify(put(tmp_path / "s", b""), port)
    assert (found.records, found.size_bytes) == (8, path.stat().st_size)
    assert port.open == set()
