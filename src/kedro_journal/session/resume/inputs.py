"""What a node loaded, loaded again: to look into a failure, or to call the function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_journal.capture import compat
from kedro_journal.errors import NotRecorded
from kedro_journal.replaying.locate import open_directory
from kedro_journal.replaying.select import select
from kedro_journal.state import NodeState, RunState, SessionState

if TYPE_CHECKING:
    from kedro_journal.session.session import KedroSession

__all__ = ["inputs_of", "load_inputs"]


def load_inputs(
    node: NodeState | str,
    session_id: str = "latest",
    *,
    run_id: str | None = None,
    partial: bool = False,
    project_path: Path | str | None = None,
    directory: Path | str | None = None,
) -> dict[str, Any]:
    """Load the inputs of a recorded node again, with the versions that it loaded.

    Data and parameters come from the project as it is now, in the session's environment
    and with its runtime parameters. Runs nothing, and journals nothing.

    Args:
        node: A node of the session's state, or its name.
        session_id: As for `replay`; `latest` passes over sessions without a run.
        run_id: A run of the session; None for its last.
        partial: Leave out inputs that lived in memory, instead of raising.
        project_path: Root of the project; None for the recorded one.
        directory: The journal directory itself, instead of a project's.

    Returns:
        The values by the names of the datasets, in the node's order.

    Raises:
        KeyError: The session has no such run, or the run has no such node.
        NotRecorded: Inputs lived in memory (without *partial*), or a runtime parameter
            is not recorded exactly.
        JournalError: As for `replay`.
        Exception: Whatever Kedro raises for a dataset that does not load.
    """
    from kedro_journal.session.session import KedroSession

    chosen = select(open_directory(project_path, directory), session_id, "run")
    session = KedroSession._restore(chosen.folder, project_path)  # noqa: SLF001
    return inputs_of(session, node, run_id=run_id, partial=partial)


def inputs_of(
    session: KedroSession,
    node: NodeState | str,
    *,
    run_id: str | None = None,
    partial: bool = False,
) -> dict[str, Any]:
    """Load the inputs of a node of a session; see `load_inputs`."""
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
