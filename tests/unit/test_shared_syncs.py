"""Threads that wait for the disk share a sync, and nobody is told too soon."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faulty import Faults, FaultyOs, Strike
from journals import create, join, note, opened, salvage, texts

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import ErrorInfo, Event, RunFailed, SessionCreated
from kedro_journal.journal import JournalWriter, read
from kedro_journal.journal.file import JournalFile
from kedro_journal.journal.lock import FcntlBackend
from kedro_journal.journal.port import Os

PATIENCE_S = 20.0
THREADS = 16


class Disk(Os):
    """A disk that is waited for: each sync begins, and ends when it may.

    Attributes:
        log: What happened, in order: writes, syncs that began, and syncs that ended.
        slow: How many of the next syncs wait for `go`.
        failing: The numbers of syncs that fail, from 1.
    """

    def __init__(self, *failing: int) -> None:
        self.log: list[tuple[str, object]] = []
        self.slow = 0
        self.failing = failing
        self.syncs = 0
        self.go = threading.Event()
        self.began = threading.Event()
        self._lock = threading.Condition()
        self._pid = os.getpid()

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        count = super().write(fd, data, end)
        self.put("written", bytes(data))
        return count

    def sync(self, fd: int) -> None:
        if os.getpid() != self._pid:  # a forked child has a disk of its own
            return
        os.fstat(fd)  # it must be open
        self.syncs += 1
        number = self.syncs
        self.put("began", number)
        self.began.set()
        if number <= self.slow:
            assert self.go.wait(PATIENCE_S)
        os.fstat(fd)
        if number in self.failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.put("ended", number)

    def sync_folder(self, path: Path) -> None:
        pass

    def put(self, what: str, which: object) -> None:
        with self._lock:
            self.log.append((what, which))
            self._lock.notify_all()

    def wait_for(self, what: str, count: int) -> None:
        """Wait until something has happened so often."""
        with self._lock:
            assert self._lock.wait_for(
                lambda: [name for name, _ in self.log].count(what) >= count, PATIENCE_S
            )


class Appending:
    """A thread that appends one event; what became of it is known once it is over."""

    def __init__(self, writer: JournalWriter, event: Event, disk: Disk) -> None:
        self.error: BaseException | None = None
        self._told: Callable[[], None] = lambda: disk.put("told", event)
        self._writer, self._event = writer, event
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._writer.append(self._event)
        except BaseException as error:
            self.error = error
        self._told()

    def finish(self) -> BaseException | None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "it hangs"
        return self.error


def begun(folder: Path, disk: Disk, **options: object) -> JournalWriter:
    """Give the writer of a journal that has its header; nothing was synced for that."""
    create(folder).append()
    writer = join(folder, port=disk, **options)
    writer.append(note("first"))
    disk.log.clear()
    disk.syncs = 0
    disk.began.clear()
    return writer


def check_told_after_a_sync(log: list[tuple[str, object]], event: Event) -> None:
    """Check that a sync began after the write and ended before the answer."""
    told = log.index(("told", event))
    (written,) = (
        place
        for place, (what, data) in enumerate(log)
        if what == "written" and f'"{event.text}"'.encode() in data  # type: ignore
    )
    for number in (which for what, which in log[:told] if what == "ended"):
        if log.index(("began", number)) > written:
            return
    pytest.fail(f"{event} was acknowledged without a sync: {log}")


def test_threads_that_wait_for_the_disk_share_a_sync(tmp_path: Path) -> None:
    """While one sync lasts, all others write; the next one is for all of these."""
    disk = Disk()
    writer = begun(tmp_path / "s", disk, durability="sync")
    disk.slow = 1
    events = [note(f"n{number}") for number in range(THREADS)]
    appends = [Appending(writer, events[0], disk)]
    assert disk.began.wait(PATIENCE_S)
    appends += [Appending(writer, event, disk) for event in events[1:]]
    disk.wait_for("written", THREADS)  # nobody waits for the disk before writing
    assert "told" not in [what for what, _ in disk.log]
    disk.go.set()
    assert [append.finish() for append in appends] == [None] * THREADS
    for event in events:
        check_told_after_a_sync(disk.log, event)
    # The second; and a third if the last one had not counted its write by then.
    assert disk.syncs <= 3
    assert sorted(texts(list(read(writer.path)))[1:]) == sorted(e.text for e in events)


def test_appends_that_come_as_they_like_are_each_told_after_a_sync(
    tmp_path: Path,
) -> None:
    disk = Disk()
    writer = begun(tmp_path / "s", disk, durability="sync")
    events = [[note(f"n{t}.{n}") for n in range(30)] for t in range(THREADS)]

    def append(mine: list[Event]) -> None:
        for event in mine:
            writer.append(event)
            disk.put("told", event)

    threads = [threading.Thread(target=append, args=(mine,)) for mine in events]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    for mine in events:
        for event in mine:
            check_told_after_a_sync(disk.log, event)
    assert salvage(tmp_path / "s")[1] == []


def test_a_plain_append_does_not_wait_for_a_sync_of_others(tmp_path: Path) -> None:
    """At level flush the bytes are the kernel's, and that is all that it promises."""
    disk = Disk()
    writer = begun(tmp_path / "s", disk)
    disk.slow = 1
    slow = Appending(writer, SessionCreated(session_id="s"), disk)
    assert disk.began.wait(PATIENCE_S)
    writer.append(note("a"))
    writer.append(note("nested", 10))
    assert "ended" not in [what for what, _ in disk.log]
    disk.go.set()
    assert slow.finish() is None
    assert disk.syncs == 1


