"""doctor: everything that is told, in words and as data; nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from kedro_journal.cli import commands

STATUSES = {"ok", "note", "warning", "problem"}
PROJECT = """
[tool.kedro]
package_name = "mill"
project_name = "Mill"
kedro_init_version = "1.0.0"
[tool.kedro_journal]
directory = "journals"
durability = "sync"
"""
ALWAYS = {
    "settings.project",
    "settings.in_force",
    "settings.mistakes",
    "settings.disable",
    "settings.logging",
    "software.versions",
    "software.hooks",
    "software.cli_hooks",
    "software.global_commands",
    "software.starters",
    "software.journaling",
}
IN_A_PROJECT = {"settings.settings_py", "settings.hooks", "settings.session_class"}
IN_A_PLACE = {
    "place.directory",
    "place.safe",
    "place.file_system",
    "place.space",
    "place.writable",
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
    "locks.backend",
    "locks.descriptors",
    "locks.processes",
    "locks.backends",
    "locks.look",
    "locks.killed",
    "locks.forked",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "project/src/mill"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "settings.py").touch()
    (package / "pipeline_registry.py").write_text(
        "def register_pipelines():\n    return {}\n"
    )
    (tmp_path / "project/pyproject.toml").write_text(PROJECT)
    return tmp_path / "project"


def data_of(text: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Give the report and its checks by key, after looking at every field."""
    data = json.loads(text)
    assert list(data) == [
        "worst",
        "directory",
        "probed",
        "project",
        "durability",
        "checks",
        "not_probed",
        "guarantees",
        "duration_s",
    ]
    assert data["worst"] in STATUSES
    assert data["durability"] in ("flush", "group", "sync")
    assert data["duration_s"] > 0
    for key in ("directory", "probed", "project"):
        assert data[key] is None or Path(data[key]).is_absolute()
    for check in data["checks"]:
        assert list(check) == ["key", "status", "text", "advice", "facts"]
        assert check["status"] in STATUSES
        assert check["text"].endswith(".")
        assert bool(check["advice"]) == (check["status"] != "ok"), check
        assert isinstance(check["facts"], dict)
    checks = {check["key"]: check for check in data["checks"]}
    assert len(checks) == len(data["checks"]), "keys are different"
    assert [one["key"] for one in data["guarantees"]] == [
        "process_death",
        "power_loss",
        "several_processes",
        "several_hosts",
    ]
    for one in data["guarantees"]:
        assert list(one) == ["key", "holds", "text"]
        assert one["holds"] in ("yes", "partly", "no", "unknown")
        assert one["text"].endswith(".")
    order = ("ok", "note", "warning", "problem")
    assert data["worst"] == max(
        (check["status"] for check in data["checks"]), key=order.index
    )
    return data, checks


def test_a_project_is_examined_as_a_whole(call, project):
    result = call("doctor", "--project", project / "src", "--json")

    data, checks = data_of(result.stdout)
    assert result.exit_code == 0
    assert set(checks) == ALWAYS | IN_A_PROJECT | IN_A_PLACE
    assert data["project"] == str(project)
    assert data["directory"] == str(project / "journals")
    assert data["probed"] == str(project)
    assert data["durability"] == "sync"
    assert data["not_probed"] == []
    assert data["worst"] == "note"
    assert not (project / "journals").exists()
    assert {path.name for path in project.iterdir()} == {"src", "pyproject.toml"}


