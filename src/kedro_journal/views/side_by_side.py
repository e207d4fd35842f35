"""Several sessions beside each other, as a table."""

from __future__ import annotations

from typing import Final

from kedro_journal.analysis.side_by_side import DurationRow, SideBySide

from .sessions import VERDICT_ROLES
from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import count, duration, literal

__all__ = ["durations_view", "side_by_side_view"]

_NODES_SHOWN: Final = 20
_NAME_WIDEST: Final = 44
_VALUE_WIDEST: Final = 36


def side_by_side_view(found: SideBySide, screen: Screen, *, every: bool) -> str:
    """Return the settings that differ and the durations, a column for each session.

    Args:
        found: The sessions.
        screen: Where they are shown.
        every: Show all nodes, and settings that are the same.
    """
    rows: list[tuple[Line, ...]] = [
        (
            line("verdict"),
            *(line(Span(one, VERDICT_ROLES.get(one, ""))) for one in found.verdicts),
        )
    ]
    rows += [
        (
            line(f"{row.kind} {row.name}"),
            *(
                line(literal(row.values[key]) if key in row.values else "(not set)")
                for key in found.sessions
            ),
        )
        for row in found.settings
        if every or row.differs
    ]
    lines = table(_columns(found, ""), rows, screen.width)
    if len(rows) == 1:
        lines.append(line("no setting differs"))
    return render(lines, screen.paint) + durations_view(found, screen, every=every)


def durations_view(found: SideBySide, screen: Screen, *, every: bool) -> str:
    """Return how long each node took; those that differ most, if there are many."""
    shown = list(found.durations)
    if not every and len(shown) > _NODES_SHOWN:
        most = sorted(shown, key=lambda row: row.spread_s, reverse=True)[:_NODES_SHOWN]
        shown = [row for row in shown if row in most]
    if not shown:
        return ""
    rows = [
        (line(row.node), *(line(_took(row, key)) for key in found.sessions))
        for row in shown
    ]
    lines = [(), *table(_columns(found, "node", right=True), rows, screen.width)]
    left = len(found.durations) - len(shown)
    if left:
        text = f"{count(left, 'node')} that differ less not shown; --all shows them."
        lines.append(line(Span(text, "dim")))
    return render(lines, screen.paint)


def _columns(found: SideBySide, first: str, *, right: bool = False) -> list[Column]:
    titles = [Column(one, right, _VALUE_WIDEST) for one in found.sessions]
    return [Column(first, widest=_NAME_WIDEST), *titles]


def _took(row: DurationRow, session_id: str) -> str:
    status = row.statuses.get(session_id)
    if status is None:
        return "-"
    seconds = row.durations_s.get(session_id)
    took = "" if seconds is None else duration(seconds)
    return took if status == "completed" else f"{status} {took}".strip()
