"""Followers that the kernel tells of changes, or stops telling: none misses a record."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journals import create, file, join, note, texts

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import Record
from kedro_journal.journal import JournalWriter, follow_file
from kedro_journal.journal.watch import ClockWatch, KernelWatch, watch

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the kernel tells of nothing here"
)

LONG_S = 30.0  # a follower that is not told of a change would take so long
SYSTEM = Path("/proc/sys/fs/inotify")


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    writer = create(tmp_path / "s")
    writer.append(note(0))
    yield writer
    writer.close()


def followed(path: Path, poll_interval_s: float = LONG_S) -> Iterator[Record]:
    """Follow a journal, from the next record on."""
    found = follow_file(path, poll_interval_s=poll_interval_s)
    for record in found:
        if texts([record]):
            break
    return found


def later(call: object, *args: object) -> threading.Thread:
    """Call that soon, while the follower waits."""

    def run() -> None:
        time.sleep(0.2)
        call(*args)  # type: ignore[operator]

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_journal_that_moves_with_its_folder_is_followed_on(
    writer: JournalWriter, tmp_path: Path
) -> None:
    found = followed(file(tmp_path / "s"))
    began = time.monotonic()
    (tmp_path / "s").rename(tmp_path / "moved")
    thread = later(append_to, tmp_path / "moved", 1)
    assert texts([next(found), next(found)]) == ["1"]  # its writer comes first
    thread.join()
    assert time.monotonic() - began < LONG_S / 2


def append_to(folder: Path, text: object) -> None:
    other = join(folder)
    other.append(note(text))
    other.close()


@pytest.mark.parametrize("how", ["unlinked", "with its folder", "replaced"])
def test_a_journal_that_is_gone_is_told_of_at_once(
    writer: JournalWriter, tmp_path: Path, how: str
) -> None:
    found = followed(file(tmp_path / "s"))
    began = time.monotonic()

    def go() -> None:
        if how == "replaced":
            (tmp_path / "other").write_bytes(b"")
            (tmp_path / "other").replace(file(tmp_path / "s"))
            return
        for path in sorted((tmp_path / "s").iterdir()):
            path.unlink()
        if how == "with its folder":
            (tmp_path / "s").rmdir()

    thread = later(go)
    with pytest.raises(JournalUnwritable):
        next(found)
    thread.join()
    assert time.monotonic() - began < LONG_S / 2


def test_a_queue_that_overflows_loses_no_record(
    writer: JournalWriter, tmp_path: Path
) -> None:
    """Nobody reads it for as many changes as it has room for, and more."""
    path = file(tmp_path / "s")
    found = followed(path)
    writer.append(note(1))
    assert texts([next(found)]) == ["1"]
    most = int((SYSTEM / "max_queued_events").read_text())
    for _ in range(most // 2 + 100):  # events that are not like the one before
        path.chmod(0o600)
        os.utime(path)
        os.close(os.open(path, os.O_WRONLY))
    for number in range(2, 200):
        writer.append(note(number))
    assert [texts([next(found)])[0] for _ in range(2, 200)] == list(
        map(str, range(2, 200))
    )
    thread = later(writer.append, note("after"))
    assert texts([next(found)]) == ["after"]
    thread.join()


def test_more_followers_than_the_kernel_tells_follow_all_the_same(
    writer: JournalWriter, tmp_path: Path
) -> None:
    most = int((SYSTEM / "max_user_instances").read_text())
    if most > 500:
        pytest.skip("there is room for too many")
    found = [followed(file(tmp_path / "s"), 0.05) for _ in range(most + 10)]
    try:
        for number in range(3):
            writer.append(note(f"n{number}"))
            for follower in found:
                assert texts([next(follower)]) == [f"n{number}"]
        assert isinstance(watch(file(tmp_path / "s"), 0.05), ClockWatch)
    finally:
        for follower in found:
            follower.close()  # type: ignore[attr-defined]
    again = watch(file(tmp_path / "s"), 0.05)
    assert isinstance(again, KernelWatch)
    again.close()


def test_where_no_descriptor_is_left_the_clock_is_looked_at(
    writer: JournalWriter, tmp_path: Path
) -> None:
    held = []
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        assert isinstance(watch(file(tmp_path / "s"), 0.05), ClockWatch)
    finally:
        for fd in held:
            os.close(fd)


def test_what_is_watched_no_more_ends_no_wait_at_once(
    writer: JournalWriter, tmp_path: Path
) -> None:
    """A follower of a removed file would else take a whole CPU until it looks."""
    path = tmp_path / "s" / "watched"
    path.touch()
    found = KernelWatch(path, 5)
    path.unlink()
    began = time.monotonic()
    for _ in range(8):
        found.wait()
    assert time.monotonic() - began > 0.1
    found.close()


def test_a_forked_follower_takes_no_word_away_for_long(
    writer: JournalWriter, tmp_path: Path
) -> None:
    """Its descriptor is its parent's: whoever reads first is told alone."""
    found = followed(file(tmp_path / "s"), 0.05)
    pid = os.fork()
    if not pid:  # pragma: no cover - it never comes back
        try:
            os._exit(0 if texts([next(found)]) == ["1"] else 1)
        finally:
            os._exit(2)
    thread = later(writer.append, note(1))
    began = time.monotonic()
    assert texts([next(found)]) == ["1"]
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("interval_s", [float("nan"), float("-inf"), 0.0, -1.0])
def test_what_is_no_time_is_no_interval(tmp_path: Path, interval_s: float) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        next(follow_file(tmp_path / "none", poll_interval_s=interval_s))


@pytest.mark.parametrize("interval_s", [float("inf"), 1e308, 1e10])
def test_the_longest_interval_is_waited_for_in_parts(
    tmp_path: Path, interval_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After weeks of doubling pauses: the system takes no such number."""
    (tmp_path / "x").touch()
    told = KernelWatch(tmp_path / "x", interval_s)
    clock = ClockWatch(interval_s)
    waited: list[float] = []

    class Poll:
        def poll(self, milliseconds: float) -> list[object]:
            assert milliseconds < 2**31
            waited.append(milliseconds)
            return []

    def slept(seconds: float) -> None:
        assert seconds < threading.TIMEOUT_MAX
        waited.append(seconds)

    monkeypatch.setattr(told, "_poll", Poll())
    monkeypatch.setattr("time.sleep", slept)
    for _ in range(2000):
        told.wait()
        clock.wait()
    assert len(waited) == 4000
    told.close()
