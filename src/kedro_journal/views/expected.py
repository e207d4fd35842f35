"""How long a session that runs will take, as text."""

from __future__ import annotations

from collections.abc import Mapping

from kedro_journal.analysis.durations import Usual
from kedro_journal.state import RunState, SessionState

from .derive import run_seconds
from .terminal import Line, Screen, Span, line, render
from .words import count, duration

__all__ = ["expected_view"]


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
    lines: list[Line] = []
    elapsed = run_seconds(run, state, screen.now)
    if usual is not None and elapsed is not None:
        lines.append(_one("the run", elapsed, usual))
    for node in run.in_progress:
        known = nodes.get(node.name)
        if known is not None and node.started_at is not None:
            seconds = (screen.now - node.started_at).total_seconds()
            lines.append(_one(f"node {node.name}", max(seconds, 0.0), known))
    if not lines:
        return ""
    return render([(), line(Span("Expected", "strong")), *lines], screen.paint)


def _one(what: str, elapsed: float, usual: Usual) -> Line:
    of = f"{duration(usual.seconds)}, the median of {count(usual.samples, 'run')}"
    if usual.is_overdue(elapsed):
        late = Span(f"overdue by {duration(elapsed - usual.seconds)}", "warn")
        return line(f"  {what} usually takes {of}: ", late)
    left = usual.left(elapsed)
    rest = f"about {duration(left)} left" if left else "longer than usual"
    return line(f"  {what} usually takes {of}: {rest}")
