"""What is left to run of a session that did not complete. Pure.

A node is done when the journal says `node.completed`, and what it saved is still what
it saved. Nothing is believed because a file exists: a death in the middle of a save
leaves one as well. A node that is done runs again only if something that is left to run
needs an output of it that lived in memory, was deleted or was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from kedro_journal.events import PlannedNode

from .drift import Drift, affected
from .model import DatasetOperation, NodeState, RunState, SessionState

__all__ = [
    "Decision",
    "Link",
    "NodeDecision",
    "ResumePlan",
    "Stored",
    "plan_resume",
]

Decision = Literal["done", "suspect", "to do", "redo"]
_SLACK: Final = timedelta(seconds=2)  # of the time stamps of file systems


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog and the disk say of a dataset now.

    Attributes:
        persistent: It outlives the process.
        exists: It is there, in the version on record; None if it does not tell.
        size_bytes: Its size, where cheap.
        modified_at: When it was last written, where that can be told.
    """

    persistent: bool
    exists: bool | None = None
    size_bytes: int | None = None
    modified_at: datetime | None = None


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


class ResumePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a resumed session will do.

    Attributes:
        session_id: The session that is gone on from: the last of the chain.
        chain: It and those that it was itself resumed from, oldest first.
        pipelines, runner, is_async, env: What it was asked for.
        decisions: One for each node, in execution order.
        load_versions: Versions that inputs are pinned to, by dataset.
        drift: What is not as it was.
    """

    session_id: str
    chain: tuple[str, ...]
    pipelines: tuple[str, ...]
    runner: str
    is_async: bool
    env: str | None
    decisions: tuple[NodeDecision, ...]
    load_versions: dict[str, str]
    drift: tuple[Drift, ...]

    @property
    def to_run(self) -> tuple[str, ...]:
        """Names of the nodes that will run, in execution order."""
        return tuple(d.name for d in self.decisions if d.decision != "done")

    @property
    def done(self) -> tuple[str, ...]:
        """Names of the nodes that need not run."""
        return tuple(d.name for d in self.decisions if d.decision == "done")


class _Evidence(msgspec.Struct, frozen=True):
    """The last that is known of a node, in the whole chain."""

    session_id: str
    node: NodeState


class Link(NamedTuple):
    """One session of a chain, and the run in it that the next one goes on from."""

    state: SessionState
    run: RunState


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
        drift: What is not as it was; see `drift`.
        redo_drifted: Run what the drift affects again, and all that follows from it.
        from_nodes: Nodes to run again in any case, with all that follows from them.
    """
    evidence = _evidence(chain)
    decisions: dict[str, NodeDecision] = {}
    for node in nodes:
        decisions[node.name] = _judge(node, evidence.get(node.name), stored)
    forced = dict.fromkeys(from_nodes, "it was asked for")
    if redo_drifted:
        forced = {**affected(drift, nodes), **forced}
    _force(decisions, nodes, forced)
    _close(decisions, nodes, evidence, stored)
    last, run = chain[-1]
    return ResumePlan(
        session_id=last.session_id,
        chain=tuple(link.state.session_id for link in chain),
        pipelines=run.pipelines,
        runner=run.runner,
        is_async=run.is_async,
        env=run.env or last.env,
        decisions=tuple(decisions[node.name] for node in nodes),
        load_versions=_versions(decisions, nodes, evidence),
        drift=tuple(drift),
    )


def _evidence(chain: Sequence[Link]) -> dict[str, _Evidence]:
    """Collect the last that each node did: a later attempt counts over earlier ones."""
    found: dict[str, _Evidence] = {}
    for state, run in chain:
        for attempt in state.runs:
            if attempt.run_id != run.run_id:
                continue
            for name, node in attempt.nodes.items():
                if node.status not in ("pending", "skipped"):
                    found[name] = _Evidence(state.session_id, node)
    return found


def _judge(
    planned: PlannedNode, known: _Evidence | None, stored: Mapping[str, Stored]
) -> NodeDecision:
    name = planned.name
    if known is None:
        return NodeDecision(name=name, decision="to do", reason="it did not start")
    node, session_id = known.node, known.session_id
    if node.status != "completed":
        return _incomplete(name, node, session_id)
    for dataset in planned.outputs:
        now, saved = stored.get(dataset), node.saves.get(dataset)
        if now is None or not now.persistent:
            continue
        trouble = _trouble(dataset, now, saved)
        if trouble:
            return NodeDecision(
                name=name,
                decision="redo",
                reason=trouble,
                session_id=session_id,
                seqs=(saved.ended_seq,) if saved else (node.ended_seq,),
            )
    return NodeDecision(
        name=name,
        decision="done",
        reason=f"it completed (record {node.ended_seq})",
        session_id=session_id,
        seqs=(node.ended_seq,),
    )


