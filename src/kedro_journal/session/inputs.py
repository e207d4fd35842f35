"""What a node loaded, loaded again from the record of its session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro_journal.replaying.locate import open_directory
from kedro_journal.replaying.select import select
from kedro_journal.state import NodeState

from .resume.inputs import inputs_of
from .session import KedroSession

__all__ = ["load_inputs"]


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
    chosen = select(open_directory(project_path, directory), session_id, "run")
    session = KedroSession._restore(chosen.folder, project_path)  # noqa: SLF001
    return inputs_of(session, node, run_id=run_id, partial=partial)
