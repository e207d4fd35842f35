"""STATE: what the records add up to. Pure: no file, no clock."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .chain import ChainNode, ChainState, chain_of
    from .changes import Drift, Now
    from .compare import Comparison, Difference, compare
    from .damage import Damage
    from .decision import NodeDecision, ResumePlan
    from .drift import find_drift
    from .evidence import Known, Link, collect
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
    from .resume import plan_resume
    from .shown import Shown, html_of, show_with
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
    "TASK_LABEL",
    "Anomaly",
    "DatasetOperation",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "ChainNode",
    "ChainState",
    "Comparison",
    "Damage",
    "Difference",
    "Drift",
    "Known",
    "Link",
    "NodeDecision",
    "NodeState",
    "NodeStatus",
    "NodeTry",
    "Note",
    "Now",
    "ResumePlan",
    "RunState",
    "RunStatus",
    "SessionState",
    "SessionStatus",
    "Shown",
    "StateBuilder",
    "Stored",
    "Trace",
    "Verdict",
    "Writer",
    "chain_of",
    "collect",
    "compare",
    "evolve",
    "find_drift",
    "fold",
    "format_traceback",
    "html_of",
    "merge",
    "show_with",
    "plan_resume",
    "status_after",
    "trace",
]

lazily(
    __name__,
    {
        "chain": ("ChainNode", "ChainState", "chain_of"),
        "compare": (
            "Comparison",
            "Difference",
            "compare",
        ),
        "damage": ("Damage",),
        "changes": ("Drift", "Now"),
        "drift": ("find_drift",),
        "evidence": (
            "Known",
            "Link",
            "collect",
        ),
        "evolve": (
            "StateBuilder",
            "evolve",
            "fold",
        ),
        "group": (
            "GroupFailure",
            "GroupNode",
            "GroupState",
            "NodeTry",
        ),
        "merge": (
            "TASK_LABEL",
            "merge",
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
        "decision": ("NodeDecision", "ResumePlan"),
        "resume": ("plan_resume",),
        "shown": (
            "Shown",
            "html_of",
            "show_with",
        ),
        "stored": ("Stored",),
        "trace": (
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
