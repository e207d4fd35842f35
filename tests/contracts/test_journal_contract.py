"""The contract of every journal, run on each of ours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from journals import HEADER, create, opened

from kedro_journal.events import Record
from kedro_journal.journal import JournalWriter, MemoryJournal, read
from kedro_journal.testing import JournalContract


class TestMemoryJournal(JournalContract):
    @pytest.fixture
    def journal(self) -> MemoryJournal:
        return MemoryJournal(HEADER, opened())

    def read_back(self, journal: MemoryJournal) -> Sequence[Record]:
        return list(journal.read())


@pytest.mark.parametrize("durability", ["flush", "group", "sync"], scope="class")
class TestFileJournal(JournalContract):
    @pytest.fixture
    def journal(self, tmp_path: Path, durability: str) -> Iterator[JournalWriter]:
        writer = create(tmp_path / "s", durability=durability)
        yield writer
        writer.close()

    def read_back(self, journal: JournalWriter) -> Sequence[Record]:
        return list(read(journal.path))


class TestReopenedFileJournal(JournalContract):
    """The writer lets go of its files before every append: as after a restart."""

    @pytest.fixture
    def journal(self, tmp_path: Path) -> Iterator[JournalWriter]:
        class Forgetful(JournalWriter):
            def append_encoded(self, *batch, reserve=False):  # type: ignore[no-untyped-def]
                with self._thread_lock:
                    self.close()
                    return super().append_encoded(*batch, reserve=reserve)

        folder = tmp_path / "s"
        folder.mkdir()
        writer = Forgetful(folder, opened(), header=HEADER)
        yield writer
        writer.close()

    def read_back(self, journal: JournalWriter) -> Sequence[Record]:
        return list(read(journal.path))
