"""viz: what Kedro-Viz is given, by its own models and endpoints where it is installed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs

from kedro_journal.events import PlannedNode, RunStarted
from kedro_journal.views.viz import viz_files
from tests.support.played import HOSTILE, Play, fan, hostile, play, state_of

from .test_prune import OLD, OTHER

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)
NODES = (
    Play("split", 0.0, inputs=("table@pandas", "params:model.lr"), outputs=("x",)),
    Play("ns.train", 4.0, inputs=("x",), outputs=("model",), namespace="ns"),
    Play("report", 8.0, inputs=("model", "table@spark"), outputs=("page",)),
)


def files_of(records, liveness="closed"):
    state = state_of(records, liveness)
    return viz_files(state, state.runs[-1], NOW, "12.5.0")


def sessions():
    """Give sessions of every fate: name, records, liveness."""
    cut = [NODES[0], replace(NODES[1], upto="saving")]
    bad = [NODES[0], replace(NODES[1], upto="failed")]
    yield "completed", play(*NODES), "closed"
    yield "crashed", play(*cut, ends="open"), "crashed"
    yield "running", play(*cut, ends="open"), "running"
    yield "failed", play(*bad, ends="failed"), "closed"
    yield "interrupted", play(*cut, ends="interrupted"), "closed"
    yield "parallel", play(*fan(40, namespaces=3)), "closed"
    yield "hostile", hostile(), "closed"


SESSIONS = {name: (records, liveness) for name, records, liveness in sessions()}


def by_name(files):
    names = {one["id"]: one["name"] for one in files["main"]["nodes"]}
    status = files["run-status"]
    return {names[key]: one for key, one in status["nodes"].items()}, {
        one["name"]: one for one in status["datasets"].values()
    }


def test_the_graph_and_the_status_are_those_of_the_run():
    files = files_of(*SESSIONS["crashed"])
    nodes, datasets = by_name(files)
    main = files_of(*SESSIONS["completed"])["main"]
    names = {one["id"]: one["name"] for one in main["nodes"]}
    edges = {(names[one["source"]], names[one["target"]]) for one in main["edges"]}

    assert ("table", "split") in edges
    assert ("table", "report") in edges
    assert ("params:model.lr", "split") in edges
    assert ("x", "ns.train") in edges
    assert nodes["split"]["status"] == "success"
    assert nodes["ns.train"]["status"] == "failed"
    assert "saving" in nodes["ns.train"]["error"]["message"]
    assert datasets["model"]["error"]["error_operation"] == "saving"
    assert datasets["model"]["error"]["error_node"] == "ns.train"
    assert datasets["x"] == {"name": "x", "size": 1234, "status": "success"}
    assert files["run-status"]["pipeline"]["status"] == "failed"
    assert files["run-status"]["pipeline"]["run_id"]


def test_what_runs_has_not_failed():
    nodes, datasets = by_name(files_of(*SESSIONS["running"]))

    assert set(nodes) == {"split"}
    assert "model" not in datasets


def test_ids_are_those_of_kedro_viz():
    from hashlib import sha1

    label = "f([a;params:p]) -> None"
    records = play(Play("f__1a2b", 0.0, inputs=("a",)))
    number = next(i for i, r in enumerate(records) if isinstance(r.event, RunStarted))
    plan = PlannedNode("f__1a2b", inputs=("a", "params:p"), label=label)
    event = structs.replace(records[number].event, nodes=(plan,))
    records[number] = structs.replace(records[number], event=event)

    files = files_of(records)

    ids = {one["name"]: one["id"] for one in files["main"]["nodes"]}
    assert ids["f__1a2b"] == sha1(label.encode()).hexdigest()[:8]
    assert ids["a"] == sha1(b"a").hexdigest()[:8]


@pytest.mark.parametrize("name", SESSIONS)
def test_kedro_viz_accepts_any_session(name, tmp_path, monkeypatch):
    reason = "kedro-viz is not in the test extra: pip install kedro-viz httpx"
    apps = pytest.importorskip("kedro_viz.api.apps", reason=reason)
    from fastapi.testclient import TestClient
    from kedro_viz.api.rest.responses.nodes import (
        DataNodeMetadataAPIResponse,
        ParametersNodeMetadataAPIResponse,
        TaskNodeMetadataAPIResponse,
    )
    from kedro_viz.api.rest.responses.pipelines import GraphAPIResponse
    from kedro_viz.api.rest.responses.run_events import RunStatusAPIResponse
    from kedro_viz.api.rest.responses.version import VersionAPIResponse

    files = files_of(*SESSIONS[name])
    for path, content in files.items():
        target = tmp_path / "x" / "api" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    client = TestClient(apps.create_api_app_from_file(f"{tmp_path}/x/api"))

    assert client.get("/").status_code == 200
    graph = GraphAPIResponse.model_validate(client.get("/api/main").json())
    status = RunStatusAPIResponse.model_validate(client.get("/api/run-status").json())
    VersionAPIResponse.model_validate(client.get("/api/version").json())
    assert client.get("/api/deploy-viz-metadata").status_code == 200
    assert client.get(f"/api/pipelines/{graph.selected_pipeline}").status_code == 200
    ids = {one.id for one in graph.nodes}
    assert status.nodes.keys() | status.datasets.keys() <= ids
    assert {one.source for one in graph.edges} | {
        one.target for one in graph.edges
    } <= ids
    models = {
        "task": TaskNodeMetadataAPIResponse,
        "data": DataNodeMetadataAPIResponse,
        "parameters": ParametersNodeMetadataAPIResponse,
    }
    for one in graph.nodes:
        answer = client.get(f"/api/nodes/{one.id}")
        models[one.type].model_validate(answer.json())
    if name == "hostile":
        assert {HOSTILE[0], HOSTILE[5]} <= {one.name for one in graph.nodes}


def test_the_command_writes_a_folder_and_prints_a_relative_path(
    call, journals, tmp_path
):
    journals.completed(OLD)
    journals.begin(OTHER)
    journals.let_go()
    where = ("--directory", journals.path)

    done = call("viz", OLD, *where)
    again = call("viz", OLD, "-o", tmp_path / "a" / "b", *where)
    none = call("viz", OTHER, *where)
    missing = call("viz", OLD, "--run", "nope", *where)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    taken = call("viz", OLD, "-o", "mine", *where)

    assert done.stdout == f"kedro viz run --load-file viz-{OLD}\n"
    assert again.stdout == "kedro viz run --load-file a/b\n"
    main = json.loads((tmp_path / f"viz-{OLD}" / "api" / "main").read_text())
    assert [one["name"] for one in main["nodes"]] == ["split", "train"]
    assert call("viz", OLD, *where).exit_code == 0  # the same once more
    assert none.exit_code == missing.exit_code == 3
    assert "no run of it was begun" in none.stderr
    assert taken.exit_code == 2
    assert "other files" in taken.stderr


def test_a_site_needs_the_pages_of_kedro_viz(call, journals, tmp_path, monkeypatch):
    import importlib.util
    from types import SimpleNamespace

    journals.completed(OLD)
    journals.let_go()
    where = ("--directory", journals.path)
    find = importlib.util.find_spec
    places: list[str] = []

    def found(name, *more):
        if name != "kedro_viz":
            return find(name, *more)
        return SimpleNamespace(submodule_search_locations=places) if places else None

    monkeypatch.setattr(importlib.util, "find_spec", found)
    lacking = call("viz", OLD, "--static", "site", *where)
    (tmp_path / "html" / "assets").mkdir(parents=True)
    (tmp_path / "html" / "index.html").write_text("<html>")
    places.append(str(tmp_path))
    done = call("viz", OLD, "--static", "site", *where)

    assert lacking.exit_code == 1
    assert "pip install kedro-viz" in lacking.stderr
    assert done.stdout == "python -m http.server --directory site\n"
    assert (tmp_path / "site" / "index.html").read_text() == "<html>"
    assert json.loads((tmp_path / "site/api/run-status").read_text())["nodes"]
