"""How long runs and nodes usually take, and which take too long. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Final

import msgspec

from kedro_journal.state.model import NodeState, RunState, SessionState

__all__ = ["SAMPLES_MAX", "SAMPLES_MIN", "Usual", "usual_nodes", "usual_run"]

SAMPLES_MIN: Final = 3
"""Comparable runs that are needed for a statement."""
SAMPLES_MAX: Final = 10
"""Comparable runs that count, the newest ones: a pipeline changes in time."""
_OVER_MEDIAN: Final = 2.0
_OVER_LONGEST: Final = 1.5
_OVER_S: Final = 1.0


class Usual(msgspec.Struct, frozen=True):
    """How long something usually takes.

    Attributes:
        seconds: The median.
        longest: The longest of the durations that it was made from, in seconds.
        samples: How many these are.
    """

    seconds: float
    longest: float
    samples: int

    def left(self, elapsed_s: float) -> float:
        """Return the seconds that are left until the usual end, >= 0."""
        return max(self.seconds - elapsed_s, 0.0)

    def is_overdue(self, elapsed_s: float) -> bool:
        """Return whether something takes unusually long.

        That is more than twice the median, more than one and a half times the longest,
        and at least a second more than the median.
        """
        return (
            elapsed_s > _OVER_MEDIAN * self.seconds
            and elapsed_s > _OVER_LONGEST * self.longest
            and elapsed_s > self.seconds + _OVER_S
        )


def usual_run(run: RunState, earlier: Iterable[SessionState]) -> Usual | None:
    """Return how long a run usually takes; None if too few are comparable.

    Comparable are completed runs of the same pipelines, by the same runner, with the
    same nodes: a resumed run has fewer.

    Args:
        run: The run.
        earlier: Earlier sessions, newest first. No more are read than are needed.
    """
    return _usual(
        one.duration_s
        for state in earlier
        for one in reversed(state.runs)
        if one.status == "completed" and _comparable(one, run)
    )


def _comparable(one: RunState, run: RunState) -> bool:
    return (
        one.pipelines == run.pipelines
        and one.runner == run.runner
        and one.is_async == run.is_async
        and one.nodes.keys() == run.nodes.keys()
        and not one.went_on_without
    )


def usual_nodes(
    nodes: Iterable[NodeState], earlier: Iterable[SessionState]
) -> Mapping[str, Usual]:
    """Return how long nodes usually take, by name; those of too few runs are left out.

    Comparable are completed nodes of the same name and function, in any run.

    Args:
        nodes: The nodes.
        earlier: Earlier sessions, newest first. All of them are read.
    """
    wanted = {node.name: node for node in nodes}
    durations: dict[str, list[float]] = {name: [] for name in wanted}
    for state in earlier:
        for run in reversed(state.runs):
            for name, known in durations.items():
                node = run.nodes.get(name)
                if node is None or node.status != "completed":
                    continue
                if node.duration_s is not None and _function(node) == _function(
                    wanted[name]
                ):
                    known.append(node.duration_s)
    found = {name: _usual(iter(known)) for name, known in durations.items()}
    return {name: usual for name, usual in found.items() if usual is not None}


def _function(node: NodeState) -> str:
    return node.plan.function if node.plan is not None else ""


def _usual(durations: Iterator[float | None]) -> Usual | None:
    known: list[float] = []
    for seconds in durations:
        if seconds is not None and seconds >= 0:
            known.append(seconds)
        if len(known) == SAMPLES_MAX:
            break
    if len(known) < SAMPLES_MIN:
        return None
    return Usual(median(known), max(known), len(known))
