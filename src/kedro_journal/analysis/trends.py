"""What many sessions say of a node: how often it fails, how long it takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.redaction.limits import CUT
from kedro_journal.state import NodeState, RunState, SessionState, flat

from .evidence import bare
from .masked import digests_of, masked_change

__all__ = ["NodeTrend", "Regression", "Trends", "trends"]

NEWEST: Final = 3
"""Durations of a regression: each is longer than every one of those before."""
BEFORE: Final = 10
"""Durations before it that it is compared with."""
_DURATIONS_MAX: Final = 1000
_ENDED: Final = ("completed", "failed")


class Regression(msgspec.Struct, frozen=True):
    """A node that takes longer than it did.

    Attributes:
        since: The session of the first of the last three durations.
        before_s, now_s: Medians of the ten durations before, and of the last three.
        differs: What differs between the last duration and that before the three:
            `code`, `parameters`, `inputs`; empty if nothing is known to differ.
    """

    since: str
    before_s: float
    now_s: float
    differs: tuple[str, ...] = ()


class NodeTrend(msgspec.Struct, frozen=True):
    """One node across sessions.

    Attributes:
        name: Its name.
        runs: How often it completed or failed.
        failed: How often it failed.
        failure_rate: failed / runs; 0 without any.
        flaky: Pairs of sessions: it failed in one and completed in the other with the
            same code, parameters and input data. Only where all of these are known.
        median_s: Median of the durations; None without any.
        low_s, high_s: First and third quartile; the same as the median of one.
        durations_s: Of its completed runs, oldest first, the last 1000.
        regression: If the last three durations are each longer than the ten before.
        saved_bytes: What its completed runs saved, as far as sizes are recorded.
        codes: How many versions of its code there were, as far as they are known.
    """

    name: str
    runs: int
    failed: int
    failure_rate: float
    flaky: tuple[tuple[str, str], ...]
    median_s: float | None
    low_s: float | None
    high_s: float | None
    durations_s: tuple[float, ...]
    regression: Regression | None
    saved_bytes: int
    codes: int


class Trends(msgspec.Struct, frozen=True):
    """What sessions add up to.

    Attributes:
        sessions: How many.
        verdicts: How many with each verdict.
        since, until: When the first and the last of them were created.
        nodes: Their nodes, in the order in which they were first planned.
    """

    sessions: int
    verdicts: dict[str, int]
    since: Instant | None
    until: Instant | None
    nodes: tuple[NodeTrend, ...]


class _Sample(NamedTuple):
    session_id: str
    state: SessionState
    run: RunState
    node: NodeState

    @property
    def code(self) -> tuple[str, ...]:
        plan = self.node.plan
        if plan is None or not plan.source_sha256:
            return ()
        return plan.function, plan.source_sha256, plan.arguments_sha256

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.node.plan.inputs if self.node.plan is not None else ()

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the values of its parameters by dotted name."""
        every = dict(flat.flatten(self.state.parameters))
        if "parameters" in self.inputs:
            return every
        wanted = [name[7:] for name in self.inputs if name.startswith("params:")]
        groups = tuple(f"{name}." for name in wanted)
        return {k: v for k, v in every.items() if k in wanted or k.startswith(groups)}


def trends(states: Iterable[SessionState], node: str | None = None) -> Trends:
    """Return what sessions say of their nodes.

    Args:
        states: The sessions, oldest first. Each is read once.
        node: The name of one node, or the end of it after a dot; None for all.
    """
    samples: dict[str, list[_Sample]] = {}
    verdicts: dict[str, int] = {}
    moments: list[Instant] = []
    for state in states:
        verdicts[state.verdict] = verdicts.get(state.verdict, 0) + 1
        if state.created_at is not None:
            moments.append(state.created_at)
        for run in state.runs:
            for name, one in run.nodes.items():
                if node in (None, name) or name.endswith(f".{node}"):
                    some = samples.setdefault(name, [])
                    if one.status in _ENDED:
                        some.append(_Sample(state.session_id, state, run, one))
    return Trends(
        sessions=sum(verdicts.values()),
        verdicts=verdicts,
        since=min(moments, default=None),
        until=max(moments, default=None),
        nodes=tuple(_trend(name, some) for name, some in samples.items()),
    )


