"""What one record does to one node, under construction. Called by `evolve` alone.

A node that events are added to is a `NodeBuilder`: the same fields as a `NodeState`,
changed in place, and so are its loads and saves. Frozen ones, made anew for each event,
would be half of a replay.

Builders are plain classes, for msgspec takes four times as long to set a field. Each
event has a function of its own, all the way, though they are alike: at a place that
sees one class alone, Python finds a field in a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, cast, get_args

from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Entry,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    RunCompleted,
    RunFailed,
    RunInterrupted,
)

from .model import DatasetOperation, NodeState, NodeStatus
from .transitions import NODE_TRANSITIONS

__all__ = [
    "MOVES",
    "Here",
    "Move",
    "NodeBuilder",
    "NodeEvent",
    "RunEnd",
    "status_at_end",
]

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


class OperationBuilder:
    """A load or save under construction; see `DatasetOperation` for its fields.

    As long as no record opened it, `started_seq` is 0. What an end says counts only
    where `ended_seq` is not: whoever opens it again leaves the rest as it is.
    """

    __slots__ = DatasetOperation.__struct_fields__

    ended_seq: int
    ended_at: datetime | None
    duration_s: float | None
    version: str | None

    def __init__(self, dataset: str, kind: Literal["load", "save"]) -> None:
        self.dataset = dataset
        self.kind: Literal["load", "save"] = kind
        self.started_seq = 0
        self.count = 0
        self.path: str | None = None
        self.size_bytes: int | None = None
        self.modified_us: int | None = None

    @classmethod
    def of(cls, before: DatasetOperation) -> OperationBuilder:
        """Go on from a frozen one."""
        new = cls(before.dataset, before.kind)
        for name in cls.__slots__:
            setattr(new, name, getattr(before, name))
        return new

    def freeze(self) -> DatasetOperation:
        """Give the operation."""
        if not self.ended_seq:
            return DatasetOperation(
                self.dataset,
                self.kind,
                self.started_seq,
                count=self.count,
                version=self.version,
            )
        return DatasetOperation(
            self.dataset,
            self.kind,
            self.started_seq,
            self.ended_seq,
            self.ended_at,
            self.count,
            self.duration_s,
            self.version,
            self.path,
            self.size_bytes,
            self.modified_us,
        )


class NodeBuilder:
    """A node under construction; see `NodeState` for its fields.

    What it began with stays as it is: loads and saves that events are added to stand
    beside.
    """

    __slots__ = (
        *NodeState.__struct_fields__,
        *("changed_loads", "changed_saves", "last_load", "last_save"),
    )

    def __init__(self, node: NodeState) -> None:
        self.name = node.name
        self.status: NodeStatus = node.status
        self.plan = node.plan
        self.writer = node.writer
        self.started_seq = node.started_seq
        self.computed_seq = node.computed_seq
        self.ended_seq = node.ended_seq
        self.started_at = node.started_at
        self.ended_at = node.ended_at
        self.compute_s = node.compute_s
        self.duration_s = node.duration_s
        self.loads = node.loads
        self.saves = node.saves
        self.error = node.error
        self.phase = node.phase
        self.changed_loads: dict[str, OperationBuilder] = {}
        self.changed_saves: dict[str, OperationBuilder] = {}
        self.last_load = self.last_save = _NOTHING

    def load(self, dataset: str) -> OperationBuilder:
        """Give the load of a dataset, to be changed."""
        found = self.changed_loads.get(dataset)
        if found is None:
            found = _operation(self.loads.get(dataset), dataset, "load")
            self.changed_loads[dataset] = found
        self.last_load = found
        return found

    def save(self, dataset: str) -> OperationBuilder:
        """Give the save of a dataset, to be changed."""
        found = self.changed_saves.get(dataset)
        if found is None:
            found = _operation(self.saves.get(dataset), dataset, "save")
            self.changed_saves[dataset] = found
        self.last_save = found
        return found

    def freeze(self) -> NodeState:
        """Give the node."""
        return NodeState(
            self.name,
            self.status,
            self.plan,
            self.writer,
            self.started_seq,
            self.computed_seq,
            self.ended_seq,
            self.started_at,
            self.ended_at,
            self.compute_s,
            self.duration_s,
            _frozen(self.loads, self.changed_loads),
            _frozen(self.saves, self.changed_saves),
            self.error,
            self.phase,
        )


def _operation(
    before: DatasetOperation | None, dataset: str, kind: Literal["load", "save"]
) -> OperationBuilder:
    return OperationBuilder.of(before) if before else OperationBuilder(dataset, kind)


def _frozen(
    before: Mapping[str, DatasetOperation], changed: Mapping[str, OperationBuilder]
) -> Mapping[str, DatasetOperation]:
    if not changed:
        return before
    return {**before, **{name: one.freeze() for name, one in changed.items()}}


class Here:
    """The node of the last event, and its run: most often the next is about it, too.

    Attributes:
        run_id, attempt: The run; none has the attempt 0.
        nodes: Its nodes that events were added to.
        frozen: All its nodes; those above lag behind here.
        name: Name of the node; None at first.
        node: The node; if it is not among `nodes`, one that no event fits.
    """

    __slots__ = ("attempt", "frozen", "name", "node", "nodes", "run_id")

    def __init__(self) -> None:
        self.leave()

    def leave(self) -> None:
        """Be nowhere."""
        self.go(None, 0, {}, {})

    def go(
        self,
        run_id: str | None,
        attempt: int,
        nodes: dict[str, NodeBuilder],
        frozen: dict[str, NodeState],
    ) -> None:
        """Go to a run."""
        self.run_id = run_id
        self.attempt = attempt
        self.nodes = nodes
        self.frozen = frozen
        self.name: str | None = None
        self.node = _NOBODY

    def turn(self, name: str) -> NodeBuilder:
        """Turn to another node of the run."""
        self.name = name
        self.node = node = self.nodes.get(name, _NOBODY)
        return node

    def end(self, node: NodeBuilder) -> None:
        """Freeze the node: nothing more is to come."""
        self.frozen[node.name] = node.freeze()
        del self.nodes[node.name]
        self.node = _NOBODY


# -- one step for each event -----------------------------------------------------------
#
# Each tells whether it was made: the event is about the run at hand, and a node there
# whose status it fits. If it was not, nothing was changed, and `evolve` sees to it.

_NO_STATUS: Final = cast("NodeStatus", "")
_NOTHING: Final = OperationBuilder(cast("str", None), "load")  # of no dataset
_NOBODY: Final = NodeBuilder(NodeState("", _NO_STATUS))


def _after(event: type) -> dict[NodeStatus, NodeStatus | None]:
    every: tuple[NodeStatus, ...] = (*get_args(NodeStatus), _NO_STATUS)
    return {status: NODE_TRANSITIONS.get((status, event)) for status in every}


_AFTER_LOADING: Final = _after(DatasetLoading)
_AFTER_LOADED: Final = _after(DatasetLoaded)
_AFTER_SAVING: Final = _after(DatasetSaving)
_AFTER_SAVED: Final = _after(DatasetSaved)
_AFTER_STARTED: Final = _after(NodeStarted)
_AFTER_COMPUTED: Final = _after(NodeComputed)
_AFTER_COMPLETED: Final = _after(NodeCompleted)
_AFTER_FAILED: Final = _after(NodeFailed)


def _loading(here: Here, record: Entry, event: DatasetLoading) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_LOADING[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    name = event.dataset
    load = node.last_load if name == node.last_load.dataset else node.load(name)
    load.started_seq = record.seq
    load.ended_seq = 0
    load.version = None
    load.count += 1
    node.writer = record.writer
    return True


def _loaded(here: Here, record: Entry, event: DatasetLoaded) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_LOADED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    name = event.dataset
    load = node.last_load if name == node.last_load.dataset else node.load(name)
    if not load.started_seq:  # one that was never opened stands for itself
        load.started_seq, load.count = record.seq, 1
    load.ended_seq = record.seq
    load.ended_at = record.at
    load.duration_s = event.duration_s
    load.version = event.version
    return True


def _saving(here: Here, record: Entry, event: DatasetSaving) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_SAVING[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    name = event.dataset
    save = node.last_save if name == node.last_save.dataset else node.save(name)
    save.started_seq = record.seq
    save.ended_seq = 0
    save.version = None
    save.count += 1  # of a generator: once for each chunk
    return True


def _saved(here: Here, record: Entry, event: DatasetSaved) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_SAVED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    name = event.dataset
    save = node.last_save if name == node.last_save.dataset else node.save(name)
    if not save.started_seq:
        save.started_seq, save.count = record.seq, 1
    save.ended_seq = record.seq
    save.ended_at = record.at
    save.duration_s = event.duration_s
    save.version = event.version
    save.path = event.path
    save.size_bytes = event.size_bytes
    save.modified_us = event.modified_us
    return True


def _started(here: Here, record: Entry, event: NodeStarted) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_STARTED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    for dataset, version in event.input_versions:
        if dataset in node.changed_loads or dataset in node.loads:
            node.load(dataset).version = version
    node.writer = record.writer
    node.started_seq = record.seq
    node.started_at = record.at
    return True


def _computed(here: Here, record: Entry, event: NodeComputed) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_COMPUTED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    node.computed_seq = record.seq
    node.compute_s = event.duration_s
    return True


def _completed(here: Here, record: Entry, event: NodeCompleted) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_COMPLETED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    node.ended_seq = record.seq
    node.ended_at = record.at
    node.duration_s = event.duration_s
    here.end(node)
    return True


def _failed(here: Here, record: Entry, event: NodeFailed) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_FAILED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    node.ended_seq = record.seq
    node.ended_at = record.at
    node.duration_s = event.duration_s
    node.error = event.error
    node.phase = event.phase
    here.end(node)
    return True


class Move(NamedTuple):
    """What an event does to a node.

    Attributes:
        step: Does it, if the event is about the run and the nodes at hand and fits.
        after: The status after it for each before, None where it does not fit; see
            `NODE_TRANSITIONS`.
    """

    step: Callable[[Here, Entry, Any], bool]
    after: Mapping[NodeStatus, NodeStatus | None]

    @property
    def before(self) -> NodeStatus:
        """A status that it fits."""
        return next(before for before, after in self.after.items() if after)


MOVES: Final[Mapping[type, Move]] = {
    DatasetLoading: Move(_loading, _AFTER_LOADING),
    DatasetLoaded: Move(_loaded, _AFTER_LOADED),
    DatasetSaving: Move(_saving, _AFTER_SAVING),
    DatasetSaved: Move(_saved, _AFTER_SAVED),
    NodeStarted: Move(_started, _AFTER_STARTED),
    NodeComputed: Move(_computed, _AFTER_COMPUTED),
    NodeCompleted: Move(_completed, _AFTER_COMPLETED),
    NodeFailed: Move(_failed, _AFTER_FAILED),
}
"""Every event of a node, by its class: `NodeEvent` as a table."""
