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
    from .answer import Change, Cited, Good, Why
    from .chain import ChainNode, ChainState, chain_of
    from .changes import Drift, Now
    from .comparison import Comparison, Difference, compare
    from .damage import Damage
    from .decision import NodeDecision, ResumePlan
    from .descent import Descendant, Descent, descent_of
    from .drift import find_drift
    from .evidence import Known, Link, collect
    from .group import GroupFailure, GroupNode, GroupState, NodeTry
    from .inquiry import Outside, why
    from .last_good import Past
    from .merging import TASK_LABEL, merge
    from .origin import Origin, origin_of
    from .resume import plan_resume
    from .stored import Stored

__all__ = [
    "Change",
    "Cited",
    "Good",
    "Why",
    "Outside",
    "why",
    "Past",
    "Descendant",
    "Descent",
    "descent_of",
    "Origin",
    "origin_of",
    "TASK_LABEL",
    "ChainNode",
    "ChainState",
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
    "chain_of",
    "collect",
    "compare",
    "find_drift",
    "merge",
    "plan_resume",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "answer": ("Change", "Cited", "Good", "Why"),
        "chain": ("ChainNode", "ChainState", "chain_of"),
        "changes": ("Drift", "Now"),
        "comparison": ("Comparison", "Difference", "compare"),
        "damage": ("Damage",),
        "decision": ("NodeDecision", "ResumePlan"),
        "descent": ("Descendant", "Descent", "descent_of"),
        "drift": ("find_drift",),
        "evidence": ("Known", "Link", "collect"),
        "group": ("GroupFailure", "GroupNode", "GroupState", "NodeTry"),
        "inquiry": ("Outside", "why"),
        "last_good": ("Past",),
        "merging": ("TASK_LABEL", "merge"),
        "origin": ("Origin", "origin_of"),
        "resume": ("plan_resume",),
        "stored": ("Stored",),
    },
)