def _trend(name: str, samples: Sequence[_Sample]) -> NodeTrend:
    completed = [one for one in samples if one.node.status == "completed"]
    timed = [one for one in completed if (one.node.duration_s or -1.0) >= 0]
    known = [one.node.duration_s or 0.0 for one in timed]
    failed = len(samples) - len(completed)
    low, high = _quartiles(known)
    return NodeTrend(
        name=name,
        runs=len(samples),
        failed=failed,
        failure_rate=failed / len(samples) if samples else 0.0,
        flaky=tuple(_flaky(samples)),
        median_s=median(known) if known else None,
        low_s=low,
        high_s=high,
        durations_s=tuple(known[-_DURATIONS_MAX:]),
        regression=_regression(timed),
        saved_bytes=sum(
            save.size_bytes or 0
            for one in completed
            for save in one.node.saves.values()
        ),
        codes=len({one.code for one in samples if one.code}),
    )


def _quartiles(known: Sequence[float]) -> tuple[float | None, float | None]:
    if len(known) < 2:
        return (known[0], known[0]) if known else (None, None)
    low, _, high = quantiles(known, n=4, method="inclusive")
    return low, high


def _flaky(samples: Sequence[_Sample]) -> Iterator[tuple[str, str]]:
    """Yield the failures that another run with the same everything did not have.

    Each is compared with the nearest ten runs before and after it.
    """
    for at, one in enumerate(samples):
        if one.node.status != "failed":
            continue
        near = (*samples[max(at - 10, 0) : at][::-1], *samples[at + 1 : at + 11])
        for other in near:
            if other.node.status == "completed" and _same(one, other):
                yield one.session_id, other.session_id
                break


def _same(one: _Sample, other: _Sample) -> bool:
    """Return whether code, parameters and data are known, and the same."""
    if not one.code or one.code != other.code or one.inputs != other.inputs:
        return False
    was, now = (digests_of(sample.state.context) for sample in (one, other))
    for name, value in one.parameters.items():
        if masked_change(name, value, was, now) or _is_inexact(value):
            return False
    return one.parameters == other.parameters and all(
        _same_data(one, other, name) is True for name in _data(one)
    )


def _is_inexact(value: object) -> bool:
    """Return whether a value may be another one though it looks the same."""
    if isinstance(value, Mapping):
        return "$type" in value or any(map(_is_inexact, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_inexact, value))
    return isinstance(value, str) and CUT.search(value) is not None


def _data(sample: _Sample) -> list[str]:
    return [
        name
        for name in sample.inputs
        if name != "parameters" and not name.startswith("params:")
    ]


def _same_data(one: _Sample, other: _Sample, name: str) -> bool | None:
    loads = one.run.first_loads, other.run.first_loads
    was, now = (found.get(name) or found.get(bare(name)) for found in loads)
    if was is None or now is None:
        return None
    if was.version != now.version:
        return False
    return was.fingerprint.same_data(now.fingerprint)


def _regression(timed: Sequence[_Sample]) -> Regression | None:
    if len(timed) < NEWEST + BEFORE:
        return None
    seconds = [one.node.duration_s or 0.0 for one in timed]
    before, now = seconds[-NEWEST - BEFORE : -NEWEST], seconds[-NEWEST:]
    if min(now) <= max(before):
        return None
    return Regression(
        since=timed[-NEWEST].session_id,
        before_s=median(before),
        now_s=median(now),
        differs=tuple(_differs(timed[-NEWEST - 1], timed[-1])),
    )


def _differs(was: _Sample, now: _Sample) -> Iterator[str]:
    if was.code and now.code and was.code != now.code:
        yield "code"
    if was.parameters != now.parameters:
        yield "parameters"
    if was.inputs != now.inputs or any(
        _same_data(was, now, name) is False for name in _data(now)
    ):
        yield "inputs"
