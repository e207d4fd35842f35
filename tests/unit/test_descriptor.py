"""A number is ours only while it names the file that was opened."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from journals import create, file, join, note, salvage, texts

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import SessionClosed, SessionCreated
from kedro_journal.journal import JournalWriter, OwnerLock, follow_file, read, verify
from kedro_journal.journal.descriptor import Held, Lost
from kedro_journal.journal.lock import is_held
from kedro_journal.journal.port import REAL_OS, Os, raised
from kedro_journal.journal.watch import KernelWatch
from kedro_journal.recording.losses import Losses, report

linux = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


class Taken:
    """Something of the user's that has our descriptor's number.

    Args:
        fd: The number.
        what: What it is.
        journal: The path of our file.
        folder: Where files may be made.
    """

    def __init__(self, fd: int, what: str, journal: Path, folder: Path) -> None:
        self.fd, self.what = fd, what
        self.path = folder / "mine"
        getattr(self, what.replace(" ", "_"))(journal)
        if what != "nothing":
            self.before = self.state()

    def nothing(self, journal: Path) -> None:
        os.close(self.fd)

    def file(self, journal: Path) -> None:
        self.path.write_bytes(b"mine" * 100)
        self._take(os.open(self.path, os.O_RDWR))
        os.lseek(self.fd, 7, os.SEEK_SET)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def appended_file(self, journal: Path) -> None:
        self.path.write_bytes(b"mine")
        self._take(os.open(self.path, os.O_RDWR | os.O_APPEND))

    def file_like_the_journal(self, journal: Path) -> None:
        """As long, with the same bytes, and the file offset at its end."""
        shutil.copy(journal, self.path)
        self._take(os.open(self.path, os.O_RDWR | os.O_APPEND))
        os.lseek(self.fd, 0, os.SEEK_END)

    def journal_itself(self, journal: Path) -> None:
        """The same inode, opened by the user, who reads it."""
        self._take(os.open(journal, os.O_RDONLY))
        os.lseek(self.fd, 5, os.SEEK_SET)

    def folder(self, journal: Path) -> None:
        self.path.mkdir()
        self._take(os.open(self.path, os.O_RDONLY))

    def pipe(self, journal: Path) -> None:
        _, write = os.pipe()
        self._take(write)

    def read_end(self, journal: Path) -> None:
        read_fd, write = os.pipe()
        os.write(write, b"mine")
        self._take(read_fd)

    def socket(self, journal: Path) -> None:
        self._peer, mine = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._peer.send(b"mine")
        self._take(mine.detach())

    def _take(self, fd: int) -> None:
        if fd != self.fd:
            os.dup2(fd, self.fd)
            os.close(fd)

    def state(self) -> tuple[object, ...]:
        """Everything of it that the journal could have changed."""
        found = os.fstat(self.fd)
        try:
            offset = os.lseek(self.fd, 0, os.SEEK_CUR)
        except OSError:
            offset = -1
        content = self.path.read_bytes() if self.path.is_file() else b""
        return found.st_dev, found.st_ino, offset, content

    def check(self) -> None:
        """Check that it is as it was, and give it up."""
        if self.what == "nothing":
            return  # the journal itself may have the number again
        assert self.state() == self.before
        if self.what == "file":
            again = os.open(self.path, os.O_RDWR)
            with pytest.raises(BlockingIOError):  # the user's lock is still held
                fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.close(again)
        if self.what == "read end":
            assert os.read(self.fd, 100) == b"mine"
        if self.what == "socket":
            mine = socket.socket(fileno=os.dup(self.fd))
            assert mine.recv(100) == b"mine"
            mine.setblocking(False)
            with pytest.raises(BlockingIOError):
                mine.recv(1)
            mine.close()
            self._peer.close()
        os.close(self.fd)


WHAT = [
    "nothing",
    "file",
    "appended file",
    "file like the journal",
    "journal itself",
    "folder",
    "pipe",
    "read end",
    "socket",
]
Taker = Callable[[int, Path], Taken]


@pytest.fixture
def take(tmp_path: Path) -> Callable[..., Taken]:
    (tmp_path / "users").mkdir()
    return lambda fd, what, journal: Taken(fd, what, journal, tmp_path / "users")


def lost(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "descriptor" in r.getMessage()]


# --- the journal ------------------------------------------------------------------


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("durability", ["flush", "group", "sync"])
@pytest.mark.parametrize("next_event", ["plain", "lifecycle", "sync", "close"])
def test_what_took_the_number_is_left_alone_and_the_journal_goes_on(
    tmp_path: Path,
    take: Callable[..., Taken],
    caplog: pytest.LogCaptureFixture,
    what: str,
    durability: str,
    next_event: str,
) -> None:
    writer = create(tmp_path / "s", durability=durability)
    writer.append(note("a"))
    writer.append(note("b"))
    taken = take(writer._file.fd, what, writer.path)

    if next_event == "lifecycle":
        writer.append(SessionCreated(session_id="s"))
    elif next_event == "sync":
        writer.sync()
    elif next_event == "close":
        writer.close()
    writer.append(note("c"))
    writer.append(note("d"))
    writer.append(SessionClosed())
    writer.close()

    taken.check()
    found, findings = salvage(tmp_path / "s")
    assert findings == []
    assert texts(found) == ["a", "b", "c", "d"]
    assert len(lost(caplog)) == (0 if next_event == "close" else 1)
    assert not (tmp_path / "s" / "torn").exists()


@pytest.mark.parametrize("what", WHAT)
def test_a_number_that_is_lost_twice_is_told_once(
    tmp_path: Path,
    take: Callable[..., Taken],
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    for text in ("b", "c"):
        taken = take(writer._file.fd, what, writer.path)
        writer.append(note(text))
        taken.check()
        shutil.rmtree(tmp_path / "users")
        (tmp_path / "users").mkdir()
    assert texts(list(read(writer.path))) == ["a", "b", "c"]
    assert len(lost(caplog)) == 1


@pytest.mark.parametrize("what", ["nothing", "file"])
def test_another_file_at_the_path_is_not_taken_for_the_journal(
    tmp_path: Path, take: Callable[..., Taken], what: str
) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    taken = take(writer._file.fd, what, writer.path)
    other = tmp_path / "other"
    shutil.copy(writer.path, other)
    other.replace(writer.path)
    before = writer.path.read_bytes()
    for _ in range(2):
        with pytest.raises(JournalUnwritable, match="closed by other code"):
            writer.append(note("b"))
    with pytest.raises(JournalUnwritable):
        writer.sync()
    writer.close()
    assert writer.path.read_bytes() == before
    taken.check()


@pytest.mark.parametrize("what", ["nothing", "file"])
def test_what_was_cut_short_is_not_taken_back_from_a_file_of_others(
    tmp_path: Path, take: Callable[..., Taken], what: str
) -> None:
    """The number is lost in the middle of a write."""
    found: list[Taken] = []

    class Losing(Os):
        armed = False

        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            if self.armed:
                self.armed = False
                written = super().write(fd, data[:20], end)
                found.append(take(fd, what, file(tmp_path / "s")))
                return written
            if found and what == "file" and fd == found[0].fd:
                raise OSError(5, "Input/output error")
            return super().write(fd, data, end)

    port = Losing()
    writer = create(tmp_path / "s", port=port)
    writer.append(note("a"))
    port.armed = True
    with pytest.raises(JournalUnwritable):
        writer.append(note("b"))
    writer.append(note("c"))
    found[0].check()
    records, findings = salvage(tmp_path / "s")
    assert texts(records) == ["a", "c"]
    assert findings == []


def test_a_file_offset_that_somebody_moved_is_no_loss(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    fd = writer._file.fd
    os.lseek(fd, 100, os.SEEK_CUR)
    writer.append(note("b"))
    writer.append(note("c"))
    assert writer._file.fd == fd
    assert lost(caplog) == []
    assert texts(list(read(writer.path))) == ["a", "b", "c"]


def test_a_child_that_closes_everything_takes_nothing_from_its_parent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    owner = OwnerLock(tmp_path / "owner.lock")
    owner.acquire()
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    if not (pid := os.fork()):
        code = 1
        try:
            os.closerange(3, 4096)
            writer.append(note("child"))
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    writer.append(note("b"))
    assert is_held(tmp_path / "owner.lock")
    assert texts(list(read(writer.path))) == ["a", "child", "b"]
    assert lost(caplog) == []
    owner.release()


# --- the owner's lock -------------------------------------------------------------


@pytest.mark.parametrize("what", [w for w in WHAT if "journal" not in w])
def test_a_lock_that_was_lost_is_taken_again_and_no_others_is_freed(
    tmp_path: Path,
    take: Callable[..., Taken],
    caplog: pytest.LogCaptureFixture,
    what: str,
) -> None:
    path = tmp_path / "owner.lock"
    owner = OwnerLock(path)
    owner.acquire()
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    assert owner._file is not None
    taken = take(owner._file.fd, what, path)
    assert is_held(path) is False
    writer.append(SessionCreated(session_id="s"))
    assert is_held(path) is True
    # Locks that other tests left in this process may have been lost as well.
    (said,) = [text for text in lost(caplog) if str(tmp_path) in text]
    assert "It is locked again." in said
    owner.release()
    assert is_held(path) is False
    taken.check()


@pytest.mark.parametrize("after", range(12))
def test_an_interrupted_look_at_the_locks_does_not_end_all_later_ones(
    tmp_path: Path, after: int
) -> None:
    """A handler of a signal may raise after any line, and after the call of a lock."""
    owner = OwnerLock(tmp_path / "owner.lock")
    owner.acquire()
    assert owner._file is not None
    steps = 0

    def interrupt(frame: FrameType, event: str, _: object) -> Any:
        nonlocal steps
        if frame.f_code.co_name not in {"keep_all", "keep"}:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            steps += 1
            if steps == after:
                raise KeyboardInterrupt
        return interrupt

    earlier = sys.gettrace()
    sys.settrace(interrupt)
    try:
        with contextlib.suppress(KeyboardInterrupt):
            OwnerLock.keep_all()
    finally:
        sys.settrace(earlier)
    os.close(owner._file.fd)
    lost = in_another_thread(OwnerLock.keep_all)
    assert [str(tmp_path) in str(one.path) for one in lost].count(True) == 1
    assert is_held(tmp_path / "owner.lock") is True
    owner.release()


def in_another_thread(call: Callable[[], list[Lost]]) -> list[Lost]:
    """Return what the call returns there, within 10 s."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(call).result(10)