def test_a_failed_sync_is_told_to_everybody_whose_bytes_it_had_to_bring(
    tmp_path: Path,
) -> None:
    """And to nobody whose bytes were on the disk before."""
    disk = Disk(2)
    writer = begun(tmp_path / "s", disk, durability="sync")
    disk.slow = 1
    first = Appending(writer, note("n0"), disk)
    assert disk.began.wait(PATIENCE_S)
    others = [Appending(writer, note(f"n{n}"), disk) for n in range(1, THREADS)]
    disk.wait_for("written", THREADS)
    disk.go.set()
    assert first.finish() is None
    for append in others:
        error = append.finish()
        assert isinstance(error, JournalUnwritable)
        assert error.errno == errno.EIO
        assert "a sync failed, which is final" in str(error)
    assert disk.syncs == 2  # it is not tried again
    with pytest.raises(JournalUnwritable, match="which is final"):
        writer.append(note("late"))
    assert "late" not in texts(list(read(writer.path)))


@pytest.mark.parametrize("durability", ["flush", "group", "sync"])
def test_a_failed_sync_that_is_told_again_makes_no_ring_of_causes(
    tmp_path: Path, durability: str
) -> None:
    """Whatever shows errors to people may follow them, from one to the next."""
    disk = Disk()
    writer = begun(tmp_path / "s", disk, durability=durability)
    disk.failing = tuple(range(1, 9))
    found: list[BaseException] = []
    for event in (SessionCreated(session_id="s"), note("late")):
        try:
            try:
                writer.append(event)
            finally:
                writer.close()
        except JournalUnwritable as error:
            found.append(error)
            with pytest.raises(JournalUnwritable):
                writer.append(event)
            writer.close()
    assert len(found) == 2
    for error in found:
        chain: list[BaseException] = []
        todo: list[BaseException | None] = [error]
        while todo:
            one = todo.pop()
            if one is not None:
                assert len(chain) < 50
                chain.append(one)
                todo += [one.__cause__, one.__context__]


# --- the file by itself -----------------------------------------------------------


@contextmanager
def opened_file(folder: Path, port: Os) -> Iterator[JournalFile]:
    path = folder / "journal.jsonl"
    path.touch(0o600)
    file = JournalFile(path, port)
    file.open(create=False)
    yield file
    file.close()


def put(file: JournalFile) -> int:
    """Append a line that somebody waits for, and give its number."""
    file.append(b"line\n", file.end())
    return file.want_sync()


def test_a_sync_is_for_all_that_was_written_before_it(tmp_path: Path) -> None:
    port = FaultyOs(Faults(Strike(2, errno.EIO, call="sync")))
    with opened_file(tmp_path, port) as file:
        one, two = put(file), put(file)
        file.sync(one)
        assert port.faults.syncs == 1
        file.sync(two)
        assert port.faults.syncs == 1
        three = put(file)
        for _ in range(2):
            with pytest.raises(OSError, match="Input/output"):
                file.sync(three)
            # These were there before, whatever the disk says now.
            file.sync(one)
            file.sync(two)
    assert port.faults.calls.count("sync") == 2


