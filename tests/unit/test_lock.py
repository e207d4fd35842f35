"""The two locks: who excludes whom."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from pathlib import Path

import pytest
from journals import create, file, join, note, texts

from kedro_journal.errors import JournalBusy, JournalUnwritable, UnsafeJournal
from kedro_journal.journal import OwnerLock, read
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.lock import AppendLock, FcntlBackend, FilelockBackend

BACKENDS = [FcntlBackend, FilelockBackend]


@pytest.mark.parametrize("other", BACKENDS)
@pytest.mark.parametrize("one", BACKENDS)
def test_each_backend_excludes_itself_and_the_other(
    tmp_path: Path, one: type, other: type
) -> None:
    path = tmp_path / "journal.jsonl"
    first = AppendLock(path, backend=one())
    second = AppendLock(path, backend=other(), deadline_s=0.02)
    third = AppendLock(path, backend=one(), deadline_s=0)
    with path.open("ab") as a, path.open("ab") as b, path.open("ab") as c:
        first.acquire(a.fileno())
        with pytest.raises(JournalBusy) as caught:
            second.acquire(b.fileno())
        assert caught.value.waited_s >= 0.02
        assert not second.try_acquire(b.fileno())
        first.release()
        second.acquire(b.fileno())
        with pytest.raises(JournalBusy):
            third.acquire(c.fileno())
        assert not third.try_acquire(c.fileno())
        second.release()
        assert third.try_acquire(c.fileno())
        with pytest.raises(JournalBusy):
            second.acquire(b.fileno())


def test_a_busy_journal_is_left_as_it_was(tmp_path: Path) -> None:
    """By a newcomer, and by a writer that was the last one to write."""
    writer = create(tmp_path / "s", deadline_s=0.01)
    writer.append(note())
    before = writer.path.read_bytes()
    with writer.path.open("ab") as journal:
        lock = AppendLock(writer.path)
        lock.acquire(journal.fileno())
        for one in (writer, join(tmp_path / "s", deadline_s=0.01)):
            with pytest.raises(JournalBusy) as caught:
                one.append(note())
            assert caught.value.path == writer.path
        lock.release()
    assert writer.path.read_bytes() == before


def test_who_waited_in_vain_does_not_wait_as_long_again(tmp_path: Path) -> None:
    """A process that never lets go must not stop a run at each of its events."""
    writer = create(tmp_path / "s", deadline_s=0.4)
    writer.append(note("a"))
    with writer.path.open("rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        waits = []
        for _ in range(3):
            with pytest.raises(JournalBusy) as caught:
                writer.append(note("b"))
            waits.append(caught.value.waited_s)
        fcntl.flock(holder, fcntl.LOCK_UN)
        writer.append(note("c"))
        fcntl.flock(holder, fcntl.LOCK_EX)
        with pytest.raises(JournalBusy) as caught:
            writer.append(note("d"))
        waits.append(caught.value.waited_s)
    assert waits[0] > 0.4
    assert max(waits[1:3]) < waits[0]
    assert waits[3] > 0.4  # it was got in between: patience is back


def test_an_unlock_that_fails_does_not_fail_the_append(tmp_path: Path) -> None:
    """The record is in the journal: saying otherwise would have it written twice."""

    class NoUnlock(FcntlBackend):
        def unlock(self, fd: int) -> None:
            raise OSError(errno.EIO, "no")

    writer = create(tmp_path / "s", backend=NoUnlock())
    assert len(writer.append(note("a"))) == 1
    other = join(tmp_path / "s", deadline_s=1)
    assert len(other.append(note("b"))) == 1
    assert len(writer.append(note("c"))) == 1  # it opens its files again
    assert texts(list(read(file(tmp_path / "s")))) == ["a", "b", "c"]


def test_a_lock_file_is_made_only_where_a_lock_shuts_readers_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There the journal stays readable, for as long as somebody appends."""
    for beside in (False, True):
        monkeypatch.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", not beside)
        folder = tmp_path / str(beside)
        one, other = create(folder, deadline_s=0), join(folder, deadline_s=0)
        one.append(note("a"))
        other.append(note("b"))
        one.append(note("c"))
        names = {"journal.jsonl", "append.lock"} if beside else {"journal.jsonl"}
        assert {path.name for path in folder.iterdir()} == names
        busy = folder / ("append.lock" if beside else "journal.jsonl")
        with busy.open("rb") as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            for writer in (one, other):
                with pytest.raises(JournalBusy) as caught:
                    writer.append(note("d"))
                assert caught.value.path == busy
        if beside:
            with file(folder).open("rb") as reader:
                fcntl.flock(reader, fcntl.LOCK_EX)
                one.append(note("e"))
                other.append(note("f"))
        expected = ["a", "b", "c", *(["e", "f"] if beside else [])]
        assert texts(list(read(file(folder)))) == expected


def test_a_symbolic_link_as_lock_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", False)
    (tmp_path / "target").touch()
    (tmp_path / "append.lock").symlink_to(tmp_path / "target")
    for ask in ("acquire", "try_acquire"):
        with pytest.raises(UnsafeJournal, match="symbolic link"):
            getattr(AppendLock(tmp_path / "journal.jsonl"), ask)(-1)


def test_neither_backend_is_imported_before_the_first_lock() -> None:
    code = "import sys, kedro_journal; print('filelock' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True
    )
    assert found.stdout == b"False\n"


def test_forks_from_many_threads_go_on_after_an_append(tmp_path: Path) -> None:
    """Importing filelock would break them on CPython 3.12 and later, for good."""
    code = """
import sys, threading, multiprocessing
from pathlib import Path
sys.path.insert(0, sys.argv[2])
import kedro_journal
from journals import create, note
writer = create(Path(sys.argv[1]))
writer.append(note())
context = multiprocessing.get_context("fork")
errors = []
def start():
    for _ in range(30):
        try:
            process = context.Process(target=int)
            process.start()
            process.join()
            # None: another thread's start() reaped it first
            assert process.exitcode in (0, None), process.exitcode
        except BaseException as error:
            errors.append(repr(error))
threads = [threading.Thread(target=start) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
writer.append(note())
print(len(errors), errors[:1])
"""
    support = Path(__file__).parents[1] / "support"
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, tmp_path / "s", support],
        capture_output=True,
        check=True,
        timeout=120,
    )
    assert found.stdout == b"0 []\n", found.stderr


def test_there_is_one_owner_at_a_time(tmp_path: Path) -> None:
    first = OwnerLock(tmp_path / OWNER_LOCK_NAME)
    first.acquire()
    second = OwnerLock(tmp_path / OWNER_LOCK_NAME)
    with pytest.raises(JournalUnwritable, match="another process owns"):
        second.acquire(timeout_s=0.01)
    first.release()
    second.acquire()
    second.release()


def test_an_owner_lock_that_cannot_be_made_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(JournalUnwritable) as caught:
        OwnerLock(tmp_path / "missing" / OWNER_LOCK_NAME).acquire()
    assert caught.value.errno == errno.ENOENT
