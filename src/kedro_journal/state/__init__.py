"""STATE: what the records add up to. Pure: no file, no clock."""

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
