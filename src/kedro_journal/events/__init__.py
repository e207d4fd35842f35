"""Events: immutable facts, past tense. Data only: no clock, no file, no chance.

What it owns: every type of event, and the record that carries one.

Main modules:
    base: `Event`, the marks of fields, and the values that several events share.
    session, run, node, dataset, journal: the events, one family in each module.
    union: the registry of all types.
    record: `Record`, a numbered and sealed event, and `Cursor`, its place in a file.
    schema: the JSON Schema of all of them.

Invariants:
    The format only grows: a new field has a default, and no field changes its meaning.
    Free text is redacted unless the field is marked.

Writes nothing. `capture` and `hooks` make events; `recording` encodes them.
"""

from .base import (
    DataFailure,
    ErrorInfo,
    Event,
    FailedCheck,
    Frame,
    LogLine,
    UnknownEvent,
)
from .dataset import (
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    DatasetValidated,
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
    "DataFailure",
    "DatasetConfirmed",
    "DatasetConfirming",
    "DatasetLoaded",
    "DatasetLoading",
    "DatasetSaved",
    "DatasetSaving",
    "DatasetValidated",
    "Entry",
    "ErrorInfo",
    "Event",
    "Fingerprint",
    "FailedCheck",
    "Frame",
    "Git",
    "JournalGap",
    "JournalHeader",
    "JournalRepaired",
    "LogLine",
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
