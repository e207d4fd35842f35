"""`kedro-journal demo`, for real: what it shows, what it refuses, what it leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
from click.testing import CliRunner

import kedro_journal
from kedro_journal.cli import journal
from kedro_journal.demo import story as demo_story
from kedro_journal.demo.process import as_typed, await_session, start_kedro
from kedro_journal.demo.project import check_folder
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory

from .conftest import TIMEOUT_S, Project

pytestmark = pytest.mark.kedro

DEMO = [sys.executable, "-m", "kedro_journal", "demo"]
VERDICTS = ["completed", "crashed", "failed", "completed"]  # newest first


class Told(NamedTuple):
    """A demo that was run."""

    done: subprocess.CompletedProcess[str]
    project: Project
    summary: dict[str, Any]


def run_demo(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments],
        cwd=cwd,
        env={**Project(cwd).environment(), **(env or {})},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """The demo in a hostile place: no git, no home, no PATH, a read-only working
    directory in somebody's broken project, and variables for another session."""
    folder = tmp_path_factory.mktemp("demo")
    cwd = folder / "read-only"
    cwd.mkdir()
    (cwd / "pyproject.toml").write_text("[tool.kedro]\npackage_name = 'broken'\n")
    cwd.chmod(0o500)
    target = folder / "to try" / "the demo"
    env = {
        "PATH": str(folder / "nothing"),
        "HOME": "/proc/nowhere",
        "KEDRO_ENV": "no-such-environment",
        "KEDRO_JOURNAL_DISABLE": "1",
        "KEDRO_JOURNAL_DIRECTORY": str(folder / "elsewhere"),
        "KEDRO_JOURNAL_SESSION": str(folder / "elsewhere" / "outer"),
    }
    done = run_demo(str(target), "--json", cwd=cwd, env=env)
    assert done.returncode == 0, done.stderr
    assert not (folder / "elsewhere").exists()
    yield Told(done, Project(target), msgspec.json.decode(done.stdout))
    cwd.chmod(0o700)


