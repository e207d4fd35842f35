"""Broken journals of runs that end badly, that are stopped, or that want it strict."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kedro_journal.journal import JournalDirectory

from .conftest import TIMEOUT_S, Mischief, Way, make_mischief, said, ways
from .test_degrade import ENDING, FILL, HOLD

DELETE = "(folder / 'journal.jsonl').unlink()\n"
OWN = "raise LookupError('my own')\n"
STRICT = {"KEDRO_JOURNAL_STRICT": "1", "KEDRO_JOURNAL_LOCK_TIMEOUT_S": "1"}
AT_ONCE = {"KEDRO_JOURNAL_LOCK_TIMEOUT_S": "1"}


def last_error(done: subprocess.CompletedProcess[str]) -> str:
    """The exception that ended the command, as its traceback names it last."""
    lines = (done.stdout + done.stderr).splitlines()
    found = [line for line in lines if line.partition(": ")[0].isidentifier()]
    return found[-1] if found else ""


# -- strict --------------------------------------------------------------------------


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread")
def test_strict_fails_where_nothing_can_be_written(
    mischief: Mischief, read_only: Path, way: Way
) -> None:
    done = mischief.go(way, **STRICT)

    assert 1 == done.returncode
    assert last_error(done).startswith("JournalUnwritable: ")
    assert mischief.result() is None


@pytest.mark.kedro
@pytest.mark.parametrize(
    ("code", "word"),
    [(FILL, "JournalUnwritable"), (HOLD, "JournalBusy"), (DELETE, "JournalUnwritable")],
    ids=["full disk", "lock held", "deleted"],
)
@ways("0-Sequential", "1-Parallel")
def test_strict_fails_when_it_happens_during_the_run(
    mischief: Mischief, small_disk: Path, way: Way, code: str, word: str
) -> None:
    mischief.told(code)
    if code is DELETE:  # that is noticed 0.05 s later
        mischief.last_waits("time.sleep(0.1)")
    done = mischief.go(way, **STRICT)

    assert 1 == done.returncode
    assert last_error(done).startswith(f"{word}: ")
    assert mischief.result() is None


@pytest.mark.kedro
@pytest.mark.parametrize("breaks", [FILL, DELETE], ids=["full disk", "deleted"])
@ways("0-Thread", "1-Sequential", "1-Parallel")
def test_strict_does_not_hide_the_users_own_exception(
    mischief: Mischief, small_disk: Path, way: Way, breaks: str
) -> None:
    mischief.told(breaks + OWN)
    done = mischief.go(way, **STRICT)

    assert 1 == done.returncode
    assert "LookupError: my own" == last_error(done)


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential")
def test_strict_is_quiet_where_all_is_well(mischief: Mischief, way: Way) -> None:
    done = mischief.go(way, **STRICT)

    assert 0 == done.returncode
    assert [] == said(done)
    assert ENDING == mischief.types()[-3:]


# -- the user's exception, and a journal that is broken besides -------------------------


@pytest.mark.kedro
@pytest.mark.parametrize(
    "breaks", [FILL, DELETE, HOLD], ids=["full disk", "deleted", "lock held"]
)
@ways("0-Sequential", "1-Parallel")
def test_a_run_that_fails_while_the_journal_is_broken(
    mischief: Mischief, small_disk: Path, way: Way, breaks: str
) -> None:
    mischief.told(breaks + OWN)
    done = mischief.go(way, **AT_ONCE)

    assert 1 == done.returncode
    assert "LookupError: my own" == last_error(done)
    if breaks is FILL:
        state = mischief.state()
        assert ("failed", "closed") == (state.verdict, state.status)
        assert "failed" == state.runs[0].nodes["act"].status
        assert state.runs[0].error is not None
        assert "my own" in state.runs[0].error.message


# -- signals ---------------------------------------------------------------------------

READY = "open('ready', 'w').close()\n"
WAIT = "threading.Event().wait(120)\n"


def stop(project: Mischief, way: Way, number: int, **env: str) -> tuple[int, float]:
    """Run, send a signal when the node is ready; give exit code and seconds it took."""
    if way.level == 0:
        project.level_0()
    process = project.start("run", "-r", way.runner, env={**AT_ONCE, **env})
    ready, deadline = project.path / "ready", time.monotonic() + TIMEOUT_S
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"the node was never reached: {process.communicate()[0]}")
        time.sleep(0.01)
    time.sleep(0.2)  # into whatever it waits in
    sent = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=TIMEOUT_S)
    return process.returncode, time.monotonic() - sent


@pytest.fixture(scope="module")
def code_without(
    generated: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, int]:
    """How the command ends by these signals without us."""
    project = make_mischief(generated, tmp_path_factory.mktemp("without"))
    project.told(READY + WAIT)
    way = Way(0, "SequentialRunner")
    found = {}
    for number in (signal.SIGTERM, signal.SIGINT):
        (project.path / "ready").unlink(missing_ok=True)
        found[number], _ = stop(project, way, number, KEDRO_JOURNAL_DISABLE="1")
    assert not project.sessions_path.exists()
    return found


@pytest.mark.kedro
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("breaks", ["full disk", "lock held", "lock waited for"])
@ways("0-Sequential", "1-Sequential")
def test_a_signal_ends_the_command_while_the_journal_is_broken(
    mischief: Mischief,
    small_disk: Path,
    code_without: dict[int, int],
    way: Way,
    number: int,
    breaks: str,
) -> None:
    JournalDirectory(small_disk).ensure()
    broken = FILL if breaks == "full disk" else HOLD
    # Waited for: not by the node, but by what records that the node is done.
    mischief.told(broken + READY + ("" if breaks == "lock waited for" else WAIT))
    timeout = "3" if breaks == "lock waited for" else "1"
    code, took_s = stop(mischief, way, number, KEDRO_JOURNAL_LOCK_TIMEOUT_S=timeout)

    assert code_without[number] == code
    assert took_s < 12
    if breaks == "full disk":
        state = mischief.state()
        assert ("interrupted", "closed") == (state.verdict, state.status)
        reason = "SIGTERM" if number == signal.SIGTERM else "KeyboardInterrupt"
        assert reason == state.runs[0].reason


# -- fsync -----------------------------------------------------------------------------


def failing_syncs(
    mischief: Mischief, way: Way, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run under a kernel whose syncs fail from the third of each process on."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    if way.level == 0:
        mischief.level_0()
    calls = "fdatasync"
    command = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}"]
    command += ["-e", f"inject={calls}:error=EIO:when=3+"]
    return mischief.run_under(command, "run", "-r", way.runner, env=env)


@pytest.mark.kedro
@ways("0-Sequential", "1-Thread")
def test_a_sync_that_fails_is_final_for_the_journal_alone(
    mischief: Mischief, way: Way
) -> None:
    done = failing_syncs(mischief, way)

    assert 0 == done.returncode, done.stdout
    assert ["none", "acted", "last"] == mischief.result()
    (warning, *counted) = said(done)
    assert "a sync failed, which is final" in warning
    assert all("could not be journaled" in text for text in counted)
    state = mischief.state()
    assert ("crashed", ()) == (state.verdict, state.anomalies)
    assert state.status != "closed"
    assert mischief.verification().ok


@pytest.mark.kedro
@ways("1-Sequential")
def test_strict_fails_when_a_sync_fails(mischief: Mischief, way: Way) -> None:
    done = failing_syncs(mischief, way, **STRICT)

    assert 1 == done.returncode
    assert "JournalUnwritable" in done.stdout + done.stderr
    assert "sync failed, which is" in " ".join((done.stdout + done.stderr).split())
    assert "crashed" == mischief.state().verdict
