"""Where a dependency does not import: the doctor says so, and nothing is a traceback."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from kedro_journal.cli import COMMANDS


@pytest.fixture
def run(tmp_path, command):
    """Run a command where msgspec does not import."""
    package = tmp_path / "broken" / "msgspec"
    package.mkdir(parents=True)
    lines = "raise ModuleNotFoundError('No module\\x1b[2J named \"msgspec\"')\n"
    (package / "__init__.py").write_text(lines)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PYTHONPATH": str(package.parent)}
        return subprocess.run(
            [*command, *args], env=env, capture_output=True, text=True, check=False
        )

    return run


def test_the_doctor_starts_and_says_what_does_not_load(run, tmp_path: Path) -> None:
    done = run("doctor", "--directory", str(tmp_path))

    assert done.returncode == 1
    assert done.stderr == ""
    assert (
        "problem  kedro-journal cannot be imported: ModuleNotFoundError" in done.stdout
    )
    assert "msgspec" in done.stdout
    assert "-m pip install" in done.stdout
    assert "\x1b" not in done.stdout


def test_its_report_has_the_keys_that_it_always_has(run, call, tmp_path: Path) -> None:
    broken = json.loads(run("doctor", "--json").stdout)
    sound = json.loads(call("doctor", "--json", "--directory", tmp_path).stdout)

    assert broken.keys() == sound.keys()
    (check,) = broken["checks"]
    assert check.keys() == sound["checks"][0].keys()
    assert (check["key"], check["status"]) == ("software.loads", "problem")
    assert check["facts"]["versions"]["click"]
    assert broken["worst"] == "problem"


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "doctor"])
def test_other_commands_say_it_in_one_line_and_name_the_doctor(run, name: str) -> None:
    done = run(name, "latest", "--json", "--no-such-option")

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"kedro-journal: `{name}` cannot be imported: ")
    assert done.stderr.endswith("`kedro-journal doctor` has more.\n")
    assert done.stderr.count("\n") == 1
    assert "\x1b" not in done.stderr


def test_the_help_still_lists_every_command(run) -> None:
    done = run("--help")

    assert done.returncode == 0
    assert done.stderr == ""
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    assert set(COMMANDS) <= set(listed)
