"""The closed union of all event types, and the table from name to type."""

from __future__ import annotations

from typing import Final

from .base import Event, UnknownEvent
from .dataset import (
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    DatasetValidated,
)
from .journal import (
    JournalGap,
    JournalHeader,
    JournalRepaired,
    NoteAdded,
    WriterOpened,
)
from .node import NodeCompleted, NodeComputed, NodeFailed, NodeStarted
from .run import RunCompleted, RunFailed, RunInterrupted, RunStarted
from .session import (
    ContextLoaded,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
)

__all__ = ["ENDING_TYPES", "EVENT_TYPES", "AnyEvent", "LIFECYCLE_TYPES"]

AnyEvent = (
    JournalHeader
    | WriterOpened
    | SessionCreated
    | SessionActivated
    | SessionDeactivated
    | ContextLoaded
    | RunStarted
    | NodeStarted
    | NodeComputed
    | NodeCompleted
    | NodeFailed
    | DatasetLoading
    | DatasetLoaded
    | DatasetSaving
    | DatasetSaved
    | DatasetConfirming
    | DatasetConfirmed
    | DatasetValidated
    | RunCompleted
    | RunFailed
    | RunInterrupted
    | SessionFailed
    | SessionClosed
    | SessionResumed
    | NoteAdded
    | JournalRepaired
    | JournalGap
    | UnknownEvent
)

_ALL: Final[tuple[type[Event], ...]] = (
    JournalHeader,
    WriterOpened,
    SessionCreated,
    SessionActivated,
    SessionDeactivated,
    ContextLoaded,
    RunStarted,
    NodeStarted,
    NodeComputed,
    NodeCompleted,
    NodeFailed,
    DatasetLoading,
    DatasetLoaded,
    DatasetSaving,
    DatasetSaved,
    DatasetConfirming,
    DatasetConfirmed,
    DatasetValidated,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionFailed,
    SessionClosed,
    SessionResumed,
    NoteAdded,
    JournalRepaired,
    JournalGap,
)

EVENT_TYPES: Final[dict[str, type[Event]]] = {cls.TYPE: cls for cls in _ALL}
"""Type name on the wire to class, in the order of a session's life."""

LIFECYCLE_TYPES: Final[frozenset[str]] = frozenset(
    name
    for name in EVENT_TYPES
    if name.startswith(("journal.", "session.", "run.")) or name == "node.failed"
)
"""Types that are synced to the disk at every durability level."""

ENDING_TYPES: Final[frozenset[str]] = frozenset(
    {
        "node.failed",
        "run.completed",
        "run.failed",
        "run.interrupted",
        "session.deactivated",
        "session.failed",
        "session.closed",
        "journal.gap",
    }
)
"""Types that the reserve is kept for: how things ended, even on a full disk."""
