"""Questions about a real session: the same answers in Python and on the command line."""

from __future__ import annotations

import json

import pytest

from .conftest import Project, as_json

pytestmark = pytest.mark.kedro

NODES = """
from kedro.pipeline import Node, Pipeline

def split(lr): return {"lr": lr}, [1, 2]
def train(rows, memory, lr, old):
    raise ValueError("bad shape")
def report(model): return model

def make_pipelines():
    return {"__default__": Pipeline([
        Node(split, "params:model.lr", ["rows", "memory"], name="split"),
        Node(train, ["rows", "memory", "params:model.lr", "old"], "model",
             name="train"),
        Node(report, "model", "summary", name="report"),
    ])}
"""
CATALOG = """
rows: {type: pickle.PickleDataset, filepath: data/rows.pkl, versioned: true}
old: {type: pickle.PickleDataset, filepath: data/old.pkl}
model: {type: pickle.PickleDataset, filepath: data/model.pkl}
"""
ASK = """
import json
from pathlib import Path

import kedro_journal
from kedro_journal.errors import NotRecorded

state = kedro_journal.replay("last-failed")
node = state.last_run.broken[0]
newer = Path("data/rows.pkl/2099-01-01T00.00.00.000Z/rows.pkl")
newer.parent.mkdir()
newer.write_bytes(Path("data/old.pkl").read_bytes())
answers = {"node": node.name}
try:
    kedro_journal.load_inputs(node)
except NotRecorded as error:
    answers["gone"] = str(error)
answers["inputs"] = kedro_journal.load_inputs(node, partial=True)
answers["by name"] = kedro_journal.load_inputs(
    "train", state.session_id, run_id=state.last_run.run_id, partial=True
)
for wrong in ({"node": "nope"}, {"node": "train", "run_id": "nope"}):
    try:
        kedro_journal.load_inputs(**wrong)
    except KeyError as error:
        answers[f"no {error.args[0]} {len(wrong)}"] = True
plan = kedro_journal.resume_plan()
again = kedro_journal.resume_plan(params={"model": {"lr": 7}}, on_drift="redo")
answers["plan"] = {one.name: [one.decision, one.reason] for one in plan.decisions}
answers["to_run"] = [plan.to_run, again.to_run]
answers["pinned"] = dict(plan.load_versions)
(lr,) = kedro_journal.trace("model.lr")
answers["trace"] = [lr.name, lr.value, lr.origin, str(lr).splitlines()[0]]
(step,) = kedro_journal.diff("last-good", "latest")
answers["diff"] = [
    step.before, step.after, step.verdict, step.broken, step.added,
    [[one.kind, one.name, one.was, one.now] for one in step.differences
     if one.kind == "parameter"],
]
answers["same"] = kedro_journal.diff("latest", state.session_id)
answers["sessions"] = len(kedro_journal.sessions())
print(json.dumps(answers))
"""


def test_python_answers_what_the_command_line_answers(project: Project) -> None:
    conf = project.path / "conf" / "base"
    (conf / "parameters.yml").write_text("model:\n  lr: 1\n", encoding="utf-8")
    (conf / "catalog.yml").write_text(CATALOG, encoding="utf-8")
    project.level_0()
    project.nodes(NODES)
    made = project.python(
        "import pickle, pathlib\n"
        "pathlib.Path('data').mkdir(exist_ok=True)\n"
        "pathlib.Path('data/old.pkl').write_bytes(pickle.dumps('old'))\n"
    )
    assert made.returncode == 0, made.stderr
    assert project.kedro("run", "--nodes", "split").returncode == 0
    assert project.kedro("run", "--params", "model.lr=5").returncode == 1
    failed, good = [one.session_id for one in project.states()]

    asked = project.python(ASK)

    assert asked.returncode == 0, asked.stderr
    said = json.loads(asked.stdout.splitlines()[-1])
    assert said["node"] == "train"
    assert "memory" in said["gone"]
    inputs = {"rows": {"lr": 5}, "params:model.lr": 5, "old": "old"}
    assert said["inputs"] == said["by name"] == inputs, "the version that was loaded"
    assert said["no nope 1"]
    assert said["no nope 2"]

    plan = as_json(project.journal("resume", "--dry-run", "--json"))
    assert said["plan"] == {
        one["name"]: [one["decision"], one["reason"]] for one in plan["decisions"]
    }
    assert said["to_run"] == [["split", "train", "report"]] * 2
    assert said["pinned"] == plan["load_versions"]

    (lr,) = as_json(project.journal("trace", "model.lr", "--json"))
    assert said["trace"][:3] == [lr["name"], lr["value"], lr["origin"]]
    assert said["trace"][1] == 5
    assert said["trace"][3] == "params:model.lr = 5"

    found = as_json(project.journal("diff", "last-good", "latest", "--json"))
    (step,) = found["steps"]
    assert said["diff"][:5] == [good, failed, "failed", ["train"], []]
    assert said["diff"][5] == [["parameter", "model.lr", 1, 5]]
    assert [step[name] for name in ("before", "after", "broken")] == [
        good, failed, ["train"],
    ]  # fmt: skip
    assert said["same"] == []
    assert said["sessions"] == 2