@pytest.mark.parametrize("call", ["release", "drop", "keep"])
@pytest.mark.parametrize("what", [w for w in WHAT if "journal" not in w])
def test_the_end_of_a_lock_leaves_the_number_alone(
    tmp_path: Path, take: Callable[..., Taken], what: str, call: str
) -> None:
    owner = OwnerLock(tmp_path / "owner.lock")
    owner.acquire()
    assert owner._file is not None
    taken = take(owner._file.fd, what, tmp_path / "owner.lock")
    getattr(owner, call)()
    owner.release()
    taken.check()


def test_a_lock_that_another_process_got_meanwhile_is_left_to_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "owner.lock"
    owner, other = OwnerLock(path), OwnerLock(path)
    owner.acquire()
    assert owner._file is not None
    os.close(owner._file.fd)
    other.acquire()
    assert "Another process has locked it" in str(owner.keep())
    assert owner.keep() is None
    other.release()
    assert is_held(path) is False
    owner.keep()
    assert is_held(path) is True
    owner.release()


def test_a_lock_file_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "owner.lock"
    owner = OwnerLock(path)
    owner.acquire()
    assert owner._file is not None
    os.close(owner._file.fd)
    path.unlink()
    assert "cannot be locked again" in str(owner.keep())
    owner.release()
    assert not path.exists()


