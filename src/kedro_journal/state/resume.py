"""What is left to run of a session that did not complete. Pure.

A node is done when the journal says `node.completed`, and what it saved is still what
it saved. Nothing is believed because a file exists: a death in the middle of a save
leaves one as well. A node that is done runs again only if an output of it was deleted
or changed, or lived in memory and is needed by something that is left to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from kedro_journal.events import PlannedNode

from .damage import Damage
from .drift import Drift, affected
from .evidence import Evidence, Known, Link, bare, collect
from .model import NodeState
from .short import short_plan
from .shown import Short
from .stored import SLACK, Stored, changed

__all__ = ["Decision", "NodeDecision", "ResumePlan", "plan_resume"]

Decision = Literal["done", "suspect", "to do", "redo"]
_Decisions = dict[str, "NodeDecision"]


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
        pipelines, runner, is_async, env: What it was asked for.
        decisions: One for each node, in execution order.
        load_versions: Versions that inputs are pinned to, by dataset.
        own_versions: Versioned inputs that are made anew: they are loaded at the
            version that the resumed session saves.
        drift: What is not as it was.
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


def plan_resume(
    chain: Sequence[Link],
    nodes: Sequence[PlannedNode],
    stored: Mapping[str, Stored],
    *,
    drift: Sequence[Drift] = (),
    redo_drifted: bool = False,
    from_nodes: Iterable[str] = (),
) -> ResumePlan:
    """Decide for every node whether it runs.

    Args:
        chain: The sessions, oldest first: the original, and those that resumed it.
        nodes: The pipeline as it is now, filtered as the run was, in execution order.
        stored: What is known of each dataset, by name.
        drift: What is not as it was; see `find_drift`.
        redo_drifted: Run what the drift affects again, and all that follows from it;
            what was saved at another place is made again in any case.
        from_nodes: Nodes to run again in any case, with all that follows from them.
    """
    moved = affected([one for one in drift if one.kind == "output"], nodes)
    planner = _Planner(chain, nodes, stored, moved)
    decisions: _Decisions = {node.name: planner.judge(node) for node in nodes}
    misled = planner.misled(decisions)
    forced = planner.outdated() | misled
    if redo_drifted:
        forced = affected(drift, nodes) | forced
    forced |= moved
    forced |= dict.fromkeys(from_nodes, "it was asked for")
    since = {
        name: planner.known.nodes[name].link
        for name, reason in misled.items()
        if forced[name] == reason
    }
    _force(decisions, nodes, forced, planner.known, since)
    planner.close(decisions)
    first, last = chain[0].run, chain[-1]
    return ResumePlan(
        session_id=last.state.session_id,
        chain=tuple(link.state.session_id for link in chain),
        pipelines=first.pipelines,
        runner=last.run.runner,
        is_async=last.run.is_async,
        env=last.run.env or last.state.env,
        decisions=tuple(decisions[node.name] for node in nodes),
        load_versions=dict(first.load_versions) | planner.versions(decisions),
        own_versions=planner.own_versions(decisions),
        drift=tuple(drift),
    )


class _Planner:
    """The facts that decisions are made from."""

    def __init__(
        self,
        chain: Sequence[Link],
        nodes: Sequence[PlannedNode],
        stored: Mapping[str, Stored],
        moved: Mapping[str, str],
    ) -> None:
        self.moved = moved
        self.known: Known = collect(chain)
        self.nodes = nodes
        self.stored = stored
        self.makers = {bare(output): n.name for n in nodes for output in n.outputs}
        first = chain[0].run
        self.pinned = dict(first.load_versions)
        self.only_missing = bool(first.filters.get("only_missing_outputs"))
        self.began = first.started_at

    def judge(self, planned: PlannedNode) -> NodeDecision:
        """Decide on a node by what is known of it alone."""
        name, known = planned.name, self.known.nodes.get(planned.name)
        if known is None:
            return self._never_started(planned)
        if not known.is_complete:
            return self._incomplete(known)
        seq = known.node.ended_seq
        if name in self.known.unreached:
            later = self.known.unreached[name]
            reason = f"session {later} was to run it again, and did not get to it"
            return _decision(known, "redo", reason, seq)
        if name in self.moved:
            return _decision(known, "redo", self.moved[name], seq)
        for dataset in planned.outputs:
            save = known.node.saves.get(dataset)
            if trouble := self._trouble(dataset, known.node):
                return _decision(
                    known, "redo", trouble, save.ended_seq if save else seq
                )
        return _decision(known, "done", f"it completed (record {seq})", seq)

    def _never_started(self, planned: PlannedNode) -> NodeDecision:
        if self.only_missing:
            kept = [self.stored[o] for o in planned.outputs if o in self.stored]
            kept = [one for one in kept if one.persistent]
            if all(self._was_there(one) for one in kept):
                reason = "only missing outputs were asked for, and its own were there"
                return NodeDecision(name=planned.name, decision="done", reason=reason)
        reason = "it did not start"
        return NodeDecision(name=planned.name, decision="to do", reason=reason)

    def _was_there(self, one: Stored) -> bool:
        """Tell whether an output was there before the run."""
        if not one.exists:
            return False
        known = one.modified_at is not None and self.began is not None
        return not known or one.modified_at < self.began  # type: ignore[operator]

    def _incomplete(self, known: Evidence) -> NodeDecision:
        node = known.node
        touched = [
            save
            for save in node.saves.values()
            if save.dataset not in self.stored or self.stored[save.dataset].persistent
        ]
        for save in touched:
            if save.is_open:
                reason = (
                    f"{save.dataset} was being saved (record {save.started_seq}): "
                    "what is there may be half of it"
                )
                return _decision(known, "suspect", reason, save.started_seq)
        if node.computed_seq and touched:
            reason = (
                f"its function returned (record {node.computed_seq}), but not every "
                "output was saved"
            )
            return _decision(known, "suspect", reason, node.computed_seq)
        seq = _last_seq(node)
        what = {"failed": "it failed", "interrupted": "it was interrupted"}
        reason = what.get(node.status, f"it was {node.status}")
        if node.phase and node.status == "failed":
            reason += f" while {node.phase}"
        return _decision(known, "to do", reason + f" (record {seq})" * bool(seq), seq)

    def _trouble(self, dataset: str, known: NodeState) -> str:
        """Say how an output is not what was saved; empty if it is, as far as known."""
        now, save = self.stored.get(dataset), known.saves.get(dataset)
        if now is None or not now.persistent:
            return ""
        if now.exists is False:
            return f"its output {dataset} is gone"
        if save is None:
            return ""
        last = self.known.saves.get(save.path, save) if save.path else save
        if last.is_open:
            return f"{last.dataset}, at the same place, was being saved after it"
        began = known.started_at
        old = (
            now.modified_at is not None
            and began is not None
            and (now.modified_at < began - SLACK)
        )
        if old and save.path is None:
            return f"what is there as {dataset} is older, and not what it saved"
        return changed(dataset, now, last)

    def outdated(self) -> dict[str, str]:
        """Find nodes with an input that a later attempt at the run made anew."""
        found: dict[str, str] = {}
        for node in self.nodes:
            mine = self.known.nodes.get(node.name)
            for dataset in node.inputs if mine is not None else ():
                maker = self.makers.get(bare(dataset), "")
                theirs = self.known.nodes.get(maker)
                later = (
                    mine is not None
                    and theirs is not None
                    and theirs.link == mine.link
                    and theirs.attempt > mine.attempt
                )
                if later and theirs is not None:
                    at = f"in attempt {theirs.attempt}"
                    found[node.name] = f"{maker} ran again after it, {at}"
        return found

    def misled(self, decisions: _Decisions) -> dict[str, str]:
        """Find nodes that loaded an output after somebody had changed it."""
        changed: dict[str, datetime] = {}
        for node in self.nodes:
            if decisions[node.name].decision != "redo":
                continue
            known = self.known.nodes[node.name]
            for dataset in node.outputs:
                now = self.stored.get(dataset)
                at = now.modified_at if now is not None else None
                save = known.node.saves.get(dataset)
                if at is None or (save is not None and save.path is None):
                    continue  # whoever loaded it had it from elsewhere
                if self._trouble(dataset, known.node):
                    changed[bare(dataset)] = at
        found: dict[str, str] = {}
        for node in self.nodes if changed else ():
            known_node = self.known.nodes.get(node.name)
            for load in known_node.node.loads.values() if known_node else ():
                at = changed.get(bare(load.dataset))
                loaded_at = load.ended_at
                if at is not None and loaded_at is not None and loaded_at >= at:
                    found[node.name] = (
                        f"{load.dataset} may have been changed before it was loaded "
                        f"(record {load.ended_seq})"
                    )
        return found

    def close(self, decisions: _Decisions) -> None:
        """Run again what made an input that is needed and can no longer be loaded."""
        by_name = {node.name: node for node in self.nodes}
        waiting = [n for n in self.nodes if decisions[n.name].decision != "done"]
        while waiting:
            node = waiting.pop()
            for dataset in node.inputs:
                maker = self.makers.get(bare(dataset), "")
                if not maker or decisions[maker].decision != "done":
                    continue
                now = self.stored.get(dataset) or self.stored.get(bare(dataset))
                if now is not None and now.persistent:
                    continue  # it is there and as it was: `judge` looked
                reason = f"its output {dataset} lived in memory, "
                decisions[maker] = msgspec.structs.replace(
                    decisions[maker],
                    decision="redo",
                    reason=f"{reason}and {node.name} needs it",
                )
                waiting.append(by_name[maker])

    def versions(self, decisions: _Decisions) -> dict[str, str]:
        """Pin inputs to the version that the chain saved, or loaded."""
        pinned: dict[str, str] = {}
        for node in self.nodes:
            if decisions[node.name].decision == "done":
                continue
            for dataset in node.inputs:
                maker = self.makers.get(bare(dataset))
                if dataset in self.pinned:
                    continue
                if maker is not None and decisions[maker].decision != "done":
                    continue  # it is made anew, under a new version
                version = self.known.version_of(dataset, maker)
                if version:
                    pinned[dataset] = version
        return pinned

    def own_versions(self, decisions: _Decisions) -> tuple[str, ...]:
        """Find versioned inputs that are made anew."""
        again = {name for name, one in decisions.items() if one.decision != "done"}
        found: dict[str, None] = {}
        for node in self.nodes:
            for dataset in node.inputs if node.name in again else ():
                now = self.stored.get(dataset)
                made = self.makers.get(bare(dataset)) in again
                if made and now is not None and now.versioned:
                    found[dataset] = None
        return tuple(name for name in found if name not in self.pinned)


def _decision(
    known: Evidence, decision: Decision, reason: str, seq: int
) -> NodeDecision:
    return NodeDecision(
        name=known.node.name,
        decision=decision,
        reason=reason,
        session_id=known.session_id,
        seqs=(seq,) if seq else (),
    )


def _last_seq(node: NodeState) -> int:
    seq = node.ended_seq or node.computed_seq or node.started_seq
    return seq or max((load.started_seq for load in node.loads.values()), default=0)


def _force(
    decisions: _Decisions,
    nodes: Sequence[PlannedNode],
    forced: Mapping[str, str],
    known: Known,
    since: Mapping[str, int],
) -> None:
    """Let nodes run again, and all that follows from them.

    Args:
        decisions: Changed in place.
        nodes: In execution order.
        forced: Nodes that run again in any case, with the reason.
        known: What the chain proves.
        since: Of nodes whose last outcome alone is doubted, the session that it is of:
            what ran in an earlier one had another.
    """
    tainted: dict[str, tuple[str, int]] = {}
    for node in nodes:
        evidence, reason = known.nodes.get(node.name), forced.get(node.name)
        ran = evidence.link if evidence is not None else 0
        sources = [tainted[i] for i in map(bare, node.inputs) if i in tainted]
        sources = [one for one in sources if evidence is None or ran >= one[1]]
        if reason is None and not sources:
            continue
        first = min((link for _, link in sources), default=ran)
        first = min(first, since.get(node.name, 0)) if reason is not None else first
        tainted |= dict.fromkeys(map(bare, node.outputs), (node.name, first))
        before = decisions[node.name]
        if before.decision == "done":
            decisions[node.name] = msgspec.structs.replace(
                before,
                decision="redo",
                reason=reason or f"it follows from {sources[0][0]}, which runs again",
            )
