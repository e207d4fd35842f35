"""What is left to run of a session that did not complete. Pure.

A node is done when the journal says `node.completed`, and what it saved is still what
it saved. Nothing is believed because a file exists: a death in the middle of a save
leaves one as well. A node that is done runs again only if an output of it was deleted
or changed, or lived in memory and is needed by something that is left to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from kedro_journal.events import PlannedNode
from kedro_journal.state.model import NodeState

from .confirming import Confirming
from .decision import NodeDecision, ResumePlan, decide, last_seq, running
from .drift import Drift, affected
from .evidence import Evidence, Known, Link, bare, collect, refused_output
from .loads import FirstLoads
from .sharing import Sharing
from .stored import SLACK, Stored, changed

__all__ = ["plan_resume"]

_Decisions = dict[str, NodeDecision]


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
    forced |= dict.fromkeys(from_nodes, "it was requested")
    since = {
        name: planner.known.nodes[name].link
        for name, reason in misled.items()
        if forced[name] == reason
    }
    planner.force(decisions, forced, since)
    planner.close(decisions)
    planner.tell_set_back(decisions)
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
        in_order=planner.in_order(decisions),
        unknown=planner.unknown(decisions),
        set_back=tuple(planner.confirming.set_back.items()),
        refused=planner.refused(decisions),
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
        self.sharing = Sharing(chain, nodes, stored)
        self.confirming = Confirming(chain, nodes, stored, self.known)
        self.first_loads = FirstLoads(chain)
        self.makers = {bare(output): n.name for n in nodes for output in n.outputs}
        first = chain[0].run
        self.pinned = dict(first.load_versions)
        self.only_missing = bool(first.filters.get("only_missing_outputs"))
        self.began = first.started_at

    def judge(self, planned: PlannedNode) -> NodeDecision:
        """Decide on a node by what is known of it alone."""
        known = self.known.nodes.get(planned.name)
        if known is None:
            return self._never_started(planned)
        if not known.is_complete:
            return self._incomplete(planned, known)
        seq = known.node.ended_seq
        again = self._again(planned)
        if again:
            return decide(known, "redo", again, seq)
        for dataset in planned.outputs:
            save = known.node.saves.get(dataset)
            trouble = self._trouble(dataset, known.node)
            trouble = trouble or self._unsaved(dataset, known.node)
            if trouble:
                return decide(known, "redo", trouble, save.ended_seq if save else seq)
        return decide(known, "done", f"it completed (record {seq})", seq)

    def _again(self, planned: PlannedNode) -> str:
        """Return why a completed node runs again, whatever its outputs are like."""
        if planned.name in self.known.unreached:
            later = self.known.unreached[planned.name]
            return f"session {later} was to run it again, and did not get to it"
        undone = self.confirming.undone(planned)
        taken_back = f"its confirmation of {undone} was taken back" if undone else ""
        return self.moved.get(planned.name, taken_back)

    def _never_started(self, planned: PlannedNode) -> NodeDecision:
        if self.only_missing:
            kept = [self.stored[o] for o in planned.outputs if o in self.stored]
            kept = [one for one in kept if one.persistent]
            if all(self._was_there(one) for one in kept):
                reason = "only missing outputs were requested, and its outputs existed"
                return NodeDecision(name=planned.name, decision="done", reason=reason)
        reason = "it did not start"
        return NodeDecision(name=planned.name, decision="to do", reason=reason)

    def _was_there(self, one: Stored) -> bool:
        """Return whether an output was there before the run."""
        if not one.exists:
            return False
        known = one.modified_at is not None and self.began is not None
        return not known or one.modified_at < self.began  # type: ignore[operator]

    def _incomplete(self, planned: PlannedNode, known: Evidence) -> NodeDecision:
        node = known.node
        intact = not any(self._trouble(name, node) for name in planned.outputs)
        if intact and self.confirming.is_done(planned, known):
            seq = max(one.started_seq for one in node.confirms.values())
            reason = f"its outputs were saved, and its inputs confirmed (record {seq})"
            return decide(known, "done", reason, seq)
        touched = [
            save
            for save in node.saves.values()
            if save.dataset not in self.stored or self.stored[save.dataset].persistent
        ]
        refused = refused_output(node)
        for save in (one for one in touched if one.dataset != refused):
            if save.is_open:
                reason = (
                    f"{save.dataset} was being saved (record {save.started_seq}): it "
                    "may be incomplete"
                )
                return decide(known, "suspect", reason, save.started_seq)
        if node.computed_seq and touched and not refused:
            saved = {save.dataset for save in touched if not save.is_open}
            left = "not every output was saved"
            if saved >= {save.dataset for save in touched} and saved >= {
                name
                for name in planned.outputs
                if name not in self.stored or self.stored[name].persistent
            }:
                names = ", ".join(planned.confirms)
                left = f"{names} was not confirmed" if names else "it did not complete"
            reason = f"its function returned (record {node.computed_seq}), but {left}"
            return decide(known, "suspect", reason, node.computed_seq)
        seq = last_seq(node)
        what = {"failed": "it failed", "interrupted": "it was interrupted"}
        what["not recorded"] = "it is not recorded whether it completed"
        reason = what.get(node.status, f"it was {node.status}")
        if node.phase and node.status == "failed":
            reason += f" while {node.phase}"
        if refused:
            reason = f"its output {refused} did not pass validation and was not written"
        return decide(known, "to do", reason + f" (record {seq})" * bool(seq), seq)

    def _trouble(self, dataset: str, known: NodeState) -> str:
        """Return how an output differs from what was saved; empty if it does not."""
        now, save = self.stored.get(dataset), known.saves.get(dataset)
        if now is None or not now.persistent:
            return ""
        if now.exists is False:
            return f"its output {dataset} is gone"
        if save is None:
            return ""
        last = self.sharing.last_save(dataset)
        shared = last is not None and last.node != known.name
        if shared and self.sharing.is_shared(dataset):
            return ""  # whose save is there now, `settle` looks at
        began = known.started_at
        old = (
            now.modified_at is not None
            and began is not None
            and (now.modified_at < began - SLACK)
        )
        if old and save.path is None:
            return f"the file of {dataset} is older, and not what it saved"
        return changed(dataset, now, save)

    def _unsaved(self, dataset: str, known: NodeState) -> str:
        """Return why a stored output is not one that a completed node saved."""
        now, save = self.stored.get(dataset), known.saves.get(dataset)
        if now is None or not now.persistent:
            return ""
        if save is None or not save.ended_seq:
            return f"that it saved its output {dataset} is not recorded"
        if save.path is None and now.path is not None and now.place:
            return f"its output {dataset} was saved without a location, and has one now"
        return ""

    def outdated(self) -> dict[str, str]:
        """Find nodes with an input that a later attempt at the run made again."""
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
        """Find nodes that loaded an output after it was changed."""
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
                    continue  # the loader had it from elsewhere
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
        forced = set[str]()
        while True:
            self._close_memory(decisions)
            run = running(decisions)
            again = self.confirming.take_back(run)
            if again:
                self.force(decisions, again, {})
                continue
            unread = self.confirming.unread(run)
            if unread.keys() - forced:
                # What follows from these runs again, too: they may load more.
                forced |= unread.keys()
                self.force(decisions, unread, {})
                continue
            missing = self.sharing.missing(run) or self.sharing.between(run)
            if not missing:
                return
            for name, reason in missing.items():
                decisions[name] = msgspec.structs.replace(
                    decisions[name], decision="redo", reason=reason
                )

    def tell_set_back(self, decisions: _Decisions) -> None:
        """Add to the reasons of nodes that load what was confirmed."""
        for node in self.nodes:
            names = [n for n in node.inputs if bare(n) in self.confirming.set_back]
            if names:
                before = decisions[node.name]
                reason = f"{before.reason}; the checkpoint of {names[0]} is set back"
                decisions[node.name] = msgspec.structs.replace(before, reason=reason)

    def _close_memory(self, decisions: _Decisions) -> None:
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

    def force(
        self,
        decisions: _Decisions,
        forced: Mapping[str, str],
        since: Mapping[str, int],
    ) -> None:
        """Let nodes run again, and all that follows from them.

        Args:
            decisions: Changed in place.
            forced: Nodes that run again in any case, with the reason.
            since: Of nodes whose last outcome alone is doubted, the session that it
                is of: what ran in an earlier one had another.
        """
        tainted: dict[str, tuple[str, int]] = {}
        for node in self.nodes:
            evidence, reason = self.known.nodes.get(node.name), forced.get(node.name)
            ran = evidence.link if evidence is not None else 0
            wanted = (
                *map(bare, node.inputs),
                *map(_as_node, sorted(self.sharing.before(node))),
            )
            sources = [tainted[name] for name in wanted if name in tainted]
            sources = [one for one in sources if evidence is None or ran >= one[1]]
            if reason is None and not sources:
                continue
            first = min((link for _, link in sources), default=ran)
            first = min(first, since.get(node.name, 0)) if reason is not None else first
            again = (*map(bare, node.outputs), _as_node(node.name))
            tainted |= dict.fromkeys(again, (node.name, first))
            before = decisions[node.name]
            if before.decision == "done":
                decisions[node.name] = msgspec.structs.replace(
                    before,
                    decision="redo",
                    reason=reason
                    or f"it follows from {sources[0][0]}, which runs again",
                )

    def unknown(self, decisions: _Decisions) -> tuple[str, ...]:
        """Return the datasets of kept nodes that nothing tells a change of."""
        found: dict[str, None] = {}
        for node in self.nodes:
            known = self.known.nodes.get(node.name)
            if known is None or decisions[node.name].decision != "done":
                continue
            for name in (*node.inputs, *node.outputs):
                here, save = self.stored.get(name), known.node.saves.get(name)
                if here is None or not here.persistent:
                    continue
                if name in node.outputs:
                    same = save and save.fingerprint.same_data(here.fingerprint)
                elif bare(name) in self.makers:
                    continue
                else:
                    same = self.first_loads.same(known, name, here)
                if same is None:
                    found[name] = None
        return tuple(found)

    def in_order(self, decisions: _Decisions) -> tuple[tuple[str, str], ...]:
        """Return the pairs of nodes that have to run one after the other."""
        return self.sharing.pairs(running(decisions))

    def refused(self, decisions: _Decisions) -> tuple[str, ...]:
        """Return why nodes that would have to run again cannot."""
        run = running(decisions)
        lost = self.sharing.impossible(run) | self.confirming.impossible(run)
        return tuple(lost[node.name] for node in self.nodes if node.name in lost)

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
                    continue  # it is made again, under a new version
                version = self.known.version_of(dataset, maker)
                if version:
                    pinned[dataset] = version
        return pinned

    def own_versions(self, decisions: _Decisions) -> tuple[str, ...]:
        """Find versioned inputs that are made again."""
        again = {name for name, one in decisions.items() if one.decision != "done"}
        found: dict[str, None] = {}
        for node in self.nodes:
            for dataset in node.inputs if node.name in again else ():
                now = self.stored.get(dataset)
                made = self.makers.get(bare(dataset)) in again
                if made and now is not None and now.versioned:
                    found[dataset] = None
        return tuple(name for name in found if name not in self.pinned)


def _as_node(name: str) -> str:
    """Return a key that no dataset has: the save of a node at a shared place."""
    return f"\0{name}"
