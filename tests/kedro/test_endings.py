"""How a run can end, each told apart: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

import kedro_journal
from kedro_journal import SessionState

from .conftest import TIMEOUT_S, Project, as_json, check_complete

PROBE = """
import os, signal, sys, threading
from kedro.pipeline import Node, Pipeline

def first(x):
    return 1

def act(x, how):
    if how == "raise":
        raise LookupError("boom in a node")
    if how == "exit":
        sys.exit(3)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "wait":
        threading.Event().wait(120)
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    return 2

def last(x):
    return 3

def make_pipelines():
    nodes = [
        Node(first, "params:how", "one", name="first"),
        Node(act, ["one", "params:how"], "two", name="act"),
        Node(last, "two", "three", name="last"),
    ]
    return {"__default__": Pipeline(nodes)}
"""


@pytest.fixture
def probe(project: Project) -> Project:
    """The project with three nodes, the second of which does as it is told."""
    project.nodes(PROBE)
    return project


def run(project: Project, how: str, level: int, *more: str) -> int:
    if level == 0:
        project.level_0()
    done = project.kedro("run", "--params", f"how={how}", *more)
    assert "kedro-journal:" not in done.stdout + done.stderr
    return done.returncode


def wait_for_node(
    project: Project, node: str, process: subprocess.Popen[str]
) -> SessionState:
    """Wait until the journal itself says that a node is running."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (ids := project.ids()):  # it has to appear before it can be followed
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no session appeared: {process.communicate()[0]}")
        time.sleep(0.01)
    for record in kedro_journal.follow(ids[-1], directory=project.sessions_path):
        if record.type == "node.started" and record.event.node == node:  # type: ignore[union-attr]
            return project.state(ids[-1])
    pytest.fail(f"{node} never started: {process.communicate()[0]}")


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
class TestEndings:
    def test_a_raising_node(self, probe: Project, level: int) -> None:
        assert 1 == run(probe, "raise", level)

        state = probe.state()
        assert "failed" == state.verdict
        assert "failed" == state.runs[0].status
        node = state.runs[0].nodes["act"]
        assert ("failed", "running") == (node.status, node.phase)
        assert node.error is not None
        assert ("LookupError", "boom in a node") == (
            node.error.type,
            node.error.message,
        )
        assert any(
            'raise LookupError("boom in a node")' in s for s in node.error.snippet
        )
        assert "pending" == state.runs[0].nodes["last"].status
        assert probe.verification().ok

    def test_sys_exit_in_a_node(self, probe: Project, level: int) -> None:
        assert 3 == run(probe, "exit", level)

        state = probe.state()
        assert "interrupted" == state.verdict
        assert ("interrupted", "SystemExit") == (
            state.runs[0].status,
            state.runs[0].reason,
        )
        assert "interrupted" == state.runs[0].nodes["act"].status

    def test_keyboard_interrupt(self, probe: Project, level: int) -> None:
        assert 1 == run(probe, "interrupt", level)

        state = probe.state()
        assert "interrupted" == state.verdict
        assert "KeyboardInterrupt" == state.runs[0].reason
        assert "interrupted" == state.runs[0].nodes["act"].status

    def test_an_unknown_pipeline(self, project: Project, level: int) -> None:
        if level == 0:
            project.level_0()
        assert 1 == project.kedro("run", "--pipelines", "nope").returncode

        state = project.state()
        assert "failed" == state.verdict
        assert () == state.runs
        assert state.error is not None
        assert "nope" in state.error.message
        assert "closed" == state.status

    def test_a_catalog_that_does_not_read(self, project: Project, level: int) -> None:
        if level == 0:
            project.level_0()
        (project.path / "conf/base/catalog.yml").write_text("x: {type: [\n")
        assert 1 == project.kedro("run").returncode

        state = project.state()
        assert "failed" == state.verdict
        assert state.error is not None
        assert "catalog.yml" in state.error.message

    def test_a_failing_load_names_node_and_dataset(
        self, project: Project, level: int
    ) -> None:
        if level == 0:
            project.level_0()
        (project.path / "data/01_raw/weather.csv").unlink()
        assert 1 == project.kedro("run").returncode

        state = project.state()
        (node,) = state.runs[0].broken
        assert ("clean_weather", "failed", "loading", "raw_weather") == (
            node.name,
            node.status,
            node.phase,
            node.dataset,
        )

    @pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner"])
    def test_a_failing_save_names_node_and_dataset(
        self, project: Project, level: int, runner: str
    ) -> None:
        if level == 0:
            project.level_0()
        target = project.path / "data/02_intermediate/calendar.csv"
        catalog = (project.path / "conf/base/catalog.yml").read_text()
        assert "calendar.csv" in catalog
        target.mkdir(parents=True)
        assert 1 == project.kedro("run", "-r", runner).returncode

        state = project.state()
        (node,) = state.runs[0].broken
        assert ("clean_calendar", "failed", "saving", "calendar") == (
            node.name,
            node.status,
            node.phase,
            node.dataset,
        )

    def test_sigterm(self, probe: Project, level: int) -> None:
        if level == 0:
            probe.level_0()
        process = probe.start("run", "--params", "how=wait")
        wait_for_node(probe, "act", process)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT_S)

        assert -signal.SIGTERM == process.returncode
        state = probe.state()
        assert ("interrupted", "closed") == (state.verdict, state.status)
        assert "SIGTERM" == state.runs[0].reason
        assert "interrupted" == state.runs[0].nodes["act"].status

    def test_ctrl_c(self, probe: Project, level: int) -> None:
        if level == 0:
            probe.level_0()
        process = probe.start("run", "--params", "how=wait", start_new_session=True)
        wait_for_node(probe, "act", process)
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=TIMEOUT_S)

        assert "interrupted" == probe.state().verdict
        assert "KeyboardInterrupt" == probe.state().runs[0].reason

    def test_sigkill_is_a_crash_that_is_seen_within_a_second(
        self, probe: Project, level: int
    ) -> None:
        if level == 0:
            probe.level_0()
        process = probe.start("run", "--params", "how=wait")
        session_id = wait_for_node(probe, "act", process).session_id
        assert "running" == probe.state().verdict
        process.send_signal(signal.SIGSTOP)
        assert "running" == probe.state().verdict
        process.kill()
        process.communicate(timeout=TIMEOUT_S)
        killed = time.monotonic()

        (row,) = as_json(probe.journal("list", "--json"))

        assert time.monotonic() - killed < 1.0 + 1.0  # the tests' machine is shared
        assert ("crashed", session_id) == (row["verdict"], row["session_id"])
        shown = probe.journal("show").stdout
        assert "crashed" in shown
        assert "act" in shown
        (node,) = probe.state().runs[0].in_progress
        assert ("act", "running") == (node.name, node.status)


