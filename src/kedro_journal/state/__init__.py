"""STATE: what the records add up to. Pure: no file, no clock."""

from .evolve import StateBuilder, evolve, fold
from .group import GroupFailure, GroupNode, GroupState, NodeTry
from .merge import TASK_LABEL, merge
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
from .shown import Shown, html_of, show_with
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
    "TASK_LABEL",
    "Anomaly",
    "DatasetOperation",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "NodeState",
    "NodeStatus",
    "NodeTry",
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
    "merge",
    "show_with",
    "status_after",
    "trace",
]
