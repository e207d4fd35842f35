"""Around the end of a run: what is said at once, what comes later, and without us.

How a run can end at all is told by the matrix, `test_matrix.py`.
"""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from .conftest import TIMEOUT_S, Project, as_json, check_complete
from .matrix_model import KEDRO_VERSION
from .matrix_project import copy_project, environment, make_project
from .matrix_stage import Performance
from .matrix_table import CELLS, Cell

SESSIONS = {
    0: "from kedro.framework.session import KedroSession",
    1: "from kedro_journal.session import KedroSession",
}
BEGIN = """
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
"""

# A runner that does not wait for its threads, as an interruption in the middle of the
# start of one has it; and a node that goes on all the same.
LEAVES = """
import threading
from concurrent.futures import ThreadPoolExecutor
from kedro.pipeline import Node, Pipeline
from kedro.runner import ThreadRunner

begun, gone, again = threading.Event(), threading.Event(), threading.Event()
pools = []

class Pool(ThreadPoolExecutor):
    def __exit__(self, *error):
        pools.append(self)
        self.shutdown(wait=False)

class Leaves(ThreadRunner):
    def _get_executor(self, max_workers):
        return Pool(2)

def slow():
    begun.set()
    if not again.is_set():
        gone.wait(60)
    return 1

def stop():
    begun.wait(60)
    if not again.is_set():
        raise KeyboardInterrupt
    return 2

def make_pipelines():
    nodes = [Node(slow, None, "one", name="slow"), Node(stop, None, "two", name="stop")]
    return {"__default__": Pipeline(nodes)}
"""
LEAVE = """
from journal_demo import probe
with KedroSession.create() as session:
    try:
        session.run(runner=probe.Leaves())
    except KeyboardInterrupt:
        probe.again.set()
    session.run(runner=probe.Leaves())
    probe.gone.set()
    for pool in probe.pools:
        pool.shutdown()
"""

SPY = """
import os, signal
from kedro_journal.journal import JournalWriter
append = JournalWriter.append_encoded

def spy(self, *batch, **more):
    print(*(item.event.TYPE for item in batch), flush=True)
    return append(self, *batch, **more)

JournalWriter.append_encoded = spy
"""
KILLS_ITSELF = """
import os, signal, time
from kedro.pipeline import Node, Pipeline

def act():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

def make_pipelines():
    return {"__default__": Pipeline([Node(act, None, "one", name="act")])}
"""


@pytest.fixture
def probe(generated: Path, tmp_path: Path) -> Project:
    """The project of the matrix."""
    template = make_project(generated, tmp_path / "template")
    return copy_project(template, tmp_path / "project", level=0, how="interrupt")


def cell(way: str, ending: str) -> Cell:
    (found,) = (c for c in CELLS if (c.way.id, c.ending.id) == (way, ending))
    return found


@pytest.mark.kedro
def test_a_crash_is_seen_within_a_second(generated: Path, tmp_path: Path) -> None:
    template = make_project(generated, tmp_path / "template")
    project = copy_project(template, tmp_path / "project", level=0, how="wait")
    killed = cell("run-0-sequential", "sigkill")
    Performance(project, killed, environment(project)).play()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)

    (row,) = as_json(project.journal("list", "--json"))

    # CPU time: the tests' machine is shared. No heartbeat has to run out.
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert "crashed" == row["verdict"]
    shown = project.journal("show").stdout
    assert "crashed" in shown
    assert "Node act was running" in shown


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_node_that_goes_on_after_its_run_was_interrupted_tells_no_more(
    project: Project, level: int
) -> None:
    project.nodes(LEAVES)

    done = project.python(SESSIONS[level] + BEGIN + LEAVE)

    assert 0 == done.returncode, done.stderr
    assert "kedro-journal" not in done.stdout + done.stderr
    state = project.state()
    assert (0, ()) == (state.unattributed_events, state.anomalies)
    first, second = state.runs
    # Of Kedro's own session no hook tells, and the script took the exception.
    reason = ("exit", "KeyboardInterrupt")[level]
    assert ("interrupted", reason, 1) == (first.status, first.reason, first.attempt)
    assert "interrupted" == first.nodes["slow"].status
    assert ("completed", 2) == (second.status, second.attempt)
    assert {"completed"} == {node.status for node in second.nodes.values()}


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_notebook_runs_again_after_an_interruption(
    probe: Project, level: int
) -> None:
    if level and KEDRO_VERSION >= (1, 3):
        probe.settings(SESSIONS[1] + "\nSESSION_CLASS = KedroSession\n")
    parameters = probe.path / "conf/base/parameters.yml"
    typed = (
        "%load_ext kedro.ipython\n"
        "from kedro.runner import ThreadRunner\n"
        "session.run(runner=ThreadRunner())\n"
        f"open({str(parameters)!r}, 'w').write('how: go')\n"
        "session.run(runner=ThreadRunner())\n"
    )

    done = probe.ipython(typed, environment(probe))

    assert 0 == done.returncode, done.stdout
    state = probe.state()
    assert ("completed", 0) == (state.verdict, state.unattributed_events)
    assert ["interrupted", "completed"] == [run.status for run in state.runs]
    assert ["KeyboardInterrupt", ""] == [run.reason for run in state.runs]
    assert "interrupted" == state.runs[0].nodes["act"].status
    assert {"completed"} == {n.status for n in state.runs[1].nodes.values()}
    check_complete(probe, state, all_runs=False)


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_signal_ends_run_and_session_in_one_append(
    project: Project, level: int
) -> None:
    project.nodes(KILLS_ITSELF)

    done = project.python(
        SESSIONS[level] + BEGIN + SPY + "with KedroSession.create() as session:\n"
        "    session.run()\n"
    )

    assert -15 == done.returncode, done.stderr
    assert (
        "run.interrupted session.deactivated session.closed"
        == (done.stdout.splitlines()[-1])
    )


@pytest.mark.kedro
def test_sigterm_closes_a_session_that_runs_nothing(project: Project) -> None:
    done = project.python(
        SESSIONS[1] + BEGIN + "session = KedroSession.create()\n"
        "import os, signal\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )

    assert -15 == done.returncode
    state = project.state()
    assert ("no run", "closed", "signal") == (
        state.verdict,
        state.status,
        state.close_reason,
    )


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
