"""The thread of durability level `group`."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from pathlib import Path

from kedro_journal.errors import JournalUnwritable
from kedro_journal.journal.syncer import GroupSyncer

PATIENCE_S = 20.0


class Counting:
    """Something to sync: it says when it was, and may refuse."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.refuses = refuses
        self.syncs = 0
        self.synced = threading.Event()

    def sync(self) -> None:
        self.syncs += 1
        self.synced.set()
        if self.refuses:
            raise JournalUnwritable(Path("j"), None, "no")

    def wait(self) -> None:
        assert self.synced.wait(PATIENCE_S)
        self.synced.clear()


def ours() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name == "kedro-journal-sync"}


def ended(threads: set[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(PATIENCE_S)
    return not any(thread.is_alive() for thread in threads)


def test_what_is_appended_is_synced_and_nothing_else_is() -> None:
    writer, before = Counting(), ours()
    syncer = GroupSyncer(writer)
    threads = ours() - before
    assert not writer.synced.wait(0.15)  # three windows in which nothing was appended
    for count in (1, 2):
        syncer.wake()
        writer.wait()
        assert writer.syncs == count
    assert not writer.synced.wait(0.15)
    syncer.stop()
    assert ended(threads)


def test_one_sync_stands_for_all_appends_of_a_window() -> None:
    writer, before = Counting(), ours()
    syncer = GroupSyncer(writer)
    begun = time.monotonic()
    while (lasted := time.monotonic() - begun) < 0.2:
        syncer.wake()
        writer.synced.wait(0.001)
        writer.synced.clear()
    syncer.stop()
    assert ended(ours() - before)
    assert 1 <= writer.syncs <= 2 + lasted / 0.05


def test_its_thread_never_keeps_the_process_alive() -> None:
    writer, before = Counting(), ours()
    syncer = GroupSyncer(writer)
    threads = ours() - before
    assert [thread.daemon for thread in threads] == [True]
    syncer.stop()
    assert ended(threads)


def test_it_ends_when_it_is_stopped_whether_or_not_anything_was_appended() -> None:
    before = ours()
    writer = Counting()
    one, other = GroupSyncer(writer), GroupSyncer(writer)
    one.wake()
    threads = ours() - before
    one.stop()
    other.stop()
    assert ended(threads)


def test_it_goes_on_after_a_refused_sync() -> None:
    """The writer knows of it, and tells whoever appends next."""
    writer, before = Counting(refuses=True), ours()
    syncer = GroupSyncer(writer)
    threads = ours() - before
    for _ in range(3):
        syncer.wake()
        writer.wait()
    assert all(thread.is_alive() for thread in threads)
    syncer.stop()
    assert ended(threads)


def test_it_ends_with_its_writer() -> None:
    """It does not keep it either: nobody closes a writer that was just dropped."""
    writer, before = Counting(), ours()
    syncer, gone = GroupSyncer(writer), weakref.ref(writer)
    threads = ours() - before
    syncer.wake()
    writer.wait()
    del writer
    gc.collect()
    syncer.wake()
    assert ended(threads)
    assert gone() is None
