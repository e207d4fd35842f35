"""What a node was made from: the nodes before it, each in the run that ran it. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from kedro_journal.events import PlannedNode
from kedro_journal.state.model import (
    DatasetOperation,
    NodeState,
    RunState,
    SessionState,
)

from .evidence import bare

__all__ = [
    "Lineage",
    "Ran",
    "Step",
    "begun",
    "is_parameter",
    "lineage",
    "uses_parameter",
]


class Ran(NamedTuple):
    """A node as it ran in a run of a session.

    Attributes:
        state: The session.
        run: The run.
        node: The node.
        is_kin: The session is the one that is looked at, one that it resumes, or one
            of its group. Otherwise the data was on the disk from earlier on.
    """

    state: SessionState
    run: RunState
    node: NodeState
    is_kin: bool

    @property
    def same_run(self) -> tuple[str, str | None, int]:
        """What identifies the run."""
        return self.state.session_id, self.run.run_id, self.run.attempt


class Step(NamedTuple):
    """A node that a broken node depends on, or that node itself.

    Attributes:
        name: Its name.
        distance: Number of nodes from it to the broken one; 0 is that one.
        plan: Its plan.
        ran: How it ran; None if it is planned and did not run.
    """

    name: str
    distance: int
    plan: PlannedNode
    ran: Ran | None


class Lineage(NamedTuple):
    """Everything that some nodes of a run were made from.

    Attributes:
        state, run: The run.
        steps: The nodes by name, nearest first.
        loads: What the nodes loaded from outside the run: dataset to the node nearest
            to the broken one that loads it.
        made: Datasets that a step made, with the step.
    """

    state: SessionState
    run: RunState | None
    steps: Mapping[str, Step]
    loads: Mapping[str, Step]
    made: Mapping[str, Step]

    def load_of(self, dataset: str, step: Step) -> DatasetOperation | None:
        """Return the load of a dataset for a step, with its fingerprint if any is."""
        if step.ran is None:
            return None
        own = step.ran.node.loads.get(dataset)
        if own is not None and own.path is not None:
            return own
        return step.ran.run.first_loads.get(dataset, own)


def is_parameter(dataset: str) -> bool:
    """Return whether a dataset is of the parameters."""
    return dataset == "parameters" or dataset.startswith("params:")


def uses_parameter(plan: PlannedNode, name: str) -> bool:
    """Return whether a node loads a parameter, something in it, or what it is in."""
    for dataset in filter(is_parameter, plan.inputs):
        if dataset == "parameters":
            return True
        one, other = f"{name}.", f"{dataset.removeprefix('params:')}."
        if one.startswith(other) or other.startswith(one):
            return True
    return False


def begun(node: NodeState) -> bool:
    """Return whether a node was begun."""
    return node.status not in ("pending", "skipped", "not recorded")


def lineage(
    state: SessionState,
    run: RunState | None,
    targets: Sequence[str],
    kin: Sequence[SessionState],
    others: Iterable[SessionState],
) -> Lineage:
    """Find what nodes of a run were made from.

    Args:
        state, run: The run.
        targets: The nodes; they have distance 0.
        kin: Sessions that it resumes, and those of its group, newest first.
        others: Earlier sessions, newest first. They are only reached for data that
            neither the run nor its kin made. That data lay on the disk.
    """
    index = _Index(state, run, kin, others)
    steps: dict[str, Step] = {}
    loads: dict[str, Step] = {}
    made: dict[str, Step] = {}
    waiting = deque((name, 0) for name in targets)
    while waiting:
        name, distance = waiting.popleft()
        if name in steps or (found := index.step(name, distance)) is None:
            continue
        steps[name] = found
        for output in found.plan.outputs:
            made.setdefault(bare(output), found)
        for dataset in _inputs(found):
            maker = index.maker(bare(dataset))
            if maker is None or not index.is_mine(maker):
                loads.setdefault(dataset, found)
            if maker is not None and maker != name:
                waiting.append((maker, distance + 1))
    return Lineage(state, run, steps, loads, made)


def _inputs(step: Step) -> list[str]:
    """Return the datasets that a node was to load or began to load."""
    loaded = step.ran.node.loads if step.ran is not None else {}
    names = dict.fromkeys((*step.plan.inputs, *loaded))
    return [name for name in names if not is_parameter(name)]


class _Index:
    """Which node makes a dataset, and how it ran last."""

    def __init__(
        self,
        state: SessionState,
        run: RunState | None,
        kin: Sequence[SessionState],
        others: Iterable[SessionState],
    ) -> None:
        self._plans: dict[str, PlannedNode] = {}
        self._ran: dict[str, Ran] = {}
        self._makers: dict[str, str] = {}
        self._waiting: set[str] = set()
        for one, attempt in _runs(state, run, kin):
            self._add(one, attempt)
        self._mine = set(self._plans)
        self._others = iter(others)

    def _add(self, state: SessionState, run: RunState, *, is_kin: bool = True) -> None:
        for name, node in run.nodes.items():
            counts = begun(node) if is_kin else node.status == "completed"
            if not is_kin and name in self._waiting:
                continue  # the run was to run it, and did not get to it
            if is_kin and node.status == "pending":
                self._waiting.add(name)
            if counts:
                self._waiting.discard(name)
                self._ran.setdefault(name, Ran(state, run, node, is_kin))
            plan = node.plan or PlannedNode(
                name=name, inputs=tuple(node.loads), outputs=tuple(node.saves)
            )
            if is_kin or counts:
                self._plans.setdefault(name, plan)
                for output in plan.outputs:
                    self._makers.setdefault(bare(output), name)

    def step(self, name: str, distance: int) -> Step | None:
        plan = self._plans.get(name)
        if plan is None:
            return None
        return Step(name, distance, plan, self._ran.get(name))

    def is_mine(self, name: str) -> bool:
        """Return whether a node is of the run or its kin, and was begun there."""
        ran = self._ran.get(name)
        return name in self._mine and ran is not None and ran.is_kin

    def maker(self, dataset: str) -> str | None:
        """Return the node that makes a dataset; None if no session has one."""
        while dataset not in self._makers:
            state = next(self._others, None)
            if state is None:
                return None
            for run in reversed(state.runs):
                self._add(state, run, is_kin=False)
        return self._makers[dataset]


def _runs(
    state: SessionState, run: RunState | None, kin: Sequence[SessionState]
) -> Iterator[tuple[SessionState, RunState]]:
    """Yield the run, the earlier ones of its session, and those of its kin."""
    runs = list(state.runs)
    if run is not None:
        number = next((n for n, one in enumerate(runs) if one is run), len(runs) - 1)
        runs = runs[: number + 1]
    for one in reversed(runs):
        if run is None or one.run_id == run.run_id or one is run:
            yield state, one
    for other in kin:
        for one in reversed(other.runs):
            yield other, one
