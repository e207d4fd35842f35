"""How long a run and its nodes usually take, and what took too long, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from kedro_journal.analysis.durations import Usual
from kedro_journal.state import NodeState, RunState, SessionState

from .derive import run_seconds
from .terminal import Line, Screen, Span, line, render
from .words import count, duration

__all__ = [
    "expected_data",
    "expected_lines",
    "expected_view",
    "node_took_too_long",
    "pace",
    "unusual_view",
    "usual_data",
]

_SHOWN: Final = 5


def expected_view(
    state: SessionState,
    run: RunState,
    usual: Usual | None,
    nodes: Mapping[str, Usual],
    screen: Screen,
) -> str:
    """Return how long a run and the nodes in progress usually take; empty if unknown.

    Args:
        state, run: The session and its run, which is in progress.
        usual: How long the run usually takes; None if that is not known.
        nodes: The same of its nodes.
        screen: Where it is shown.
    """
    lines = expected_lines(state, run, usual, nodes, screen.now)
    if not lines:
        return ""
    shown = [line("  ", *one) for one in lines]
    return render([(), line(Span("Expected", "strong")), *shown], screen.paint)


def expected_lines(
    state: SessionState,
    run: RunState,
    usual: Usual | None,
    nodes: Mapping[str, Usual],
    now: datetime,
) -> list[Line]:
    """Return a line for the run, and one for each node in progress, where it is known.

    Args:
        state, run, usual, nodes: As for `expected_view`.
        now: The time.
    """
    lines: list[Line] = []
    elapsed = run_seconds(run, state, now)
    if usual is not None and elapsed is not None:
        lines.append(_one("the run", elapsed, usual))
    for node in run.in_progress:
        known, seconds = nodes.get(node.name), _node_seconds(node, now)
        if known is not None and seconds is not None:
            lines.append(_one(f"node {node.name}", seconds, known))
    return lines


def _node_seconds(node: NodeState, now: datetime) -> float | None:
    """Return how long a node took, or has taken so far; None if it is not known."""
    if node.ended_at is not None or node.duration_s is not None:
        return node.duration_s
    if node.started_at is None:
        return None
    return max((now - node.started_at).total_seconds(), 0.0)


def _one(what: str, elapsed: float, usual: Usual) -> Line:
    of = f"{duration(usual.seconds)}, the median of {count(usual.samples, 'run')}"
    return line(f"{what} usually takes {of}: ", pace(elapsed, usual))


def pace(elapsed: float, usual: Usual) -> Span:
    """Return what is left of something in progress, or by how much it is overdue."""
    if usual.is_overdue(elapsed):
        return Span(f"overdue by {duration(elapsed - usual.seconds)}", "warn")
    left = usual.left(elapsed)
    return Span(f"about {duration(left)} left" if left else "longer than usual")


def unusual_view(
    run: RunState,
    usual: Usual | None,
    nodes: Mapping[str, Usual],
    screen: Screen,
) -> str:
    """Return what took unusually long of a run that ended; empty if nothing did.

    Args:
        run: The run.
        usual: How long it usually takes; None if that is not known.
        nodes: The same of its nodes. Those that did not complete are left out.
        screen: Where it is shown.
    """
    found: list[tuple[str, float, Usual]] = []
    if usual is not None and run.status == "completed" and run.duration_s is not None:
        found.append(("the run", run.duration_s, usual))
    late = [
        (f"node {node.name}", node.duration_s, nodes[node.name])
        for node in run.with_status("completed")
        if node.duration_s is not None and node.name in nodes
    ]
    found += sorted(late, key=lambda one: one[2].seconds - one[1])
    lines = [
        _too_long(what, seconds, known)
        for what, seconds, known in found
        if known.is_overdue(seconds)
    ]
    return _titled("Unusually long", lines, screen)


def _titled(title: str, lines: Sequence[Line], screen: Screen) -> str:
    if not lines:
        return ""
    shown = [line("  ", *one) for one in lines[:_SHOWN]]
    if len(lines) > _SHOWN:
        shown.append(line(Span(f"  ... {len(lines) - _SHOWN} more; --json", "dim")))
    return render([(), line(Span(title, "strong")), *shown], screen.paint)


def _too_long(what: str, seconds: float, usual: Usual) -> Line:
    of = f"{duration(usual.seconds)}, the median of {count(usual.samples, 'run')}"
    return line(f"{what} took ", Span(duration(seconds), "warn"), f"; usually {of}")


def node_took_too_long(name: str, seconds: float | None, usual: Usual | None) -> Line:
    """Return a line about a node that took unusually long; empty if it did not."""
    if usual is None or seconds is None or not usual.is_overdue(seconds):
        return ()
    return _too_long(f"node {name}", seconds, usual)


def usual_data(usual: Usual | None, elapsed: float | None) -> dict[str, Any] | None:
    """Return how long something usually takes, for JSON; None if it is not known.

    Keys: seconds (the median), longest, samples, elapsed_s (null if it is not known),
    left_s (0 once the median is over) and overdue.
    """
    if usual is None:
        return None
    known = elapsed is not None
    return {
        "seconds": usual.seconds,
        "longest": usual.longest,
        "samples": usual.samples,
        "elapsed_s": elapsed,
        "left_s": usual.left(elapsed or 0.0) if known else None,
        "overdue": usual.is_overdue(elapsed or 0.0) if known else None,
    }


def expected_data(
    state: SessionState,
    run: RunState,
    usual: Usual | None,
    nodes: Mapping[str, Usual],
    now: datetime,
) -> dict[str, Any]:
    """Return the usual durations of a run and of its nodes that began, for JSON.

    Keys: run (as `usual_data`, or null) and nodes, the same by name. Nodes whose usual
    duration is not known are left out.
    """
    begun = (node for node in run.nodes.values() if node.name in nodes)
    return {
        "run": usual_data(usual, run_seconds(run, state, now)),
        "nodes": {
            node.name: usual_data(nodes[node.name], _node_seconds(node, now))
            for node in begun
        },
    }
