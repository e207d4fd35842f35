"""Each lock, step by step: how long it waits, what it closes, what it leaves."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty import Faults, FaultyLock, FaultyOs, Strike

from kedro_journal.errors import JournalBusy, JournalUnwritable
from kedro_journal.journal import OwnerLock, choose_backend, is_held
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.lock import AppendLock, FcntlBackend, FilelockBackend
from kedro_journal.journal.port import REAL_OS

BACKENDS = [FcntlBackend, FilelockBackend]


class Scripted:
    """A backend that does as it is told, then locks.

    Args:
        answers: What the first calls of `try_lock` come to.
    """

    def __init__(self, *answers: bool | BaseException) -> None:
        self.answers = list(answers)
        self.asked: list[int] = []
        self.unlocked: list[int] = []
        self.held: set[int] = set()

    def try_lock(self, fd: int) -> bool:
        self.asked.append(fd)
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, BaseException):
            raise answer
        if answer:
            self.held.add(fd)
        return answer

    def unlock(self, fd: int) -> None:
        self.unlocked.append(fd)
        self.held.discard(fd)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Wait for nothing, and tell how long it would have been."""
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("has_fcntl", [True, False])
def test_auto_takes_fcntl_where_python_has_it(
    monkeypatch: pytest.MonkeyPatch, has_fcntl: bool
) -> None:
    """Importing filelock is slow, and breaks forks on CPython 3.12 and later."""
    choose_backend("filelock")  # while there is fcntl, which it imports
    if has_fcntl:
        monkeypatch.delitem(sys.modules, "filelock")
        assert type(choose_backend("auto")) is FcntlBackend
        assert "filelock" not in sys.modules
        assert type(choose_backend("filelock")) is FilelockBackend
    else:
        monkeypatch.setitem(sys.modules, "fcntl", None)
        assert type(choose_backend("auto")) is FilelockBackend
        with pytest.raises(ImportError):
            choose_backend("fcntl")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_lock_that_the_system_does_not_have_is_no_busy_one(backend: type) -> None:
    """Whoever takes the error for a busy lock waits for nobody."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    os.close(write_end)
    with pytest.raises(OSError, match="Bad file descriptor"):
        backend().try_lock(read_end)


def test_the_turn_is_waited_for_in_pauses_that_grow_to_a_millisecond(
    tmp_path: Path, pauses: list[float]
) -> None:
    backend = Scripted(*[False] * 9)
    AppendLock(tmp_path / "journal.jsonl", backend=backend).acquire(5)
    assert pauses == [
        *(pytest.approx(50e-6 * 2**number) for number in range(5)),
        *[1e-3] * 4,
    ]
    assert set(backend.asked) == {5}


def test_half_a_minute_is_waited_for_the_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default; and no error comes before that."""
    now = 1000.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr("kedro_journal.journal.lock.monotonic_s", lambda: now)
    lock = AppendLock(tmp_path / "journal.jsonl", backend=Scripted(*[False] * 40_000))
    with pytest.raises(JournalBusy) as caught:
        lock.acquire(5)
    assert caught.value.path == tmp_path / "journal.jsonl"
    assert caught.value.waited_s == pytest.approx(30, abs=0.01)
    with pytest.raises(JournalBusy) as caught:
        lock.acquire(5)
    assert caught.value.waited_s == pytest.approx(0.05, abs=0.01)


def test_short_patience_is_not_made_longer_by_waiting_in_vain(tmp_path: Path) -> None:
    lock = AppendLock(
        tmp_path / "journal.jsonl", deadline_s=0, backend=Scripted(*[False] * 20)
    )
    for _ in range(2):
        with pytest.raises(JournalBusy) as caught:
            lock.acquire(5)
        assert caught.value.waited_s < 0.04


