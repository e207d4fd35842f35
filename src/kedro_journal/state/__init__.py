"""STATE: what the records add up to. Pure: no file, no clock."""

from .drift import Drift, Now, find_drift
from .evidence import Known, Link, collect
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
from .resume import NodeDecision, ResumePlan, plan_resume
from .stored import Stored
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
    "Drift",
    "Known",
    "Link",
    "NodeDecision",
    "NodeState",
    "NodeStatus",
    "Note",
    "Now",
    "ResumePlan",
    "RunState",
    "RunStatus",
    "SessionState",
    "SessionStatus",
    "StateBuilder",
    "Stored",
    "Trace",
    "Verdict",
    "Writer",
    "collect",
    "evolve",
    "find_drift",
    "fold",
    "format_traceback",
    "plan_resume",
    "status_after",
    "trace",
]