# --- readers, watches, sockets ----------------------------------------------------


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("way", ["read", "follow"])
def test_a_reader_whose_number_was_taken_reads_on(
    tmp_path: Path, take: Callable[..., Taken], what: str, way: str
) -> None:
    writer = create(tmp_path / "s")
    for number in range(300):
        writer.append(note(number, 500))
    writer.append(SessionClosed())
    writer.close()
    opened: list[int] = []

    class Noting(Os):
        def open_read(self, path: Path) -> int:
            opened.append(super().open_read(path))
            return opened[-1]

    reading: Any = read if way == "read" else follow_file
    found = reading(writer.path, port=Noting())
    first = next(found)
    taken = take(opened[0], what, writer.path)
    everything = [first, *found]
    assert [record.seq for record in everything] == list(range(1, len(everything) + 1))
    assert len(everything) == 303
    taken.check()


@linux
@pytest.mark.parametrize("what", [w for w in WHAT if "journal" not in w])
def test_a_watch_whose_number_was_taken_goes_by_the_clock(
    tmp_path: Path, take: Callable[..., Taken], what: str
) -> None:
    (tmp_path / "watched").touch()
    watch = KernelWatch(tmp_path / "watched", 0.05)
    taken = take(watch._fd, what, tmp_path / "watched")
    watch.wait()
    watch.changed()
    watch.close()
    taken.check()


@linux
def test_a_watch_of_the_users_with_our_number_keeps_its_events(tmp_path: Path) -> None:
    for name in ("ours", "users"):
        (tmp_path / name).touch()
    ours = KernelWatch(tmp_path / "ours", 0.05)
    users = KernelWatch(tmp_path / "users", 0.05)
    os.dup2(users._fd, ours._fd)
    (tmp_path / "users").write_bytes(b"x")
    ours.wait()
    ours.close()
    assert len(os.read(users._fd, 4096)) > 0
    os.close(ours._fd)
    users.close()


