"""What a run was asked for and set out to do: its `run.started`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kedro_journal.events import RunStarted

from . import capture
from .progress import ActiveRun

__all__ = ["run_started"]

_PLAN_PART: Final = 400  # planned nodes in one record


def run_started(
    run: ActiveRun,
    run_params: Mapping[str, Any],
    pipeline: Any,
    runner: str,
    env: str | None,
) -> list[RunStarted]:
    nodes = capture.planned_nodes(pipeline)
    parts = [
        nodes[at : at + _PLAN_PART] for at in range(0, len(nodes), _PLAN_PART)
    ] or [()]
    load_versions = run_params.get("load_versions") or {}
    first = RunStarted(
        **run.key,
        pipelines=tuple(run_params.get("pipeline_names") or ("__default__",)),
        filters=capture.run_filters(run_params),
        runner=runner,
        env=env or None,
        runtime_params=dict(run_params.get("runtime_params") or {}),
        load_versions=tuple((str(k), str(v)) for k, v in load_versions.items()),
        save_version=run.run_id,
        nodes=parts[0],
        free_inputs=tuple(sorted(pipeline.inputs())),
    )
    more = [
        RunStarted(**run.key, nodes=part, part=number)
        for number, part in enumerate(parts[1:], 2)
    ]
    return [first, *more]
