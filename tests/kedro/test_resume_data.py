"""Resume on real projects whose nodes share, update or consume stored data."""

from __future__ import annotations

import json
import shutil

import pytest

from .conftest import Project, as_json

pytestmark = pytest.mark.kedro

PROBE = """
import os
from pathlib import Path
from kedro.io import AbstractDataset
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner
from kedro.runner.task import Task

def tick(name):
    with Path("ran.txt").open("a") as file: file.write(name + "\\n")
def boom(name):
    if Path("FAIL_" + name).exists(): raise RuntimeError(name)

class Days(AbstractDataset):
    _filepath_arg = "filepath"
    def __init__(self, path):
        self._path_of = Path(path)
        self._checkpoint_config = {"filepath": f"{path}/CHECKPOINT"}
    def _describe(self): return {}
    @property
    def _done(self):
        at = self._path_of / "CHECKPOINT"
        return at.read_text() if at.exists() else ""
    def _load(self):
        names = sorted(p.stem for p in self._path_of.glob("*.txt"))
        return [name for name in names if name > self._done]
    def _save(self, data): raise NotImplementedError
    def confirm(self):
        if os.environ.get("RAISE"): raise OSError("no checkpoint")
        (self._path_of / "CHECKPOINT").write_text(max(self._load()))

class Retry(SequentialRunner):
    def _run(self, pipeline, catalog, hook_manager=None, run_id=None):
        for node in pipeline.nodes:
            for left in (2, 1, 0):
                try:
                    Task(node=node, catalog=catalog, hook_manager=hook_manager,
                         is_async=self._is_async, run_id=run_id).execute()
                    break
                except Exception:
                    if not left: raise
"""
IN_PLACE = """
def first(p): tick("first"); return [p], p
def clean(x): tick("clean"); return [*x, "clean"]
def last(m, y): boom("last"); tick("last"); return [m, y]
def make_pipelines():
    return {"__default__": Pipeline([
        Node(first, "params:p", ["x", "m"], name="first"),
        Node(clean, "x", "y", name="clean"),
        Node(last, ["m", "y"], "out", name="last")])}
"""
UPDATE = """
def update(x): tick("update"); return [*x, "more"]
def last(y): boom("last"); tick("last"); return y
def make_pipelines():
    return {"__default__": Pipeline([
        Node(update, "x", "y", name="update"), Node(last, "y", "out", name="last")])}
"""
CONSUME = """
def take(days): tick("take"); return days
def last(rows): boom("last"); tick("last"); return rows
def make_pipelines():
    return {"__default__": Pipeline([
        Node(take, "days", "rows", name="take", confirms="days"),
        Node(last, "rows", "out", name="last")])}
"""
FLAKY = """
def flaky(p):
    tick("flaky")
    if Path("ran.txt").read_text().split().count("flaky") < 3: raise OSError("not now")
    return p
def last(x): boom("last"); tick("last"); return x
def make_pipelines():
    return {"__default__": Pipeline([
        Node(flaky, "params:p", "x", name="flaky"), Node(last, "x", "out", name="last")])}
"""
JSON = "journal_demo.datasets.JSONDataset"
RUNNERS = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]


def prepare(project: Project, nodes: str, catalog: dict[str, str]) -> Project:
    """Write the nodes, the places of the datasets and a node that fails."""
    project.nodes(PROBE + nodes)
    files = {"out": "data/out.json", **catalog}
    entries = [
        f"{name}:\n  type: {JSON}\n  filepath: {path}\n" for name, path in files.items()
    ]
    base = project.path / "conf/base"
    (base / "catalog.yml").write_text("".join(entries))
    (base / "parameters.yml").write_text("p: 1\n")
    (project.path / "data").mkdir(exist_ok=True)
    (project.path / "FAIL_last").touch()
    return project


def mend(project: Project) -> None:
    (project.path / "FAIL_last").unlink()
    (project.path / "ran.txt").unlink()


def ran(project: Project) -> list[str]:
    path = project.path / "ran.txt"
    return path.read_text().split() if path.exists() else []


def data(project: Project, name: str) -> object:
    return json.loads((project.path / "data" / name).read_text())


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("place", ["data/t.json", "data/../data/t.json", "link/t.json"])
def test_a_redo_is_followed_by_what_saved_later_in_the_same_file(
    project: Project, place: str, level: int
) -> None:
    prepare(project, IN_PLACE, {"x": "data/t.json", "y": place})
    (project.path / "link").symlink_to("data")
    if level == 0:
        project.level_0()
    assert project.kedro("run").returncode == 1
    mend(project)

    done = project.journal("resume")

    assert done.returncode == 0, done.stderr
    assert ran(project) == ["first", "clean", "last"]
    assert data(project, "t.json") == [1, "clean"]
    assert data(project, "out.json") == [1, [1, "clean"]]


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("on_drift", ["report", "redo", "refuse"])
def test_an_update_in_place_is_no_drift_and_is_not_applied_twice(
    project: Project, on_drift: str, runner: str
) -> None:
    prepare(project, UPDATE, {"x": "data/t.json", "y": "data/t.json"})
    (project.path / "data/t.json").write_text('["raw"]')
    assert project.kedro("run", "--runner", runner).returncode == 1
    mend(project)

    done = project.journal("resume", "--on-drift", on_drift)

    assert done.returncode == 0, done.stderr
    assert ran(project) == ["last"]
    assert data(project, "out.json") == ["raw", "more"]


