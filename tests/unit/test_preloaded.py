"""A command in a fork ends, reads and writes as a program of its own does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from preloaded import Preloaded

SCRIPT = """
import os, signal, sys, threading, __main__
print(sys.argv[1:], os.getcwd(), sorted(os.environ), sys.stdin.read(), __name__)
print(sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3], sys.path[0])
print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))
print(threading.current_thread() is threading.main_thread(), __main__.__file__)
print("e", file=sys.stderr)
how = sys.argv[1]
if how == "raises": raise ValueError("as told")
if how == "exits": sys.exit(7)
if how == "dies": os.kill(os.getpid(), signal.SIGKILL)
if how == "waits": signal.pause()
"""


@pytest.fixture(scope="module")
def preloaded() -> Iterator[Preloaded]:
    """One process that forks, for all tests here."""
    one = Preloaded()
    yield one
    one.close()


def env() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PYTHON", "PATH"))}
    return {**kept, "MINE": "1", "LC_ALL": "C.UTF-8"}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("how", ["ends", "raises", "exits", "dies"])
def test_it_is_as_a_program_of_its_own(
    preloaded: Preloaded, tmp_path: Path, how: str
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script), how]
    assert preloaded.takes(command, env())
    found = preloaded.run(command, cwd=tmp_path, env=env(), typed="typed", timeout_s=60)
    plain = subprocess.run(
        command, cwd=tmp_path, env=env(), input="typed", capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (found.returncode, found.stdout) == (plain.returncode, plain.stdout)
    assert found.stderr.splitlines()[-1:] == plain.stderr.splitlines()[-1:]


def test_a_module_is_run_by_its_name(preloaded: Preloaded, tmp_path: Path) -> None:
    (tmp_path / "here.py").write_text("import sys; print(sys.argv[1:], __name__)")
    done = preloaded.run(
        [sys.executable, "-m", "here", "a"], cwd=tmp_path, env=env(), typed="",
        timeout_s=60,
    )  # fmt: skip
    assert done.stdout == "['a'] __main__\n"


def test_what_takes_too_long_is_killed_and_the_next_command_runs(
    preloaded: Preloaded, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script)]
    with pytest.raises(subprocess.TimeoutExpired):
        preloaded.run(
            [*command, "waits"], cwd=tmp_path, env=env(), typed="", timeout_s=1
        )
    done = preloaded.run(
        [*command, "exits"], cwd=tmp_path, env=env(), typed="", timeout_s=60
    )
    assert done.returncode == 7


def test_what_is_imported_there_is_nothing_that_is_tested(
    preloaded: Preloaded, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; print(sorted({m.partition('.')[0] for m in sys.modules}"
        " & {'kedro', 'kedro_journal', 'kedro_datasets', 'msgspec', 'filelock'}))"
    )
    done = preloaded.run(
        [sys.executable, str(script)], cwd=tmp_path, env=env(), typed="", timeout_s=60
    )
    assert done.stdout == "[]\n"


def test_two_commands_at_once_do_not_wait_for_each_other() -> None:
    one = Preloaded()
    command = [sys.executable, "script.py"]
    with one.turn(command, env()) as first, one.turn(command, env()) as second:
        assert (first, second) == (True, False)
    with one.turn(command, env()) as again:
        assert again


def test_another_environment_of_the_interpreter_is_left_to_a_program() -> None:
    one = Preloaded()
    script = [sys.executable, "script.py"]
    assert one.takes(script, env())
    assert not one.takes(script, {**env(), "PYTHONPATH": "/else"})
    assert not one.takes(["/usr/bin/env", "script.py"], env())
    assert not one.takes([sys.executable, "-c", "1"], env())
