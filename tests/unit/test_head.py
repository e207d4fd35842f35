"""The head of a journal costs the same however long the journal is."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from journals import file, note, put, sample_lines, seal_all

from kedro_journal.errors import UnsafeJournal
from kedro_journal.events import JournalHeader
from kedro_journal.journal import read, read_head
from kedro_journal.journal.head import HEAD_MAX_BYTES
from kedro_journal.journal.port import Os


class Counting(Os):
    """The real kernel; counts the bytes that were read."""

    def __init__(self) -> None:
        self.bytes = 0

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        data = super().read_at(fd, size, offset)
        self.bytes += len(data)
        return data


def test_the_head_is_what_reading_gives_first(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(sample_lines(200)))

    assert list(read(path)) == list(read_head(path))


def test_only_the_head_is_read(tmp_path: Path) -> None:
    lines = sample_lines(20_000)
    path, port = put(tmp_path / "s", b"".join(lines)), Counting()

    list(islice(read_head(path, port), 3))

    assert port.bytes <= 16 * 1024
    assert sum(map(len, lines)) > 100 * port.bytes


def test_what_is_damaged_is_passed_over_within_bounds(tmp_path: Path) -> None:
    header, *rest = sample_lines(10)
    garbage = b"\xff" * 40_000 + b"\n"
    path = put(tmp_path / "s", garbage + header + b"{}\n" + rest[0][:-1])

    (only,) = read_head(path)

    assert isinstance(only.event, JournalHeader)
    endless, port = put(tmp_path / "t", b"\xff" * (2 * HEAD_MAX_BYTES)), Counting()
    assert [] == list(read_head(endless, port))
    assert port.bytes == HEAD_MAX_BYTES


def test_a_first_record_as_large_as_there_can_be_is_found(tmp_path: Path) -> None:
    path = put(tmp_path / "s", b"".join(seal_all([note("x", 255 * 1024), note("y")])))

    assert 2 == len(list(read_head(path)))


def test_a_link_is_refused(tmp_path: Path) -> None:
    real = put(tmp_path / "real", b"")
    (tmp_path / "s").mkdir()
    file(tmp_path / "s").symlink_to(real)

    with pytest.raises(UnsafeJournal):
        list(read_head(file(tmp_path / "s")))