def test_the_facts_are_there_for_programs(call, project):
    (project / "journals").mkdir()

    _, checks = data_of(call("doctor", "--project", project, "--json").stdout)

    facts = {key: set(check["facts"]) for key, check in checks.items()}
    assert facts["settings.project"] == {"project", "directory_given"}
    assert facts["settings.in_force"] == {"settings"}
    assert facts["settings.session_class"] == {"session_class", "ours", "level"}
    assert facts["place.directory"] == {"directory", "probed", "exists"}
    assert facts["place.file_system"] == {
        "kind",
        "type",
        "mounted_at",
        "source",
        "options",
        "not_guaranteed",
    }
    assert facts["place.space"] == {"free_bytes", "free_files"}
    assert facts["operations.append"] == {"lines", "found", "turns"}
    assert facts["operations.sync"] == {
        "fdatasync_ms",
        "fsync_ms",
        "folder_fsync_ms",
    }
    assert facts["operations.journal"] == {"acknowledged", "lost", "twice", "findings"}
    assert facts["locks.backend"] == {"in_force", "setting", "missing", "python"}
    assert facts["locks.processes"] == {"backends"}
    assert facts["locks.killed"] == {"freed_ms"}
    assert facts["software.versions"] == {"versions", "missing"}
    assert facts["software.hooks"] == {"registered", "error", "seconds"}
    assert facts["journals.sessions"] == {
        "sessions",
        "looked_at",
        "passed_over",
        "verdicts",
    }


def test_the_text_says_what_survives(call, project):
    result = call("doctor", "--project", project)

    assert result.exit_code == 0
    head, _, tail = result.stdout.partition("What survives here, with durability sync")
    for title in ("Settings", "The place", "Locks", "What is installed"):
        assert f"{title}\n" in head
    assert "A process dies: Every acknowledged record survives" in tail
    assert "Power is lost: Every acknowledged record survives" in tail
    assert "Several processes: " in tail
    assert "Several hosts: " in tail
    assert result.stderr == ""


def test_without_a_project_what_is_needed_is_said(call):
    result = call("doctor", "--json")

    data, checks = data_of(result.stdout)
    assert result.exit_code == 0
    assert set(checks) == ALWAYS
    assert data["directory"] is data["probed"] is data["project"] is None
    assert checks["settings.project"]["status"] == "warning"
    assert "--directory" in checks["settings.project"]["advice"]
    assert {one["holds"] for one in data["guarantees"]} == {"unknown"}


def test_a_directory_can_be_examined_without_a_project(call, journals):
    journals.completed()
    journals.crashed()

    result = call("doctor", "--directory", journals.path, "--json")

    data, checks = data_of(result.stdout)
    assert result.exit_code == 0
    assert set(checks) == ALWAYS | IN_A_PLACE | {
        "journals.sessions",
        "journals.health",
        "journals.reserve",
    }
    assert data["probed"] == str(journals.path)
    assert checks["journals.sessions"]["facts"]["verdicts"] == {
        "completed": 1,
        "crashed": 1,
    }


def test_a_relative_directory_is_that_of_the_working_directory(call, tmp_path):
    data, _ = data_of(call("doctor", "--directory", "here", "--json").stdout)

    assert data["directory"] == str(tmp_path / "here")


def test_a_problem_gives_exit_code_1(call, journals):
    journals.corrupt()

    result = call("doctor", "--directory", journals.path)

    assert result.exit_code == 1
    assert "problem  Journals are damaged" in result.stdout
    assert result.stderr == ""


def test_wrong_usage_gives_exit_code_2(call, tmp_path):
    assert call("doctor", "latest").exit_code == 2
    assert call("doctor", "--project", tmp_path / "nowhere").exit_code == 2


def test_mistakes_in_the_settings_stop_nothing(call, project):
    with (project / "pyproject.toml").open("a") as file:
        file.write("directry = 1\n")

    result = call("doctor", "--project", project, "--json")

    data, checks = data_of(result.stdout)
    assert result.exit_code == 1
    assert "directry" in checks["settings.mistakes"]["text"]
    assert data["directory"] == str(project / "journals")
    assert checks["operations.append"]["status"] == "ok"


def test_what_is_broken_in_the_installation_is_told(call, project, monkeypatch):
    broken = project / "broken"
    broken.mkdir()
    (broken / "msgspec.py").write_text("raise ImportError('not for this Python')\n")
    monkeypatch.setenv("PYTHONPATH", str(broken))

    result = call("doctor", "--project", project)

    assert result.exit_code == 1
    assert "problem  Nothing is journaled" in result.stdout
    assert "not for this Python" in result.stdout
    assert "ok       kedro.hooks is registered and loads." in result.stdout


