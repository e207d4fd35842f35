"""The truth table of liveness: what a reader says of an owner, whatever befell it."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from owners import Owner, Session
from storms import liveness
from storms.account import Account

from kedro_journal.journal import OwnerLock, is_held, probe
from kedro_journal.journal.liveness import OWNER_LOCK_NAME, boot_id, host_name
from kedro_journal.journal.lock import BackendName
from kedro_journal.replaying import replay_folder

BACKENDS: list[BackendName] = ["fcntl", "filelock"]
Start = Callable[..., Owner]
NAMESPACE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--uts"]
READER = """
import sys
from pathlib import Path
from kedro_journal.replaying import replay_folder
print(replay_folder(Path(sys.argv[1])).liveness)
"""


def look(folder: Path) -> str | None:
    """Ask the way every reader does."""
    return replay_folder(folder).liveness


def until(folder: Path, status: str, limit_s: float = 10.0) -> None:
    started = time.monotonic()
    while look(folder) != status:
        assert time.monotonic() - started < limit_s, look(folder)
        time.sleep(0.0005)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start owners; nothing of them outlives the test."""
    started: list[Owner] = []

    def start(backend: BackendName = "auto", *before: str) -> Owner:
        started.append(Owner(tmp_path / f"s{len(started)}", backend, before))
        return started[-1]

    yield start
    for owner in started:
        owner.discard()


@pytest.fixture
def survivors() -> Iterator[list[int]]:
    """Pids to be killed in the end; each must be alive until then."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


# --- the owner's own life ------------------------------------------------------------


def test_an_owner_that_lives_is_running(start: Start) -> None:
    owner = start()
    assert [look(owner.folder) for _ in range(3)] == ["running"] * 3


def test_an_owner_that_is_busy_is_running(start: Start) -> None:
    owner = start()
    owner.tell("append")
    assert {look(owner.folder) for _ in range(20)} == {"running"}


def test_an_owner_that_was_stopped_stays_running_and_goes_on(start: Start) -> None:
    owner = start()
    owner.send(signal.SIGSTOP)
    assert [look(owner.folder) for _ in range(3)] == ["running"] * 3
    owner.send(signal.SIGCONT)
    assert look(owner.folder) == "running"
    owner.tell("close")
    assert look(owner.folder) == "closed"


def test_an_owner_that_was_killed_is_crashed_before_anybody_reaped_it(
    start: Start,
) -> None:
    owner = start()
    owner.send(signal.SIGKILL)
    until(owner.folder, "crashed")


def test_an_owner_that_was_killed_while_it_was_stopped_is_crashed(start: Start) -> None:
    owner = start()
    owner.send(signal.SIGSTOP)
    owner.send(signal.SIGKILL)
    until(owner.folder, "crashed")


@pytest.mark.parametrize("how", ["end", "end at once"])
def test_an_owner_that_ended_without_closing_is_crashed(start: Start, how: str) -> None:
    owner = start()
    owner.say(how)
    assert owner.wait() == 0
    assert look(owner.folder) == "crashed"


def test_an_owner_that_closed_is_closed_dead_or_alive(start: Start) -> None:
    owner = start()
    owner.tell("close")
    assert look(owner.folder) == "closed"
    owner.send(signal.SIGKILL)
    owner.wait()
    assert look(owner.folder) == "closed"


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_owner_that_became_another_program_is_crashed(
    start: Start, backend: BackendName
) -> None:
    """The process lives on, but what owned the session is gone: it cannot close it."""
    owner = start(backend)
    owner.tell("become another program")
    os.kill(owner.pid, 0)
    assert look(owner.folder) == "crashed"


# --- its children ----------------------------------------------------------------------


def session_files(pid: int | str, folder: Path) -> set[str]:
    """Name the files of a session that a process has open."""
    found: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # a program that starts closes files
            path = descriptor.readlink()
            found |= {path.name} if path.parent == folder else set()
    return found


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("how", ["fork", "spawn", "execute"])
def test_a_child_that_survives_does_not_keep_its_owner_alive(
    start: Start, survivors: list[int], how: str, backend: BackendName
) -> None:
    """It has none of the session's files open, from the moment that it runs."""
    owner = start(backend)
    child = int(owner.tell(how))
    survivors.append(child)
    mine = session_files(owner.pid, owner.folder)
    assert mine == {"owner.lock", "journal.jsonl"}
    assert session_files(child, owner.folder) == set()
    assert look(owner.folder) == "running"
    owner.send(signal.SIGKILL)
    until(owner.folder, "crashed")
    os.kill(child, 0)


