"""States as HTML, for notebooks.

Nothing but text, tables, inline SVG and inline styles: no script, no link, nothing that
is fetched. What a journal holds reaches the page through `_text` and `svg_text` alone,
which escape it for HTML and for its reader. Colours are legible on white and on black.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Final

from kedro_journal.analysis import GroupState
from kedro_journal.replaying import Newest
from kedro_journal.state import RunState, SessionState

from . import group as group_texts
from .chart import run_chart
from .derive import failures, run_seconds, run_verdict
from .failure import failure_lines, log_lines
from .folding import fold
from .gantt import ROWS_SHOWN, chart_facts, namespaces_of
from .gantt_svg import gantt_svg, inline
from .nodes import COLUMNS as NODE_COLUMNS
from .nodes import left_out_lines, node_row, nodes_around_break
from .session import note_lines, parameter_lines, session_facts
from .sessions import COLUMNS as SESSION_COLUMNS
from .sessions import VERDICT_ROLES, Listed, session_row
from .table import Column
from .terminal import Line, Screen, Span, cells, escape, line
from .verdict import verdict_lines
from .words import count, duration

__all__ = ["html_view"]

_COLOURS: Final = {
    "good": "#2da44e",
    "bad": "#e5534b",
    "warn": "#bf8700",
    "busy": "#3b82c4",
}
_STYLES: Final = {
    **{role: f"color:{colour};font-weight:600" for role, colour in _COLOURS.items()},
    "dim": "opacity:0.65",
    "strong": "font-weight:600",
}
_BADGES: Final = {
    "good": "#1a7f37",
    "bad": "#b42318",
    "warn": "#8a5a00",
    "busy": "#1f5f99",
}
_PALE: Final = "#57606a"
_CELL: Final = (
    "text-align:left;vertical-align:top;padding:2px 12px 2px 0;"
    "border-bottom:1px solid rgba(128,128,128,0.25);white-space:pre-wrap"
)
_PRE: Final = (
    "margin:4px 0;padding:6px 8px;overflow-x:auto;line-height:1.35;"
    "background:rgba(128,128,128,0.12);white-space:pre"
)
_ERRORS_SHOWN: Final = 5


def html_view(value: object, screen: Screen) -> str:
    """Return a state, or the newest sessions, as one piece of HTML.

    Args:
        value: A `SessionState`, `RunState`, `GroupState` or `Newest`; of anything else
            its repr.
        screen: The present and the time zone; width and colours do not matter.
    """
    match value:
        case SessionState():
            body = _session(value, screen)
        case GroupState():
            body = _group(value, screen)
        case RunState():
            body = _run(value, SessionState(runs=(value,)), screen)
        case Newest():
            body = _newest(value, screen)
        case _:
            body = f"<pre>{_text(repr(value))}</pre>"
    return f'<div style="font-size:13px;line-height:1.5">{body}</div>'


def _session(state: SessionState, screen: Screen) -> str:
    parts = [
        _title(state.session_id or "(no id)", state.verdict),
        *(f"<div>{_spans(one)}</div>" for one in verdict_lines(state, screen, {})),
        _pairs(session_facts(state, screen)),
        *(_run(run, state, screen) for run in state.runs),
    ]
    found = failures(state)
    for failure in found[:_ERRORS_SHOWN]:
        lines = failure_lines(failure, state.project_path)
        lines += log_lines(failure, screen)
        parts.append(_details("Error", lines, is_open=failure is found[0]))
    parts.append(_details("", parameter_lines(state, screen, whole=True)))
    parts.append(_details("", note_lines(state, screen, whole=False)))
    return "".join(parts)


def _run(run: RunState, state: SessionState, screen: Screen) -> str:
    done = len(run.with_status("completed"))
    took = duration(run_seconds(run, state, screen.now))
    again = f" attempt {run.attempt}" if run.attempt > 1 else ""
    what = ", ".join((*run.pipelines, run.runner.rpartition(".")[2])).strip(", ")
    heading = _title(f"Run {run.run_id or ''}{again}", run_verdict(run, state))
    about = f"{done} of {count(len(run.nodes), 'node')} completed in {took}"
    nodes = list(run.nodes.values())
    shown = nodes_around_break(nodes)
    several = len({node.writer for node in nodes if node.writer}) > 1
    over = run_verdict(run, state) != "running"
    rows = [node_row(nodes[i], state, several=several, over=over) for i in shown]
    rest = [node for i, node in enumerate(nodes) if i not in set(shown)]
    return "".join(
        (
            heading,
            f"<div>{_text(about)} ({_text(what)})</div>",
            _gantt(run, state, screen),
            _table(NODE_COLUMNS, rows),
            *(f"<div>{_spans(one)}</div>" for one in left_out_lines(rest)),
        )
    )


def _gantt(run: RunState, state: SessionState, screen: Screen) -> str:
    """Draw where the time of a run went, folded away; nothing if no node began."""
    chart = run_chart(run, state, screen.now)
    begun = [bar for bar in chart.bars if bar.start_s is not None]
    if not begun:
        return ""
    rows, _ = fold(begun, namespaces_of(run), ROWS_SHOWN)
    facts = chart_facts(chart)
    return (
        f"<details open><summary>Timeline</summary>"
        f"{''.join(f'<div>{_text(one)}</div>' for one in facts)}"
        f'<div style="overflow-x:auto">{gantt_svg(chart, rows, inline, facts[0])}'
        "</div></details>"
    )


def _group(group: GroupState, screen: Screen) -> str:
    shown = group_texts.nodes_shown(group)
    siblings = [group_texts.sibling_row(s, group, screen) for s in group.sessions]
    nodes = [group_texts.group_node_row(key, group.nodes[key]) for key in shown]
    sentences = (
        line(group_texts.sessions_in_short(group)),
        *group_texts.failure_lines(group, screen),
    )
    return "".join(
        (
            _title(group.group_id, group.verdict),
            *(f"<div>{_spans(one)}</div>" for one in sentences),
            _pairs(group_texts.group_facts(group, screen)),
            _table(group_texts.SESSION_COLUMNS, siblings),
            _table(group_texts.NODE_COLUMNS, nodes),
            *(
                f"<div>{_spans(one)}</div>"
                for one in group_texts.nodes_left_out(group, shown)
            ),
        )
    )


def _newest(newest: Newest, screen: Screen) -> str:
    if not newest.states:
        return "<div>No sessions yet.</div>"
    rows = [session_row(Listed(state), screen) for state in newest.states]
    more = f"{count(newest.more, 'older session')} not shown" if newest.more else ""
    return f"{_table(SESSION_COLUMNS, rows)}<div>{_text(more)}</div>"


def _text(text: str) -> str:
    """Escape a text: for HTML, and so that no control character reorders it."""
    return html.escape(escape(text), quote=True)


def _spans(spans: Line) -> str:
    parts = []
    for span in spans:
        style = _STYLES.get(span.role)
        text = _text(span.text)
        parts.append(f'<span style="{style}">{text}</span>' if style else text)
    return "".join(parts)


def _title(name: str, verdict: str) -> str:
    colour = _BADGES.get(VERDICT_ROLES.get(verdict, ""), _PALE)
    badge = (
        f'<span style="background:{colour};color:#fff;border-radius:3px;'
        f'padding:1px 6px;margin-left:8px">{_text(verdict)}</span>'
    )
    return (
        f'<div style="margin-top:8px"><span style="font-weight:600">{_text(name)}'
        f"</span>{badge}</div>"
    )


def _pairs(items: Iterable[tuple[str, Line]]) -> str:
    columns = (Column("", False), Column("", False))
    rows = [(line(Span(name, "dim")), value) for name, value in items]
    return _table(columns, rows)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Line]]) -> str:
    """Lay rows out under their headings; a column that is empty is left out."""
    shown = [i for i in range(len(columns)) if any(cells(row[i]) for row in rows)]
    titles = [columns[i].title for i in shown]
    parts = ['<table style="border-collapse:collapse;margin:4px 0">']
    if any(titles):
        heads = "".join(
            f'<th style="{_CELL};opacity:0.65;font-weight:400">{_text(title)}</th>'
            for title in titles
        )
        parts.append(f"<tr>{heads}</tr>")
    for row in rows:
        filled = "".join(
            f'<td style="{_CELL}{";text-align:right" if columns[i].right else ""}">'
            f"{_spans(row[i])}</td>"
            for i in shown
        )
        parts.append(f"<tr>{filled}</tr>")
    return "".join((*parts, "</table>")) if shown else ""


def _details(title: str, lines: Sequence[Line], *, is_open: bool = False) -> str:
    """Fold lines away under a title; theirs is the first that is not empty."""
    kept = [one for one in lines if one] if not title else list(lines)
    if not kept:
        return ""
    summary = _text(title) if title else _spans(kept.pop(0))
    body = "\n".join(_spans(one) for one in kept)
    return (
        f"<details{' open' if is_open else ''}><summary>{summary}</summary>"
        f'<pre style="{_PRE}">{body}</pre></details>'
    )