def test_what_is_written_while_a_sync_lasts_needs_another_one(tmp_path: Path) -> None:
    """The kernel may have gone past its page already."""

    class Meanwhile(FaultyOs):
        def sync(self, fd: int) -> None:
            if not numbers:
                numbers.append(put(file))
            super().sync(fd)

    numbers: list[int] = []
    port = Meanwhile(Faults())
    with opened_file(tmp_path, port) as file:
        file.sync(put(file))
        assert port.faults.syncs == 1
        file.sync(numbers[0])
        assert port.faults.syncs == 2


def test_a_sync_without_a_number_is_done_in_any_case(tmp_path: Path) -> None:
    port = FaultyOs(Faults())
    with opened_file(tmp_path, port) as file:
        file.sync(put(file))
        file.sync()
        assert port.faults.syncs == 2


def test_what_was_refused_is_waited_for_by_nobody(tmp_path: Path) -> None:
    port = FaultyOs(Faults(Strike(2, errno.ENOSPC, call="write")))
    with opened_file(tmp_path, port) as file:
        file.sync(put(file))
        with pytest.raises(OSError, match="No space"):
            file.append(b"line\n", file.end())
        syncs = port.faults.syncs  # one more: what was taken back
        assert file.want_sync() == 1
        file.sync(1)
    assert port.faults.syncs == syncs


@pytest.mark.parametrize("refuses", [False, True])
def test_closing_brings_to_the_disk_what_is_waited_for(
    tmp_path: Path, refuses: bool
) -> None:
    strikes = [Strike(1, errno.EIO, call="sync")] if refuses else []
    port = FaultyOs(Faults(*strikes))
    with opened_file(tmp_path, port) as file:
        number = put(file)
        file.close()
        assert port.faults.acts[-2:] == ["sync", "close"]
        if refuses:
            with pytest.raises(OSError, match="Input/output"):
                file.sync(number)
        else:
            file.sync(number)
        assert port.faults.calls.count("sync") == 1
        file.open(create=False)
        file.close()
        assert port.faults.calls.count("sync") == 1


def test_an_interrupt_in_a_sync_leaves_nobody_waiting(tmp_path: Path) -> None:
    """A KeyboardInterrupt comes to the thread that syncs, not to those that wait."""
    writer = begun(tmp_path / "s", Disk(), durability="flush")
    waiting: list[Appending] = []

    class Interrupted(Disk):
        def sync(self, fd: int) -> None:
            if not waiting:
                waiting.append(Appending(writer, SessionCreated(session_id="s"), self))
                self.wait_for("written", 1)
                raise KeyboardInterrupt
            super().sync(fd)

    disk = Interrupted()
    writer._file._port = disk
    with pytest.raises(KeyboardInterrupt):
        writer.sync()
    assert waiting[0].finish() is None
    assert [what for what, _ in disk.log] == ["written", "began", "ended", "told"]


def test_who_waits_for_a_sync_looks_again_also_if_nobody_tells(tmp_path: Path) -> None:
    """Who was to tell may have been interrupted in just that."""
    file = JournalFile(tmp_path / "journal.jsonl", Disk())
    file.open(create=True)
    file._syncing = -1  # another thread
    waiting = threading.Thread(target=file.sync, daemon=True)
    waiting.start()
    while not file._waiting:
        assert waiting.is_alive()
    file._syncing = None
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive(), "it hangs"
    file.close()


def test_a_forked_child_syncs_nothing_for_its_parent(tmp_path: Path) -> None:
    port = FaultyOs(Faults())
    with opened_file(tmp_path, port) as file:
        put(file)
        file.forget()
        assert "sync" not in port.faults.calls
        file.open(create=False)
        file.sync(put(file))
        assert port.faults.syncs == 1


# --- closing while somebody waits -------------------------------------------------


class Late(JournalWriter):
    """A thread that wrote and has yet to ask for the sync is held there."""

    def __init__(self, *given, **options):  # type: ignore[no-untyped-def]
        super().__init__(*given, **options)
        self.asked, self.go = threading.Event(), threading.Event()

    def _sync(self, number: int | None) -> None:
        if number is not None:
            self.asked.set()
            assert self.go.wait(PATIENCE_S)
        super()._sync(number)


class NoUnlock(FcntlBackend):
    """Does not let go once it is told so."""

    armed = False

    def unlock(self, fd: int) -> None:
        if self.armed:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().unlock(fd)


