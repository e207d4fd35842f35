"""A run's process is the user's: descriptors and exceptions of a node's stay its own."""

from __future__ import annotations

import sys

import pytest

from .conftest import Mischief, Way, said, ways
from .test_degrade import HOLD, check_as_without

WAYS = ways(
    "0-Sequential", "0-Thread", "0-Parallel", "1-Sequential", "1-Thread", "1-Parallel"
)
# A library closes numbers that it does not know, and its own files get them.
TAKE = """
def link(number):
    try: return os.readlink(f"/proc/self/fd/{number}")
    except OSError: return ""
ours = [n for n in map(int, os.listdir("/proc/self/fd"))
        if link(n).startswith(str(SESSIONS.resolve())) or "inotify" in link(n)]
assert ours, "the journal is open"
for number in ours:
    mine = os.open(f"mine-{os.getpid()}-{number}", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.write(mine, b"mine" * 1000)
    os.dup2(mine, number)
    os.close(mine)
"""
CLOSE = "os.closerange(3, 4096)\n"
# The limit of the user's comes while the journal waits for its lock.
LIMIT = (
    HOLD
    + """
import signal
sys.held = held
signal.setitimer(signal.ITIMER_REAL, 0.5)
"""
)
HANDLER = """
import signal, sys, threading
def limit(*_):
    sys.held.kill()
    sys.held.wait()
    raise {kind}("the limit of the user's")
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGALRM, limit)
"""


@pytest.mark.kedro
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@WAYS
def test_files_that_have_our_numbers_are_left_alone(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(TAKE)
    done = mischief.go(way)

    check_as_without(mischief, done)
    mine = list(mischief.path.glob("mine-*"))
    assert mine
    assert {b"mine" * 1000} == {path.read_bytes() for path in mine}
    state = mischief.state()
    assert ("completed", 0) == (state.verdict, state.dropped_events)
    assert {"completed"} == {n.status for n in state.runs[0].nodes.values()}
    assert () == state.anomalies
    assert () == mischief.verification().findings
    warned = [text for text in said(done) if "closed the descriptor" in text]
    assert warned
    assert said(done) == warned
    assert len(warned) == len(set(warned))


@pytest.mark.kedro
@ways("0-Sequential", "0-Thread", "1-Sequential", "1-Thread")
def test_everything_that_was_closed_is_opened_again(
    mischief: Mischief, way: Way
) -> None:
    """Workers of a pool cannot be asked: they lose their own pipes by that."""
    mischief.told(CLOSE)
    done = mischief.go(way)

    check_as_without(mischief, done)
    state = mischief.state()
    assert ("completed", 0) == (state.verdict, state.dropped_events)
    assert () == mischief.verification().findings


@pytest.mark.kedro
@pytest.mark.parametrize("kind", ["TimeoutError", "RuntimeError"])
@WAYS
def test_the_limit_of_the_users_ends_the_run(
    mischief: Mischief, way: Way, kind: str
) -> None:
    probe = mischief.path / "src" / mischief.package / "probe.py"
    probe.write_text(probe.read_text() + HANDLER.format(kind=kind))
    mischief.told(LIMIT)
    done = mischief.go(way, KEDRO_JOURNAL_LOCK_TIMEOUT_S="60")

    assert 1 == done.returncode, done.stdout + done.stderr
    assert "the limit of the user's" in done.stdout + done.stderr
    assert [] == said(done)
    state = mischief.state()
    assert ("failed", 0) == (state.verdict, state.dropped_events)
    assert () == state.anomalies
    assert () == mischief.verification().findings
