"""One logical run over many processes: group, parent and labels, and the merged view."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import kedro_journal

from .conftest import TIMEOUT_S, Project, as_json

GROUP = "scheduled__2026-11-22T00:00:00+00:00"
TASKS = """
from pathlib import Path
from kedro.pipeline import Node, Pipeline

def split(x): return x
def train(x):
    mark = Path("tried")
    if not mark.exists():
        mark.write_text("once")
        raise MemoryError("first try")
def report(x): pass

def make_pipelines():
    return {"__default__": Pipeline([
        Node(split, "params:title", None, name="split"),
        Node(train, "params:title", None, name="train"),
        Node(report, "params:title", None, name="report"),
    ])}
"""


@pytest.fixture
def tasks(project: Project) -> Project:
    project.nodes(TASKS)
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    return project


def task(project: Project, name: str, *more: str) -> int:
    """Run one node as an orchestrator's task does."""
    environment = {
        "KEDRO_JOURNAL_GROUP_ID": GROUP,
        "KEDRO_JOURNAL_PARENT_SESSION_ID": "2026-11-21T00.00.00.000Z",
        "KEDRO_JOURNAL_LABELS": f"task={name},team=demand",
    }
    return project.kedro("run", "--nodes", name, *more, env=environment).returncode


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_tasks_of_an_orchestrator_are_one_run(tasks: Project, level: int) -> None:
    if level == 0:
        tasks.level_0()
    codes = [task(tasks, name) for name in ("split", "train", "train", "report")]
    assert 0 == tasks.kedro("run", "--nodes", "split").returncode  # nobody's sibling

    assert [0, 1, 0, 0] == codes
    states = tasks.states()
    assert [None, *[GROUP] * 4] == [state.group_id for state in states]
    assert "2026-11-21T00.00.00.000Z" == states[1].parent_session_id
    assert {"task": "report", "team": "demand"} == states[1].labels
    group = kedro_journal.replay_group(GROUP, project_path=tasks.path)
    assert "completed" == group.verdict
    assert ["split", "train", "report"] == list(group.nodes)
    train = group.nodes["train"]
    assert ["failed", "completed"] == [one.status for one in train.tries]
    assert train.earlier[0].node.error is not None
    assert "first try" == train.earlier[0].node.error.message
    assert (states[3].session_id,) == group.made_good
    shown = as_json(tasks.journal("show", "--group", GROUP, "--json"))
    assert ("completed", 4) == (shown["verdict"], len(shown["sessions"]))
    text = tasks.journal("show", states[1].session_id).stdout
    assert f"group       {GROUP}\n" in text
    assert "labels      task=report  team=demand\n" in text


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_task_that_fails_before_its_run_is_a_sibling_too(
    tasks: Project, level: int
) -> None:
    if level == 0:
        tasks.level_0()
    assert 0 == task(tasks, "split")
    assert 1 == task(tasks, "train", "--pipelines", "nope")

    # `latest` passes over a line that Kedro refused.
    failed = tasks.states()[0]
    assert ("failed", ()) == (failed.verdict, failed.runs)
    assert (GROUP, "train") == (failed.group_id, failed.labels["task"])
    group = kedro_journal.replay_group(GROUP, project_path=tasks.path)
    assert "failed" == group.verdict
    assert group.first_failure is not None
    assert failed.session_id == group.first_failure.session_id
    (tasks.path / "tried").write_text("x")
    assert 0 == task(tasks, "train")
    again = kedro_journal.replay_group(GROUP, project_path=tasks.path)
    assert ("completed", (failed.session_id,)) == (again.verdict, again.made_good)


@pytest.mark.kedro
def test_tasks_at_once_are_siblings_also_in_a_copy_of_the_directory(
    tasks: Project, tmp_path: Path
) -> None:
    env = {"KEDRO_JOURNAL_GROUP_ID": GROUP}
    processes = [
        tasks.start("run", "--nodes", name, env=env) for name in ("split", "report")
    ]
    outputs = [process.communicate(timeout=TIMEOUT_S)[0] for process in processes]
    assert [0, 0] == [process.returncode for process in processes], outputs
    shutil.copytree(tasks.sessions_path, tmp_path / "copied")

    here = kedro_journal.replay_group(GROUP, project_path=tasks.path)
    copied = kedro_journal.replay_group(GROUP, directory=tmp_path / "copied")

    assert here == copied
    assert "completed" == here.verdict
    assert {"split", "report"} == set(here.nodes)
    assert 2 == len({node.last.session_id for node in here.nodes.values()})


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_mistakes_in_the_variables_do_not_stop_the_run(
    tasks: Project, level: int
) -> None:
    if level == 0:
        tasks.level_0()
    done = tasks.kedro(
        "run", "--nodes", "split",
        env={
            "KEDRO_JOURNAL_GROUP_ID": "two words",
            "KEDRO_JOURNAL_PARENT_SESSION_ID": "../up",
            "KEDRO_JOURNAL_LABELS": "nonsense,good=yes",
        },
    )  # fmt: skip

    assert 0 == done.returncode
    said = " ".join((done.stdout + done.stderr).split())
    for variable in ("GROUP_ID", "PARENT_SESSION_ID", "LABELS"):
        assert 1 == said.count(f"KEDRO_JOURNAL_{variable}:"), said
    state = tasks.state()
    assert (None, None) == (state.group_id, state.parent_session_id)
    assert {"good": "yes"} == state.labels
    assert "completed" == state.verdict


@pytest.mark.kedro
def test_code_gives_them_by_argument(in_memory: Project) -> None:
    done = in_memory.python(
        "from pathlib import Path\n"
        "from kedro_journal.session import KedroServiceSession, KedroSession\n"
        "them = dict(group_id='g', parent_session_id='p', labels={'a': 1})\n"
        "with KedroSession.create('journal_demo', **them) as s:\n"
        "    s.run()\n"
        "with KedroServiceSession.create(project_path=Path.cwd(), **them) as s:\n"
        "    s.run()\n"
        "for cls in (KedroSession, KedroServiceSession):\n"
        "    try:\n"
        "        cls.create(project_path=Path.cwd(), group_id='a b')\n"
        "    except ValueError as error:\n"
        "        print('refused:', error)\n"
    )

    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count("refused: group_id 'a b' holds blanks")
    states = in_memory.states()
    assert 2 == len(states)
    for state in states:
        assert ("g", "p", {"a": "1"}) == (
            state.group_id,
            state.parent_session_id,
            state.labels,
        )
    group = kedro_journal.replay_group("g", project_path=in_memory.path)
    assert "completed" == group.verdict
    assert 2 == len(group.nodes["join"].tries)