def test_a_child_that_c_code_forked_keeps_its_owner_running(
    start: Start, survivors: list[int]
) -> None:
    """The limit of the kernel's lock: nobody told Python, so nothing was closed."""
    owner = start()
    survivors.append(int(owner.tell("fork in C")))
    owner.send(signal.SIGKILL)
    owner.wait()
    assert look(owner.folder) == "running"


def test_the_end_of_a_forked_child_does_not_end_its_owner(tmp_path: Path) -> None:
    # Other tests leave journals of sessions named "s" open in this process.
    folder = tmp_path / "forked-child"
    session = Session(folder)
    pid = os.fork()
    if pid == 0:
        session.owner.release()
        os._exit(0)
    os.waitpid(pid, 0)
    assert look(folder) == "running"
    session.owner.release()
    assert look(folder) == "unknown"  # this process still has its journal open
    session.writer.close()
    assert look(folder) == "crashed"


# --- its lock file -----------------------------------------------------------------------


@pytest.mark.parametrize("how", ["removed", "replaced", "moved"])
def test_a_living_owner_whose_lock_file_was_taken_away_is_not_crashed(
    start: Start, how: str
) -> None:
    """Nobody may take over a session that goes on."""
    owner = start()
    lock = owner.folder / OWNER_LOCK_NAME
    if how == "moved":
        lock.rename(owner.folder / "elsewhere")
    else:
        lock.unlink()
    if how == "replaced":
        lock.touch(mode=0o600)
    assert look(owner.folder) == "unknown"
    owner.send(signal.SIGKILL)
    owner.wait()
    until(owner.folder, "crashed")


def test_no_lock_file_means_that_nobody_holds_it(tmp_path: Path) -> None:
    assert probe(tmp_path, host_name(), boot_id()) == "crashed"
    assert is_held(tmp_path / OWNER_LOCK_NAME) is None


def test_what_is_no_lock_file_tells_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / OWNER_LOCK_NAME)
    assert probe(tmp_path, host_name(), boot_id()) == "unknown"


# --- who looks, and from where -----------------------------------------------------------


def test_an_owner_on_another_host_is_unknown(tmp_path: Path) -> None:
    assert probe(tmp_path, "elsewhere", "another-boot") == "unknown"
    assert probe(tmp_path, "elsewhere", None) == "unknown"


def test_another_boot_of_this_host_is_crashed(tmp_path: Path) -> None:
    (tmp_path / OWNER_LOCK_NAME).touch()
    assert probe(tmp_path, host_name(), "before-the-reboot") == "crashed"


@pytest.fixture
def namespace() -> list[str]:
    """Give the command that runs another in a pid namespace, as a container does."""
    try:
        found = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare(1)")
    if found.returncode:
        pytest.skip(f"no namespaces here: {found.stderr.decode().strip()}")
    return [*NAMESPACE, "sh", "-c", 'hostname container && exec "$@"', "sh"]


def test_an_owner_in_a_container_is_told_from_outside(
    start: Start, namespace: list[str]
) -> None:
    """Another host name and another numbering of pids, but the same kernel."""
    owner = start("auto", *namespace)
    assert replay_folder(owner.folder).writers["w1"].host == "container"
    assert look(owner.folder) == "running"
    owner.send(signal.SIGKILL)
    until(owner.folder, "crashed")