@pytest.mark.parametrize("ask", ["acquire", "try_acquire"])
def test_a_turn_is_a_lock_of_the_journal_and_of_nothing_else(
    tmp_path: Path, ask: str
) -> None:
    port = FaultyOs(Faults())
    backend = Scripted()
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend, port=port)
    for number in (1, 2):
        getattr(lock, ask)(5)
        assert backend.held == {5}
        assert lock.release()
        assert backend.unlocked == [5] * number
        assert lock.release()  # there is nothing left to let go of
        assert backend.unlocked == [5] * number
    getattr(lock, ask)(5)
    lock.drop()
    assert backend.held == {5}  # for closing to let go of
    assert lock.release()
    assert backend.unlocked == [5] * 2
    assert port.faults.calls == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ask", ["acquire", "try_acquire"])
def test_an_unlock_that_fails_is_told_once(tmp_path: Path, ask: str) -> None:
    """Whoever hears of it closes the journal: there is nothing left to let go of."""
    faults = Faults(Strike(1, errno.EIO, call="unlock"))
    lock = AppendLock(tmp_path / "journal.jsonl", backend=FaultyLock(faults))
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        getattr(lock, ask)(journal.fileno())
        assert not lock.release()
        assert lock.release()
        assert faults.calls == ["try_lock", "unlock"]


def test_who_does_not_wait_is_told_that_somebody_else_has_the_turn(
    tmp_path: Path, pauses: list[float]
) -> None:
    backend = Scripted(False)
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend)
    assert not lock.try_acquire(5)
    assert lock.release()
    assert (backend.unlocked, pauses) == ([], [])
    assert lock.try_acquire(5)
    assert lock.release()
    assert (backend.unlocked, pauses) == ([5], [])


def test_who_waited_in_vain_has_nothing_to_let_go_of(tmp_path: Path) -> None:
    """It is somebody else's."""
    backend = Scripted(False)
    lock = AppendLock(tmp_path / "journal.jsonl", deadline_s=-1, backend=backend)
    with pytest.raises(JournalBusy):
        lock.acquire(5)
    assert lock.release()
    assert backend.unlocked == []


def test_patience_comes_back_with_a_turn_only(tmp_path: Path) -> None:
    """Else whoever never lets the journal go would be waited for at each event."""
    backend = Scripted(*[False] * 10_000)
    lock = AppendLock(tmp_path / "journal.jsonl", deadline_s=0.3, backend=backend)
    waits = []
    for _ in range(3):
        with pytest.raises(JournalBusy) as caught:
            lock.acquire(5)
        waits.append(caught.value.waited_s)
        lock.release()
    backend.answers = []
    lock.acquire(5)
    lock.release()
    backend.answers = [False] * 10_000
    with pytest.raises(JournalBusy) as caught:
        lock.acquire(5)
    waits.append(caught.value.waited_s)
    assert max(waits[1:3]) < 0.3 <= min(waits[0], waits[3])


@pytest.mark.parametrize("answers", [(), (False,)], ids=["at once", "while waiting"])
@pytest.mark.parametrize("ask", ["acquire", "try_acquire"])
def test_a_turn_that_was_interrupted_as_it_began_can_be_ended(
    tmp_path: Path, ask: str, answers: tuple[bool, ...], pauses: list[float]
) -> None:
    """The lock may have been got just before."""
    backend = Scripted(*answers, KeyboardInterrupt())
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend)
    if answers and ask == "try_acquire":
        assert not lock.try_acquire(5)  # it does not wait
    with pytest.raises(KeyboardInterrupt):
        getattr(lock, ask)(5)
    assert lock.release()
    assert backend.unlocked == [5]


