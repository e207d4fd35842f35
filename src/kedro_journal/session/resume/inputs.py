"""What a node loaded, loaded again: to look into a failure, or to call the function."""

from __future__ import annotations

from typing import Any, Protocol

from kedro_journal.capture import compat
from kedro_journal.errors import NotRecorded
from kedro_journal.state import NodeState, RunState, SessionState

__all__ = ["inputs_of"]


class _Session(Protocol):
    """What is asked of a session: its state, and its context."""

    @property
    def state(self) -> SessionState: ...
    def load_context(self) -> Any: ...


def inputs_of(
    session: _Session,
    node: NodeState | str,
    *,
    run_id: str | None = None,
    partial: bool = False,
) -> dict[str, Any]:
    """Load the inputs of a node of a session; see `session.inputs.load_inputs`."""
    state = session.state
    run = _run(state, run_id)
    name = node if isinstance(node, str) else node.name
    found = run.nodes[name] if run is not None else None
    if found is None or found.plan is None:
        raise KeyError(name)
    versions = dict(run.load_versions) if run is not None else {}
    versions |= {k: load.version for k, load in found.loads.items() if load.version}
    wanted = dict.fromkeys(found.plan.inputs)
    context = session.load_context()
    catalog = compat.catalog_with(
        context, {k: v for k, v in versions.items() if k in wanted}
    )
    gone = [one for one in wanted if not _is_there(catalog, one)]
    if gone and not partial:
        advice = "partial=True loads the others."
        raise NotRecorded(state.session_id, gone, "lived in memory", advice)
    return {one: catalog.load(one) for one in wanted if one not in gone}


def _run(state: SessionState, run_id: str | None) -> RunState | None:
    if run_id is None:
        return state.last_run
    named = [run for run in state.runs if run.run_id == run_id]
    if not named:
        raise KeyError(run_id)
    return named[-1]


def _is_there(catalog: Any, name: str) -> bool:
    if name == "parameters" or name.startswith("params:"):
        return True
    dataset = compat.catalog_dataset(catalog, name)
    return dataset is not None and compat.is_persistent(dataset)
