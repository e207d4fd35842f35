"""State: what the records add up to. Pure: no file, no clock.

What it owns: the fold, and the values that it makes.

Main modules:
    model: `SessionState`, `RunState`, `NodeState`: frozen values.
    evolution: `evolve(state, record)`, the one place where a state changes;
        `StateBuilder` is the same for many records.
    node, node_builder, operation, tries: parts of a state while it is built.
    transitions: the legal moves, as tables. The recorder and the docs use them, too.
    outcome, unread, short, shown, tracing: verdicts, texts and queries on one state.

Invariants:
    The same records give the same state, on any machine and at any time.
    A record that does not fit is an `Anomaly` of the state, never an error.

Writes nothing. Only this package makes states out of records.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .evolution import StateBuilder, evolve, fold
    from .model import (
        Anomaly,
        DatasetOperation,
        NodeState,
        NodeStatus,
        Note,
        RunState,
        RunStatus,
        SessionState,
        SessionStatus,
        ValidationWarning,
        Verdict,
        Writer,
        format_traceback,
    )
    from .shown import Shown, html_of
    from .tracing import Trace, trace
    from .transitions import (
        NODE_TRANSITIONS,
        RUN_TRANSITIONS,
        SESSION_TRANSITIONS,
        status_after,
    )

__all__ = [
    "NODE_TRANSITIONS",
    "RUN_TRANSITIONS",
    "SESSION_TRANSITIONS",
    "Anomaly",
    "DatasetOperation",
    "NodeState",
    "NodeStatus",
    "Note",
    "ValidationWarning",
    "RunState",
    "RunStatus",
    "SessionState",
    "SessionStatus",
    "Shown",
    "StateBuilder",
    "Trace",
    "Verdict",
    "Writer",
    "evolve",
    "fold",
    "format_traceback",
    "html_of",
    "status_after",
    "trace",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "evolution": (
            "StateBuilder",
            "evolve",
            "fold",
        ),
        "model": (
            "Anomaly",
            "DatasetOperation",
            "NodeState",
            "NodeStatus",
            "Note",
            "ValidationWarning",
            "RunState",
            "RunStatus",
            "SessionState",
            "SessionStatus",
            "Verdict",
            "Writer",
            "format_traceback",
        ),
        "shown": (
            "Shown",
            "html_of",
        ),
        "tracing": (
            "Trace",
            "trace",
        ),
        "transitions": (
            "NODE_TRANSITIONS",
            "RUN_TRANSITIONS",
            "SESSION_TRANSITIONS",
            "status_after",
        ),
    },
)
