"""The legal moves, as tables. The recorder, the fold and the docs read the same ones.

A pair (status, event type) that stands in no table is an anomaly to a reader and an
error to a writer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kedro_journal.events import (
    ContextLoaded,
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
)

if TYPE_CHECKING:
    from .model import NodeStatus, RunStatus, SessionStatus

__all__ = [
    "NODE_TRANSITIONS",
    "RUN_TRANSITIONS",
    "SESSION_TRANSITIONS",
    "status_after",
]

SESSION_TRANSITIONS: Final[
    Mapping[tuple[SessionStatus, type[Event]], SessionStatus]
] = {
    ("empty", SessionCreated): "created",
    ("created", SessionActivated): "active",
    ("inactive", SessionActivated): "active",
    ("active", SessionActivated): "active",  # entered again: counted
    ("active", SessionDeactivated): "inactive",  # stays active while depth > 0
    ("created", SessionResumed): "created",
    ("active", SessionResumed): "active",
    ("created", ContextLoaded): "created",
    ("active", ContextLoaded): "active",
    ("inactive", ContextLoaded): "inactive",
    ("created", RunStarted): "created",  # run() without `with` works
    ("active", RunStarted): "active",
    ("inactive", RunStarted): "inactive",
    ("created", SessionFailed): "created",
    ("active", SessionFailed): "active",
    ("inactive", SessionFailed): "inactive",
    ("created", SessionClosed): "closed",
    ("active", SessionClosed): "closed",
    ("inactive", SessionClosed): "closed",
}

RUN_TRANSITIONS: Final[Mapping[tuple[RunStatus, type[Event]], RunStatus]] = {
    ("running", RunCompleted): "completed",
    ("running", RunFailed): "failed",
    ("running", RunInterrupted): "interrupted",
}

NODE_TRANSITIONS: Final[Mapping[tuple[NodeStatus, type[Event]], NodeStatus]] = {
    ("pending", DatasetLoading): "loading",
    ("loading", DatasetLoading): "loading",
    ("loading", DatasetLoaded): "loading",
    ("pending", NodeStarted): "running",  # a node without inputs
    ("loading", NodeStarted): "running",
    ("not recorded", DatasetLoading): "loading",
    ("not recorded", NodeStarted): "running",
    ("running", NodeComputed): "saving",
    ("saving", DatasetSaving): "saving",
    ("saving", DatasetSaved): "saving",
    ("saving", NodeCompleted): "completed",
    ("saving", DatasetConfirming): "confirming",
    ("confirming", DatasetConfirming): "confirming",
    ("confirming", DatasetConfirmed): "confirming",
    ("confirming", NodeCompleted): "completed",
    ("loading", NodeFailed): "failed",
    ("running", NodeFailed): "failed",
    ("saving", NodeFailed): "failed",
    ("confirming", NodeFailed): "failed",
    # A runner tries the node again. Kedro tells of no load or save that failed, so
    # that a try may also follow one that was in the middle of its saves.
    ("failed", DatasetLoading): "loading",
    ("failed", NodeStarted): "running",
    ("running", DatasetLoading): "loading",
    ("saving", DatasetLoading): "loading",
    ("saving", NodeStarted): "running",
    ("confirming", DatasetLoading): "loading",
    ("confirming", NodeStarted): "running",
}


def status_after(event_type: type[Event]) -> NodeStatus:
    """Return the status that a node's event leads to, whatever came before it."""
    for (_, known_type), status in NODE_TRANSITIONS.items():
        if known_type is event_type:
            return status
    raise AssertionError(event_type)  # pragma: no cover - the table has every type