def _incomplete(name: str, node: NodeState, session_id: str) -> NodeDecision:
    open_saves = [save for save in node.saves.values() if save.is_open]
    if open_saves:
        save = open_saves[0]
        return NodeDecision(
            name=name,
            decision="suspect",
            reason=f"{save.dataset} was being saved (record {save.started_seq}): what "
            "is there may be half of it",
            session_id=session_id,
            seqs=(save.started_seq,),
        )
    if node.computed_seq:
        return NodeDecision(
            name=name,
            decision="suspect",
            reason=f"its function returned (record {node.computed_seq}), but not every "
            "output was saved",
            session_id=session_id,
            seqs=(node.computed_seq,),
        )
    seq = node.ended_seq or node.started_seq
    if not seq and node.loads:
        seq = max(load.started_seq for load in node.loads.values())
    what = {"failed": "it failed", "interrupted": "it was interrupted"}
    reason = what.get(node.status, f"it was {node.status}")
    if node.phase and node.status == "failed":
        reason += f" while {node.phase}"
    at = f" (record {seq})" if seq else ""
    return NodeDecision(
        name=name,
        decision="to do",
        reason=reason + at,
        session_id=session_id,
        seqs=(seq,) if seq else (),
    )


def _trouble(dataset: str, now: Stored, saved: DatasetOperation | None) -> str:
    """Say how an output is not what was saved; empty if it is, as far as is known."""
    if now.exists is False:
        return f"its output {dataset} is gone"
    if saved is None:
        return ""
    if None not in (saved.size_bytes, now.size_bytes) and (
        saved.size_bytes != now.size_bytes
    ):
        return (
            f"its output {dataset} was changed: it has {now.size_bytes} bytes, and "
            f"{saved.size_bytes} were saved (record {saved.ended_seq})"
        )
    known = saved.ended_at is not None and now.modified_at is not None
    if known and now.modified_at > saved.ended_at + _SLACK:  # type: ignore[operator]
        return (
            f"its output {dataset} was written again after it was saved "
            f"(record {saved.ended_seq})"
        )
    return ""


def _force(
    decisions: dict[str, NodeDecision],
    nodes: Sequence[PlannedNode],
    forced: Mapping[str, str],
) -> None:
    """Let nodes run again, and all that follows from them."""
    tainted: dict[str, str] = {}
    for node in nodes:
        reason = forced.get(node.name)
        source = next((tainted[i] for i in map(bare, node.inputs) if i in tainted), "")
        if reason is None and not source:
            continue
        tainted |= dict.fromkeys(map(bare, node.outputs), node.name)
        before = decisions[node.name]
        if before.decision == "done":
            decisions[node.name] = msgspec.structs.replace(
                before,
                decision="redo",
                reason=reason or f"it follows from {source}, which runs again",
            )


def _close(
    decisions: dict[str, NodeDecision],
    nodes: Sequence[PlannedNode],
    evidence: Mapping[str, _Evidence],
    stored: Mapping[str, Stored],
) -> None:
    """Run again what made an input that is needed and can no longer be loaded."""
    makers = {bare(output): node for node in nodes for output in node.outputs}
    waiting = [node for node in nodes if decisions[node.name].decision != "done"]
    while waiting:
        node = waiting.pop()
        for dataset in node.inputs:
            maker = makers.get(bare(dataset))
            if maker is None or decisions[maker.name].decision != "done":
                continue
            now = stored.get(dataset) or stored.get(bare(dataset))
            if now is not None and now.persistent:
                continue  # it is there and as it was: `_judge` looked
            known = evidence[maker.name]
            decisions[maker.name] = NodeDecision(
                name=maker.name,
                decision="redo",
                reason=f"its output {dataset} lived in memory, "
                f"and {node.name} needs it",
                session_id=known.session_id,
                seqs=(known.node.ended_seq,),
            )
            waiting.append(maker)


def _versions(
    decisions: Mapping[str, NodeDecision],
    nodes: Sequence[PlannedNode],
    evidence: Mapping[str, _Evidence],
) -> dict[str, str]:
    """Pin inputs to the version that the earlier sessions saved, or loaded."""
    saved: dict[str, str] = {}
    loaded: dict[str, str] = {}
    makers = {bare(output): node.name for node in nodes for output in node.outputs}
    for known in evidence.values():
        for name, operation in known.node.loads.items():
            if operation.version:
                loaded[name] = operation.version
        for name, operation in known.node.saves.items():
            if operation.version and not operation.is_open:
                saved[name] = operation.version
    pinned: dict[str, str] = {}
    for node in nodes:
        if decisions[node.name].decision == "done":
            continue
        for dataset in node.inputs:
            maker = makers.get(bare(dataset))
            if maker is None and dataset in loaded:
                pinned[dataset] = loaded[dataset]
            elif maker is not None and decisions[maker].decision == "done":
                version = saved.get(dataset) or saved.get(bare(dataset))
                if version:
                    pinned[dataset] = version
    return pinned


def bare(dataset: str) -> str:
    """Give a dataset's name without the part behind the @ that says how it is read."""
    return dataset.partition("@")[0]
