"""The probes pass where all is well, and whatever is broken on purpose is found."""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest
from journals import umask

from kedro_journal.config import Config
from kedro_journal.doctor.guarantees import guarantees
from kedro_journal.journal import choose_backend
from kedro_journal.journal.lock import FcntlBackend, FilelockBackend, LockBackend
from kedro_journal.journal.port import Os

from .conftest import Examine, as_root, by_key, try_place

OPERATIONS = (
    "operations.write",
    "operations.reserve",
    "operations.modes",
    "operations.create",
    "operations.append",
    "operations.truncate",
    "operations.rename",
    "operations.sync",
    "operations.clock",
    "operations.journal",
)
LOCKS = (
    "locks.backend",
    "locks.descriptors",
    "locks.processes",
    "locks.backends",
    "locks.look",
    "locks.killed",
    "locks.forked",
)


def holds(checks: dict, key: str, durability: str = "flush") -> str:  # type: ignore[type-arg]
    return {one.key: one.holds for one in guarantees(checks.values(), durability)}[key]


def test_on_an_ordinary_disk_everything_works(examine: Examine) -> None:
    checks = examine()

    for key in (*OPERATIONS, *LOCKS):
        assert checks[key].status in ("ok", "note"), checks[key]
    assert holds(checks, "process_death") == "yes"
    assert holds(checks, "several_processes") == "yes"


def test_what_is_measured_is_told(examine: Examine) -> None:
    checks = examine()

    assert checks["operations.append"].facts["found"] == 1000
    assert checks["operations.append"].facts["turns"] > 1
    assert checks["operations.journal"].facts["acknowledged"] > 90
    assert checks["operations.journal"].facts["lost"] == 0
    assert checks["operations.sync"].facts["fdatasync_ms"] > 0
    assert checks["operations.sync"].facts["fsync_ms"] > 0
    assert checks["operations.sync"].facts["folder_fsync_ms"] > 0
    assert 0 < checks["locks.killed"].facts["freed_ms"] < 2000
    assert checks["locks.processes"].facts["backends"] == {
        "fcntl": "excluded",
        "filelock": "excluded",
    }


# --- a file system that does not do what it says -----------------------------------


class OverwritingOs(Os):
    """Writes where each descriptor stopped, not at the end of the file."""

    _stopped: ClassVar[dict[int, int]] = {}

    def open_append(self, path: Path, *, create: bool = False) -> int:
        flags = os.O_RDWR | (os.O_CREAT if create else 0)
        fd = os.open(path, flags, 0o600)
        self._stopped[fd] = 0
        return fd

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        del end
        at = self._stopped.get(fd, 0)
        written = os.pwrite(fd, data, at)
        self._stopped[fd] = at + written
        return written


