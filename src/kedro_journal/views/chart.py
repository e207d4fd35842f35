"""The model of a Gantt chart: where the time of a run went.

Pure: a state in, seconds since the start of the run out. Terminal, page and notebook
draw the same model. Times come from the wall clock of the records and from the
durations in them; what was cut off ends at the last moment that is known of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from kedro_journal.analysis import GroupState
from kedro_journal.state import DatasetOperation, NodeState, RunState, SessionState

from .derive import run_seconds, run_verdict
from .paths import longest_path

__all__ = ["Bar", "Chart", "Piece", "group_chart", "run_chart", "union"]

_LONGEST_S: Final = 1e11  # some 3000 years: a journal may hold any number
_CUT: Final = ("loading", "running", "saving", "confirming", "interrupted")

Span = tuple[float, float]


class Piece(NamedTuple):
    """One interval of a node.

    Attributes:
        kind: load, compute, save or confirm.
        start_s, end_s: Seconds since the start of the run; start_s <= end_s.
    """

    kind: str
    start_s: float
    end_s: float


class Bar(NamedTuple):
    """One node, or several that are folded into one row.

    Attributes:
        name: Name of the node, or of the namespace that is folded.
        status: Its status; `completed` for folded nodes.
        pieces: Its intervals by start; empty if it did not begin.
        start_s, end_s: Its extent; None if it did not begin.
        cut: It was cut off: it would have taken at least that long.
        ongoing: It is at work now.
        critical: It is on the critical path.
        process: Name of the writer, or id of the session in a group.
        nodes: How many nodes it stands for, from 1.
    """

    name: str
    status: str
    pieces: tuple[Piece, ...] = ()
    start_s: float | None = None
    end_s: float | None = None
    cut: bool = False
    ongoing: bool = False
    critical: bool = False
    process: str = ""
    nodes: int = 1

    @property
    def took_s(self) -> float | None:
        """Seconds from its first load to its end; None if it did not begin."""
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s

    @property
    def is_broken(self) -> bool:
        """It failed, or was cut off."""
        return self.status == "failed" or self.cut

    def seconds(self, *kinds: str) -> float:
        """Return the seconds in which it did one of these; overlaps count once."""
        return total(
            union((p.start_s, p.end_s) for p in self.pieces if p.kind in kinds)
        )


class Chart(NamedTuple):
    """Where the time of a run went.

    Attributes:
        bars: Its nodes in the order in which they began; those that did not begin last.
        span_s: Seconds from the start to the end of the run, > 0.
        cut: The run did not record its end: it took at least that long.
        ongoing: The run goes on.
        idle: Intervals in which no node was at work.
        critical: Names of the nodes on the longest chain by time, in order.
        critical_s: Seconds of that chain.
        critical_cut: A node of that chain was cut off.
        at_once: The largest number of nodes at work at the same time.
        started_at: Wall clock of its start; None if that is not recorded.
    """

    bars: tuple[Bar, ...]
    span_s: float
    cut: bool
    ongoing: bool
    idle: tuple[Span, ...]
    critical: tuple[str, ...]
    critical_s: float
    critical_cut: bool
    at_once: int
    started_at: datetime | None

    @property
    def idle_s(self) -> float:
        """Seconds in which no node was at work."""
        return total(self.idle)

    def seconds(self, *kinds: str) -> float:
        """Return the seconds of all nodes in these kinds of piece, added up."""
        return math.fsum(bar.seconds(*kinds) for bar in self.bars)


def run_chart(
    run: RunState,
    state: SessionState,
    now: datetime,
    moments: Mapping[int, datetime] | None = None,
) -> Chart:
    """Return the chart of one attempt at a run.

    Args:
        run: The run.
        state: Its session.
        now: The present, for a run that goes on.
        moments: Wall clock of records that opened an operation, by number, as far as
            the caller knows them: they say when a cut-off load or save began.
    """
    zero = run.started_at or state.created_at
    ongoing = run_verdict(run, state) == "running"
    seconds = run_seconds(run, state, now)
    measure = _Measure(zero, _limited(seconds or 0.0), moments or {})
    bars = [
        measure.bar(node, ongoing=ongoing, process=node.writer)
        for node in run.nodes.values()
    ]
    plans = {n.name: n.plan for n in run.nodes.values() if n.plan is not None}
    needs = {name: (plan.inputs, plan.outputs) for name, plan in plans.items()}
    return _chart(
        bars,
        needs,
        span_s=measure.end_s,
        cut=run.status == "running" and not ongoing,
        ongoing=ongoing,
        started_at=zero,
    )


def group_chart(group: GroupState, now: datetime) -> Chart:
    """Return the chart of a group: every node by its last try, on one clock.

    The clocks of several hosts need not agree; nothing corrects them.
    """
    states = {state.session_id: state for state in group.sessions}
    ongoing = group.verdict == "running"
    length = group.duration_s or 0.0
    if ongoing and group.started_at is not None:
        length = max((now - group.started_at).total_seconds(), length)
    bars, needs = [], {}
    for key, member in group.nodes.items():
        last = member.last
        state = states.get(last.session_id)
        found = next(
            (
                run
                for run in (state.runs if state is not None else ())
                if (run.run_id, run.attempt) == (last.run_id, last.attempt)
            ),
            None,
        )
        if found is None or state is None:
            continue
        lasted = run_seconds(found, state, now) or 0.0
        begun = _since(group.started_at, found.started_at) or 0.0
        measure = _Measure(group.started_at, _limited(begun + lasted), {})
        live = run_verdict(found, state) == "running"
        bar = measure.bar(last.node, ongoing=live, process=last.session_id)
        bars.append(bar._replace(name=key))
        if last.node.plan is not None and not member.asked:
            needs[key] = (last.node.plan.inputs, last.node.plan.outputs)
    cut = group.verdict in ("crashed", "unknown")
    return _chart(
        bars,
        needs,
        span_s=_limited(length),
        cut=cut,
        ongoing=ongoing,
        started_at=group.started_at,
    )


def _chart(
    bars: Sequence[Bar],
    needs: Mapping[str, tuple[Sequence[str], Sequence[str]]],
    *,
    span_s: float,
    cut: bool,
    ongoing: bool,
    started_at: datetime | None,
) -> Chart:
    begun = sorted(
        (bar for bar in bars if bar.start_s is not None),
        key=lambda bar: bar.start_s or 0,
    )
    weights = {bar.name: bar.took_s or 0.0 for bar in begun}
    critical = longest_path(needs, weights)
    marked = [bar._replace(critical=bar.name in critical) for bar in begun]
    others = [bar for bar in bars if bar.start_s is None]
    spans = [(bar.start_s or 0.0, bar.end_s or 0.0) for bar in begun]
    span_s = max([span_s, *(end for _, end in spans)], default=span_s)
    on_path = [bar for bar in marked if bar.critical]
    return Chart(
        bars=(*marked, *others),
        span_s=max(span_s, 0.001),
        cut=cut,
        ongoing=ongoing,
        idle=tuple(_gaps(union(spans), span_s)),
        critical=critical,
        critical_s=math.fsum(weights[name] for name in critical),
        critical_cut=any(bar.cut or bar.ongoing for bar in on_path),
        at_once=_at_once(spans),
        started_at=started_at,
    )


class _Measure:
    """Turns the times of nodes into seconds since one moment."""

    def __init__(
        self, zero: datetime | None, end_s: float, moments: Mapping[int, datetime]
    ) -> None:
        self._zero = zero
        self.end_s = end_s
        self._moments = moments

    def at(self, moment: datetime | None) -> float | None:
        """Return seconds since the start, >= 0."""
        return _since(self._zero, moment)

    def bar(self, node: NodeState, *, ongoing: bool, process: str) -> Bar:
        """Return the bar of a node."""
        unfinished = node.status in _CUT
        pieces = self._pieces(node, unfinished=unfinished)
        if not pieces and not (unfinished or node.started_at or node.ended_at):
            return Bar(node.name, node.status, process=process)
        end = self.at(node.ended_at)
        if end is None:
            ends = (piece.end_s for piece in pieces)
            open_end = unfinished or node.status == "failed"
            end = self.end_s if open_end else max(ends, default=self.end_s)
        starts = [piece.start_s for piece in pieces]
        begun = self.at(node.started_at)
        start = min([*starts, *(() if begun is None else (begun,))], default=end)
        live = ongoing and node.status != "interrupted"
        return Bar(
            node.name,
            node.status,
            tuple(sorted(pieces, key=lambda piece: piece.start_s)),
            min(start, end),
            end,
            cut=unfinished and not live,
            ongoing=unfinished and live,
            process=process,
        )

    def _pieces(self, node: NodeState, *, unfinished: bool) -> list[Piece]:
        ended = self.at(node.ended_at)
        last = self.end_s if ended is None else ended
        loads = [self._closed(one, "load") for one in node.loads.values()]
        saves = [self._closed(one, "save") for one in node.saves.values()]
        confirms = [self._closed(one, "confirm") for one in node.confirms.values()]
        pieces = [one for one in (*loads, *saves, *confirms) if one is not None]
        begun = self.at(node.started_at)
        if begun is not None:
            later = [one.start_s for one in pieces if one.kind != "load"]
            end = last if unfinished or node.status == "failed" else None
            if node.compute_s is not None:
                end = begun + _limited(node.compute_s)
            elif node.computed_seq or end is None:
                end = min(later, default=last)
            pieces.append(Piece("compute", begun, max(min(end, last), begun)))
        broke = unfinished or node.status == "failed"
        if broke:
            known = max((one.end_s for one in pieces), default=None)
            pieces += [
                Piece(one.kind, min(start, last), last)
                for one in node.open_operations
                if (start := self._opened(one, known)) is not None
            ]
        return pieces

    def _closed(self, one: DatasetOperation, kind: str) -> Piece | None:
        end = self.at(one.ended_at)
        if end is None or one.is_open:
            return None
        return Piece(kind, max(end - _limited(one.duration_s or 0.0), 0.0), end)

    def _opened(self, one: DatasetOperation, known: float | None) -> float | None:
        begun = self.at(self._moments.get(one.started_seq))
        return known if begun is None else begun


def union(spans: Iterable[Span]) -> list[Span]:
    """Return intervals without their overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def total(spans: Iterable[Span]) -> float:
    """Return the length of intervals that do not overlap."""
    return math.fsum(end - start for start, end in spans)


def _gaps(busy: Sequence[Span], span_s: float) -> Iterable[Span]:
    at = 0.0
    for start, end in busy:
        if start > at:
            yield at, start
        at = max(at, end)
    if span_s > at:
        yield at, span_s


def _at_once(spans: Iterable[Span]) -> int:
    """Return how many intervals overlap at most; those that touch do not."""
    steps = sorted(step for a, b in spans for step in ((a, 1), (max(a, b), -1)))
    most = now = 0
    for _, change in steps:
        now += change
        most = max(most, now)
    return max(most, 1) if steps else 0


def _since(zero: datetime | None, at: datetime | None) -> float | None:
    if zero is None or at is None:
        return None
    try:
        return _limited((at - zero).total_seconds())
    except TypeError:  # one of them has no time zone
        return None


def _limited(seconds: float) -> float:
    """Return a duration that can be drawn: finite, from 0."""
    return min(seconds, _LONGEST_S) if seconds > 0 else 0.0
