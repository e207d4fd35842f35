"""The kernel refuses system calls, or kills there: the tests' dose, and its teeth."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from storms import strace, syscalls
from storms.traced import SHUT_OUT, TracedCase

SUPPORT = str(Path(__file__).parents[1] / "support")

needs_strace = pytest.mark.skipif(bool(strace.why_not()), reason=strace.why_not())


@needs_strace
@pytest.mark.storm
def test_whatever_system_call_fails_no_promise_is_broken(tmp_path: Path) -> None:
    """A sample of calls, errors, kills, scenarios, levels and backends."""
    account = syscalls.SUITE.run(syscalls.SUITE.small, tmp_path, 1, print)
    assert account.violations == []
    assert account.count >= syscalls.SUITE.small
    struck = [name for name, number in account.figures.items() if "at " in name]
    assert len(struck) >= 8


@needs_strace
@pytest.mark.storm
def test_a_process_that_is_killed_at_a_write_loses_nothing(tmp_path: Path) -> None:
    """At the second write of each scenario at level flush."""
    chosen = [case for case in syscalls.cases() if case.level == "flush"]
    shots = [strace.Shot("write", "KILL", 2)]
    account = syscalls.storm(99, tmp_path, 1, print, chosen=chosen, shots=shots)
    assert account.violations == []
    assert account.figures["deaths"] == account.count >= 15


@needs_strace
@pytest.mark.storm
@pytest.mark.parametrize(
    ("case", "call", "seen"),
    [
        (
            TracedCase("create and append", "flush", sabotage="early"),
            "write",
            "acknowledged and lost",
        ),
        (
            TracedCase(
                "another writer comes between",
                "flush",
                short=2,
                sabotage="no roll-back",
            ),
            "fstat",
            "refused and there",
        ),
        (
            TracedCase("failures are synced", "flush", sabotage="sync again"),
            "fdatasync",
            "acknowledged after a sync had failed",
        ),
        (
            TracedCase("cut a torn tail", "flush", sabotage="keep nothing"),
            "flock",
            "not kept",
        ),
        (
            TracedCase("cut a torn tail", "flush", sabotage="cut too much"),
            "flock",
            "committed records changed",
        ),
        (
            TracedCase(SHUT_OUT.name, "flush", held=True, sabotage="no lock"),
            "pread64",
            "while another had the lock",
        ),
    ],
    ids=lambda value: value.sabotage if isinstance(value, TracedCase) else None,
)
def test_the_storm_sees_a_broken_protocol(
    tmp_path: Path, case: TracedCase, call: str, seen: str
) -> None:
    """Teeth: with one step of the protocol left out, the same storm goes red."""
    shots = [strace.Shot(call, "EIO", at) for at in (1, 2, 7, 9)]
    account = syscalls.storm(9, tmp_path, 1, print, chosen=[case], shots=shots)
    assert account.count
    assert any(seen in violation for violation in account.violations)


def test_without_strace_the_storm_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    strace.why_not.cache_clear()
    try:
        account = syscalls.SUITE.run(1, tmp_path, 1, print)
    finally:
        strace.why_not.cache_clear()
    assert account.skipped == ["system calls: strace is not installed"]
    assert account.count == 0


NO_THREADS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from journals import create, note
writer = create(Path(sys.argv[1]), durability="group")
for number in range(3):
    writer.append(note(number))
writer.close()
"""


@needs_strace
def test_where_no_thread_can_be_started_group_syncs_at_once(tmp_path: Path) -> None:
    """Nothing but our errors leaves an append, least of all after it was written."""
    clone = "?clone,?clone3"
    command = ["strace", "-f", "-o", str(tmp_path / "log"), "-e", f"trace={clone}"]
    command += ["-e", f"inject={clone}:error=EAGAIN:when=1+"]
    program = [sys.executable, "-c", NO_THREADS, str(tmp_path / "s"), SUPPORT]
    done = subprocess.run([*command, *program], capture_output=True, check=False)
    assert b"INJECTED" in (tmp_path / "log").read_bytes()
    assert done.stderr == b""
    assert done.returncode == 0
