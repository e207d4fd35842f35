"""What a signal handler of the user's raises reaches the user, wherever it came."""

from __future__ import annotations

import ctypes
import fcntl
import functools
import gc
import inspect
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from journals import create, file, join, note, salvage, texts

from kedro_journal._outside import is_from_outside, suppress
from kedro_journal.capture.fields import error_info
from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import SessionClosed, SessionCreated
from kedro_journal.journal import MemoryJournal
from kedro_journal.journal import port as port_module
from kedro_journal.recording.link import Shield
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor

SOON_S = 0.05


class UsersOSError(OSError):
    pass


class UsersError(Exception):
    pass


class UsersBase(BaseException):
    pass


CLASSES: list[type[BaseException]] = [
    TimeoutError,
    UsersOSError,
    RuntimeError,
    ValueError,
    UsersError,
    UsersBase,
]


# --- handlers ---------------------------------------------------------------------


def raises(error: BaseException, *_: object) -> None:
    raise error


def plain(error: BaseException) -> Any:
    def handler(number: int, frame: object) -> None:
        raise error

    return handler


def forgetful(error: BaseException) -> Any:
    def handler(number: Any, frame: Any) -> None:
        del number, frame
        raise error

    return handler


def disarming(error: BaseException) -> Any:
    """It is no installed handler any more when it raises."""

    def handler(number: int, frame: object) -> None:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        raise error

    return handler


def deep(error: BaseException) -> Any:
    def handler(*given: Any) -> None:
        plain(error)(*given)

    return handler


class Callee:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, number: int, frame: object) -> None:
        raise self.error

    def method(self, number: int, frame: object) -> None:
        raise self.error


def decorated(error: BaseException) -> Any:
    inner = plain(error)

    @functools.wraps(inner)
    def handler(*given: Any, **named: Any) -> None:
        inner(*given, **named)

    return handler


HANDLERS: dict[str, Callable[[BaseException], Any]] = {
    "def": plain,
    "lambda": lambda error: lambda *_: raises(error),
    "partial": lambda error: functools.partial(raises, error),
    "partial of partial": lambda e: functools.partial(functools.partial(raises, e)),
    "callable": Callee,
    "method": lambda error: Callee(error).method,
    "decorated": decorated,
    "that forgets its arguments": forgetful,
    "that disarms itself": disarming,
    "that calls on": deep,
}


