"""Broken disks, folders and locks: the run is what it would have been without us."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from kedro_journal.journal import JournalDirectory

from .conftest import Mischief, Way, said, ways

FILL = """
try:
    with open(SESSIONS / "balloon", "wb", buffering=0) as balloon:
        while True: balloon.write(bytes(4096))
except OSError: pass
"""
# Another process has the append lock when this goes on, until the command ends.
HOLD = """
import multiprocessing
command = os.getppid() if multiprocessing.parent_process() else os.getpid()
held = subprocess.Popen([sys.executable, "-c",
    "import fcntl, os, sys, time\\n"
    "file = open(sys.argv[1])\\n"
    "fcntl.flock(file, fcntl.LOCK_EX)\\n"
    "print(flush=True)\\n"
    "while True: os.kill(int(sys.argv[2]), 0); time.sleep(0.05)",
    str(folder / "journal.jsonl"), str(command)],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
held.stdout.readline()
"""
LOCK_TIMEOUT_S = 2.0
ENDING = ["run.completed", "session.deactivated", "session.closed"]
AGAIN = "could not be journaled"  # how many are lost, said at the end


def check_as_without(project: Mischief, done: subprocess.CompletedProcess[str]) -> None:
    """Assert that the run did what it was to do, and did not leave a thing behind."""
    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["none", "acted", "last"] == project.result()
    assert "Traceback" not in done.stdout + done.stderr


def check_said_once(
    done: subprocess.CompletedProcess[str], word: str, way: Way
) -> None:
    """Assert that each process with trouble said so once, and how much was lost."""
    processes = 3 if way.runner == "ParallelRunner" else 1
    warnings = [text for text in said(done) if AGAIN not in text]
    assert 1 <= len(warnings) <= processes, warnings
    assert all(word in text for text in warnings), warnings
    assert len(said(done)) - len(warnings) <= processes


def check_tells_its_end(project: Mischief, way: Way) -> None:
    """Assert that the journal says how it ended, and that something is missing."""
    state = project.state()
    assert ("completed", "closed") == (state.verdict, state.status)
    assert ENDING == project.types()[-3:]
    assert "journal.gap" in project.types()
    assert state.dropped_events > 0
    assert () == state.anomalies
    assert "skipped" not in {n.status for n in state.runs[0].nodes.values()}
    assert project.verification().findings == ()


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread", "0-Parallel")
def test_a_journal_directory_that_is_read_only(
    mischief: Mischief, read_only: Path, way: Way
) -> None:
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "is not journaled", way)
    assert [] == list(read_only.iterdir())


@pytest.mark.kedro
@ways("0-Sequential")
def test_a_journal_directory_that_is_a_file(mischief: Mischief, way: Way) -> None:
    mischief.sessions_path.write_text("a file")
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "is not journaled", way)
    assert "a file" == mischief.sessions_path.read_text()


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread", "1-Parallel")
def test_a_disk_that_is_full_before_the_run(
    mischief: Mischief, small_disk: Path, way: Way
) -> None:
    """An earlier session left the reserve: it takes how this one began and ended."""
    JournalDirectory(small_disk).ensure()
    exec(FILL, {"SESSIONS": small_disk})
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "No space left on device", way)
    check_tells_its_end(mischief, way)


@pytest.mark.kedro
@ways("1-Sequential")
def test_the_first_session_on_a_disk_that_is_full(
    mischief: Mischief, small_disk: Path, way: Way
) -> None:
    exec(FILL, {"SESSIONS": small_disk})
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "No space left on device", way)


@pytest.mark.kedro
@ways("0-Sequential", "0-Thread", "0-Parallel", "1-Sequential", "1-Parallel")
def test_a_disk_that_runs_full_during_the_run(
    mischief: Mischief, small_disk: Path, way: Way
) -> None:
    mischief.told(FILL)
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "No space left on device", way)
    check_tells_its_end(mischief, way)
    assert "completed" == mischief.state().runs[0].nodes["first"].status


@pytest.mark.kedro
@ways("1-Thread")
def test_a_disk_that_has_room_again_during_the_run(
    mischief: Mischief, small_disk: Path, way: Way
) -> None:
    """Everything that was held follows the gap."""
    mischief.told(
        "def empty():\n"
        "    time.sleep(1)\n"
        "    (SESSIONS / 'balloon').unlink()\n"
        + FILL
        + "threading.Thread(target=empty).start()\n"
    )
    mischief.last_waits(
        "while (SESSIONS / 'balloon').exists(): time.sleep(0.01)",
        "time.sleep(0.3)  # until it is tried again",
    )
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "No space left on device", way)
    state = mischief.state()
    assert ("completed", 0) == (state.verdict, state.dropped_events)
    assert "journal.gap" in mischief.types()
    assert {"completed"} == {n.status for n in state.runs[0].nodes.values()}


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread", "1-Parallel")
def test_the_lock_is_held_by_another_process_to_the_end(
    mischief: Mischief, way: Way
) -> None:
    """The run waits for it about once in each process, then goes on without."""
    mischief.told(HOLD + "began = open('began', 'w'); began.write(str(time.time()))")
    done = mischief.go(way, KEDRO_JOURNAL_LOCK_TIMEOUT_S=str(LOCK_TIMEOUT_S))
    took_s = time.time() - float((mischief.path / "began").read_text())

    check_as_without(mischief, done)
    processes = 3 if way.runner == "ParallelRunner" else 1
    assert LOCK_TIMEOUT_S <= took_s <= processes * LOCK_TIMEOUT_S + 8
    check_said_once(done, "another process has held the append lock", way)
    state = mischief.state()
    assert ("crashed", "running") == (state.verdict, state.runs[0].status)
    assert "node.started" == mischief.types()[-1]
    assert mischief.verification().ok


@pytest.mark.kedro
@ways("0-Thread", "1-Sequential", "1-Parallel")
def test_the_lock_is_held_by_another_process_for_a_while(
    mischief: Mischief, way: Way
) -> None:
    """What was held meanwhile follows the gap; nothing is missing."""
    mischief.told(HOLD + "threading.Timer(1.0, held.kill).start()")
    mischief.last_waits("time.sleep(1.5)")
    done = mischief.go(way, KEDRO_JOURNAL_LOCK_TIMEOUT_S="0.5")

    check_as_without(mischief, done)
    check_said_once(done, "another process has held the append lock", way)
    state = mischief.state()
    assert ("completed", 0) == (state.verdict, state.dropped_events)
    assert "journal.gap" in mischief.types()
    assert {"completed"} == {n.status for n in state.runs[0].nodes.values()}
    assert () == state.anomalies


# Whoever makes the journal finds that another process was faster, and has it locked.
HELD_FROM_THE_START = """
import os, subprocess, sys, time
from pathlib import Path

def hold(event, arguments):
    if event != "open" or not str(arguments[0]).endswith("journal.jsonl"):
        return
    folder, held_for = Path(arguments[0]).parent, os.environ.pop("HELD", "")
    if held_for:
        (folder / "journal.jsonl").touch(0o600)
        exec(held_for, {"folder": folder, **globals()})

sys.addaudithook(hold)
"""


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread")
def test_the_lock_is_held_by_another_process_from_the_start(
    mischief: Mischief, tmp_path: Path, way: Way
) -> None:
    start = tmp_path / "start"
    start.mkdir()
    (start / "sitecustomize.py").write_text(HELD_FROM_THE_START)
    env = {"PYTHONPATH": str(start), "HELD": HOLD}
    done = mischief.go(way, KEDRO_JOURNAL_LOCK_TIMEOUT_S="0.5", **env)

    check_as_without(mischief, done)
    check_said_once(done, "another process has held the append lock", way)
    assert any(AGAIN in text for text in said(done))
    (folder,) = mischief.sessions_path.glob("2*")
    assert b"" == (folder / "journal.jsonl").read_bytes()


GONE = {
    "the journal is deleted": "(folder / 'journal.jsonl').unlink()",
    "the session folder is deleted": "shutil.rmtree(folder)",
    "the journal directory is deleted": "shutil.rmtree(SESSIONS)",
    "the journal becomes a link": (
        "journal = folder / 'journal.jsonl'; journal.unlink()\n"
        "Path('precious').write_text('mine'); journal.symlink_to('../../precious')"
    ),
    "the journal becomes a pipe": (
        "journal = folder / 'journal.jsonl'; journal.unlink(); os.mkfifo(journal)"
    ),
    "the journal becomes a folder": (
        "journal = folder / 'journal.jsonl'; journal.unlink(); journal.mkdir()"
    ),
}


@pytest.mark.kedro
@pytest.mark.parametrize("kind", GONE)
@ways("0-Sequential", "1-Parallel")
def test_what_is_gone_in_the_middle_of_a_run(
    mischief: Mischief, way: Way, kind: str
) -> None:
    mischief.told(GONE[kind])
    done = mischief.go(way)

    check_as_without(mischief, done)
    check_said_once(done, "is incomplete", way)
    assert any(AGAIN in text for text in said(done))
    if "link" in kind:
        assert "mine" == (mischief.path / "precious").read_text()


@pytest.mark.kedro
@pytest.mark.parametrize("then", ["pass", "os.mkfifo(lock)", "lock.mkdir()"])
@ways("0-Sequential", "1-Parallel")
def test_lock_files_that_are_taken_away_cost_nothing(
    mischief: Mischief, way: Way, then: str
) -> None:
    """Nor does what is put where another system has a lock file."""
    mischief.told(
        "assert not (folder / 'append.lock').exists()\n"
        "for name in ('append.lock', 'owner.lock'):\n"
        f"    lock = folder / name; lock.unlink(name[0] == 'a'); {then}"
    )
    done = mischief.go(way)

    check_as_without(mischief, done)
    assert [] == said(done)
    state = mischief.state()
    assert ("completed", "closed", 0) == (
        state.verdict,
        state.status,
        state.dropped_events,
    )
    assert () == state.anomalies == mischief.verification().findings


@pytest.mark.kedro
@ways("1-Thread")
def test_a_journal_that_is_emptied_goes_on(mischief: Mischief, way: Way) -> None:
    """Numbers are not used twice, so that the loss shows."""
    mischief.told("os.truncate(folder / 'journal.jsonl', 0)")
    done = mischief.go(way)

    check_as_without(mischief, done)
    assert [] == said(done)
    assert sum(finding.lost for finding in mischief.verification().findings) > 5
