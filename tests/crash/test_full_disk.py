"""Real disks that are full: the tests' dose of the storm, and its teeth."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import HEADER, opened
from storms import full_disk

from kedro_journal.journal import JournalWriter
from kedro_journal.journal.file import JournalFile

# With a limit on file sizes alone: it needs no root.
WHERE = "a limit on file sizes"


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    yield
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.storm
def test_a_full_disk_loses_nothing_and_invents_nothing(tmp_path: Path) -> None:
    account = full_disk.SUITE.run(full_disk.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert account.count >= full_disk.SUITE.small
    assert int(account.figures["partial writes"]) > 5
    assert int(account.figures["acknowledged"]) > 20


class NoRollBack(JournalFile):
    """Sabotage: what was written of a refused append is left."""

    def append(self, data: bytes, end: int) -> None:
        view = memoryview(data)
        while view:
            written = self._port.write(self.fd, view, end)
            view, end = view[written:], end + written
        self._written += 1


class Eager(JournalFile):
    """Sabotage: a write that took a part counts as done."""

    def append(self, data: bytes, end: int) -> None:
        try:
            self._port.write(self.fd, data, end)
        except OSError:
            self._port.truncate(self.fd, end)
            raise
        self._written += 1


@pytest.mark.storm
@pytest.mark.parametrize("sabotage", [NoRollBack, Eager])
def test_the_suite_sees_a_broken_writer(
    tmp_path: Path, sabotage: type[JournalFile]
) -> None:
    """Teeth: without the roll-back, or with short writes taken for whole ones."""

    def make(folder: Path, **options: object) -> JournalWriter:
        writer = JournalWriter(folder, opened(), header=HEADER, **options)  # type: ignore[arg-type]
        writer._file = sabotage(writer.path, writer._port)
        return writer

    account = full_disk.run(120, tmp_path, 1, print, make=make)
    assert account.violations