# --- where a lock shuts readers out -----------------------------------------------


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the lock on a file of its own, as on Windows."""
    monkeypatch.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", False)


@pytest.mark.usefixtures("beside")
@pytest.mark.parametrize("ask", ["acquire", "try_acquire"])
def test_the_journal_is_not_locked_where_that_would_shut_readers_out(
    tmp_path: Path, ask: str
) -> None:
    backend = Scripted()
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend)
    with (tmp_path / "journal.jsonl").open("ab") as journal:
        for _ in range(2):
            getattr(lock, ask)(journal.fileno())
            assert journal.fileno() not in backend.asked
            assert backend.held == set(backend.asked)
            assert lock.release()
            assert backend.held == set()
    assert {path.name for path in tmp_path.iterdir()} == {
        "journal.jsonl",
        "append.lock",
    }
    lock.drop()


@pytest.mark.usefixtures("beside")
def test_the_lock_file_is_named_by_whoever_waited_for_it(tmp_path: Path) -> None:
    backend = Scripted(*[False] * 20)
    lock = AppendLock(tmp_path / "journal.jsonl", deadline_s=0, backend=backend)
    with pytest.raises(JournalBusy) as caught:
        lock.acquire(5)
    assert caught.value.path == tmp_path / "append.lock"
    lock.drop()


@pytest.mark.usefixtures("beside")
def test_ending_a_turn_that_never_began_does_nothing(tmp_path: Path) -> None:
    backend = Scripted()
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend)
    lock.release()
    lock.drop()
    assert backend.unlocked == []
    lock.acquire(5)
    lock.release()
    assert backend.unlocked == backend.asked
    assert is_open(backend.asked[0])  # for the next turn
    lock.drop()
    assert not is_open(backend.asked[0])


@pytest.mark.usefixtures("beside")
def test_a_descriptor_is_closed_once_and_a_failure_to_close_it_is_the_end_of_it(
    tmp_path: Path,
) -> None:
    port = FaultyOs(Faults(Strike(1, errno.EIO, call="close")))
    backend = Scripted()
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend, port=port)
    lock.acquire(5)
    lock.drop()
    lock.drop()
    assert lock.release()
    assert backend.unlocked == []
    assert port.faults.calls.count("close") == 1
    lock.acquire(5)
    assert port.faults.calls.count("open_append") == 2


# --- descriptors ------------------------------------------------------------------


@pytest.fixture
def no_standard_input() -> Iterator[None]:
    """Take descriptor 0 away, as a daemon does: the next file gets it."""
    saved = os.dup(0)
    os.close(0)
    yield
    os.dup2(saved, 0)
    os.close(saved)


@pytest.mark.usefixtures("no_standard_input")
def test_a_lock_file_is_on_no_standard_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal.jsonl"
    lock, other = (AppendLock(path, deadline_s=0) for _ in "ab")
    with path.open("ab") as journal, path.open("ab") as again:
        assert journal.fileno() == 0
        for ask in (lock.acquire, lock.try_acquire):
            ask(0)
            with pytest.raises(JournalBusy):
                other.acquire(again.fileno())
            lock.release()
            other.acquire(again.fileno())
            other.release()
        lock.drop()
        assert is_open(0)
    monkeypatch.setattr("kedro_journal.journal.lock._LOCKS_ARE_ADVICE", False)
    lock, other = (AppendLock(path, deadline_s=0) for _ in "ab")
    lock.acquire(5)
    assert not is_open(0)  # what native code prints would land in it
    with pytest.raises(JournalBusy):
        other.acquire(5)
    lock.release()
    other.acquire(5)
    other.release()
    lock.acquire(5)
    lock.release()
    lock.drop()
    assert not is_open(0)
    other.drop()
    owner = OwnerLock(tmp_path / OWNER_LOCK_NAME, backend := Scripted())
    owner.acquire()
    owner.release()
    assert backend.unlocked == backend.asked != [0]
    assert not is_open(0)


def test_an_owner_lock_in_a_folder_that_is_not_there_names_it(tmp_path: Path) -> None:
    path = tmp_path / "missing" / OWNER_LOCK_NAME
    with pytest.raises(
        JournalUnwritable, match="written: No such file or directory"
    ) as caught:
        OwnerLock(path).acquire()
    assert (caught.value.path, caught.value.errno) == (path, errno.ENOENT)
    with pytest.raises(JournalUnwritable, match="written: "):
        OwnerLock(tmp_path / ("x" * 300)).acquire()


def test_an_owner_waits_a_second_for_a_probe_to_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, waited = 1000.0, 0.0

    def sleep(seconds: float) -> None:
        nonlocal now, waited
        now, waited = now + seconds, waited + seconds

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr("kedro_journal.journal.lock.monotonic_s", lambda: now)
    lock = OwnerLock(tmp_path / OWNER_LOCK_NAME, Scripted(*[False] * 300))
    lock.acquire()
    assert waited == pytest.approx(0.6)
    lock.release()
    backend = Scripted(*[False] * 3000)
    with pytest.raises(
        JournalUnwritable, match="written: another process owns this session"
    ) as caught:
        OwnerLock(tmp_path / OWNER_LOCK_NAME, backend).acquire()
    assert caught.value.path == tmp_path / OWNER_LOCK_NAME
    assert caught.value.errno is None
    assert waited == pytest.approx(1.6, abs=0.01)
    assert not is_open(backend.asked[0])


def test_an_owner_lock_that_cannot_be_opened_says_what_the_system_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError("not today")

    monkeypatch.setattr(REAL_OS, "open_append", refuse)
    with pytest.raises(JournalUnwritable, match="written: not today"):
        OwnerLock(tmp_path / OWNER_LOCK_NAME).acquire()


def test_an_owner_lock_that_the_file_system_does_not_have_is_our_error(
    tmp_path: Path,
) -> None:
    backend = Scripted(OSError(errno.ENOLCK, "No locks available"))
    with pytest.raises(
        JournalUnwritable, match="no lock could be taken: No locks available"
    ) as caught:
        OwnerLock(tmp_path / OWNER_LOCK_NAME, backend).acquire()
    assert caught.value.path == tmp_path / OWNER_LOCK_NAME
    assert caught.value.errno == errno.ENOLCK
    assert not is_open(backend.asked[0])


def test_an_interrupted_owner_holds_nothing(tmp_path: Path) -> None:
    backend = Scripted(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        OwnerLock(tmp_path / OWNER_LOCK_NAME, backend).acquire()
    assert not is_open(backend.asked[0])


def test_an_owner_that_lets_go_unlocks_and_closes_once(tmp_path: Path) -> None:
    backend = Scripted()
    lock = OwnerLock(tmp_path / OWNER_LOCK_NAME, backend)
    lock.release()
    assert backend.unlocked == []
    lock.acquire()
    lock.release()
    assert backend.unlocked == backend.asked
    # The number may be somebody's new file now.
    first = os.open(tmp_path / OWNER_LOCK_NAME, os.O_RDONLY)
    other = os.dup2(first, backend.asked[0])
    lock.release()
    lock.drop()
    OwnerLock.drop_in_child()
    assert backend.unlocked == backend.asked
    assert [is_open(fd) for fd in (0, 1, 2, other)] == [True] * 4
    os.close(other)
    os.close(first)


def test_an_owner_lets_go_also_if_unlocking_fails(tmp_path: Path) -> None:
    class NoUnlock(FcntlBackend):
        def unlock(self, fd: int) -> None:
            raise OSError(errno.EIO, "no")

    first = OwnerLock(tmp_path / OWNER_LOCK_NAME, NoUnlock())
    first.acquire()
    first.release()
    second = OwnerLock(tmp_path / OWNER_LOCK_NAME)
    second.acquire(timeout_s=0)
    second.release()


def test_a_descriptor_that_somebody_else_closed_is_no_failure(tmp_path: Path) -> None:
    lock = OwnerLock(tmp_path / OWNER_LOCK_NAME, backend := Scripted())
    lock.acquire()
    os.close(backend.asked[0])
    lock.drop()


def test_in_a_forked_child_every_owner_lock_is_closed_and_none_unlocked(
    tmp_path: Path,
) -> None:
    """Called here as after a fork: the parent's lock must survive its children."""
    backend = Scripted()
    locks = [OwnerLock(tmp_path / f"{number}.lock", backend) for number in range(3)]
    for lock in locks:
        lock.acquire()
    OwnerLock.drop_in_child()
    assert [is_open(fd) for fd in backend.asked] == [False] * 3
    assert backend.unlocked == []


