"""Runtime parameters that had no effect that the journal knows of. Pure."""

from __future__ import annotations

from kedro_journal.state.model import SessionState

__all__ = ["unused_params"]


def unused_params(state: SessionState) -> tuple[str, ...]:
    """Name runtime parameters that match nothing: most likely they are mistyped.

    They override no configured parameter, no configuration file refers to them, and no
    node of any run loads them. None are named before the first run, or where a node
    loads all `parameters`.
    """
    if state.context is None or not state.runs:
        return ()
    loaded: set[str] = set()
    for run in state.runs:
        if not run.nodes or any(node.plan is None for node in run.nodes.values()):
            return ()
        for node in run.nodes.values():
            loaded.update(node.plan.inputs if node.plan is not None else ())
    if "parameters" in loaded:
        return ()
    names = {one.removeprefix("params:") for one in loaded if one.startswith("params:")}
    return tuple(
        name
        for name in state.context.unmatched_params
        if not any(
            name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.")
            for one in names
        )
    )