class Refusing(Disk):
    """Takes no more bytes once it is told so."""

    refuses = False

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        if self.refuses:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(fd, data, end)


def closes(writer: JournalWriter) -> None:
    writer.close()


def cannot_unlock(*events: Event) -> Callable[[JournalWriter], None]:
    def go(writer: JournalWriter) -> None:
        writer._lock._backend.armed = True  # type: ignore[attr-defined]
        writer.append(*events)

    return go


def cannot_write(*events: Event) -> Callable[[JournalWriter], None]:
    def go(writer: JournalWriter) -> None:
        writer._port.refuses = True  # type: ignore[attr-defined]
        with pytest.raises(JournalUnwritable, match="No space"):
            writer.append(*events)

    return go


@pytest.mark.parametrize("refuses", [False, True])
@pytest.mark.parametrize(
    "meanwhile",
    [
        closes,
        cannot_unlock(note("a")),
        cannot_unlock(note("a"), note("b")),
        cannot_write(note("a")),
        cannot_write(note("a"), note("b")),
    ],
    ids=[
        "closed",
        "unlock fails",
        "unlock fails after a batch",
        "write fails",
        "write of a batch fails",
    ],
)
def test_nobody_is_told_so_without_a_sync_if_the_journal_is_closed_meanwhile(
    tmp_path: Path, meanwhile: Callable[[JournalWriter], None], refuses: bool
) -> None:
    disk = Refusing(*([1, 2] if refuses else []))
    create(tmp_path / "s").append()
    writer = Late(tmp_path / "s", opened("worker"), port=disk, backend=NoUnlock())
    writer.append(note("first"))
    append = Appending(writer, RunFailed(run_id="r", error=ErrorInfo(type="E")), disk)
    assert writer.asked.wait(PATIENCE_S)
    assert disk.syncs == 0
    meanwhile(writer)
    assert disk.syncs == 1
    assert not writer._file.is_open
    writer.go.set()
    error = append.finish()
    if refuses:
        assert isinstance(error, JournalUnwritable)
        assert "a sync failed, which is final" in str(error)
    else:
        assert error is None
    assert disk.syncs == 1


def test_closing_waits_for_a_sync_that_is_going_on(tmp_path: Path) -> None:
    """Its descriptor must not be closed, and be somebody else's file, under it."""
    disk = Disk()
    writer = begun(tmp_path / "s", disk)
    disk.slow = 1
    append = Appending(writer, SessionCreated(session_id="s"), disk)
    assert disk.began.wait(PATIENCE_S)
    closed = threading.Event()

    def close() -> None:
        writer.close()
        closed.set()

    closing = threading.Thread(target=close, daemon=True)
    closing.start()
    assert not closed.wait(0.1)
    disk.go.set()
    assert append.finish() is None
    assert closed.wait(PATIENCE_S)
    assert disk.syncs == 1


def test_the_first_event_of_a_group_is_synced_also_if_the_journal_has_to_be_closed(
    tmp_path: Path,
) -> None:
    disk = Disk()
    create(tmp_path / "s").append()
    backend = NoUnlock()
    writer = join(tmp_path / "s", port=disk, durability="group", backend=backend)
    backend.armed = True
    writer.append(note("a"))
    assert disk.syncs == 1
    backend.armed = False
    writer.close()


# --- forks ------------------------------------------------------------------------


def test_a_fork_while_another_thread_is_in_a_sync_hangs_nobody(tmp_path: Path) -> None:
    """The child has no such thread; its parent's acknowledgement is not its matter."""
    disk = Disk()
    writer = begun(tmp_path / "s", disk)
    disk.slow = 1
    slow = Appending(writer, SessionCreated(session_id="s"), disk)
    assert disk.began.wait(PATIENCE_S)
    pid = os.fork()
    if pid == 0:
        try:
            writer.append(note("child"))
            writer.append(RunFailed(run_id="r", error=ErrorInfo(type="E")))
            writer.close()
            os._exit(0)
        finally:
            os._exit(1)
    killer = threading.Timer(PATIENCE_S, os.kill, (pid, signal.SIGKILL))
    killer.start()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    killer.cancel()
    disk.go.set()
    assert code == 0
    assert slow.finish() is None
    writer.append(note("parent"))
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert texts(found) == ["first", "child", "parent"]