# --- looking at a lock ------------------------------------------------------------


@pytest.mark.parametrize("has_fcntl", [True, False])
def test_a_look_tells_whether_a_lock_is_held_and_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_fcntl: bool
) -> None:
    """Also where there is no flock, as on Windows."""
    path = tmp_path / OWNER_LOCK_NAME
    choose_backend("filelock")  # it is imported while there is flock
    if not has_fcntl:
        monkeypatch.setitem(sys.modules, "fcntl", None)
    port = FaultyOs(Faults())
    assert is_held(path, port) is None
    path.touch()
    assert is_held(path, port) is False
    lock = OwnerLock(path, FilelockBackend())
    lock.acquire(timeout_s=0)
    assert [is_held(path, port) for _ in range(3)] == [True] * 3
    lock.release()
    assert is_held(path, port) is False
    lock.acquire(timeout_s=0)
    lock.release()
    calls = port.faults.calls
    assert calls.count("close") == calls.count("open_read") - 1 == 5


def test_two_looks_at_once_do_not_take_each_other_for_the_owner(tmp_path: Path) -> None:
    path = tmp_path / OWNER_LOCK_NAME
    path.touch()
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        assert is_held(path) is False


def test_a_file_system_without_locks_tells_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(fd: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / OWNER_LOCK_NAME).touch()
    monkeypatch.setattr(fcntl, "flock", flock)
    assert is_held(tmp_path / OWNER_LOCK_NAME) is None


