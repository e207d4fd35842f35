"""Analysis: what follows from finished states. Pure: no file, no clock.

What it owns: the questions that need more than one state, or more than the records.
The fold itself, and queries on one state, are in `state`.

Main modules:
    comparison: what differs between two sessions.
    group, merging: sibling sessions -> the group that they are.
    resume: what is left to run of a session -> `ResumePlan`, of `NodeDecision`s.
    evidence, loads, sharing, confirming: what a chain of sessions proves about nodes.
    drift, changes, places, stored, masked: what is not as it was.
    damage: damage to a journal that a plan was made from.

Invariants:
    Total: any states are accepted, also those of damaged or newer journals.
    What is not known counts against resuming: a node runs again.

Writes nothing. `replaying`, `session`, `views` and `cli` call it.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .changes import Drift, Now
    from .comparison import Comparison, Difference, compare
    from .damage import Damage
    from .decision import NodeDecision, ResumePlan
    from .drift import find_drift
    from .evidence import Known, Link, collect
    from .group import GroupFailure, GroupNode, GroupState, NodeTry
    from .merging import TASK_LABEL, merge
    from .resume import plan_resume
    from .stored import Stored

__all__ = [
    "TASK_LABEL",
    "Comparison",
    "Damage",
    "Difference",
    "Drift",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "Known",
    "Link",
    "NodeDecision",
    "NodeTry",
    "Now",
    "ResumePlan",
    "Stored",
    "collect",
    "compare",
    "find_drift",
    "merge",
    "plan_resume",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "changes": ("Drift", "Now"),
        "comparison": ("Comparison", "Difference", "compare"),
        "damage": ("Damage",),
        "decision": ("NodeDecision", "ResumePlan"),
        "drift": ("find_drift",),
        "evidence": ("Known", "Link", "collect"),
        "group": ("GroupFailure", "GroupNode", "GroupState", "NodeTry"),
        "merging": ("TASK_LABEL", "merge"),
        "resume": ("plan_resume",),
        "stored": ("Stored",),
    },
)