def test_an_update_in_place_is_refused_until_the_original_is_back(
    project: Project,
) -> None:
    prepare(project, UPDATE, {"x": "data/t.json", "y": "data/t.json"})
    table = project.path / "data/t.json"
    table.write_text('["raw"]')
    shutil.copy(table, project.path / "raw.json")
    assert project.kedro("run").returncode == 1
    mend(project)

    refused = project.journal("resume", "--from", "update")
    assert refused.returncode == 6
    assert "node update would process the same data twice: x was" in refused.stderr
    assert data(project, "t.json") == ["raw", "more"]

    shutil.copy(project.path / "raw.json", table)
    done = project.journal("resume", "--from", "update")
    assert done.returncode == 0, done.stderr
    assert data(project, "out.json") == ["raw", "more"]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_node_whose_input_was_confirmed_is_not_run_again(
    project: Project, runner: str
) -> None:
    prepare(project, CONSUME, {})
    days(project, "d1", "d2")
    if runner == "ParallelRunner":
        more = f"rows:\n  type: {JSON}\n  filepath: data/rows.json\n"
        with (project.path / "conf/base/catalog.yml").open("a") as file:
            file.write(more)
    assert project.kedro("run", "--runner", runner).returncode == 1
    (project.path / "data/rows.json").unlink(missing_ok=True)
    mend(project)

    done = project.journal("resume")

    assert done.returncode == 6
    assert "node take would load an empty increment: days was confirmed" in done.stderr
    assert ran(project) == []


@pytest.mark.parametrize("level", [0, 1])
def test_a_confirmation_that_is_missing_is_made_up_for(
    project: Project, level: int
) -> None:
    prepare(project, CONSUME, {"rows": "data/rows.json"})
    days(project, "d1", "d2")
    if level == 0:
        project.level_0()
    assert project.kedro("run", env={"RAISE": "1"}).returncode == 1
    days(project, "d3")
    mend(project)

    (take, _) = as_json(project.journal("resume", "--dry-run", "--json"))["decisions"]
    assert take["decision"] == "suspect"
    assert "days was not confirmed" in take["reason"]
    done = project.journal("resume")

    assert done.returncode == 0, done.stderr
    assert data(project, "out.json") == ["d1", "d2", "d3"]
    assert (project.path / "days/CHECKPOINT").read_text() == "d3"


def days(project: Project, *names: str) -> None:
    """Let days arrive."""
    folder = project.path / "days"
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.txt").touch()
    catalog = project.path / "conf/base/catalog.yml"
    if "Days" not in catalog.read_text():
        with catalog.open("a") as file:
            file.write("days:\n  type: journal_demo.probe.Days\n  path: days\n")


@pytest.mark.parametrize("level", [0, 1])
def test_an_output_that_was_added_since_is_made(project: Project, level: int) -> None:
    nodes = UPDATE.replace('"x", "y", name="update"', '"params:p", "y", name="update"')
    nodes = nodes.replace("[*x,", "[x,")
    prepare(project, nodes, {"y": "data/y.json", "z": "data/z.json"})
    (project.path / "data/z.json").write_text('"yesterday"')
    if level == 0:
        project.level_0()
    assert project.kedro("run").returncode == 1
    mend(project)
    nodes = nodes.replace('[x, "more"]', '[x, "more"], "today"')
    nodes = nodes.replace('"y", name="update"', '["y", "z"], name="update"')
    project.nodes(PROBE + nodes.replace('"y", "out"', '"z", "out"'))

    done = project.journal("resume")

    assert done.returncode == 0, done.stderr
    assert "that it saved its output z is not recorded" in done.stderr
    assert data(project, "out.json") == "today"


@pytest.mark.parametrize("level", [0, 1])
def test_a_runner_that_tries_again_leaves_the_last_try(
    project: Project, level: int
) -> None:
    prepare(project, FLAKY, {"x": "data/x.json"})
    if level == 0:
        project.level_0()
    done = project.kedro(
        "run", "--runner", "journal_demo.probe.Retry", env={"KEDRO_JOURNAL_STRICT": "1"}
    )
    assert done.returncode == 1
    state = project.state()
    node = state.runs[-1].nodes["flaky"]
    assert not state.anomalies
    assert (node.status, node.tries, node.error) == ("completed", 3, None)
    assert [one.error.type for one in node.earlier_tries if one.error] == [
        "OSError"
    ] * 2
    mend(project)

    assert project.journal("resume").returncode == 0
    assert ran(project) == ["last"]


def test_a_copy_of_the_project_keeps_its_completed_nodes(project: Project) -> None:
    prepare(project, IN_PLACE.replace("return [p], p", "return [p], p"), {
        "x": "data/x.json", "y": "data/y.json", "m": "data/m.json"
    })  # fmt: skip
    assert project.kedro("run").returncode == 1
    copy = project.path.parent / "copy"
    shutil.copytree(project.path, copy, copy_function=shutil.copyfile)
    there = Project(copy)

    plan = as_json(there.journal("resume", "--dry-run", "--json"))

    assert [one["decision"] for one in plan["decisions"]] == ["done", "done", "to do"]
    assert plan["unknown"] == []


def test_a_packaged_project_resumes_with_the_recorded_package(
    project: Project,
) -> None:
    prepare(project, FLAKY, {"x": "data/x.json"})
    (project.path / "ran.txt").write_text("flaky flaky\n")
    (project.path / "pyproject.toml").unlink()
    env = {"PYTHONPATH": str(project.path / "src")}
    code = "import runpy\nrunpy.run_module('journal_demo', run_name='__main__')\n"
    assert project.python(code, env=env).returncode == 1
    mend(project)

    done = project.journal("resume", "--project", str(project.path), env=env)

    assert done.returncode == 0, done.stderr
    assert ran(project) == ["last"]
