"""How a run ended -> the events that say so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kedro_journal.events import (
    ErrorInfo,
    Event,
    NodeCompleted,
    NodeFailed,
    RunCompleted,
    RunFailed,
)

from . import compat
from .progress import ActiveRun

__all__ = ["run_completed", "run_failed"]


def run_completed(
    run: ActiveRun, nodes: Iterable[Any], outputs: Iterable[str]
) -> list[Event]:
    """Tell that a run ended well, and with it the nodes that save in chunks.

    Args:
        run: The run.
        nodes: Its nodes.
        outputs: Names of what it gives back.
    """
    events: list[Event] = [
        NodeCompleted(**run.key, node=node.name)
        for node in nodes
        if node.name not in run.completed
        and (node.name in run.chunked or compat.is_generator_node(node))
    ]
    names = tuple(sorted(outputs))
    events.append(RunCompleted(**run.key, duration_s=run.elapsed_s(), outputs=names))
    return events


def run_failed(run: ActiveRun, error: BaseException, info: ErrorInfo) -> list[Event]:
    """Tell that an exception ended a run, and which dataset it was, if it was one.

    Args:
        run: The run.
        error: The exception.
        info: The same as plain data.
    """
    events: list[Event] = []
    at = [(n, p) for n, p in run.nodes.items() if run.sequential or p.is_at_dataset]
    seen = any(error is known for known in run.raised)  # of another node, told
    if len(at) == 1 and not seen:
        # A failing load or save reaches no node hook: this is how it is told.
        name, progress = at[0]
        events.append(
            NodeFailed(
                **run.key,
                node=name,
                duration_s=progress.elapsed_s(),
                error=info,
                phase=progress.phase,
                dataset=progress.open_dataset,
            )
        )
    events.append(RunFailed(**run.key, duration_s=run.elapsed_s(), error=info))
    return events
