"""Many processes and threads append to one journal at once; broken locks are seen."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import filelock
import pytest
from journals import create, file, join, note, opened, parse, texts
from storms import contention
from storms.account import Account
from storms.contention import BACKENDS, STARTS, Backend, Crowd, Start, crowd

from kedro_journal.errors import JournalBusy, JournalError
from kedro_journal.journal import JournalWriter, choose_backend, read, verify
from kedro_journal.journal.lock import APPEND_LOCK_NAME, AppendLock
from kedro_journal.journal.port import Os

pytestmark = pytest.mark.storm


def test_a_crowd_gets_everything_in_once_and_in_order(tmp_path: Path) -> None:
    """8 processes with 4 threads each, begun in every way, forking as they append."""
    account = contention.run(contention.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    forked = 8 * 5 * contention.SMALL_FORK_NOTES
    assert account.count == contention.SUITE.small + forked
    # The creator and the closer; eight processes; five forked children of each.
    assert account.figures["writers"] == 2 + 8 + 8 * 5


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("start", STARTS)
def test_every_way_to_begin_a_process_gives_a_writer_of_its_own(
    tmp_path: Path, start: Start, backend: Backend
) -> None:
    plan = Crowd(2, 4, events=150, starts=(start,), backends=(backend,), forks=3)
    account = crowd(tmp_path / "s", plan)
    assert account.violations == []
    assert account.figures["writers"] == 2 + 2 + 2 * 3


FIRST_APPEND_IN_A_CHILD = """
import os, sys, traceback
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journals import create, note

