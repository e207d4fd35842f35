"""The line that a failed command ends with."""

from __future__ import annotations

import pytest

from .conftest import Project

FAILS = """
from kedro.pipeline import Node, Pipeline

def act():
    raise ValueError("no such column")

def make_pipelines():
    return {"__default__": Pipeline([Node(act, None, "one", name="act")])}
"""


HINT = {"KEDRO_JOURNAL_HINT": "1"}


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_failed_run_ends_with_the_command_that_shows_it(
    project: Project, level: int
) -> None:
    if level == 0:
        project.level_0()
    project.nodes(FAILS)

    done = project.kedro("run", env=HINT)
    silent = project.kedro("run", env={"KEDRO_JOURNAL_HINT": "0"})

    session_id = project.ids()[0]
    last = done.stderr.rstrip().splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith("kedro-journal: failed: act: ValueError: no such column")
    assert last.endswith(f"See `kedro-journal show {session_id}`")
    assert "See `kedro-journal show" not in silent.stderr


@pytest.mark.kedro
def test_a_failure_before_the_run_has_the_hint_and_success_has_none(
    project: Project,
) -> None:
    failed = project.kedro("run", "--pipeline", "nope", env=HINT)
    good = project.kedro("run", env=HINT)

    assert "See `kedro-journal show" in failed.stderr.rstrip().splitlines()[-1]
    assert good.returncode == 0
    assert "See `kedro-journal show" not in good.stderr
