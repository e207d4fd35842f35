"""The last log records of a node that failed are on record, and of no other node."""

from __future__ import annotations

import json

import pytest

from .conftest import Project

NODES = """
import logging
from kedro.pipeline import Node, Pipeline

log = logging.getLogger("journal_demo.probe")

def good():
    log.warning("all is well")
    return 1

def bad(one):
    for number in range(30):
        log.info("row %d password=hunter2", number)
    logging.getLogger("kedro.io").warning("told by Kedro")
    raise ValueError("no such column")

def make_pipelines():
    return {"__default__": Pipeline([
        Node(good, None, "one", name="good"), Node(bad, "one", "two", name="bad"),
    ])}
"""


@pytest.mark.kedro
@pytest.mark.parametrize(
    ("level", "runner"),
    [(0, "SequentialRunner"), (0, "ParallelRunner"), (1, "ThreadRunner")],
)
def test_the_last_log_records_of_a_failed_node_are_shown(
    project: Project, level: int, runner: str
) -> None:
    if level == 0:
        project.level_0()
    project.nodes(NODES)

    done = project.kedro("run", "--runner", runner)

    (run,) = project.state().runs
    assert done.returncode == 1
    assert [one.text for one in run.nodes["bad"].log] == [
        f"row {number} password=[redacted]" for number in range(10, 30)
    ]
    assert {one.level for one in run.nodes["bad"].log} == {"INFO"}
    assert run.nodes["good"].log == ()
    shown = project.journal("show").stdout
    assert "INFO journal_demo.probe: row 29 password=[redacted]" in shown
    assert "row 9 " not in shown
    assert "kedro.io: told" not in shown
    assert "hunter2" not in (
        next(project.sessions_path.glob("*/journal.jsonl")).read_text()
    )


@pytest.mark.kedro
def test_log_capture_and_the_switch_leave_nothing_twice(project: Project) -> None:
    project.nodes(NODES)

    project.kedro("run", env={"KEDRO_JOURNAL_LOG_TAIL": "0"})
    off = project.state()
    project.kedro("run", env={"KEDRO_JOURNAL_LOG_LEVEL": "DEBUG"})
    all_notes = project.state()
    project.kedro("run", env={"KEDRO_JOURNAL_LOG_LEVEL": "WARNING"})
    some_notes = project.state()

    assert off.runs[0].nodes["bad"].log == ()
    assert all_notes.runs[0].nodes["bad"].log == ()
    assert any("row 29" in note.text for note in all_notes.notes)
    assert len(some_notes.runs[0].nodes["bad"].log) == 20
    assert not any("row" in note.text for note in some_notes.notes)
    shown = project.journal("show", all_notes.session_id).stdout
    below = shown[shown.index("Its last log records:") :].partition("Parameters")[0]
    assert "row 29 password=[redacted]" in below
    data = json.loads(project.journal("show", "--json").stdout)
    assert data["runs"][0]["nodes"]["bad"]["log"][-1]["text"].startswith("row 29")