@pytest.mark.parametrize("number", [errno.EACCES, errno.EAGAIN])
def test_whatever_the_system_calls_a_held_lock_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def flock(fd: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / OWNER_LOCK_NAME).touch()
    monkeypatch.setattr(fcntl, "flock", flock)
    assert is_held(tmp_path / OWNER_LOCK_NAME) is True
    assert FcntlBackend().try_lock(0) is False


def test_a_file_system_without_locks_tells_nothing_without_flock_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: FilelockBackend, fd: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    (tmp_path / OWNER_LOCK_NAME).touch()
    choose_backend("filelock")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(FilelockBackend, "try_lock", fail)
    port = FaultyOs(Faults())
    assert is_held(tmp_path / OWNER_LOCK_NAME, port) is None
    assert port.faults.calls.count("close") == 1


def test_a_look_that_cannot_be_closed_has_its_answer_still(tmp_path: Path) -> None:
    (tmp_path / OWNER_LOCK_NAME).touch()
    port = FaultyOs(Faults(Strike(1, errno.EIO, call="close")))
    assert is_held(tmp_path / OWNER_LOCK_NAME, port) is False


def test_what_cannot_be_opened_tells_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / OWNER_LOCK_NAME)
    assert is_held(tmp_path / OWNER_LOCK_NAME) is None
    assert is_held(tmp_path / "missing" / OWNER_LOCK_NAME) is None


def test_an_interrupt_in_the_unlock_does_not_keep_the_lock(tmp_path: Path) -> None:
    class Interrupted(Scripted):
        def unlock(self, fd: int) -> None:
            super().unlock(fd)
            if len(self.unlocked) == 1:
                self.held.add(fd)  # it came before the system was asked
                raise KeyboardInterrupt

    backend = Interrupted()
    lock = AppendLock(tmp_path / "journal.jsonl", backend=backend)
    lock.acquire(5)
    with pytest.raises(KeyboardInterrupt):
        lock.release()
    assert backend.held == set()
