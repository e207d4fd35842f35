"""EVENT: immutable facts, past tense. Data only: no clock, no file, no chance."""

from .base import ErrorInfo, Event, Frame, UnknownEvent
from .dataset import (
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
)
from .fingerprint import Fingerprint
from .journal import (
    JournalGap,
    JournalHeader,
    JournalRepaired,
    NoteAdded,
    WriterOpened,
)
from .node import NodeCompleted, NodeComputed, NodeFailed, NodeStarted
from .record import Cursor, Entry, Record, closes, type_name
from .run import PlannedNode, RunCompleted, RunFailed, RunInterrupted, RunStarted
from .session import (
    CatalogEntry,
    CommandLine,
    ContextLoaded,
    Git,
    ParameterSource,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
    Versions,
)
from .union import ENDING_TYPES, EVENT_TYPES, LIFECYCLE_TYPES, AnyEvent

__all__ = [
    "ENDING_TYPES",
    "EVENT_TYPES",
    "LIFECYCLE_TYPES",
    "AnyEvent",
    "CatalogEntry",
    "CommandLine",
    "ContextLoaded",
    "Cursor",
    "DatasetConfirmed",
    "DatasetConfirming",
    "DatasetLoaded",
    "DatasetLoading",
    "DatasetSaved",
    "DatasetSaving",
    "Entry",
    "ErrorInfo",
    "Event",
    "Fingerprint",
    "Frame",
    "Git",
    "JournalGap",
    "JournalHeader",
    "JournalRepaired",
    "NodeCompleted",
    "NodeComputed",
    "NodeFailed",
    "NodeStarted",
    "NoteAdded",
    "ParameterSource",
    "PlannedNode",
    "Record",
    "RunCompleted",
    "RunFailed",
    "RunInterrupted",
    "RunStarted",
    "SessionActivated",
    "SessionClosed",
    "SessionCreated",
    "SessionDeactivated",
    "SessionFailed",
    "SessionResumed",
    "UnknownEvent",
    "Versions",
    "WriterOpened",
    "closes",
    "type_name",
]
