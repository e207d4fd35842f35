"""The page of a group: sibling sessions on one clock."""

from __future__ import annotations

from typing import Any

from kedro_journal.analysis import GroupState
from kedro_journal.views import group as texts
from kedro_journal.views.chart import Chart, group_chart
from kedro_journal.views.derive import progress, session_seconds
from kedro_journal.views.gantt import took_text
from kedro_journal.views.sessions import VERDICT_ROLES, Listed, broke
from kedro_journal.views.terminal import Screen, line
from kedro_journal.views.words import date_and_time, duration

from .frame import page, spans_html
from .page import chart_block
from .tables import Cell, Table

__all__ = ["group_page"]


def group_page(group: GroupState, screen: Screen) -> str:
    """Return a group as one HTML page."""
    chart = group_chart(group, screen.now)
    sentences = (
        line(texts.sessions_in_short(group)),
        *texts.failure_lines(group, screen),
    )
    context: dict[str, Any] = {
        "title": group.group_id,
        "verdict": group.verdict,
        "role": VERDICT_ROLES.get(group.verdict, "dim"),
        "sentences": [spans_html(one) for one in sentences],
        "facts": [
            (name, spans_html(value))
            for name, value in texts.group_facts(group, screen)
        ],
        "sessions": _sessions(group, screen),
        "chart": chart_block(chart, {}, f"group {group.group_id}"),
        "hosts": len(group.hosts),
        "nodes": _nodes(group, chart),
        "made": screen.local(screen.now).strftime("%Y-%m-%d %H:%M"),
    }
    return page("group.html", context)


def _sessions(group: GroupState, screen: Screen) -> Table:
    rows = []
    for state in group.sessions:
        done, planned = progress(state)
        seconds = session_seconds(state, screen.now)
        began = state.created_at
        where = "".join(span.text for span in broke(Listed(state)))
        good = "made good later  " if state.session_id in group.made_good else ""
        rows.append(
            (
                Cell(state.session_id, header=True),
                Cell(state.verdict, role=VERDICT_ROLES.get(state.verdict, "dim")),
                Cell(state.host),
                Cell(state.labels.get("task", "")),
                Cell("" if began is None else date_and_time(began, screen)),
                Cell(duration(seconds), key=seconds),
                Cell(f"{done}/{planned}" if state.runs else ""),
                Cell(good + where),
            )
        )
    titles = ("session", "verdict", "host", "task", "started", "took", "nodes", "where")
    return Table("sessions", titles, rows, total=len(rows))


def _nodes(group: GroupState, chart: Chart) -> Table | None:
    rows = []
    for bar in chart.bars:
        node = group.nodes[bar.name]
        before = ", ".join(f"{one.status} in {one.session_id}" for one in node.earlier)
        path = " *" if bar.critical else ""
        took = took_text(bar) if bar.took_s is not None else ""
        rows.append(
            (
                Cell(f"{bar.name}{path}", header=True),
                Cell(node.status, role=VERDICT_ROLES.get(node.status, "dim")),
                Cell(took, key=bar.took_s),
                Cell(node.last.session_id, role="dim"),
                Cell(node.last.host, role="dim"),
                Cell(before, role="dim"),
            )
        )
    titles = ("node", "status", "took", "session", "host", "tried before")
    return Table("nodes", titles, rows, total=len(rows)) if rows else None