@linux
@pytest.mark.parametrize("what", [w for w in WHAT if "journal" not in w])
def test_a_socket_of_others_is_neither_read_nor_closed(
    tmp_path: Path, take: Callable[..., Taken], what: str
) -> None:
    losses = Losses()
    taken = take(losses._fd, what, tmp_path / "none")
    report(losses.name, 3, "why")
    assert losses.take() is None
    losses.close()
    del losses
    taken.check()


# --- numbers ----------------------------------------------------------------------


def test_what_stays_open_has_a_high_number(tmp_path: Path) -> None:
    owner = OwnerLock(tmp_path / "owner.lock")
    owner.acquire()
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    assert owner._file is not None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    least = 512 if soft > 600 else 3
    assert min(writer._file.fd, owner._file.fd) >= least
    assert not os.get_inheritable(writer._file.fd)
    writer.close()
    owner.release()


LIMITED = """
import os, resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]),) * 2)
for fd in map(int, sys.argv[3:]):
    os.close(fd)
from journals import create, note
writer = create(Path(sys.argv[1]))
writer.append(note("a"))
number = writer._file.fd
for fd in (1, 2):
    try:
        os.write(fd, b"[native] output" * 3)
    except OSError:
        pass
writer.append(note("b"))
writer.close()
Path(sys.argv[1], "number").write_text(str(number))
"""


@pytest.mark.parametrize("limit", [20, 64, 256, 1024])
@pytest.mark.parametrize("closed", [(), (0,), (1, 2), (0, 1, 2)])
def test_no_number_is_that_of_a_standard_stream(
    tmp_path: Path, limit: int, closed: tuple[int, ...]
) -> None:
    folder = tmp_path / "s"
    arguments = [str(folder), str(limit), *map(str, closed)]
    support = str(Path(__file__).parents[1] / "support")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *arguments],
        env=os.environ | {"PYTHONPATH": support},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    number = int((folder / "number").read_text())
    assert number > 2
    if limit > 128:
        assert number >= (512 if limit > 512 else 128)
    assert texts(list(read(file(folder)))) == ["a", "b"]
    assert verify(file(folder)).findings == ()


def test_where_no_other_number_is_free_a_standard_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    saved = os.dup(0)
    os.close(0)
    try:
        fd = os.open(os.devnull, os.O_RDONLY)
        assert fd == 0

        def refuse(*_: object) -> int:
            raise OSError(24, "Too many open files")

        with monkeypatch.context() as patched:
            patched.setattr(fcntl, "fcntl", refuse)
            with pytest.raises(OSError, match="Too many open files"):
                raised(fd)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(0)
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_a_descriptor_that_cannot_be_marked_is_closed(tmp_path: Path) -> None:
    class Unmarkable(Os):
        def put_position(self, fd: int, offset: int) -> None:
            raise OSError(22, "Invalid argument")

    port = Unmarkable()
    fd = port.open_append(tmp_path / "file", create=True)
    with pytest.raises(OSError, match="Invalid argument"):
        Held(port, fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_handler_of_the_users_may_do_anything_as_a_loss_is_logged(
    tmp_path: Path,
) -> None:
    """The journal is not locked meanwhile, and what the handler raises is its own."""
    writer = create(tmp_path / "s")
    writer.append(note("a"))

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            join(tmp_path / "s", deadline_s=0).append(note("handler"))
            raise RuntimeError

    handler = Handler()
    logging.getLogger("kedro_journal").addHandler(handler)
    try:
        os.close(writer._file.fd)
        writer.append(note("b"))
    finally:
        logging.getLogger("kedro_journal").removeHandler(handler)
    assert texts(list(read(writer.path))) == ["a", "b", "handler"]


def test_the_port_looks_at_what_it_opened_only(tmp_path: Path) -> None:
    fd = REAL_OS.open_append(tmp_path / "file", create=True)
    held = Held(REAL_OS, fd)
    assert held.is_ours()
    os.write(fd, b"x")  # moves the file offset: it is not ours by its mark
    assert not held.is_ours()
    held.close()
    os.close(fd)
    assert not held.is_ours()


def test_a_writer_that_was_never_opened_lost_nothing(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    writer: JournalWriter = join(tmp_path / "s")
    writer.close()
    assert not writer._file.drop_lost()
