"""Confirmations: recorded at both levels, under every runner, and never in the way."""

from __future__ import annotations

import pytest

from .conftest import Project, check_complete
from .test_runners import WAYS

PROBE = """
import os, signal
from pathlib import Path
from kedro.io import AbstractDataset
from kedro.pipeline import Node, Pipeline

CONFIRMED = Path("confirmed.txt")

class Days(AbstractDataset):
    def __init__(self, name): self._name = name
    def _describe(self): return {"name": self._name}
    def _load(self): return [self._name]
    def _save(self, data): raise NotImplementedError
    def confirm(self):
        if os.environ.get("KILL") == self._name: os.kill(os.getpid(), signal.SIGKILL)
        if os.environ.get("RAISE") == self._name: raise OSError("no checkpoint")
        with CONFIRMED.open("a") as file: file.write(self._name + "\\n")

def same(rows): return rows
def chunks(rows):
    for row in [*rows, "more"]:
        yield [row]
def last(one, two, three): return [*one, *two, *three]

def make_pipelines():
    return {"__default__": Pipeline([
        Node(same, "days", "rows", name="take", confirms="days"),
        Node(same, "weeks", "more", name="other", confirms=["weeks", "days2"]),
        Node(GENERATOR, "days3", "third", name="third", confirms="days3"),
        Node(last, ["rows", "more", "third"], "out", name="last", confirms=[]),
    ])}
"""
CATALOG = "".join(
    f"{name}:\n  type: journal_demo.probe.Days\n  name: {name}\n"
    for name in ("days", "weeks", "days2", "days3")
) + "".join(
    f"{name}:\n  type: journal_demo.datasets.JSONDataset\n"
    f"  filepath: data/{name}.json\n"
    for name in ("rows", "more", "third", "out")
)


@pytest.fixture
def confirming(project: Project) -> Project:
    """A project whose nodes confirm what they loaded."""
    project.nodes(PROBE.replace("GENERATOR", "same"))
    (project.path / "conf/base/catalog.yml").write_text(CATALOG)
    (project.path / "conf/base/parameters.yml").write_text("{}\n")
    return project


def confirmed(project: Project) -> list[str]:
    """What was confirmed, in any order."""
    path = project.path / "confirmed.txt"
    return sorted(path.read_text().split()) if path.exists() else []


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("arguments", "env"), WAYS)
def test_each_confirmation_is_recorded_before_its_node_is_completed(
    confirming: Project, arguments: list[str], env: dict[str, str], level: int
) -> None:
    if level == 0:
        confirming.level_0()
    elif "is_async=True" not in arguments:
        confirming.nodes(PROBE.replace("GENERATOR", "chunks"))

    done = confirming.kedro("run", *arguments, env=env)

    assert done.returncode == 0, done.stdout
    assert "kedro-journal" not in done.stdout + done.stderr
    assert ["days", "days2", "days3", "weeks"] == confirmed(confirming)
    state = confirming.state()
    check_complete(confirming, state)
    (run,) = state.runs
    assert {"completed"} == {node.status for node in run.nodes.values()}
    wanted = {
        "take": ["days"],
        "other": ["weeks", "days2"],
        "third": ["days3"],
        "last": [],
    }
    for name, datasets in wanted.items():
        node = run.nodes[name]
        assert node.plan is not None
        assert tuple(datasets) == node.plan.confirms
        assert datasets == list(node.confirms)
        last_save = max(save.ended_seq for save in node.saves.values())
        for one in node.confirms.values():
            assert last_save < one.started_seq < one.ended_seq < node.ended_seq
            assert one.duration_s is not None
            assert one.count == 1


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("runner", ["Sequential", "Thread", "Parallel"])
def test_a_confirmation_that_raises_fails_its_node(
    confirming: Project, level: int, runner: str
) -> None:
    if level == 0:
        confirming.level_0()

    arguments = ("run", "-r", f"{runner}Runner", "--nodes", "other")
    done = confirming.kedro(*arguments, env={"RAISE": "days2"})

    assert done.returncode == 1
    assert ["weeks"] == confirmed(confirming)
    state = confirming.state()
    assert "failed" == state.verdict
    assert () == state.anomalies
    node = state.runs[0].nodes["other"]
    assert ("failed", "confirming", "days2") == (node.status, node.phase, node.dataset)
    assert node.error is not None
    assert ("OSError", "no checkpoint") == (node.error.type, node.error.message)
    assert not node.confirms["weeks"].is_open
    shown = confirming.journal("show").stdout
    assert "confirming days2" in shown


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("runner", ["Sequential", "Parallel"])
def test_a_node_killed_while_it_confirms_is_not_completed(
    confirming: Project, level: int, runner: str
) -> None:
    if level == 0:
        confirming.level_0()

    arguments = ("run", "-r", f"{runner}Runner", "--nodes", "take")
    done = confirming.kedro(*arguments, env={"KILL": "days"})

    assert done.returncode != 0
    state = confirming.state()
    node = state.runs[0].nodes["take"]
    assert node.status in ("confirming", "interrupted", "failed")
    assert node.confirms["days"].is_open
    assert not node.saves["rows"].is_open


USER = """
from kedro.framework.hooks import hook_impl

class Sees:
    @hook_impl
    def before_pipeline_run(self, catalog):
        self.catalog = catalog
        self.before = set(vars(catalog))
    @hook_impl
    def after_node_run(self, node, catalog):
        import copy, types
        deep = copy.deepcopy(catalog)
        assert deep.confirm.__self__ is deep
        assert isinstance(catalog.confirm, types.MethodType)
        assert catalog.confirm.__self__ is catalog
    @hook_impl
    def after_pipeline_run(self): self.check()
    @hook_impl
    def on_pipeline_error(self): self.check()
    def check(self):
        new = set(vars(self.catalog)) - self.before
        print("LEFT", "confirm" in vars(self.catalog), sorted(new & {"confirm"}))

HOOKS = (Sees(),)
"""
OURS = "from kedro_journal.session import KedroSession\nSESSION_CLASS = KedroSession\n"


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("runner", ["Sequential", "Thread"])
@pytest.mark.parametrize("raised", ["", "days2"])
def test_nothing_is_left_on_the_catalog_and_copies_of_it_are_as_without_us(
    confirming: Project, level: int, runner: str, raised: str
) -> None:
    confirming.settings(USER + (OURS if level else ""))

    done = confirming.kedro("run", "-r", f"{runner}Runner", env={"RAISE": raised})

    assert done.returncode == int(bool(raised)), done.stdout + done.stderr
    assert "LEFT False []" in done.stdout
    assert "AssertionError" not in done.stdout + done.stderr


@pytest.mark.kedro
def test_a_dataset_that_cannot_be_confirmed_fails_as_without_us(
    confirming: Project,
) -> None:
    catalog = confirming.path / "conf/base/catalog.yml"
    text = CATALOG.replace(
        "days2:\n  type: journal_demo.probe.Days\n  name: days2\n",
        "days2:\n  type: journal_demo.datasets.JSONDataset\n  filepath: data/n.json\n",
    )
    catalog.write_text(text)

    done = confirming.kedro("run", "--nodes", "other")

    assert done.returncode == 1
    node = confirming.state().runs[0].nodes["other"]
    assert ("failed", "confirming") == (node.status, node.phase)
    assert node.error is not None
    assert "does not have 'confirm' method" in node.error.message