@contextmanager
def alarm(handler: Any, after_s: float = SOON_S) -> Iterator[None]:
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the append lock, as another process would."""
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        yield


# --- where it comes ---------------------------------------------------------------


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("event", ["plain", "lifecycle"])
def test_it_ends_the_wait_for_the_lock(
    tmp_path: Path, handler: str, kind: type[BaseException], event: str
) -> None:
    writer = create(tmp_path / "s", deadline_s=60)
    writer.append(note("before"))
    error = kind("the user's")
    late = note("late") if event == "plain" else SessionCreated(session_id="s")
    with (
        locked(writer.path),
        alarm(HANDLERS[handler](error)),
        pytest.raises(kind) as caught,
    ):
        writer.append(late)
    assert caught.value is error
    check_sound(tmp_path / "s", writer, ["before"])


def check_sound(folder: Path, writer: Any, before: list[str]) -> None:
    """Check that nobody waits for the lock, and that appends go on."""
    join(folder, deadline_s=0).append(note("others"))
    writer.append(note("after"))
    found, findings = salvage(folder)
    assert findings == []
    assert texts(found) == [*before, "others", "after"]


def test_a_handler_written_in_c_does_too(tmp_path: Path) -> None:
    writer = create(tmp_path / "s", deadline_s=60)
    writer.append(note("before"))
    with (
        locked(writer.path),
        alarm(signal.default_int_handler),
        pytest.raises(KeyboardInterrupt),
    ):
        writer.append(note("late"))
    check_sound(tmp_path / "s", writer, ["before"])


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("handler", HANDLERS)
def test_it_ends_a_sync_and_is_no_failure_of_the_disk(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    handler: str,
    kind: type[BaseException],
) -> None:
    writer = create(tmp_path / "s", durability="sync")
    writer.append(note("before"))
    error = kind("the user's")
    with monkeypatch.context() as patched:
        patched.setattr(port_module, "_datasync", time.sleep)  # for its number of s
        with alarm(HANDLERS[handler](error)), pytest.raises(kind) as caught:
            writer.append(note("unsynced"))
    assert caught.value is error
    assert writer._file.sync_failure is None
    check_sound(tmp_path / "s", writer, ["before", "unsynced"])


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("handler", HANDLERS)
def test_it_passes_the_shield_from_code_of_the_users_that_we_call(
    handler: str, kind: type[BaseException]
) -> None:
    class Slow(Exception):
        def __str__(self) -> str:
            time.sleep(60)
            return "slow"

    error = kind("the user's")
    with (
        alarm(HANDLERS[handler](error)),
        pytest.raises(kind) as caught,
        Shield(),
    ):
        error_info(Slow(), None)
    assert caught.value is error


@pytest.mark.parametrize("kind", CLASSES[:-1])
def test_what_an_object_of_the_users_raises_is_still_swallowed(
    kind: type[Exception],
) -> None:
    def helper(frame: object) -> None:
        raise kind

    class Raises(Exception):
        def __str__(self) -> str:
            raise kind

    class Looks(Exception):
        def __str__(self) -> str:
            helper(inspect.currentframe())
            return ""

    for each in (Raises(), Looks()):
        with alarm(plain(UsersBase()), 60):
            assert error_info(each, None).type.endswith(type(each).__name__)
        with Shield(strict=False):
            str(each)
        with suppress(kind):
            str(each)


def test_an_error_of_the_system_is_ours(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    writer.path.unlink()
    with alarm(plain(UsersBase()), 60), pytest.raises(JournalUnwritable):
        writer.append(SessionClosed())


def test_an_exception_of_another_thread_passes_as_well(tmp_path: Path) -> None:
    """As libraries do that limit the time of a thread."""
    writer = create(tmp_path / "s", deadline_s=60)
    writer.append(note("before"))
    caught: list[BaseException] = []
    begun = threading.Event()

    def wait() -> None:
        begun.set()
        try:
            writer.append(note("late"))
        except BaseException as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    with locked(writer.path):
        thread.start()
        begun.wait()
        time.sleep(SOON_S)
        raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
        raise_in(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(UsersOSError))
        thread.join(30)
    assert [type(error) for error in caught] == [UsersOSError]
    check_sound(tmp_path / "s", writer, ["before"])


def test_nothing_is_from_outside_that_was_never_raised() -> None:
    assert not is_from_outside(None)
    assert not is_from_outside(OSError("x"))


# --- at any instruction -----------------------------------------------------------

DELAYS_US = range(5, 400, 3)


def until_it_comes(error: BaseException, delay_us: int, call: Any) -> bool:
    """Call again and again; return whether that very exception ended it."""
    try:
        signal.setitimer(signal.ITIMER_REAL, delay_us / 1e6)
        while signal.getitimer(signal.ITIMER_REAL)[0]:
            call()
        call()
    except type(error) as caught:
        return caught is error
    return False


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Nothing of Python's own swallows an exception, as callbacks of its gc do."""
    gc.disable()
    yield
    gc.enable()


def recorder_of(folder: Path, *, memory: bool) -> Recorder:
    from journals import HEADER, opened

    journal = MemoryJournal(HEADER, opened()) if memory else create(folder)
    return Recorder(
        journal,
        session_id="s",
        folder=None if memory else folder,
        redactor=Redactor(),
        session=None,
    )


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("kind", [TimeoutError, UsersError, KeyboardInterrupt])
def test_whenever_it_comes_each_event_is_there_once(
    tmp_path: Path, kind: type[BaseException], memory: bool
) -> None:
    """By a real timer, after each of many delays; whatever it meets, this holds."""
    recorder = recorder_of(tmp_path / "s", memory=memory)
    recorder.record(note("first"))
    error, number = kind("the user's"), 0

    def record_next() -> None:
        nonlocal number
        number += 1
        recorder.record(note(number))

    with alarm(plain(error), 0):
        for delay_us in DELAYS_US:
            assert until_it_comes(error, delay_us, record_next)
    recorder.record(note("last"))
    if memory:
        assert isinstance(recorder._journal, MemoryJournal)
        found = texts(list(recorder._journal.read()))
    else:
        records, findings = salvage(tmp_path / "s")
        assert findings == []
        found = texts(records)
    assert (found[0], found[-1]) == ("first", "last")
    numbers = [int(text) for text in found[1:-1]]
    assert len(numbers) == len(set(numbers))
    assert numbers == sorted(numbers)
    # It may come before an event is looked at: the call was as good as never made.
    assert number - len(numbers) <= len(DELAYS_US)


@pytest.mark.usefixtures("no_collection")
def test_no_lock_is_left_by_any_of_them(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("first"))
    error = UsersError("the user's")
    with alarm(plain(error), 0):
        for delay_us in DELAYS_US:
            assert until_it_comes(error, delay_us, lambda: writer.append(note("x")))
            assert writer._lock._held_fd < 0
            with file(tmp_path / "s").open("rb") as other:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert os.fstat(writer._file.fd).st_ino == writer.path.stat().st_ino
    assert salvage(tmp_path / "s")[1] == []
