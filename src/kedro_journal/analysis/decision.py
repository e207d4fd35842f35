"""What a resumed session will do, and why. Pure values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from kedro_journal.state.model import NodeState
from kedro_journal.state.short import short_plan
from kedro_journal.state.shown import Short

from .changes import Drift
from .damage import Damage
from .evidence import Evidence

__all__ = ["Decision", "NodeDecision", "ResumePlan", "decide", "last_seq", "running"]

Decision = Literal["done", "suspect", "to do", "redo"]


class NodeDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with one node, and why.

    Attributes:
        name: The node.
        decision: done; suspect (an output was being saved at the death: it runs again,
            and what it left is not trusted); to do (it did not complete); or redo (it
            completed, but has to run again).
        reason: Why, in words.
        session_id: The session whose records prove it; empty if none has any.
        seqs: Those records.
    """

    name: str
    decision: Decision
    reason: str
    session_id: str = ""
    seqs: tuple[int, ...] = ()


class ResumePlan(Short, frozen=True, kw_only=True):
    """What a resumed session will do.

    Attributes:
        session_id: The session that is gone on from: the last of the chain.
        chain: It and those that it was itself resumed from, oldest first.
        pipelines, runner, is_async, env: What was requested.
        decisions: One for each node, in execution order.
        load_versions: Versions that inputs are pinned to, by dataset.
        own_versions: Versioned inputs that are made again: they are loaded at the
            version that the resumed session saves.
        drift: What is not as it was.
        in_order: Pairs of nodes that run and share stored data: the first one has to
            run before the second one.
        unknown: Datasets of nodes that do not run of which nothing tells whether they
            are what was loaded or saved: they have no fingerprint.
        set_back: Incremental datasets whose checkpoint is set back before anything
            runs, each with the hash of what it was before it was confirmed.
        refused: Why the plan cannot be carried out without a wrong result. A session
            that has such a plan is not resumed.
        damage: Journals of the chain that are damaged: the rest of them counts.
    """

    session_id: str
    chain: tuple[str, ...]
    pipelines: tuple[str, ...]
    runner: str
    is_async: bool
    env: str | None
    decisions: tuple[NodeDecision, ...]
    load_versions: dict[str, str]
    own_versions: tuple[str, ...]
    drift: tuple[Drift, ...]
    in_order: tuple[tuple[str, str], ...] = ()
    unknown: tuple[str, ...] = ()
    set_back: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = ()
    damage: tuple[Damage, ...] = ()

    def __repr__(self) -> str:
        return short_plan(self)

    @property
    def to_run(self) -> tuple[str, ...]:
        """Names of the nodes that will run, in execution order."""
        return tuple(d.name for d in self.decisions if d.decision != "done")

    @property
    def done(self) -> tuple[str, ...]:
        """Names of the nodes that need not run."""
        return tuple(d.name for d in self.decisions if d.decision == "done")


def decide(known: Evidence, decision: Decision, reason: str, seq: int) -> NodeDecision:
    """Return a decision on a node that a record proves; 0 for none."""
    return NodeDecision(
        name=known.node.name,
        decision=decision,
        reason=reason,
        session_id=known.session_id,
        seqs=(seq,) if seq else (),
    )


def last_seq(node: NodeState) -> int:
    """Return the last record that moved a node; 0 for none."""
    seq = node.ended_seq or node.computed_seq or node.started_seq
    return seq or max((load.started_seq for load in node.loads.values()), default=0)


def running(decisions: Mapping[str, NodeDecision]) -> set[str]:
    """Return the nodes that run."""
    return {name for name, one in decisions.items() if one.decision != "done"}
