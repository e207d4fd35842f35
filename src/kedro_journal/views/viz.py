"""A run in the form that Kedro-Viz reads: its graph and its status. Pure.

The files are those of Kedro-Viz's own export: `kedro viz run --load-file` and a static
site read them. The ids are Kedro-Viz's own, so that they fit those of the project.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from kedro_journal.events import PlannedNode
from kedro_journal.state import DatasetOperation, NodeState, RunState, SessionState
from kedro_journal.state.model import format_traceback

from .derive import run_seconds, run_verdict
from .words import flatten

__all__ = ["viz_files"]

_ROOT: Final = "__root__"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_OK: Final = "success"
_BAD: Final = "failed"


def viz_files(
    state: SessionState, run: RunState, now: datetime, version: str
) -> dict[str, Any]:
    """Return the content of each file below `api/`, by its path there.

    Args:
        state: The session.
        run: The run of it that is shown.
        now: The present.
        version: Version of Kedro-Viz, as text.
    """
    names = run.pipelines or ("__default__",)
    # Kedro-Viz refuses to open a file whose name begins with an underscore.
    pipeline = _UNSAFE.sub("-", "-".join(names)).strip("._-") or "default"
    graph = _Graph(state, run, pipeline)
    main = graph.main()
    files: dict[str, Any] = {
        "main": main,
        f"pipelines/{pipeline}": main,
        "run-status": _status(state, run, now),
        "version": {"installed": version, "is_outdated": False, "latest": version},
        "deploy-viz-metadata": {
            "timestamp": now.strftime("%d.%m.%Y %H:%M:%S"),
            "version": version,
        },
    }
    return files | {f"nodes/{key}": one for key, one in graph.details.items()}


def _id(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()[:8]


def _bare(dataset: str) -> str:
    return dataset.partition("@")[0]


def _is_parameter(dataset: str) -> bool:
    return dataset == "parameters" or dataset.startswith("params:")


def _plan(node: NodeState) -> PlannedNode:
    """Return the plan of a node; one that was not planned has what it touched."""
    if node.plan is not None:
        return node.plan
    return PlannedNode(node.name, inputs=tuple(node.loads), outputs=tuple(node.saves))


def _node_id(node: NodeState) -> str:
    return _id(_plan(node).text)


class _Graph:
    """The graph of a run.

    Attributes:
        details: What Kedro-Viz shows of a node that was clicked, by its id.
    """

    def __init__(self, state: SessionState, run: RunState, pipeline: str) -> None:
        self._pipeline = pipeline
        self._parameters = state.parameters
        self._flat = dict(flatten(state.parameters))
        catalog = state.context.catalog if state.context is not None else ()
        self._types = {one.name: one.type for one in catalog}
        self._nodes: dict[str, dict[str, Any]] = {}
        self._edges: dict[tuple[str, str], None] = {}
        self.details: dict[str, dict[str, Any]] = {}
        for node in run.nodes.values():
            self._add(node)

    def main(self) -> dict[str, Any]:
        """Return what `GET /api/main` of Kedro-Viz answers."""
        tags = sorted({tag for one in self._nodes.values() for tag in one["tags"]})
        children = [{"id": key, "type": n["type"]} for key, n in self._nodes.items()]
        root = {"id": _ROOT, "name": _ROOT, "inputs": [], "outputs": []}
        return {
            "nodes": list(self._nodes.values()),
            "edges": [{"source": a, "target": b} for a, b in self._edges],
            "layers": [],
            "tags": [{"id": tag, "name": tag} for tag in tags],
            "pipelines": [{"id": self._pipeline, "name": self._pipeline}],
            "modular_pipelines": {_ROOT: {**root, "children": children}},
            "selected_pipeline": self._pipeline,
        }

    def _add(self, node: NodeState) -> None:
        plan, key = _plan(node), _node_id(node)
        values = {
            _short(name): self._value(name)
            for name in plan.inputs
            if _is_parameter(name)
        }
        self._nodes[key] = {
            **self._base(key, plan.name, plan.tags, "task"),
            "parameters": values,
            "full_name": plan.name,
        }
        self.details[key] = {
            "filepath": plan.source or plan.function,
            "parameters": values,
            "inputs": list(plan.inputs),
            "outputs": list(plan.outputs),
            "run_command": f"kedro run --to-nodes='{plan.name}'",
        }
        for name in plan.inputs:
            self._edges[self._dataset(name, plan, node.loads), key] = None
        for name in plan.outputs:
            self._edges[key, self._dataset(name, plan, node.saves)] = None

    def _base(
        self, key: str, name: str, tags: tuple[str, ...], kind: str
    ) -> dict[str, Any]:
        return {
            "id": key,
            "name": name,
            "tags": sorted(tags),
            "pipelines": [self._pipeline],
            "type": kind,
            "modular_pipelines": None,
            "node_extras": None,
        }

    def _dataset(
        self, name: str, plan: PlannedNode, done: Mapping[str, DatasetOperation]
    ) -> str:
        key, parameter = _id(_bare(name)), _is_parameter(name)
        known = self._nodes.get(key)
        if known is not None:
            known["tags"] = sorted({*known["tags"], *plan.tags})
        else:
            kind = "parameters" if parameter else "data"
            shown = _bare(name)
            self._nodes[key] = {
                **self._base(key, shown, plan.tags, kind),
                "layer": None,
                "dataset_type": None if parameter else self._types.get(name),
            }
        if parameter:
            value = self._value(name)
            several = value if isinstance(value, dict) else {_short(name): value}
            self.details[key] = {"parameters": several}
        else:
            before = self.details.get(key, {})
            path = done[name].path if name in done else None
            self.details[key] = {
                "filepath": path or before.get("filepath"),
                "type": self._types.get(name) or before.get("type") or "unknown",
                "run_command": f"kedro run --to-outputs='{_bare(name)}'",
            }
        return key

    def _value(self, name: str) -> Any:
        if name == "parameters":
            return self._parameters
        short = _short(name)
        found: Any = self._parameters
        for part in short.split("."):
            if not isinstance(found, Mapping) or part not in found:
                return self._flat.get(short)
            found = found[part]
        return found


def _short(name: str) -> str:
    return name.removeprefix("params:")


def _status(state: SessionState, run: RunState, now: datetime) -> dict[str, Any]:
    """Return what `GET /api/run-status` of Kedro-Viz answers.

    Kedro-Viz has two statuses. A node that was cut off has failed, and its message says
    how; one that did not begin, or still runs, is left out, which is shown as skipped.
    """
    verdict = run_verdict(run, state)
    over = verdict != "running"
    nodes: dict[str, Any] = {}
    datasets: dict[str, Any] = {}
    for node in run.nodes.values():
        key = _node_id(node)
        if node.status == "completed":
            nodes[key] = {"status": _OK, "duration": node.duration_s or 0.0}
        elif node.status == "failed" or (over and _is_cut_off(node)):
            error = {"message": _message(node, verdict), "traceback": _traceback(node)}
            nodes[key] = {
                "status": _BAD,
                "duration": node.duration_s or 0.0,
                "error": error,
            }
        for one in _operations(node):
            name = _bare(one.dataset)
            before = datasets.get(_id(name), {"name": name, "size": 0, "status": _OK})
            if one.is_open:
                if not over:
                    continue
                error = _dataset_error(node, one, verdict)
                datasets[_id(name)] = {**before, "status": _BAD, "error": error}
            else:
                size = one.size_bytes or before["size"]
                datasets[_id(name)] = {**before, "size": size}
    pipeline = _pipeline(state, run, now, verdict)
    return {"nodes": nodes, "datasets": datasets, "pipeline": pipeline}


def _dataset_error(
    node: NodeState, one: DatasetOperation, verdict: str
) -> dict[str, str]:
    return {
        "message": _message(node, verdict),
        "traceback": _traceback(node),
        "error_node": node.name,
        "error_operation": "saving" if one.kind == "save" else "loading",
    }


def _pipeline(
    state: SessionState, run: RunState, now: datetime, verdict: str
) -> dict[str, Any]:
    is_bad = verdict not in ("completed", "running")
    ended = run.ended_at or (state.updated_at if verdict != "running" else None)
    found: dict[str, Any] = {
        "run_id": run.run_id or state.session_id,
        "start_time": None if run.started_at is None else run.started_at.isoformat(),
        "end_time": None if ended is None else ended.isoformat(),
        "duration": run_seconds(run, state, now) or 0.0,
        "status": _BAD if is_bad else _OK,
    }
    if is_bad:
        error = run.error
        told = f"the run {_was(verdict)}" if error is None else error.summary()
        found["error"] = {"message": told, "traceback": run.traceback}
    return found


def _operations(node: NodeState) -> Iterator[DatasetOperation]:
    yield from node.loads.values()
    yield from node.saves.values()


def _is_cut_off(node: NodeState) -> bool:
    return node.status in (
        *("interrupted", "loading", "running", "saving", "confirming"),
    )


def _was(verdict: str) -> str:
    return "failed" if verdict == "failed" else f"is {verdict}"


def _message(node: NodeState, verdict: str) -> str:
    if node.error is not None:
        return node.error.summary()
    doing = node.phase or node.status
    return f"the node was {doing} when the run ended: the run {_was(verdict)}"


def _traceback(node: NodeState) -> str:
    return "" if node.error is None else format_traceback(node.error)