class TearingOs(Os):
    """Writes each line in two parts."""

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        half = super().write(fd, data[: len(data) // 2], end)
        time.sleep(0.0001)
        return half + super().write(fd, data[half:], end + half)


class ForgettingOs(Os):
    """Says that it wrote, and did not."""

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        return len(data)


class SharingOs(Os):
    """Makes a folder that is there already."""

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        path.mkdir(mode=0o700, exist_ok=True)


class RacingOs(Os):
    """Looks whether a folder is there and makes it then, in two steps."""

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        if path.exists():
            raise FileExistsError(errno.EEXIST, "File exists")
        time.sleep(0.001)
        path.mkdir(mode=0o700, exist_ok=True)


class UncutOs(Os):
    """Cuts nothing."""

    def truncate(self, fd: int, size: int) -> None:
        pass


class ShortOs(Os):
    """Keeps half of what is written to new files."""

    def write_new(self, path: Path, data: bytes) -> None:
        super().write_new(path, data[: len(data) // 2])


class HollowOs(Os):
    """Keeps no room for what is not written yet."""

    def reserve(self, path: Path, size: int) -> None:
        path.touch()
        os.truncate(path, size)


class OpenOs(Os):
    """Makes everything readable for everybody, as some mounts do."""

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        super().make_folder(path, parents=parents)
        path.chmod(0o755)

    def open_append(self, path: Path, *, create: bool = False) -> int:
        fd = super().open_append(path, create=create)
        os.fchmod(fd, 0o644)
        return fd


class CarelessOs(Os):
    """Leaves modes to the umask."""

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        path.mkdir()


class SquashingOs(Os):
    """Gives what is made to somebody else, as an NFS server does to root."""

    def open_append(self, path: Path, *, create: bool = False) -> int:
        fd = super().open_append(path, create=create)
        os.fchown(fd, 65534, 65534)
        return fd


@pytest.mark.parametrize(
    ("port", "key", "status", "words"),
    [
        (OverwritingOs(), "operations.append", "problem", "did not land one behind"),
        (TearingOs(), "operations.append", "problem", "not all of them are whole"),
        (ForgettingOs(), "operations.append", "problem", "did not land one behind"),
        (SharingOs(), "operations.create", "problem", "made again"),
        (RacingOs(), "operations.create", "problem", "made again"),
        (UncutOs(), "operations.truncate", "problem", "cut to 6 bytes and has 10"),
        (ShortOs(), "operations.write", "problem", "32768 are in it"),
        (OpenOs(), "operations.modes", "warning", "has 0755"),
        pytest.param(
            SquashingOs(),
            "operations.modes",
            "problem",
            "belongs to user 65534",
            marks=as_root,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Os) else None,
)
def test_a_file_system_that_lies_is_found_out(
    examine: Examine, port: Os, key: str, status: str, words: str
) -> None:
    check = examine(only=key, port=port)[key]

    assert (check.status, words in check.text) == (status, True), check
    assert check.advice


def test_room_that_cannot_be_kept_is_worth_a_note(examine: Examine) -> None:
    check = examine(only="operations.write", port=HollowOs())["operations.reserve"]

    assert (check.status, check.facts) == ("note", {"kept_bytes": 0})


def test_where_appends_overwrite_each_other_nothing_is_promised(
    examine: Examine,
) -> None:
    checks = examine(port=OverwritingOs())

    assert holds(checks, "process_death") == "no"
    assert holds(checks, "several_processes") == "no"


def test_modes_are_not_what_the_umask_makes_of_them(examine: Examine) -> None:
    with umask(0o77):
        check = examine(only="operations.modes", port=CarelessOs())["operations.modes"]

    assert (check.status, check.facts["folder"]) == ("warning", "0777")


def test_one_record_that_is_lost_is_found_out(examine: Examine) -> None:
    class LosingOs(Os):
        def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
            if b'"text":"b7"' in bytes(data):
                return len(data)
            return super().write(fd, data, end)

    checks = examine(port=LosingOs())

    assert checks["operations.journal"].status == "problem"
    assert checks["operations.journal"].facts["lost"] == 1
    assert "1 of " in checks["operations.journal"].text
    assert holds(checks, "process_death") == "no"


class FailingOs(Os):
    """One call fails with an error."""

    def __init__(self, call: str, number: int) -> None:
        self.call, self.number = call, number

    def __getattribute__(self, name: str) -> object:
        if name.startswith("_") or name in ("call", "number") or name != self.call:
            return super().__getattribute__(name)

        def fail(*args: object, **options: object) -> object:
            raise OSError(self.number, os.strerror(self.number))

        return fail


@pytest.mark.parametrize(
    ("call", "number", "key", "status"),
    [
        ("sync", errno.EIO, "operations.sync", "problem"),
        ("sync_folder", errno.EIO, "operations.sync", "problem"),
        ("sync", errno.EINVAL, "operations.sync", "warning"),
        ("sync", errno.ENOTSUP, "operations.sync", "warning"),
        ("write_new", errno.ENOSPC, "operations.write", "problem"),
        ("write_new", errno.EDQUOT, "operations.write", "problem"),
        ("write", errno.EDQUOT, "operations.append", "problem"),
        ("truncate", errno.EPERM, "operations.truncate", "problem"),
        ("make_folder", errno.EACCES, "place.writable", "problem"),
        ("make_folder", errno.EDQUOT, "place.writable", "problem"),
    ],
)
def test_an_error_is_told_in_the_words_of_the_system(
    examine: Examine, call: str, number: int, key: str, status: str
) -> None:
    only = "" if key == "place.writable" else key
    check = examine(only=only, port=FailingOs(call, number))[key]

    assert check.status == status
    assert os.strerror(number) in check.text
    assert check.facts["errno"] == number
    assert check.advice


@pytest.mark.parametrize("durability", ["flush", "group", "sync"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EINVAL])
def test_without_a_sync_nothing_is_sure_to_survive_a_power_loss(
    examine: Examine, durability: str, number: int
) -> None:
    checks = examine(only="operations.sync", port=FailingOs("sync", number))

    assert holds(checks, "power_loss", durability) == "no"


def test_where_nothing_can_be_made_nothing_else_is_tried(tmp_path: Path) -> None:
    tried = try_place(tmp_path, port=FailingOs("make_folder", errno.EACCES))

    seconds = {"operations.reserve", "locks.backends"}  # told by another's probe
    assert set(tried.not_probed) == {*OPERATIONS, *LOCKS} - seconds
    assert not {check.key for check in tried.checks} & {*OPERATIONS, *LOCKS}
    checks = by_key(tried.checks)
    assert {one.holds for one in guarantees(checks.values(), "flush")} == {"no"}


class Clock(Os):
    """Goes by so much from look to look."""

    def __init__(self, step_s: float) -> None:
        self.at = datetime(2026, 11, 22, tzinfo=UTC)
        self.step = timedelta(seconds=step_s)

    def now(self) -> datetime:
        self.at += self.step
        return self.at


@pytest.mark.parametrize("step_s", [0, -3600])
def test_a_clock_that_stands_or_goes_back_is_a_warning(
    examine: Examine, step_s: float
) -> None:
    check = examine(only="operations.clock", port=Clock(step_s))["operations.clock"]

    assert check.status == "warning"
    assert check.facts["forward_ms"] == step_s * 1000


def test_a_sync_that_is_slow_or_too_fast_is_worth_a_note(examine: Examine) -> None:
    class SlowOs(Os):
        def sync(self, fd: int) -> None:
            time.sleep(0.06)

    class IdleOs(Os):
        def sync(self, fd: int) -> None:
            pass

    slow, idle = (
        examine(only="operations.sync", port=port)["operations.sync"]
        for port in (SlowOs(), IdleOs())
    )

    assert slow.status == "note"
    assert "slow" in slow.text
    assert slow.facts["fdatasync_ms"] >= 60
    assert idle.status == "note"
    assert "cannot be checked" in idle.text


# --- locks that do not lock ---------------------------------------------------------


class NoLock(FcntlBackend):
    """Gives the lock to everybody."""

    def try_lock(self, fd: int) -> bool:
        return True


class Kept(FcntlBackend):
    """Never gives a lock back."""

    def unlock(self, fd: int) -> None:
        pass


class Haunted(FcntlBackend):
    """Leaves the lock to a child, which lives on."""

    def try_lock(self, fd: int) -> bool:
        if not super().try_lock(fd):
            return False
        kept = os.dup(fd)
        if os.fork() == 0:
            while True:
                signal.pause()
        os.close(kept)
        return True


class Refused(FcntlBackend):
    """Has no locks."""

    def try_lock(self, fd: int) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def every(backend: type[LockBackend]) -> Callable[[str], LockBackend]:
    return lambda name: backend()


def test_a_lock_that_excludes_nobody_is_found_out(examine: Examine) -> None:
    checks = examine(choose=every(NoLock))

    for key in LOCKS[1:]:
        assert checks[key].status == "problem", checks[key]
        assert checks[key].advice
    assert "both got it" in checks["locks.processes"].text
    assert holds(checks, "several_processes") == "no"
    assert holds(checks, "process_death") != "yes"


def test_one_backend_that_excludes_nobody_is_named(examine: Examine) -> None:
    def choose(name: str) -> LockBackend:
        return NoLock() if name == "fcntl" else FilelockBackend()

    checks = examine(only="locks.descriptors", choose=choose)

    assert checks["locks.descriptors"].facts["backends"] == {
        "fcntl": "both got it",
        "filelock": "excluded",
    }
    assert "fcntl" in checks["locks.descriptors"].text
    assert "filelock" not in checks["locks.descriptors"].text


def test_backends_that_do_not_see_each_other_are_found_out(examine: Examine) -> None:
    class Other(FcntlBackend):
        """A lock of another sort, which flock does not see."""

        def try_lock(self, fd: int) -> bool:
            import fcntl

            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return False
            return True

        def unlock(self, fd: int) -> None:
            import fcntl

            fcntl.lockf(fd, fcntl.LOCK_UN)

    def choose(name: str) -> LockBackend:
        return Other() if name == "fcntl" else FilelockBackend()

    checks = examine(only="locks.processes", choose=choose)

    assert checks["locks.processes"].status == "ok"
    assert checks["locks.backends"].status == "problem"
    assert holds(checks, "several_processes") == "no"


def test_a_lock_that_is_not_given_back_is_found_out(examine: Examine) -> None:
    checks = examine(only="locks.descriptors locks.processes", choose=every(Kept))

    assert "not given back" in checks["locks.descriptors"].text
    assert "not given back" in checks["locks.processes"].text


def test_a_lock_that_outlives_its_holder_is_found_out(examine: Examine) -> None:
    checks = examine(only="locks.killed locks.forked", choose=every(Haunted))

    for key in ("locks.killed", "locks.forked"):
        assert checks[key].status == "problem"
        assert checks[key].facts == {"held": True, "freed": False}


def test_a_file_system_without_locks_is_a_problem(examine: Examine) -> None:
    checks = examine(choose=every(Refused))

    for key in LOCKS[1:]:
        assert checks[key].status == "problem"
        assert os.strerror(errno.ENOLCK) in checks[key].text, checks[key]


@pytest.mark.parametrize("in_force", [True, False])
def test_a_backend_that_does_not_import_is_told(
    examine: Examine, in_force: bool
) -> None:
    def choose(name: str) -> LockBackend:
        if name == "filelock":
            raise ModuleNotFoundError("No module named 'filelock'")
        return FcntlBackend()

    config = Config(lock_backend="filelock" if in_force else "fcntl")
    check = examine(config, "locks.backend", choose=choose)["locks.backend"]

    assert check.status == ("problem" if in_force else "warning")
    assert "No module named 'filelock'" in check.text


@pytest.mark.parametrize("name", ["fcntl", "filelock"])
def test_the_backend_in_force_is_the_one_that_is_set(
    examine: Examine, name: str
) -> None:
    config = Config(lock_backend=name)  # type: ignore[arg-type]
    check = examine(config, "locks.backend")["locks.backend"]

    assert check.facts["in_force"] == name
    assert "lock_backend" in check.text


def test_the_backend_of_auto_is_the_one_that_the_journal_takes(
    examine: Examine,
) -> None:
    check = examine(only="locks.backend")["locks.backend"]

    taken = type(choose_backend()).__name__
    assert f"{check.facts['in_force']}backend" == taken.lower()


# --- what hangs, and what dies ------------------------------------------------------


class HangingOs(Os):
    """A sync that never comes back."""

    def sync(self, fd: int) -> None:
        while True:
            signal.pause()


def test_what_hangs_is_given_up_and_said(tmp_path: Path) -> None:
    began = time.monotonic()
    tried = try_place(tmp_path, port=HangingOs(), probe_limit_s=1.0)
    took_s = time.monotonic() - began

    checks = by_key(tried.checks)
    check = checks["operations.sync.hangs"]
    assert check.status == "problem"
    assert "hangs" in check.text
    assert check.facts == {"limit_s": 1.0}
    assert took_s < 10
    assert list(tmp_path.iterdir()) == []
    assert "operations.rename" in checks
    assert tried.not_probed[0] == "operations.clock"
    assert {*LOCKS} - {"locks.backends"} <= {*tried.not_probed}
    assert holds(checks, "process_death") == "unknown"
    assert holds(checks, "power_loss") == "unknown"
    assert holds(checks, "several_processes") == "unknown"


def test_a_lock_that_hangs_keeps_what_was_found_before(examine: Examine) -> None:
    class Hanging(FcntlBackend):
        def try_lock(self, fd: int) -> bool:
            while True:
                signal.pause()

    checks = examine(
        only="operations.rename locks.backend locks.descriptors",
        choose=every(Hanging),
        probe_limit_s=1.0,
    )

    assert checks["operations.rename"].status == "ok"
    assert checks["locks.backend"].status == "ok"
    assert checks["locks.descriptors.hangs"].status == "problem"


def test_a_place_that_hangs_is_given_up_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mountinfo")  # who reads it waits for a writer
    proc = tmp_path / "proc"
    (proc / "self").mkdir(parents=True)
    (proc / "self/mountinfo").symlink_to(tmp_path / "mountinfo")
    place = tmp_path / "sessions"
    place.mkdir()

    tried = try_place(place, proc=proc, probe_limit_s=0.5)

    checks = by_key(tried.checks)
    assert checks["place.directory.hangs"].status == "problem"
    assert "after place.safe" in checks["place.directory.hangs"].text
    assert tried.probed is None
    assert list(place.iterdir()) == []
    assert {one.holds for one in guarantees(tried.checks, "flush")} == {"unknown"}


def test_a_probe_that_is_killed_is_a_problem_and_the_others_go_on(
    examine: Examine,
) -> None:
    class DeadlyOs(Os):
        def sync(self, fd: int) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    checks = examine(only="operations.sync locks.processes", port=DeadlyOs())

    assert checks["operations.sync"].status == "problem"
    assert "killed" in checks["operations.sync"].text
    assert checks["locks.processes"].status == "ok"


def test_no_process_is_left_behind(examine: Examine) -> None:
    reading, writing = os.pipe()  # whatever is forked has the other end open too

    examine(only="locks.killed locks.forked", choose=every(Haunted))

    os.close(writing)
    assert select.select([reading], [], [], 5)[0], "somebody has it open"
    assert os.read(reading, 1) == b""
    os.close(reading)
