"""The exit code of a command is on record at both levels."""

from __future__ import annotations

import pytest

from .conftest import Project

FAILS = """
from kedro.pipeline import Node, Pipeline

def act():
    raise ValueError("no such column")

def make_pipelines():
    return {
        "__default__": Pipeline([Node(act, None, "one", name="act")]),
        "good": Pipeline([Node(lambda: 1, None, "one", name="good")]),
    }
"""
AFTERWARDS = """
import click
import kedro_journal

@click.group()
def cli():
    pass

@cli.command()
@click.pass_context
def run(ctx):
    from kedro_journal.session import KedroSession
    with KedroSession.create(project_path=ctx.obj.project_path) as session:
        session.run(pipeline_name="good")
    print("status:", session.state.status)
    print("verdict:", kedro_journal.replay(session.session_id).verdict)
    raise OSError("the report could not be sent")
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_the_exit_code_of_a_run_is_recorded(project: Project, level: int) -> None:
    if level == 0:
        project.level_0()
    project.nodes(FAILS)

    good = project.kedro("run", "--pipeline", "good")
    completed = project.state()
    bad = project.kedro("run")
    failed = project.state()

    assert (good.returncode, completed.exit_code) == (0, 0)
    assert (bad.returncode, failed.exit_code) == (1, 1)
    assert (completed.verdict, failed.verdict) == ("completed", "failed")
    assert completed.close_reason == failed.close_reason == "command"
    assert failed.error is None or failed.error.type == "ValueError"
    assert not failed.anomalies
    assert "exit code 1" in project.journal("show").stdout
    assert project.verification().ok


@pytest.mark.kedro
def test_what_ends_the_command_after_the_session_is_recorded_too(
    project: Project,
) -> None:
    project.nodes(FAILS)
    cli = project.path / "src" / project.package / "cli.py"
    cli.write_text(AFTERWARDS, encoding="utf-8")

    done = project.kedro("run")

    state = project.state()
    assert done.returncode == 1
    assert "status: inactive" in done.stdout
    assert "verdict: completed" in done.stdout  # although its process is alive
    assert (state.exit_code, state.close_reason) == (1, "command")
    assert state.verdict == "failed"
    assert state.error is not None
    assert state.error.type == "OSError"
    assert state.error_phase == "after the run"
    assert state.runs[0].status == "completed"
