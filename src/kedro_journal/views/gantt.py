"""A Gantt chart in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from kedro_journal.analysis import GroupState
from kedro_journal.state import RunState, SessionState

from .chart import Bar, Chart, group_chart, run_chart
from .derive import last_attempts, run_verdict
from .folding import fold, only
from .sessions import VERDICT_ROLES
from .terminal import Line, Screen, Span, cells, clip, indent, line, pad, render
from .verdict import Moments, title, verdict_lines
from .words import count, duration

__all__ = [
    "ROWS_SHOWN",
    "chart_facts",
    "gantt_data",
    "gantt_lines",
    "group_gantt_view",
    "namespaces_of",
    "shorten",
    "took_text",
    "session_gantt_view",
]

ROWS_SHOWN: Final = 50
"""Rows of a chart in a terminal."""

_WIDTH: Final = 100  # columns where there is no terminal
_NAME_WIDEST: Final = 32
_TOOK_WIDTH: Final = 19  # `at least 1 min 15 s`
_TRACK_MIN: Final = 12
_PATH_SHOWN: Final = 12


class _Glyphs(NamedTuple):
    load: str
    compute: str
    save: str
    wait: str


_BLOCKS: Final = _Glyphs("░", "█", "▒", "·")
_ASCII: Final = _Glyphs("-", "#", "=", ".")
_ROLES: Final = {"load": "busy", "save": "warn", "confirm": "warn", "wait": "dim"}


def session_gantt_view(
    state: SessionState,
    screen: Screen,
    *,
    which: str = "",
    blocks: bool = True,
    moments: Moments | None = None,
) -> str:
    """Return where the time of a session went: a chart of each run's last attempt.

    Args:
        state: The session.
        screen: Where it is shown; 100 columns where the width is not known.
        which: `failed` or `slow` for those nodes alone; empty for all.
        blocks: The terminal can show block characters; else ASCII.
        moments: See `run_chart`.
    """
    lines: list[Line] = [title(state), *verdict_lines(state, screen, moments or {})]
    for run in last_attempts(state):
        verdict = run_verdict(run, state)
        again = f" attempt {run.attempt}" if run.attempt > 1 else ""
        heading = line(
            Span(f"Run {run.run_id or ''}".rstrip() + again, "strong"),
            "  ",
            Span(verdict, VERDICT_ROLES.get(verdict, "")),
        )
        chart = run_chart(run, state, screen.now, moments)
        several = len({bar.process for bar in chart.bars if bar.process}) > 1
        body = gantt_lines(
            chart,
            screen._replace(width=(screen.width or _WIDTH) - 2),
            namespaces=namespaces_of(run),
            which=which,
            blocks=blocks,
            processes=several,
        )
        lines += [(), heading, *indent(body)]
    if not state.runs:
        lines += [(), line(Span("No run started: there is no time to show.", "dim"))]
    return render(lines, screen.paint)


def group_gantt_view(
    group: GroupState, screen: Screen, *, which: str = "", blocks: bool = True
) -> str:
    """Return where the time of a group went, its nodes on one clock."""
    role = VERDICT_ROLES.get(group.verdict, "")
    hosts = len(group.hosts)
    lines = [line(Span(group.group_id, "strong"), "  ", Span(group.verdict, role)), ()]
    chart = group_chart(group, screen.now)
    lines += gantt_lines(chart, screen, which=which, blocks=blocks)
    if hosts > 1:
        text = f"Times are those of the clocks of {hosts} hosts, which may differ."
        lines.append(line(Span(text, "dim")))
    return render(lines, screen.paint)


def gantt_lines(
    chart: Chart,
    screen: Screen,
    *,
    namespaces: dict[str, str] | None = None,
    which: str = "",
    blocks: bool = True,
    processes: bool = False,
) -> list[Line]:
    """Return the lines of a chart: its sums, an axis, one row for each node."""
    chosen = only(chart.bars, which) if which else list(chart.bars)
    begun = [bar for bar in chosen if bar.start_s is not None]
    rows, left_out = fold(begun, namespaces or {}, ROWS_SHOWN)
    width = screen.width or _WIDTH
    glyphs = _BLOCKS if blocks else _ASCII
    names = [_name(bar) for bar in rows]
    widest = max([4, *(cells(name) for name in names)])
    name_width = min(widest, _NAME_WIDEST, max(width // 3, 8))
    took_width = max([4, *(cells(took_text(bar)) for bar in rows)])
    took_width = min(took_width, _TOOK_WIDTH)
    track = max(width - name_width - took_width - 6, _TRACK_MIN)
    lines = [line(Span(text, "dim")) for text in chart_facts(chart)]
    lines = [clip(one, width) for one in lines]
    if not rows:
        what = {"failed": "No node failed.", "slow": "No node began."}
        return [*lines, (), line(what.get(which, "No node began."))]
    margin = name_width + 3
    lines += [(), line(" " * margin, Span(_axis(chart, track), "dim"))]
    for bar, label in zip(rows, names, strict=True):
        mark = Span("*", "strong") if bar.critical else Span(" ")
        role = "bad" if bar.is_broken else ("busy" if bar.ongoing else "")
        shown = pad(clip((Span(label, role),), name_width), name_width)
        took = pad((Span(took_text(bar), role),), took_width, right=True)
        drawn = _track(bar, chart, track, glyphs)
        row: Line = (mark, Span(" "), *shown, Span(" "), *drawn, Span("  "), *took)
        if processes and bar.process and screen.width and screen.width > 110:
            row = (*row, Span(f"  {bar.process}", "dim"))
        lines.append(clip(row, width))
    if chart.idle and not which:
        idle = _idle(chart, track, glyphs)
        text = pad((Span(duration(chart.idle_s), "dim"),), took_width, right=True)
        title_cell = pad((Span("idle", "dim"),), name_width)
        lines.append(line("  ", title_cell, " ", *idle, "  ", text))
    lines += _left_out(chosen, rows, left_out)
    lines += [(), clip(_legend(glyphs), width)]
    return lines


def chart_facts(chart: Chart) -> list[str]:
    """Return the sums of a chart as sentences."""
    begun = [bar for bar in chart.bars if bar.start_s is not None]
    length = _at_least(chart.span_s, cut=chart.cut)
    so_far = " so far" if chart.ongoing else ""
    share = round(100 * chart.idle_s / chart.span_s)
    parts = [
        f"load {duration(chart.seconds('load'))}",
        f"compute {duration(chart.seconds('compute'))}",
        f"save {duration(chart.seconds('save', 'confirm'))}",
    ]
    idle = f"no node at work for {duration(chart.idle_s)} ({share} %)"
    some = f"{count(len(begun), 'node')} began, at most {chart.at_once} at once"
    facts = [
        f"{length[0].upper()}{length[1:]}{so_far}: {some}; {idle}.",
        f"All nodes together: {', '.join(parts)}.",
    ]
    if chart.critical:
        seconds = _at_least(chart.critical_s, cut=chart.critical_cut)
        names = [shorten(name, _NAME_WIDEST) for name in chart.critical[:_PATH_SHOWN]]
        more = [f"{len(chart.critical) - _PATH_SHOWN} more"]
        names += more if len(chart.critical) > _PATH_SHOWN else []
        number = count(len(chart.critical), "node")
        facts.append(f"Critical path (*): {seconds}, {number}: {' > '.join(names)}")
    return facts


def took_text(bar: Bar) -> str:
    """Return how long a node took; `at least` where it was cut off."""
    return _at_least(bar.took_s, cut=bar.cut)


def gantt_data(chart: Chart) -> dict[str, object]:
    """Return a chart as plain data, for JSON."""
    return {
        **chart._asdict(),
        "idle_s": chart.idle_s,
        "bars": [
            {
                **bar._asdict(),
                "took_s": bar.took_s,
                "load_s": bar.seconds("load"),
                "compute_s": bar.seconds("compute"),
                "save_s": bar.seconds("save", "confirm"),
                "pieces": [piece._asdict() for piece in bar.pieces],
            }
            for bar in chart.bars
        ],
    }


def shorten(text: str, most: int) -> str:
    """Return a text, escaped and cut to *most* columns if it is longer."""
    return "".join(span.text for span in clip((Span(text),), most))


def namespaces_of(run: RunState) -> dict[str, str]:
    """Return the namespace of each node of a run that has one."""
    return {
        node.name: node.plan.namespace
        for node in run.nodes.values()
        if node.plan is not None and node.plan.namespace
    }


def _at_least(seconds: float | None, *, cut: bool) -> str:
    text = duration(seconds)
    return f"at least {text}" if cut and seconds is not None else text


def _name(bar: Bar) -> str:
    return f"{bar.name} ({bar.nodes} nodes)" if bar.nodes > 1 else bar.name


def _axis(chart: Chart, track: int) -> str:
    """Return a scale: the start, the middle if there is room, and the end."""
    end = duration(chart.span_s)
    middle = duration(chart.span_s / 2)
    text = "0"
    if track >= len(end) + len(middle) + 12:
        text = text.ljust(track // 2 - len(middle) // 2) + middle
    return text.ljust(track - len(end)) + end


def _track(bar: Bar, chart: Chart, track: int, glyphs: _Glyphs) -> list[Span]:
    """Draw a bar: in each column what took most of it, a short one at least once."""
    if bar.start_s is None or bar.end_s is None:
        return [Span(" " * track)]
    scale = track / chart.span_s
    first, last = _columns(bar.start_s, bar.end_s, scale, track)
    kinds = [""] * track
    kinds[first:last] = ["wait"] * (last - first)
    for kinds_drawn in (("compute",), ("load",), ("save", "confirm")):
        for piece in bar.pieces:
            if piece.kind not in kinds_drawn:
                continue
            start, end = piece.start_s * scale, piece.end_s * scale
            for column in range(first, last):
                covered = min(end, column + 1) - max(start, column)
                if covered >= 0.5 or (covered > 0 and kinds[column] == "wait"):
                    kinds[column] = piece.kind
    if last - first == 1 and bar.pieces:
        longest = max(bar.pieces, key=lambda piece: piece.end_s - piece.start_s)
        kinds[first] = longest.kind
    broken = "bad" if bar.is_broken else ""
    spans = []
    for column, kind in enumerate(kinds):
        role = broken or _ROLES.get(kind, "good" if kind else "")
        is_end = bar.cut and column == last - 1
        spans.append((">" if is_end else _glyph(kind, glyphs), role))
    return _joined(spans)


def _idle(chart: Chart, track: int, glyphs: _Glyphs) -> list[Span]:
    scale = track / chart.span_s
    drawn = [(" ", "")] * track
    for start, end in chart.idle:
        for column in range(track):
            if min(end * scale, column + 1) - max(start * scale, column) >= 0.5:
                drawn[column] = (glyphs.wait, "dim")
    return _joined(drawn)


def _columns(start: float, end: float, scale: float, track: int) -> tuple[int, int]:
    first = min(int(start * scale), track - 1)
    return first, min(max(round(end * scale), first + 1), track)


def _glyph(kind: str, glyphs: _Glyphs) -> str:
    if kind in ("save", "confirm"):
        return glyphs.save
    return {"load": glyphs.load, "compute": glyphs.compute, "wait": glyphs.wait}.get(
        kind, " "
    )


def _joined(drawn: Sequence[tuple[str, str]]) -> list[Span]:
    spans: list[Span] = []
    for glyph, role in drawn:
        if spans and spans[-1].role == role:
            spans[-1] = Span(spans[-1].text + glyph, role)
        else:
            spans.append(Span(glyph, role))
    return spans


def _left_out(
    chosen: Sequence[Bar], rows: Sequence[Bar], left_out: Sequence[Bar]
) -> list[Line]:
    lines = []
    folded = sum(bar.nodes for bar in rows if bar.nodes > 1)
    if folded:
        spaces = sum(1 for bar in rows if bar.nodes > 1)
        text = f"{count(folded, 'node')} folded into {count(spaces, 'namespace')}"
        lines.append(line(Span(f"... {text}", "dim")))
    if left_out:
        nodes = sum(bar.nodes for bar in left_out)
        longest = max(bar.took_s or 0.0 for bar in left_out)
        text = f"... {count(nodes, 'more node')}, none longer than {duration(longest)}"
        lines.append(line(Span(text, "dim")))
    waiting = sum(1 for bar in chosen if bar.start_s is None)
    if waiting:
        text = f"... {count(waiting, 'node')} did not begin"
        lines.append(line(Span(text, "dim")))
    return lines


def _legend(glyphs: _Glyphs) -> Line:
    return line(
        Span(glyphs.load, "busy"),
        Span(" load  ", "dim"),
        Span(glyphs.compute, "good"),
        Span(" compute  ", "dim"),
        Span(glyphs.save, "warn"),
        Span(" save  ", "dim"),
        Span(f"{glyphs.wait} none of these  > cut off  * critical path", "dim"),
    )
