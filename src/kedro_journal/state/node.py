"""What one record does to one node, under construction. Called by `evolve` alone.

Each event has a function of its own, all the way, though they are alike: at a place
that sees one class alone, Python finds a field in a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, cast, get_args

from kedro_journal.events import (
    DatasetConfirmed,
    DatasetConfirming,
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

from .model import NodeState, NodeStatus
from .node_builder import NodeBuilder
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
    | DatasetConfirming
    | DatasetConfirmed
)
RunEnd = RunCompleted | RunFailed | RunInterrupted


def status_at_end(node: NodeState, event: RunEnd, *, gap: bool = False) -> NodeStatus:
    """Return what the end of its run makes of a node.

    Kedro has no hook for a load, save or confirmation that fails: only the open
    interval shows it.

    Args:
        node: The node.
        event: The end of its run.
        gap: Records were lost or cannot be read: how the node ended may be among them.
    """
    if node.status == "pending" and isinstance(event, RunCompleted):
        return "not recorded" if gap else "skipped"
    if node.status not in ("loading", "running", "saving", "confirming"):
        return node.status
    if isinstance(event, RunCompleted) and _is_saved(node):
        return "completed"  # its runner confirms in a way that is not seen
    if gap and isinstance(event, RunCompleted):
        return "not recorded"
    if isinstance(event, RunFailed) and node.open_operations:
        # A broken pool says that a worker process died, not that a dataset failed.
        return "interrupted" if event.error.is_broken_pool else "failed"
    return "interrupted"


def _is_saved(node: NodeState) -> bool:
    """Return whether only confirmations are missing that a plan names."""
    if node.plan is None or not node.plan.confirms or node.open_operations:
        return False
    saved = {name for name, save in node.saves.items() if save.ended_seq}
    return bool(node.computed_seq) and saved >= set(node.plan.outputs)


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
_NOBODY: Final = NodeBuilder(NodeState("", _NO_STATUS))


def _after(event: type) -> dict[NodeStatus, NodeStatus | None]:
    every: tuple[NodeStatus, ...] = (*get_args(NodeStatus), _NO_STATUS)
    return {status: NODE_TRANSITIONS.get((status, event)) for status in every}


_AFTER_LOADING: Final = _after(DatasetLoading)
_AFTER_LOADED: Final = _after(DatasetLoaded)
_AFTER_SAVING: Final = _after(DatasetSaving)
_AFTER_SAVED: Final = _after(DatasetSaved)
_AFTER_CONFIRMING: Final = _after(DatasetConfirming)
_AFTER_CONFIRMED: Final = _after(DatasetConfirmed)
_AFTER_STARTED: Final = _after(NodeStarted)
_AFTER_COMPUTED: Final = _after(NodeComputed)
_AFTER_COMPLETED: Final = _after(NodeCompleted)
_AFTER_FAILED: Final = _after(NodeFailed)


def _loading(here: Here, record: Entry, event: DatasetLoading) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_LOADING[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    if node.computed_seq or node.ended_seq or node.started_seq:
        node.try_again()
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
    if event.path is not None:  # a later load of the run does not repeat it
        load.fingerprint_seq = record.seq
        load.path = event.path
        load.size_bytes = event.size_bytes
        load.modified_us = event.modified_us
        load.entries = event.entries
        load.listing_sha256 = event.listing_sha256
        load.etag = event.etag
        load.content_sha256 = event.content_sha256
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
    save.entries = event.entries
    save.listing_sha256 = event.listing_sha256
    save.etag = event.etag
    save.content_sha256 = event.content_sha256
    return True


def _confirming(here: Here, record: Entry, event: DatasetConfirming) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_CONFIRMING[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    confirm = node.confirm(event.dataset)
    confirm.started_seq = record.seq
    confirm.ended_seq = 0
    confirm.version = None
    confirm.content_sha256 = event.checkpoint_sha256
    confirm.count += 1
    return True


def _confirmed(here: Here, record: Entry, event: DatasetConfirmed) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_CONFIRMED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    node.status = status
    confirm = node.confirm(event.dataset)
    if not confirm.started_seq:
        confirm.started_seq, confirm.count = record.seq, 1
    confirm.ended_seq = record.seq
    confirm.ended_at = record.at
    confirm.duration_s = event.duration_s
    confirm.version = None
    return True


def _started(here: Here, record: Entry, event: NodeStarted) -> bool:
    node = here.node if event.node == here.name else here.turn(event.node)
    status = _AFTER_STARTED[node.status]
    if status is None or event.run_id != here.run_id or event.attempt != here.attempt:
        return False
    if node.started_seq or node.ended_seq:
        node.try_again()
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
    node.log = event.log
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
    DatasetConfirming: Move(_confirming, _AFTER_CONFIRMING),
    DatasetConfirmed: Move(_confirmed, _AFTER_CONFIRMED),
    NodeStarted: Move(_started, _AFTER_STARTED),
    NodeComputed: Move(_computed, _AFTER_COMPUTED),
    NodeCompleted: Move(_completed, _AFTER_COMPLETED),
    NodeFailed: Move(_failed, _AFTER_FAILED),
}
"""Every event of a node, by its class: `NodeEvent` as a table."""
