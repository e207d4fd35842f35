"""What is said of real runs that end in an unusual way."""

from __future__ import annotations

import signal

import pytest

from .conftest import Project, as_json

CHAIN = """
import os, signal
from kedro.pipeline import Node, Pipeline

def first(model): return model
def second(rows): {body}
def third(rows): return rows

def make_pipelines():
    return {{"__default__": Pipeline([
        Node(first, "params:model", "one", name="first"),
        Node(second, "one", "two", name="second"),
        Node(third, "one", "three", name="third"),
    ])}}
"""
RUNNER = """
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

class GoesOn(SequentialRunner):
    def _run(self, pipeline, catalog, hook_manager=None, run_id=None):
        for node in pipeline.nodes:
            try:
                Task(node=node, catalog=catalog, hook_manager=hook_manager,
                     is_async=self._is_async, run_id=run_id).execute()
            except Exception:
                pass
"""

pytestmark = pytest.mark.kedro


@pytest.fixture(params=[0, 1])
def at_level(request: pytest.FixtureRequest, project: Project) -> Project:
    """A project with hooks alone, and one with our session class."""
    if request.param == 0:
        project.level_0()
    return project


def test_a_run_that_went_on_without_a_node_did_not_save_everything(
    at_level: Project,
) -> None:
    at_level.nodes(CHAIN.format(body="raise ValueError('bad shape')"))
    (at_level.path / "src" / at_level.package / "runners.py").write_text(RUNNER)
    done = at_level.kedro("run", f"--runner={at_level.package}.runners.GoesOn")
    assert done.returncode == 0, done.stdout

    state = at_level.state()
    assert (state.verdict, state.runs[-1].status) == ("failed", "completed")
    shown = at_level.journal("show").stdout
    assert "Everything ran" not in shown
    assert "The run completed, but 1 node failed: 2 nodes saved." in shown
    assert "completed, 1 node failed" in shown
    assert "Node second failed" in shown
    (row,) = as_json(at_level.journal("list", "--json"))
    assert [place["node"] for place in row["places"]] == ["second"]


def test_a_closed_terminal_is_an_interruption(at_level: Project) -> None:
    body = "os.kill(os.getpid(), signal.SIGHUP)"
    at_level.nodes(CHAIN.format(body=body))
    done = at_level.kedro("run")
    assert done.returncode == -signal.SIGHUP, done.stdout

    state = at_level.state()
    assert state.verdict == "interrupted"
    assert (state.runs[-1].reason, state.runs[-1].signal) == ("SIGHUP", 1)
    assert "by SIGHUP" in at_level.journal("show").stdout


def test_a_killed_worker_is_no_exception_of_a_dataset(at_level: Project) -> None:
    body = "os.kill(os.getpid(), signal.SIGKILL)"
    at_level.nodes(CHAIN.format(body=body))
    done = at_level.kedro("run", "--runner=ParallelRunner")
    assert done.returncode == 1, done.stdout

    run = at_level.state().runs[-1]
    assert run.nodes["second"].status == "interrupted"
    head = at_level.journal("show").stdout.splitlines()[1]
    assert "orker process" in head
    assert " was killed (" in head


def test_two_sessions_are_compared_in_order_of_time(project: Project) -> None:
    project.nodes(CHAIN.format(body="return rows"))
    for value in (3, 4):
        done = project.kedro("run", "--params", f"model.trees={value}")
        assert done.returncode == 0, done.stdout
    first, second = project.ids()

    forward = project.journal("diff", first, second).stdout
    assert project.journal("diff", second, first).stdout == forward
    assert "  parameter      model.trees: 3 -> 4\n" in forward
    assert "flag" not in forward
    assert "  ran again      3 nodes\n" in forward
    same = project.journal("diff", second, second).stdout
    assert same == f"{second}: the same session\n"


ODD = """
from kedro.pipeline import Node, Pipeline

class Odd(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")

def act():
    raise Odd(7, "no such column")

def make_pipelines():
    return {"__default__": Pipeline([Node(act, None, "one", name="act")])}
"""


def test_a_signal_while_the_command_reads_the_project_is_an_interruption(
    project: Project,
) -> None:
    registry = project.path / "src" / project.package / "pipeline_registry.py"
    stop = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n"
    registry.write_text(stop + registry.read_text())
    done = project.kedro("run")
    assert done.returncode == -signal.SIGTERM, done.stdout

    for _ in "ab":  # the second list reads the index
        (row,) = as_json(project.journal("list", "--json"))
        assert row["verdict"] == "interrupted"
    assert "Interrupted: a signal ended it." in project.journal("show").stdout


def test_an_exception_that_does_not_reach_the_parent_is_no_killed_worker(
    at_level: Project,
) -> None:
    at_level.nodes(ODD)

    done = at_level.kedro("run", "--runner", "ParallelRunner")

    shown = at_level.journal("show").stdout.partition("\n\n")[0]
    assert done.returncode == 1
    assert "was killed" not in shown
    assert "Odd: 7: no such column" in shown
    assert "could not be unpickled: TypeError" in shown
    for _ in "ab":  # the second list reads the index
        listed = at_level.journal("list").stdout
        assert "Odd: 7: no such column" in listed
        assert "was killed" not in listed