class TestTheStory:
    def test_four_sessions_with_their_verdicts(self, told: Told) -> None:
        states = told.project.states()
        assert [state.verdict for state in states] == VERDICTS
        assert all(told.project.verification(s.session_id).ok for s in states)

        resumed, crashed, failed, completed = states
        assert resumed.parent_session_id == crashed.session_id
        assert set(resumed.runs[0].nodes) < set(crashed.runs[0].nodes)
        assert [n.name for n in crashed.runs[0].broken] == ["train_model"]
        assert [n.name for n in failed.runs[0].broken] == ["check_quality"]
        assert len(completed.runs[0].with_status("completed")) == 14

    def test_the_summary_agrees_with_the_journals(self, told: Told) -> None:
        summary = told.summary
        assert summary["ok"] is True
        assert summary["error"] is None
        assert str(told.project.path) == summary["project"]
        assert str(told.project.sessions_path) == summary["journals"]
        steps = summary["steps"]
        assert [step["step"] for step in steps] == [1, 2, 3, 4, 5, 6]
        assert all(step["ok"] for step in steps)
        for step, verdict in zip(steps[1:5], reversed(VERDICTS), strict=True):
            state = told.project.state(step["session_id"])
            assert verdict == step["verdict"] == state.verdict
            done = len(state.runs[0].with_status("completed"))
            planned = len(state.runs[0].nodes)
            assert (done, planned) == (step["nodes_completed"], step["nodes_planned"])
        assert [s["exit_code"] for s in steps] == [0, 0, 1, -signal.SIGKILL, 0, None]

        facts = steps[4]["facts"]
        ran = told.project.state(steps[4]["session_id"]).runs[0].nodes
        assert sorted(facts["to_run"]) == sorted(ran)
        assert len(facts["done"]) + len(ran) == 14
        assert facts["same_report"] is True

        past = steps[5]["facts"]["past"]
        crashed = steps[3]["session_id"]
        state = kedro_journal.replay(
            crashed, until_seq=past["seq"], directory=told.project.sessions_path
        )
        done = len(state.runs[0].with_status("completed"))
        assert past["nodes_completed"] == done < steps[3]["nodes_completed"]

    def test_the_story_says_what_is_in_the_journals(self, told: Told) -> None:
        story = told.done.stderr
        for state in told.project.states():
            assert f"{state.session_id}  {state.verdict}" in story
            for node in state.runs[0].with_status("completed"):
                assert node.name in story
        assert "ModelQualityError" in story
        assert "raise ModelQualityError(" in story
        assert "Node train_model was running" in story
        assert "KEDRO_ENV, KEDRO_JOURNAL_DIRECTORY" in story

    def test_its_commands_can_be_typed(self, told: Told) -> None:
        _, _, last = told.done.stderr.partition("Next steps\n")
        go, *typed = [row.strip() for row in last.splitlines()]
        commands = [row.rsplit("  ", 1)[0].strip() for row in typed]
        assert len(commands) == 5
        for command in commands[:3]:
            done = subprocess.run(
                f"{go} && {command}",
                shell=True,
                env=told.project.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout

    def test_the_project_is_usable(self, told: Told) -> None:
        listed = told.project.journal("list")
        assert listed.returncode == 0, listed.stderr
        rows = listed.stdout.splitlines()[1:]
        found = [row.removeprefix("+ ").split()[1] for row in rows]
        assert found == ["crashed", "completed", "failed", "completed"]
        assert [row.startswith("+ ") for row in rows] == [False, True, False, False]

    def test_nothing_but_the_project_is_left(self, told: Told) -> None:
        names = sorted(path.name for path in told.project.path.parent.iterdir())
        assert [told.project.path.name] == names


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


class TestAgain:
    def test_refuses_and_loses_nothing(self, told: Told, tmp_path: Path) -> None:
        before = snapshot(told.project.path)
        done = run_demo(str(told.project.path), cwd=tmp_path)

        assert done.returncode == 2
        assert not done.stdout
        assert len(done.stderr.splitlines()) == 1
        assert "--force" in done.stderr
        assert before == snapshot(told.project.path)

    @pytest.mark.long
    def test_force_replaces_it(self, told: Told, tmp_path: Path) -> None:
        folder = tmp_path / "journal-demo"
        shutil.copytree(told.project.path, folder)
        before = set(Project(folder).ids())
        done = run_demo("--force", cwd=tmp_path)

        assert done.returncode == 0, done.stderr
        assert not done.stderr
        project = Project(folder)
        assert [state.verdict for state in project.states()] == VERDICTS
        assert not before & set(project.ids())
        assert "\n  cd journal-demo\n" in done.stdout
        assert "\x1b" not in done.stdout

    @pytest.mark.parametrize(
        "name",
        [
            "notes.txt",
            "conf/local/credentials.yml",
            "data/01_raw/mine.csv",
            "data/mine.csv",
            "src/journal_demo/mine.py",
        ],
    )
    def test_force_spares_what_no_demo_made(self, project: Project, name: str) -> None:
        check_folder(project.path, force=True)
        path = project.path / name
        path.write_text("precious", encoding="utf-8")
        with pytest.raises(JournalError, match=path.name) as caught:
            check_folder(project.path, force=True)
        assert caught.value.exit_code == 2
        assert "--force to replace" not in str(caught.value)

    def test_force_spares_another_project(self, project: Project) -> None:
        pyproject = project.path / "pyproject.toml"
        text = pyproject.read_text(encoding="utf-8")
        pyproject.write_text(text.replace("Journal Demo", "Mine"), encoding="utf-8")
        with pytest.raises(JournalError, match=r"pyproject\.toml is not that"):
            check_folder(project.path, force=True)

    def test_force_does_not_follow_links(
        self, project: Project, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (project.path / "more").symlink_to(outside)
        with pytest.raises(JournalError, match="more is not from a demo"):
            check_folder(project.path, force=True)

    def test_force_waits_for_no_run(self, project: Project) -> None:
        where = JournalDirectory(project.sessions_path)
        slow = ("run", "--params", "model.epochs=20000")
        with start_kedro(slow, project.path) as child:
            session_id = await_session(where, [], child)
            next(iter(kedro_journal.follow(session_id, directory=where.path)))
            with pytest.raises(JournalError, match="still running"):
                check_folder(project.path, force=True)
        check_folder(project.path, force=True)

    def test_other_folders(self, tmp_path: Path) -> None:
        check_folder(tmp_path / "new" / "one", force=False)
        check_folder(tmp_path, force=False)
        (tmp_path / "file").touch()
        with pytest.raises(JournalError, match="not empty"):
            check_folder(tmp_path, force=False)
        with pytest.raises(JournalError, match="it is a file"):
            check_folder(tmp_path / "file", force=True)


class TestTrouble:
    def test_no_place_to_write(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        done = run_demo(str(tmp_path / "file" / "demo"), cwd=tmp_path)

        assert done.returncode == 2
        assert not done.stdout
        assert "file cannot be written to" in done.stderr
        assert [path.name for path in tmp_path.iterdir()] == ["file"]

    def test_kedro_fails(self, tmp_path: Path) -> None:
        broken = tmp_path / "broken" / "kedro"
        broken.mkdir(parents=True)
        (broken / "__init__.py").touch()
        (broken / "__main__.py").write_text("print('no such luck')\nexit(3)\n")
        cwd = tmp_path / "cwd"
        cwd.mkdir()
        env = {"PYTHONPATH": str(broken.parent)}
        done = run_demo("a/b", "--json", cwd=cwd, env=env)

        assert done.returncode == 1
        assert "no such luck" in done.stderr
        assert "Kedro could not make the project" in done.stderr
        assert not list(cwd.iterdir())
        summary = msgspec.json.decode(done.stdout)
        assert summary["ok"] is False
        assert "could not make" in summary["error"]
        assert [(s["ok"], s["exit_code"]) for s in summary["steps"]] == [(False, 3)]

    def test_a_claim_that_does_not_hold(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(demo_story, "_GATE", "evaluation.minimum_r2=0.1")
        done = CliRunner().invoke(journal, ["demo", str(tmp_path / "demo")])

        assert done.exit_code == 1
        assert "expected to fail, but the run completed" in done.stderr
        assert "2 sessions" in done.stderr

    def test_ctrl_c(self, tmp_path: Path) -> None:
        code, said = stop_demo(tmp_path, at="clean_bookings", by=signal.SIGINT)

        assert code == 130
        assert "what was running was killed" in said
        assert "1 session" in said
        assert "Traceback" not in said
        assert_killed(tmp_path)

    def test_ctrl_c_before_there_is_a_project(self, tmp_path: Path) -> None:
        code, said = stop_demo(tmp_path, at="kedro new", by=signal.SIGINT)

        assert code == 130
        assert "Nothing is left of it" in said
        assert not list(tmp_path.iterdir())

    def test_sigterm(self, tmp_path: Path) -> None:
        code, said = stop_demo(tmp_path, at="clean_bookings", by=signal.SIGTERM)

        assert code == 128 + signal.SIGTERM
        assert "Traceback" not in said
        assert_killed(tmp_path)


def stop_demo(cwd: Path, *, at: str, by: signal.Signals) -> tuple[int, str]:
    """Start the demo, stop it when it prints a word, and give what it says to that."""
    process = subprocess.Popen(
        DEMO,
        cwd=cwd,
        env=Project(cwd).environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for row in process.stdout:
        if at in row:
            process.send_signal(by)
            break
    _, said = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, said


def assert_killed(cwd: Path) -> None:
    state = Project(cwd / "journal-demo").state()
    assert state.verdict == "crashed"
    with pytest.raises(ProcessLookupError):
        os.kill(state.pid, 0)


def test_a_program_that_the_shell_finds_is_called_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "bin" / "kedro-journal"
    program.parent.mkdir()
    with monkeypatch.context() as elsewhere:
        python = str(tmp_path / "no-scripts" / "python")
        elsewhere.setattr(sys, "executable", python)
        long = as_typed("kedro-journal", "show", "an id")
        assert f"{python} -m kedro_journal show 'an id'" == long

        program.touch(mode=0o755)
        (tmp_path / "kedro-journal").symlink_to(program)
        assert long == as_typed("kedro-journal", "show", "an id")
    (tmp_path / "kedro-journal").unlink()
    with monkeypatch.context() as beside:
        beside.setattr(sys, "executable", str(program.parent / "python"))
        assert f"{program} list" == as_typed("kedro-journal", "list")
    (tmp_path / "kedro-journal").symlink_to(program)
    monkeypatch.setattr(sys, "executable", str(program.parent / "python"))
    assert as_typed("kedro-journal", "list") == "kedro-journal list"