def test_an_owner_outside_is_told_from_a_container(
    start: Start, namespace: list[str]
) -> None:
    owner = start()
    reader = [*namespace, sys.executable, "-c", READER, str(owner.folder)]
    assert subprocess.check_output(reader, text=True).strip() == "running"
    owner.send(signal.SIGKILL)
    owner.wait()
    assert subprocess.check_output(reader, text=True).strip() == "crashed"


@pytest.mark.parametrize("closed_to_it", ["the lock file", "the folder"])
def test_a_reader_without_permission_cannot_tell(closed_to_it: str) -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's folders are closed to others
    lock = OwnerLock(folder / OWNER_LOCK_NAME)
    lock.acquire()
    try:
        folder.chmod(0o755)
        closed = folder if closed_to_it == "the folder" else folder / OWNER_LOCK_NAME
        closed.chmod(0)
        said = as_somebody_else(lambda: probe(folder, host_name(), boot_id()))
        assert said == "unknown"
    finally:
        lock.release()
        folder.chmod(0o700)
        shutil.rmtree(folder)


def as_somebody_else(ask: Callable[[], str]) -> str:
    """Ask in a process without root's rights."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setuid(65534)
            os.write(writing, ask().encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        found = answer.read()
    os.waitpid(pid, 0)
    return found


def test_a_session_that_is_closed_between_two_looks_is_closed(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal was read, then the owner closed it, then its lock was free."""
    owner = start()
    answers: list[str] = []

    def late_probe(*given: Any) -> str:
        owner.tell("close")
        answers.append(probe(*given))
        return answers[-1]

    module = importlib.import_module("kedro_journal.replaying.folder")
    monkeypatch.setattr(module, "probe", late_probe)
    assert look(owner.folder) == "closed"
    assert answers == ["crashed"]


def test_probes_at_the_same_time_do_not_take_each_other_for_the_owner(
    tmp_path: Path,
) -> None:
    (tmp_path / OWNER_LOCK_NAME).touch()
    answers: set[str] = set()

    def ask() -> None:
        for _ in range(500):
            answers.add(probe(tmp_path, host_name(), boot_id()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"crashed"}


# --- many of them --------------------------------------------------------------------


@pytest.mark.storm
def test_what_a_reader_says_is_true_of_owners_that_die_and_of_those_that_close(
    tmp_path: Path,
) -> None:
    account = liveness.run(liveness.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert account.count == account.figures["closed in order"] == liveness.SUITE.small


def lets_go_at_once(session: Session) -> int:
    """Sabotage: the owner does not hold its lock."""
    session.owner.release()
    return 0


def keeps_the_lock_in_a_child(_: Session) -> int:
    """Sabotage: a forked child does not let go."""
    OwnerLock._live.clear()
    return liveness.KINDS["with a forked child"](_)


def lets_go_before_it_closes(session: Session) -> int:
    """Sabotage: the owner frees its lock before `session.closed` is there."""
    close = session.close

    def close_late() -> None:
        session.owner.release()
        time.sleep(0.2)
        close()

    session.close = close_late  # type: ignore[method-assign]
    return 0


@pytest.mark.parametrize("sabotage", [lets_go_at_once, keeps_the_lock_in_a_child])
def test_the_account_of_kills_sees_a_lock_that_is_not_the_owners_life(
    tmp_path: Path, sabotage: liveness.Work
) -> None:
    account = Account()
    liveness.kill_one(tmp_path / "s", "idle", account, work=sabotage, limit_s=0.5)
    assert account.violations


def test_the_account_of_closings_sees_a_lock_that_is_freed_too_early(
    tmp_path: Path,
) -> None:
    account = Account()
    liveness.close_one(tmp_path / "s", account, lets_go_before_it_closes)
    assert account.violations == ["unknown while it closed in order"]
