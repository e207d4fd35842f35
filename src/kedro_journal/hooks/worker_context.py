"""What travels with a node to a worker process, so that it finds its session.

An attribute on the Node, which is pickled with the task: it reaches workers under fork,
spawn and forkserver alike, where an environment variable does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from kedro_journal.recording.losses import Losses
from kedro_journal.recording.progress import ActiveRun
from kedro_journal.recording.recorder import Recorder

__all__ = ["PASS", "hand_over", "take_back"]

PASS: Final = "_kedro_journal"  # noqa: S105 - not that kind of pass


def hand_over(
    run: ActiveRun, nodes: Iterable[Any], recorder: Recorder, project: Path | None
) -> None:
    """Put on each node what a worker needs to journal it.

    Plain data, so that a worker without this package can unpickle it. The secrets go
    the same way as the credentials of the catalog do, and never to disk. Runs of one
    pipeline share their nodes, so that a node may carry several passes.
    """
    if recorder.folder is None or run.in_process:
        return  # a journal in memory cannot be shared; the others need not be
    run.losses = Losses()
    handed = {
        "folder": str(recorder.folder),
        "project": str(project) if project else None,
        "run_id": run.run_id,
        "attempt": run.attempt,
        "secrets": list(recorder.redactor.secrets),
        "warned": recorder.warned,
        "losses": run.losses.name,
    }
    for node in nodes:
        node.__dict__[PASS] = (*node.__dict__.get(PASS, ()), handed)


def take_back(run: ActiveRun, nodes: Iterable[Any]) -> None:
    """Undo `hand_over` when the run has ended."""
    if run.losses is not None:
        run.losses.close()
    mine = (run.run_id, run.attempt)
    for node in nodes:
        passes = node.__dict__.get(PASS, ())
        left = tuple(p for p in passes if (p["run_id"], p["attempt"]) != mine)
        if left:
            node.__dict__[PASS] = left
        else:
            node.__dict__.pop(PASS, None)