@pytest.mark.kedro
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_killed_worker_leaves_a_failed_run(probe: Project, method: str) -> None:
    done = probe.kedro(
        "run", "-r", "ParallelRunner", "--params", "how=die",
        env={"KEDRO_MP_CONTEXT": method},
    )  # fmt: skip

    assert 1 == done.returncode
    state = probe.state()
    assert "failed" == state.verdict
    assert state.runs[0].error is not None
    assert "BrokenProcessPool" in state.runs[0].error.type
    assert "interrupted" == state.runs[0].nodes["act"].status
    assert probe.verification().ok


@pytest.mark.kedro
def test_another_plugin_that_raises_does_not_hide_what_happened(
    probe: Project,
) -> None:
    probe.settings(
        "from kedro.framework.hooks import hook_impl\n"
        "from kedro_journal.session import KedroSession\n"
        "class Bad:\n"
        "    @hook_impl\n"
        "    def after_node_run(self, node):\n"
        "        if node.name == 'act':\n"
        "            raise OSError('another plugin')\n"
        "HOOKS = (Bad(),)\n"
        "SESSION_CLASS = KedroSession\n"
    )
    assert 1 == probe.kedro("run", "--params", "how=go").returncode

    state = probe.state()
    assert "failed" == state.verdict
    node = state.runs[0].nodes["act"]
    assert ("failed", "saving") == (node.status, node.phase)
    assert node.computed_seq > 0


@pytest.mark.kedro
def test_two_runs_at_once_are_two_sessions_and_nothing_mixed(
    in_memory: Project,
) -> None:
    processes = [
        in_memory.start("run", "--params", f"title=run{number}") for number in range(2)
    ]
    for process in processes:
        output, _ = process.communicate(timeout=TIMEOUT_S)
        assert 0 == process.returncode, output

    states = in_memory.states()
    assert ["run0", "run1"] == sorted(s.runtime_params["title"] for s in states)
    for state in states:
        assert "completed" == state.verdict
        assert ["w1"] == list(state.writers)
        check_complete(in_memory, state)


@pytest.mark.kedro
def test_the_session_goes_on_when_the_journal_cannot_be_written(
    project: Project,
) -> None:
    (project.path / "sessions").write_text("a file where the folder should be")

    done = project.kedro("run")

    assert 0 == done.returncode
    said = (done.stdout + done.stderr).count("is not journaled")
    assert 1 == said


@pytest.mark.kedro
def test_strict_lets_the_run_fail(project: Project) -> None:
    (project.path / "sessions").write_text("a file where the folder should be")

    done = project.kedro("run", env={"KEDRO_JOURNAL_STRICT": "1"})

    assert 1 == done.returncode
    assert "JournalUnwritable" in done.stdout + done.stderr


@pytest.mark.kedro
@pytest.mark.parametrize("way", ["variable", "settings", "kedro-settings"])
def test_the_plugin_can_be_switched_off(project: Project, way: str) -> None:
    env = {}
    if way == "variable":
        env = {"KEDRO_JOURNAL_DISABLE": "1"}
    elif way == "settings":
        path = project.path / "pyproject.toml"
        path.write_text(path.read_text() + "\n[tool.kedro_journal]\ndisable = true\n")
    else:
        project.settings('DISABLE_HOOKS_FOR_PLUGINS = ("kedro-journal",)\n')

    assert 0 == project.kedro("run", env=env).returncode

    assert not project.sessions_path.exists()
