"""What one record does to one node, under construction. Called by `evolve` alone.

A node that events are added to is a `NodeBuilder`: the same fields as a `NodeState`,
changed in place. A frozen node made anew for each event would be a third of a replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import replace

from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Entry,
    ErrorInfo,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunInterrupted,
)

from .model import DatasetOperation, NodeState, NodeStatus
from .transitions import NODE_TRANSITIONS

__all__ = ["MOVES", "Move", "NodeBuilder", "NodeEvent", "RunEnd", "status_at_end"]

NodeEvent = (
    NodeStarted
    | NodeComputed
    | NodeCompleted
    | NodeFailed
    | DatasetLoading
    | DatasetLoaded
    | DatasetSaving
    | DatasetSaved
)
RunEnd = RunCompleted | RunFailed | RunInterrupted


def status_at_end(node: NodeState, event: RunEnd) -> NodeStatus:
    """Say what the end of its run makes of a node.

    Kedro tells nothing of a failing load or save but the open interval it leaves.
    """
    if node.status == "pending":
        return "skipped" if isinstance(event, RunCompleted) else "pending"
    if node.status not in ("loading", "running", "saving"):
        return node.status
    if isinstance(event, RunFailed) and node.open_operations:
        return "failed"
    return "interrupted"


class NodeBuilder(msgspec.Struct):
    """A node under construction; see `NodeState` for its fields.

    It begins with maps of its own: those of a frozen node stay as they are.
    """

    name: str
    status: NodeStatus
    plan: PlannedNode | None
    writer: str
    started_seq: int
    computed_seq: int
    ended_seq: int
    started_at: datetime | None
    ended_at: datetime | None
    compute_s: float | None
    duration_s: float | None
    loads: dict[str, DatasetOperation]
    saves: dict[str, DatasetOperation]
    error: ErrorInfo | None
    phase: str

    @classmethod
    def of(cls, node: NodeState) -> NodeBuilder:
        """Go on from a frozen node."""
        fields = {name: getattr(node, name) for name in cls.__struct_fields__}
        fields["loads"], fields["saves"] = dict(node.loads), dict(node.saves)
        return cls(**fields)

    def freeze(self) -> NodeState:
        """Give the node; the builder must not be used after that."""
        return NodeState(*[getattr(self, name) for name in self.__struct_fields__])


# -- one step for each event; the status is moved before by whoever calls it ----------


def _loading(node: NodeBuilder, record: Entry, event: DatasetLoading) -> None:
    name = event.dataset
    before = node.loads.get(name)
    count = before.count + 1 if before else 1
    node.loads[name] = DatasetOperation(name, "load", record.seq, 0, None, count)
    node.writer = record.writer


def _loaded(node: NodeBuilder, record: Entry, event: DatasetLoaded) -> None:
    name, seq = event.dataset, record.seq
    before = node.loads.get(name)  # one that was never opened stands for itself
    begun, count = (before.started_seq, before.count) if before else (seq, 1)
    node.loads[name] = DatasetOperation(
        name, "load", begun, seq, record.at, count, event.duration_s, event.version
    )


def _saving(node: NodeBuilder, record: Entry, event: DatasetSaving) -> None:
    name = event.dataset
    before = node.saves.get(name)  # of a generator: once for each chunk
    count = before.count + 1 if before else 1
    node.saves[name] = DatasetOperation(name, "save", record.seq, 0, None, count)


def _saved(node: NodeBuilder, record: Entry, event: DatasetSaved) -> None:
    name, seq = event.dataset, record.seq
    before = node.saves.get(name)
    begun, count = (before.started_seq, before.count) if before else (seq, 1)
    node.saves[name] = DatasetOperation(
        name,
        "save",
        begun,
        seq,
        record.at,
        count,
        event.duration_s,
        event.version,
        event.path,
        event.size_bytes,
        event.modified_us,
    )


def _started(node: NodeBuilder, record: Entry, event: NodeStarted) -> None:
    for dataset, version in event.input_versions:
        if dataset in node.loads:
            node.loads[dataset] = replace(node.loads[dataset], version=version)
    node.writer = record.writer
    node.started_seq = record.seq
    node.started_at = record.at


def _computed(node: NodeBuilder, record: Entry, event: NodeComputed) -> None:
    node.computed_seq = record.seq
    node.compute_s = event.duration_s


def _ended(node: NodeBuilder, record: Entry, event: NodeCompleted | NodeFailed) -> None:
    node.ended_seq = record.seq
    node.ended_at = record.at
    node.duration_s = event.duration_s


def _failed(node: NodeBuilder, record: Entry, event: NodeFailed) -> None:
    _ended(node, record, event)
    node.error = event.error
    node.phase = event.phase


class Move(NamedTuple):
    """What an event does to a node.

    Attributes:
        step: Puts on the node what the event says.
        status_after: Gives the status after it for that before, None if it does not
            fit; see `NODE_TRANSITIONS`.
    """

    step: Callable[[NodeBuilder, Entry, Any], None]
    status_after: Callable[[NodeStatus], NodeStatus | None]


def _move(event: type, step: Callable[[NodeBuilder, Entry, Any], None]) -> Move:
    statuses: dict[NodeStatus, NodeStatus] = {
        before: after
        for (before, cls), after in NODE_TRANSITIONS.items()
        if cls is event
    }
    return Move(step, statuses.get)


MOVES: Final[Mapping[type, Move]] = {
    event: _move(event, step)
    for event, step in (
        (DatasetLoading, _loading),
        (DatasetLoaded, _loaded),
        (DatasetSaving, _saving),
        (DatasetSaved, _saved),
        (NodeStarted, _started),
        (NodeComputed, _computed),
        (NodeCompleted, _ended),
        (NodeFailed, _failed),
    )
}
"""Every event of a node, by its class: `NodeEvent` as a table."""
