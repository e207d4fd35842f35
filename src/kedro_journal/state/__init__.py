"""STATE: what the records add up to. Pure: no file, no clock."""

from .evolve import StateBuilder, evolve, fold
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
from .trace import Trace, trace
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
    "StateBuilder",
    "Trace",
    "Verdict",
    "Writer",
    "evolve",
    "fold",
    "format_traceback",
    "status_after",
    "trace",
]
