"""Waiting for changes of a file: the kernel tells, or the clock has to do."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import create, file, note

from kedro_journal.events import NoteAdded
from kedro_journal.journal import follow_file
from kedro_journal.journal import watch as watching
from kedro_journal.journal.watch import ClockWatch, KernelWatch, watch

# What waits here waits for ever if nobody tells it.
pytestmark = pytest.mark.timeout(60)
linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify")
_FOR_EVER_S = 3600.0


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[KernelWatch]:
    """Watches a file that is there, and would sleep for an hour."""
    path = tmp_path / "file"
    path.write_text("")
    found = KernelWatch(path, _FOR_EVER_S)
    found._pause_s = _FOR_EVER_S
    yield found
    found.close()


@linux
def test_a_write_ends_the_waiting(tmp_path: Path, kernel: KernelWatch) -> None:
    def write() -> None:
        with (tmp_path / "file").open("a") as out:
            out.write("more")

    writer = threading.Thread(target=write)
    writer.start()
    kernel.wait()
    writer.join()


@linux
def test_what_changed_before_the_waiting_ends_it_at_once(
    tmp_path: Path, kernel: KernelWatch
) -> None:
    with (tmp_path / "file").open("a") as out:
        out.write("more")
        out.flush()
        kernel.wait()


@linux
def test_a_writer_that_goes_away_and_a_removal_are_told(
    tmp_path: Path, kernel: KernelWatch
) -> None:
    (tmp_path / "file").open("a").close()
    kernel.wait()
    kernel._pause_s = _FOR_EVER_S
    (tmp_path / "file").unlink()
    kernel.wait()


@linux
def test_without_a_change_the_pauses_grow_to_the_longest(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = KernelWatch(tmp_path / "file", 0.03)
    try:
        for _ in range(5):
            found.wait()
        assert found._pause_s == 0.03
        found.changed()
        assert found._pause_s < 0.03
    finally:
        found.close()


def test_where_the_system_does_not_tell_the_clock_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(watch(tmp_path, 0.05, told=False), ClockWatch)
    assert isinstance(watch(tmp_path / "not there", 0.05), ClockWatch)

    class Nothing:
        """A C library without inotify, or without any left."""

        def inotify_init1(self, flags: int) -> int:
            return -1

    for libc in (object, Nothing):
        monkeypatch.setattr(watching, "_libc", libc)
        assert isinstance(watch(tmp_path, 0.05), ClockWatch)


@linux
def test_a_follower_is_told_of_a_record_and_does_not_look_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_TOLD_PAUSE_MIN_S", _FOR_EVER_S)
    writer = create(tmp_path / "s")
    writer.append(note("first"))
    found = follow_file(file(tmp_path / "s"), poll_interval_s=_FOR_EVER_S)
    while not isinstance(next(found).event, NoteAdded):
        pass
    late = threading.Timer(0.2, writer.append, [note("second")])
    late.start()
    event = next(found).event
    late.join()
    assert isinstance(event, NoteAdded)
    assert event.text == "second"