def test_inside_kedro_it_is_the_same_command(project):
    args = ["journal", "doctor", "--json"]

    result = CliRunner().invoke(
        commands, args, obj=SimpleNamespace(project_path=project)
    )

    data, checks = data_of(result.stdout)
    assert data["project"] == str(project)
    assert set(checks) == ALWAYS | IN_A_PROJECT | IN_A_PLACE


def test_kedro_itself_and_filelock_are_not_imported(tmp_path):
    code = (
        "import sys\n"
        "from kedro_journal.cli import main\n"
        "try:\n    main(['doctor', '--directory', sys.argv[1]])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "tops = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(tops & {'kedro', 'filelock', 'rich', 'pluggy', 'asyncio'}))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "key",
    sorted(
        ALWAYS
        | IN_A_PROJECT
        | IN_A_PLACE
        | {"settings.directory", "place.left_behind", "place.removed"}
        | {f"journals.{name}" for name in ("sessions", "health", "torn", "reserve")}
        | {"journals.hosts"}
    ),
)
def test_every_check_is_in_the_documentation(key):
    page = Path(__file__).parents[2] / "docs/how-to/doctor.md"

    assert f"`{key}`" in page.read_text(encoding="utf-8")


HANGING = """
import os, signal, sys
import kedro_journal.doctor as doctor
from kedro_journal.cli import main
from kedro_journal.journal.port import Os

class Hanging(Os):
    def sync(self, fd):
        os.write(int(sys.argv[1]), b"here\\n")
        while True:
            signal.pause()

limit_s = float(sys.argv[3])
real, means = doctor.examine, doctor.Means(port=Hanging(), probe_limit_s=limit_s)
doctor.examine = lambda project, directory: real(project, directory, means)
main(["doctor", "--directory", sys.argv[2]])
"""


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
def test_whoever_stops_it_finds_nothing_left_behind(tmp_path, number, code):
    place = tmp_path / "sessions"
    place.mkdir()
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(writing), str(place), "60"],
        pass_fds=(writing,),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    with os.fdopen(reading) as line:
        assert line.readline() == "here\n"  # it hangs in a probe
        assert [path.name[:8] for path in place.iterdir()] == [".doctor-"]
        process.send_signal(number)
        out, errors = process.communicate(timeout=30)
        assert line.read() == "", "the end of the pipe: no process has it open"

    assert process.returncode == code
    assert (out, errors) == ("", "")
    assert list(place.iterdir()) == []


def test_what_hangs_does_not_outlive_a_doctor_that_is_killed_for_long(tmp_path):
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING, str(writing), str(tmp_path), "2"],
        pass_fds=(writing,),
    )
    os.close(writing)
    with os.fdopen(reading) as line:
        assert line.readline() == "here\n"
        process.kill()
        process.wait()
        (left,) = tmp_path.iterdir()
        assert line.read() == "", "the end of the pipe: no process has it open"

    assert left.name.startswith(".doctor-"), "the next doctor tells of it"


def test_ctrl_c_ends_the_loading_of_kedro_too(tmp_path):
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    os.mkfifo(tmp_path / "loading")
    (shadow / "kedro.py").write_text(
        f"file = open({str(tmp_path / 'loading')!r}, 'w')\n"
        "file.write('now\\n')\nfile.flush()\n"
        "import time\ntime.sleep(600)\n"
    )
    code = "from kedro_journal.cli import main; main(['doctor'])"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(shadow)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with (tmp_path / "loading").open() as line:
        assert line.readline() == "now\n"
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=30)
        assert line.read() == "", "the end of the pipe: its process is gone"

    assert process.returncode == 130
    assert (out, errors) == (b"", b"")