writer = create(Path(sys.argv[1]))
known = set(sys.modules)
writer.append(note("of the parent"))
if os.fork() == 0:
    try:
        writer.append(note("of the child"))
        new = sorted(set(sys.modules) - known)
        print(new, flush=True)
        os._exit(bool(new))
    except BaseException:
        traceback.print_exc()
        os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_no_append_imports_anything_not_even_in_a_forked_child(tmp_path: Path) -> None:
    """A thread of the parent may hold the lock of an import at the fork, for ever."""
    support = Path(__file__).parents[1] / "support"
    (tmp_path / "s").mkdir()

    done = subprocess.run(
        [sys.executable, "-c", FIRST_APPEND_IN_A_CHILD, tmp_path / "s", support],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "[]\n", done.stderr
    assert done.returncode == 0


# --- teeth: broken set-ups, each beside the same one with our lock -----------------


class Rendezvous(Os):
    """Holds a writer right before its first write until another one is there as well.

    So two writers are in the middle of an append at once if the lock lets them, and no
    luck is needed for that. Not for a lock that excludes: the other one never comes.

    Args:
        folder: Where writers of all processes tell that they are there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._met = False

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        if not self._met:
            self._met = True
            self._folder.mkdir(exist_ok=True)
            (self._folder / f"{os.getpid()}-{threading.get_ident()}").touch()
            deadline = time.monotonic() + 60
            while len(list(self._folder.iterdir())) < 2:
                assert time.monotonic() < deadline, "no other writer came"
                time.sleep(0.001)
        return super().write(fd, data, end)


class ForeignLock:
    """What takes the place of our lock in a writer. By itself it locks nothing."""

    is_held = False

    def acquire(self, journal_fd: int) -> None:
        """Wait for the turn."""

    def try_acquire(self, journal_fd: int) -> bool:
        """Take it if nobody has it."""
        self.acquire(journal_fd)
        return True

    def release(self) -> bool:
        """End it."""
        return True

    def drop(self) -> None:
        """Let go of descriptors."""

    def forsake(self) -> None:
        """Forget the turn."""


class SharedDescriptor(ForeignLock):
    """A lock whose descriptor was opened before the fork and is never opened anew."""

    def __init__(self, path: Path, backend: Backend) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        self._backend = choose_backend(backend)

    def acquire(self, journal_fd: int) -> None:
        while not self._backend.try_lock(self._fd):
            time.sleep(0.0001)

    def release(self) -> bool:
        self._backend.unlock(self._fd)
        return True


def locked_by(writer: JournalWriter, lock: object) -> JournalWriter:
    writer._lock = lock  # type: ignore[assignment]
    return writer


class WriterOfThread(JournalWriter):
    """A writer for each thread in place of one for all: only a file lock is left.

    What `lock` gives is called once a thread.
    """

    lock: Callable[[], object]
    port: Callable[[], Os] = Os

    def append(self, *events, **options):  # type: ignore[no-untyped-def]
        if not hasattr(_own, "writer"):
            _own.writer = locked_by(join(self.folder, port=self.port()), self.lock())
        return _own.writer.append(*events, **options)


_own = threading.local()


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lock_descriptor_shared_over_a_fork_excludes_nobody(
    tmp_path: Path, backend: Backend, ours: bool
) -> None:
    (tmp_path / "s").mkdir()
    shared = SharedDescriptor(tmp_path / "shared.lock", backend)

    def make(folder: Path, backend: Backend) -> JournalWriter:
        if ours:
            return contention.make(folder, backend)
        return locked_by(join(folder, port=Rendezvous(tmp_path / "met")), shared)

    plan = Crowd(4, 1, events=400, starts=("fork",), backends=(backend,), make=make)
    check(crowd(tmp_path / "s", plan), green=ours)


@pytest.mark.parametrize("ours", [True, False])
def test_a_filelock_that_threads_share_excludes_none_of_them(
    tmp_path: Path, ours: bool
) -> None:
    """`FileLock(thread_local=False)` counts how often its process has it."""

    def make(folder: Path, backend: Backend) -> JournalWriter:
        shared = filelock.FileLock(
            tmp_path / "shared.lock", thread_local=False, mode=0o600
        )

        class Shared(ForeignLock):
            def acquire(self, journal_fd: int) -> None:
                shared.acquire()

            def release(self) -> bool:
                shared.release()
                return True

        writer = WriterOfThread(folder, opened("worker"))
        backend_of_ours = choose_backend(backend)
        writer.lock = lambda: (
            AppendLock(writer.path, backend=backend_of_ours) if ours else Shared()
        )
        writer.port = Os if ours else lambda: Rendezvous(tmp_path / "met")
        return writer

    plan = Crowd(1, 4, events=1000, starts=("fork",), make=make)
    check(crowd(tmp_path / "s", plan), green=ours)


def test_without_a_lock_nothing_is_in_order(tmp_path: Path) -> None:
    def make(folder: Path, backend: Backend) -> JournalWriter:
        met = Rendezvous(tmp_path / "met")
        return locked_by(join(folder, port=met), ForeignLock())

    plan = Crowd(4, 1, events=20, starts=("fork",), make=make)
    check(crowd(tmp_path / "s", plan), green=False)


# --- what is done to the files of a session -----------------------------------------


def lock_beside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AppendLock:
    """Give a lock of a file of its own, whatever file that is by now."""
    with monkeypatch.context() as patched:
        patched.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", False)
        return AppendLock(file(folder))


@contextmanager
def remover(path: Path) -> Iterator[None]:
    """Have a process make a file, lock it, remove it, and let go, again and again."""
    pid = os.fork()
    if pid == 0:
        try:
            while True:
                with path.open("ab") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    path.unlink(missing_ok=True)
                time.sleep(0.001)
        finally:
            os._exit(1)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


def test_a_file_that_comes_and_goes_beside_the_journal_lets_nobody_in(
    tmp_path: Path,
) -> None:
    """A lock on it would let in whoever opens the next one."""
    path = tmp_path / "s" / APPEND_LOCK_NAME
    path.parent.mkdir()
    # The forked children are the newcomers who open whatever file is there by then.
    plan = Crowd(4, 1, events=1000, starts=("fork",), forks=20)
    with remover(path):
        account = crowd(tmp_path / "s", plan)
    check(account, green=True)


class Meddling(Os):
    """Somebody comes in the middle of an append, just before the write."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        self._meddle = meddle

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        self._meddle()
        return super().write(fd, data, end)


@pytest.mark.parametrize("how", ["removed", "moved", "linked", "replaced"])
@pytest.mark.parametrize("ours", [True, False])
def test_a_file_beside_the_journal_that_is_taken_away_during_an_append_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, ours: bool
) -> None:
    """What both acknowledge must be there, whoever comes first."""
    folder, elsewhere = tmp_path / "s", tmp_path / "elsewhere"
    lock = folder / APPEND_LOCK_NAME
    create(folder).append(note("start"))
    lock.touch(mode=0o600)
    outcomes: list[str] = []

    def meddle() -> None:
        if how == "linked":
            elsewhere.hardlink_to(lock)
        if how == "moved":
            lock.rename(elsewhere)
        else:
            lock.unlink()
        if how == "replaced":
            lock.touch(mode=0o600)
        try:
            writer(deadline_s=0.05).append(note("newcomer"))
            outcomes.append("newcomer")
        except JournalBusy:
            pass

    def writer(**given: Any) -> JournalWriter:
        joined = join(folder, **given)
        return joined if ours else locked_by(joined, lock_beside(folder, monkeypatch))

    writer(port=Meddling(meddle)).append(note("holder"))
    outcomes.append("holder")
    if ours:
        assert outcomes == ["holder"]
        writer().append(note("later"))
        assert texts(list(read(file(folder)))) == ["start", "holder", "later"]
    else:
        assert outcomes == ["newcomer", "holder"]
        assert verify(file(folder)).findings


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("how", ["removed", "moved", "linked", "copied", "replaced"])
def test_a_journal_that_is_taken_away_during_an_append_is_never_that_of_two(
    tmp_path: Path, how: str, quick: bool
) -> None:
    """Each writer has the lock of the file that it writes to, whatever it is called."""
    folder, away = tmp_path / "s", tmp_path / "away"
    create(folder).append(note("start"))
    path, ours = file(folder), file(folder).open("rb")
    refused: list[str] = []
    armed = not quick

    def meddle() -> None:
        if not armed:
            return
        if how == "linked":
            away.hardlink_to(path)
        elif how in ("moved", "copied"):
            path.rename(away)
        else:
            path.unlink()
        if how in ("copied", "replaced"):
            path.write_bytes(os.pread(ours.fileno(), 1 << 20, 0))
        try:
            join(folder, deadline_s=0.05).append(note("newcomer"))
        except JournalError as error:
            refused.append(type(error).__name__)

    holder = join(folder, port=Meddling(meddle))
    if quick:
        holder.append(note("before"))
        armed = True
    holder.append(note("holder"))
    armed = False
    before = ["start", "before"] if quick else ["start"]
    with ours:
        held = parse(os.pread(ours.fileno(), 1 << 20, 0))
    assert texts(held) == [*before, "holder"]
    assert [record.seq for record in held] == list(range(1, len(held) + 1))
    if how in ("copied", "replaced"):
        assert refused == []
        assert texts(list(read(path))) == [*before, "newcomer"]
        assert verify(path).findings == ()
    else:
        wrong = "UnsafeJournal" if how == "linked" else "JournalUnwritable"
        assert refused == [wrong]
        assert path.exists() is (how == "linked")


def check(account: Account, *, green: bool) -> None:
    """Check that nothing is wrong, or that events are lost, doubled or misnumbered."""
    wrong = ("acknowledged lost", "duplicates", "seq errors")
    found = {name: account.figures[name] for name in wrong}
    if green:
        assert account.violations == []
        assert found == dict.fromkeys(wrong, 0)
    else:
        assert any(found.values()), account
