"""A node under construction.

The fold changes it in place, and its loads, saves and confirmations: to make a frozen
one for each event would take half of the time of a replay. Builders are plain classes,
because msgspec takes four times as long to set a field.
"""

from __future__ import annotations

from collections.abc import Mapping

from .model import DatasetOperation, NodeState, NodeStatus
from .operation import NOTHING, Kind, OperationBuilder
from .tries import TRIES_MAX, EarlierTry

__all__ = ["NodeBuilder"]


class NodeBuilder:
    """A node under construction; see `NodeState` for its fields.

    The state that it began with is not changed: loads, saves and confirmations that
    events are added to are kept beside it.
    """

    __slots__ = (
        *NodeState.__struct_fields__,
        *("changed_confirms", "changed_loads", "changed_saves"),
        *("last_load", "last_save"),
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
        self.confirms = node.confirms
        self.earlier_tries = node.earlier_tries
        self.tries = node.tries
        self.log = node.log
        self.changed_confirms: dict[str, OperationBuilder] = {}
        self.changed_loads: dict[str, OperationBuilder] = {}
        self.changed_saves: dict[str, OperationBuilder] = {}
        self.last_load = self.last_save = NOTHING

    def load(self, dataset: str) -> OperationBuilder:
        """Return the load of a dataset, to be changed."""
        found = self.changed_loads.get(dataset)
        if found is None:
            found = _operation(self.loads.get(dataset), dataset, "load")
            self.changed_loads[dataset] = found
        self.last_load = found
        return found

    def save(self, dataset: str) -> OperationBuilder:
        """Return the save of a dataset, to be changed."""
        found = self.changed_saves.get(dataset)
        if found is None:
            found = _operation(self.saves.get(dataset), dataset, "save")
            self.changed_saves[dataset] = found
        self.last_save = found
        return found

    def confirm(self, dataset: str) -> OperationBuilder:
        """Return the confirmation of a dataset, to be changed."""
        found = self.changed_confirms.get(dataset)
        if found is None:
            found = _operation(self.confirms.get(dataset), dataset, "confirm")
            self.changed_confirms[dataset] = found
        return found

    def freeze(self) -> NodeState:
        """Return the node."""
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
            _frozen(self.confirms, self.changed_confirms),
            self.earlier_tries,
            self.tries,
            self.log,
        )

    def try_again(self) -> None:
        """Begin another try: keep what the last one came to."""
        last = EarlierTry(
            self.started_seq, self.computed_seq, self.ended_seq, self.phase, self.error
        )
        self.earlier_tries = (*self.earlier_tries, last)[-TRIES_MAX:]
        self.tries += 1
        self.started_seq = self.computed_seq = self.ended_seq = 0
        self.started_at = self.ended_at = None
        self.compute_s = self.duration_s = None
        self.error, self.phase, self.log = None, "", ()


def _operation(
    before: DatasetOperation | None, dataset: str, kind: Kind
) -> OperationBuilder:
    return OperationBuilder.of(before) if before else OperationBuilder(dataset, kind)


def _frozen(
    before: Mapping[str, DatasetOperation], changed: Mapping[str, OperationBuilder]
) -> Mapping[str, DatasetOperation]:
    if not changed:
        return before
    return {**before, **{name: one.freeze() for name, one in changed.items()}}
