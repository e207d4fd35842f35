"""The page of one session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from kedro_journal.analysis.later import NOTHING_LATER, Later
from kedro_journal.events import Record
from kedro_journal.state import (
    DatasetOperation,
    NodeState,
    RunState,
    SessionState,
)
from kedro_journal.views.chart import Bar, Chart, run_chart
from kedro_journal.views.derive import failures, last_attempts, run_verdict
from kedro_journal.views.failure import failure_lines, short_path
from kedro_journal.views.folding import fold
from kedro_journal.views.gantt import chart_facts, namespaces_of, took_text
from kedro_journal.views.gantt_svg import by_class, gantt_svg
from kedro_journal.views.later import later_lines
from kedro_journal.views.session import (
    note_lines,
    session_facts,
    validation_lines,
)
from kedro_journal.views.sessions import VERDICT_ROLES
from kedro_journal.views.terminal import Line, Screen, Span, line
from kedro_journal.views.timeline import Timeline
from kedro_journal.views.verdict import Moments, verdict_lines
from kedro_journal.views.words import bytes_size, count, duration, flatten, literal

from .frame import lines_html, page, spans_html, trusted
from .graph_svg import graph_of, graph_svg
from .tables import Cell, Table

__all__ = ["ROWS_DRAWN", "chart_block", "report_page"]

ROWS_DRAWN: Final = 300
"""Rows of a chart on a page; above, namespaces are folded."""

_EVENTS_SHOWN: Final = 1500
_EVENTS_FIRST: Final = 300
_DRAWN_MAX: Final = 1000
_PARAMETERS_MAX: Final = 500


class _Run(NamedTuple):
    run: RunState
    chart: Chart
    verdict: str


def report_page(
    state: SessionState,
    screen: Screen,
    *,
    moments: Moments | None = None,
    records: Sequence[Record] = (),
    damaged: bool = False,
    journal: str = "",
    resumed_by: str = "",
    later: Later = NOTHING_LATER,
) -> str:
    """Return a session as one HTML page.

    Args:
        state: The session.
        screen: The present and the time zone; width and colours do not matter.
        moments: See `run_chart`.
        records: Its records for the list of events; empty to leave that out.
        damaged: Records were damaged and read past.
        journal: Path of the journal, empty to leave it out.
        resumed_by: The session that resumes it, if one does.
        later: Notes and tags that it was given later.
    """
    wide = screen._replace(width=None)
    last = {id(run) for run in last_attempts(state)}
    runs = [
        _Run(run, run_chart(run, state, screen.now, moments), run_verdict(run, state))
        for run in state.runs
    ]
    errors = failures(state)
    context: dict[str, Any] = {
        "title": state.session_id or "(no id)",
        "verdict": state.verdict,
        "role": VERDICT_ROLES.get(state.verdict, "dim"),
        "project": state.project_name or state.package_name or "",
        "sentences": [
            spans_html(one)
            for one in verdict_lines(state, screen, moments or {}, damaged=damaged)
        ],
        "damaged": damaged,
        "facts": _pairs(
            session_facts(state, screen, journal=journal, resumed_by=resumed_by)
        ),
        "runs": [_run_block(one, state, id(one.run) in last) for one in runs],
        "errors": [
            lines_html(failure_lines(one, state.project_path)) for one in errors
        ],
        "parameters": _parameters(state),
        "nodes": _node_table(runs, state),
        "datasets": _dataset_table(runs),
        "warnings": lines_html(validation_lines(state, wide, whole=True)[2:]),
        "warnings_count": len(state.validation_warnings),
        "notes": lines_html(
            [*note_lines(state, wide, whole=True), *later_lines(later, wide)]
        ),
        "notes_count": len(state.notes) + len(later.notes) + len(later.tags),
        "events": _events(records, screen),
        "events_count": len(records),
        "made": screen.local(screen.now).strftime("%Y-%m-%d %H:%M"),
    }
    return page("session.html", context)


def chart_block(
    chart: Chart, namespaces: Mapping[str, str], name: str
) -> dict[str, Any]:
    """Return what the template draws of a chart."""
    rows, left_out = fold(
        [bar for bar in chart.bars if bar.start_s is not None], namespaces, ROWS_DRAWN
    )
    facts = chart_facts(chart)
    folded = sum(bar.nodes for bar in rows if bar.nodes > 1)
    remarks = [f"{count(folded, 'node')} folded by namespace"] if folded else []
    if left_out:
        nodes = sum(bar.nodes for bar in left_out)
        remarks.append(f"{count(nodes, 'shorter node')} not drawn")
    waiting = sum(1 for bar in chart.bars if bar.start_s is None)
    if waiting:
        remarks.append(f"{count(waiting, 'node')} did not begin")
    label = f"Timeline of {name}. {facts[0]} The table of nodes has the same times."
    svg = trusted(gantt_svg(chart, rows, by_class, label) if rows else "")
    return {"facts": facts, "remarks": remarks, "svg": svg}


def _run_block(one: _Run, state: SessionState, is_last: bool) -> dict[str, Any]:
    run = one.run
    done = len(run.with_status("completed"))
    again = f", attempt {run.attempt}" if run.attempt > 1 else ""
    name = f"run {run.run_id or ''}".rstrip() + again
    graph = graph_of(run)
    drawn = len(graph.statuses)
    label = (
        f"Graph of {name}: {count(drawn, 'node')}, {count(len(graph.pairs), 'edge')}"
    )
    over = one.verdict != "running"
    too_many = drawn > _DRAWN_MAX
    svg = "" if too_many else graph_svg(graph, one.chart.critical, label, over=over)
    remark = f"{count(graph.folded, 'node')} folded by namespace." * bool(graph.folded)
    if too_many:
        remark = f"{drawn} nodes are too many to be drawn; the table has them."
    return {
        "name": name[0].upper() + name[1:],
        "verdict": one.verdict,
        "role": VERDICT_ROLES.get(one.verdict, "dim"),
        "progress": f"{done} of {count(len(run.nodes), 'node')} completed",
        "asked": _pairs(_asked(run)),
        "open": is_last,
        "chart": chart_block(one.chart, namespaces_of(run), name),
        "graph": trusted(svg if drawn else ""),
        "graph_remark": remark,
    }


def _asked(run: RunState) -> list[tuple[str, Line]]:
    """Return what the run was asked for, by name."""
    facts = [
        ("pipeline", ", ".join(run.pipelines)),
        ("runner", run.runner),
        ("env", run.env or ""),
        ("datasets", "loaded and saved in threads" if run.is_async else ""),
        ("save version", run.save_version or ""),
    ]
    facts += [
        (f"--{k.replace('_', '-')}", literal(v)) for k, v in run.filters.items() if v
    ]
    facts += [(key, literal(value)) for key, value in run.runner_arguments.items()]
    given = flatten(run.runtime_params)
    facts += [(f"--params {key}", literal(value)) for key, value in given]
    facts += [(f"version of {name}", version) for name, version in run.load_versions]
    return [(name, line(text)) for name, text in facts if text]


def _pairs(facts: Iterable[tuple[str, Line]]) -> list[tuple[str, str]]:
    return [(name, spans_html(value)) for name, value in facts]


def _parameters(state: SessionState) -> Table | None:
    found = flatten(state.parameters)
    if not found:
        return None
    sources = {
        one.name: one
        for one in (state.context.parameter_sources if state.context else ())
    }
    rows = []
    for name, value in found[:_PARAMETERS_MAX]:
        source = sources.get(name)
        where = ""
        if source is not None:
            where = source.source + (f":{source.line}" if source.line else "")
        over = ", ".join(source.overrides) if source is not None else ""
        told = source.expression if source is not None else ""
        rows.append(
            (
                Cell(name, header=True),
                Cell(literal(value)),
                Cell(f"{where} ({told})" if told else where, role="dim"),
                Cell(over, role="dim"),
            )
        )
    return Table(
        "parameters",
        ("parameter", "value", "from", "instead of"),
        rows,
        total=len(found),
    )


def _node_table(runs: Sequence[_Run], state: SessionState) -> Table | None:
    several = len(runs) > 1
    rows = []
    for one in runs:
        bars = {bar.name: bar for bar in one.chart.bars}
        over = one.verdict != "running"
        for number, node in enumerate(one.run.nodes.values(), start=1):
            rows.append(
                _node_row(number, node, bars[node.name], state, one, over, several)
            )
    titles = ["#", "node", "status", "took", "load", "compute", "save", "began"]
    titles += ["process", "source"] + ["run"] * several
    return Table("nodes", tuple(titles), rows, total=len(rows)) if rows else None


def _node_row(
    number: int,
    node: NodeState,
    bar: Bar,
    state: SessionState,
    one: _Run,
    over: bool,
    several: bool,
) -> tuple[Cell, ...]:
    busy = node.status in ("loading", "running", "saving", "confirming")
    role = "bad" if over and busy else VERDICT_ROLES.get(node.status, "dim")
    writer = state.writers.get(node.writer)
    plan = node.plan
    source = (plan.source or plan.function) if plan is not None else ""
    tries = f" ({node.tries} tries)" if node.tries > 1 else ""
    status = f"was {node.status}" if over and busy else node.status
    path = " *" if bar.critical else ""
    cells = [
        Cell(str(number), key=number),
        Cell(f"{node.name}{path}", header=True),
        Cell(status + tries, role=role),
        Cell(took_text(bar) if bar.took_s is not None else "", key=bar.took_s),
        *(
            Cell(duration(seconds) if seconds else "", key=seconds)
            for seconds in (
                bar.seconds("load"),
                bar.seconds("compute"),
                bar.seconds("save", "confirm"),
            )
        ),
        Cell(f"+{duration(bar.start_s)}" * (bar.start_s is not None), key=bar.start_s),
        Cell(f"{writer.pid}" if writer is not None else "", role="dim"),
        Cell(short_path(source, state.project_path), role="dim"),
    ]
    if several:
        again = f" attempt {one.run.attempt}" if one.run.attempt > 1 else ""
        cells.append(Cell(f"{one.run.run_id or ''}{again}", role="dim"))
    return tuple(cells)


def _dataset_table(runs: Sequence[_Run]) -> Table | None:
    rows = []
    for one in runs:
        for node in one.run.nodes.values():
            for operation in (*node.loads.values(), *node.saves.values()):
                told = operation.path or operation.version or operation.size_bytes
                if told or operation.kind == "save" or operation.is_open:
                    rows.append(_dataset_row(operation, node))
    titles = ("dataset", "what", "node", "took", "size", "files", "version", "path")
    return Table("datasets", titles, rows, total=len(rows)) if rows else None


def _dataset_row(one: DatasetOperation, node: NodeState) -> tuple[Cell, ...]:
    what = {"load": "loaded", "save": "saved"}.get(one.kind, one.kind)
    times = f" {one.count} times" if one.count > 1 else ""
    if one.is_open:
        what = f"{one.kind} did not end"
    size = bytes_size(one.size_bytes) if one.size_bytes is not None else ""
    entries = "" if one.entries is None else str(one.entries)
    return (
        Cell(one.dataset, header=True),
        Cell(what + times, role="bad" if one.is_open else ""),
        Cell(node.name),
        Cell(
            duration(one.duration_s) if one.duration_s is not None else "",
            key=one.duration_s or 0.0,
        ),
        Cell(size, key=one.size_bytes or 0),
        Cell(entries, key=one.entries or 0),
        Cell(one.version or "", role="dim"),
        Cell(one.path or "", role="dim"),
    )


def _events(records: Sequence[Record], screen: Screen) -> str:
    timeline = Timeline(screen._replace(width=None))
    shown = list(records)
    lines: list[Line] = []
    if len(shown) > _EVENTS_SHOWN:
        cut = len(shown) - _EVENTS_SHOWN
        text = f"... {count(cut, 'record')} not shown; `kedro-journal tail` has them"
        shown = shown[:_EVENTS_FIRST] + shown[_EVENTS_FIRST + cut :]
        lines = [timeline.line(one) for one in shown]
        lines.insert(_EVENTS_FIRST, line(Span(text, "warn")))
    else:
        for one in shown:
            timeline.learn(one)
        lines = [timeline.line(one) for one in shown]
    return lines_html([tuple(_calm(span) for span in one) for one in lines])


def _calm(span: Span) -> Span:
    return span if span.role in ("good", "bad", "warn") else Span(span.text)
