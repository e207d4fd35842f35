"""Sessions that run, as a screen of a given height. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from kedro_journal.analysis.durations import Usual
from kedro_journal.state import NodeState, RunState, SessionState

from .derive import (
    env_in_force,
    failures,
    last_attempts,
    reason,
    run_seconds,
    run_verdict,
)
from .failure import short_path
from .sessions import VERDICT_ROLES
from .table import Column, table
from .terminal import Line, Screen, Span, cells, clip, indent, line
from .verdict import title
from .words import clock, count, duration

__all__ = [
    "Expected",
    "Watched",
    "at_text",
    "node_seconds",
    "remaining",
    "watch_lines",
]

_WIDTH: Final = 100  # columns where there is no terminal
_NOTES_SHOWN: Final = 5
_FAILURES_SHOWN: Final = 3
_ROWS_MIN: Final = 3
_BAR_MIN: Final = 10
_BAR_WIDEST: Final = 40
_DEPTHS: Final = (99, 2, 1)
_BUSY: Final = ("loading", "running", "saving", "confirming")
_BROKEN: Final = ("failed", "interrupted")
_MAJOR: Final = ("WARNING", "ERROR", "CRITICAL")
_COLUMNS: Final = (
    Column("node", widest=44),
    Column("status"),
    Column("took", right=True),
    Column("usual", right=True, drop=1),
    Column("at"),
)


class Expected(NamedTuple):
    """How long a run and its nodes usually take.

    Attributes:
        run: Of the run; None if that is not known.
        nodes: Of its nodes, by name, as far as that is known.
    """

    run: Usual | None = None
    nodes: Mapping[str, Usual] = {}


class Watched(NamedTuple):
    """A session that is watched.

    Attributes:
        state: Its state.
        expected: What is known of its runs, by the record that started each.
        is_gone: Its journal was deleted meanwhile.
    """

    state: SessionState
    expected: Mapping[int, Expected] = {}
    is_gone: bool = False

    def of(self, run: RunState) -> Expected:
        """Return what is known of a run."""
        return self.expected.get(run.started_seq, Expected())


class _Row(NamedTuple):
    """One or more nodes; `nodes` is never empty."""

    name: str
    nodes: tuple[NodeState, ...]

    @property
    def rank(self) -> int:
        """What has to be seen first: failures, then what is in progress."""
        if any(node.status in _BROKEN for node in self.nodes):
            return 0
        return 1 if any(node.status in _BUSY for node in self.nodes) else 2


def watch_lines(
    watched: Sequence[Watched], screen: Screen, height: int | None = None
) -> list[Line]:
    """Return sessions as lines, at most *height* of them and of the screen's width.

    One session has its nodes, its notes and its failures. Several have a share of the
    height each, those that run first. What does not fit is folded or counted; a node
    that failed is folded last.

    Args:
        watched: The sessions.
        screen: Where they are shown; 100 columns where the width is not known.
        height: Lines, >= 1; None for as many as it takes.
    """
    screen = screen._replace(width=screen.width or _WIDTH)
    if len(watched) == 1:
        lines = _session(watched[0], screen, height, whole=True)
    else:
        lines = _several(watched, screen, height)
    lines = [clip(one, screen.width) for one in lines]
    return lines if height is None else lines[:height]


def remaining(run: RunState, expected: Expected, elapsed_s: float) -> str:
    """Return how much time is left, in words; empty if that is not known.

    Without comparable runs, it is the sum over the nodes that are left where these are
    all known and run one after the other.
    """
    usual = expected.run
    if usual is not None:
        of = f"usually {duration(usual.seconds)}, {count(usual.samples, 'run')}"
        if usual.is_overdue(elapsed_s):
            return f"overdue by {duration(elapsed_s - usual.seconds)} ({of})"
        left = usual.left(elapsed_s)
        return f"about {duration(left)} left ({of})" if left else f"longer than {of}"
    ahead = run.with_status("pending", *_BUSY)
    if not run.runner.endswith("SequentialRunner") or not ahead:
        return ""
    known = [expected.nodes.get(node.name) for node in ahead]
    if elapsed_s > sum(usual.seconds for usual in expected.nodes.values()):
        return "longer than usual" if expected.nodes else ""
    total = sum(usual.seconds for usual in known if usual is not None)
    return f"about {duration(total)} left" if None not in known else ""


def node_seconds(node: NodeState, end: datetime) -> float | None:
    """Return how long a node took, or has taken up to *end*; None if it did not begin.

    Args:
        node: The node.
        end: The present, or the last moment that is known.
    """
    if node.duration_s is not None or node.started_at is None:
        return node.duration_s
    return max(((node.ended_at or end) - node.started_at).total_seconds(), 0.0)


def at_text(node: NodeState) -> str:
    """Return what a node loads, saves or confirms, or the error that it failed with."""
    if node.error is not None:
        return reason(node.error).summary()
    doing = {"load": "loading", "save": "saving", "confirm": "confirming"}
    return ", ".join(f"{doing[one.kind]} {one.dataset}" for one in node.open_operations)


def _several(
    watched: Sequence[Watched], screen: Screen, height: int | None
) -> list[Line]:
    if not watched:
        return [line(Span("No session runs. Waiting for one; Ctrl-C ends.", "dim"))]
    running = sum(one.state.verdict == "running" for one in watched)
    lines = [line(Span(f"{count(running, 'session')} running", "strong"))]
    ordered = sorted(watched, key=lambda one: one.state.verdict != "running")
    share = None
    if height is not None:
        fit = max((height - 1) // (_ROWS_MIN + 1), 1)
        if len(ordered) > fit:
            more = count(len(ordered) - fit, "more session")
            lines.append(line(Span(f"... {more}; `list` shows them all.", "dim")))
        ordered = ordered[:fit]
        share = max((height - len(lines)) // len(ordered) - 1, 2)
    for one in ordered:
        lines += [(), *_session(one, screen, share, whole=False)]
    return lines


def _session(
    watched: Watched, screen: Screen, height: int | None, *, whole: bool
) -> list[Line]:
    """Return a session; *whole* with its notes and failures, and all rows that fit."""
    state = watched.state
    facts = _facts(state)
    head = title(state)
    if watched.is_gone:
        head = line(head, "  ", Span("its journal was deleted", "warn"))
    lines = [line(head, "  ", Span(facts, "dim")) if facts else head]
    runs = last_attempts(state)
    tail = [*_notes(state, screen), *_failures(state, screen)] if whole else []
    if not runs:
        error = state.error
        what = Span(reason(error).summary(), "bad") if error else None
        lines.append(line(what or Span("No run has started.", "dim")))
        return lines + tail
    going = [run for run in runs if run.status == "running"] or [runs[-1]]
    ended = [run for run in runs if run not in going]
    lines += [
        _progress(watched, run, screen, of_several=True)
        for run in (ended[-2:] if height is not None else ended)
    ]
    room = None
    if height is not None:
        tail = tail[: max(height - len(lines) - 2 - _ROWS_MIN * len(going), 0)]
        left = height - len(lines) - len(tail) - (2 if whole else 1) * len(going)
        room = max(left // len(going) - 1, 1)  # the heading
    for run in going:
        lines.append(_progress(watched, run, screen, of_several=len(runs) > 1))
        rows = _rows(watched, run, screen, room, whole=whole)
        lines += [*([()] if whole and rows else []), *indent(rows)]
    return lines + tail


def _facts(state: SessionState) -> str:
    pipelines = dict.fromkeys(p for run in last_attempts(state) for p in run.pipelines)
    run = state.last_run
    runner = run.runner.rpartition(".")[2] if run is not None else ""
    env = env_in_force(state) or ""
    return "  ".join(filter(None, (", ".join(pipelines), runner, env)))


def _progress(
    watched: Watched, run: RunState, screen: Screen, *, of_several: bool
) -> Line:
    """Return a bar, the count of nodes, and the time: taken, and left."""
    verdict = run_verdict(run, watched.state)
    done, planned = len(run.with_status("completed")), len(run.nodes)
    elapsed = run_seconds(run, watched.state, screen.now)
    texts = [f"{done}/{count(planned, 'node')}", duration(elapsed)]
    role = VERDICT_ROLES.get(verdict, "")
    spans = [Span("  ".join(texts))]
    if verdict != "running":
        spans.append(Span(f"  {verdict}", role))
    elif elapsed is not None:
        usual = watched.of(run).run
        late = usual is not None and usual.is_overdue(elapsed)
        left = remaining(run, watched.of(run), elapsed)
        spans.append(Span(f"  {left}" if left else "", "warn" if late else "dim"))
    if of_several:
        again = f" attempt {run.attempt}" if run.attempt > 1 else ""
        name = ", ".join(run.pipelines) or run.run_id or "run"
        spans.insert(0, Span(f"{name}{again}  ", "strong"))
    rest = sum(cells(span.text) for span in spans)
    room = (screen.width or _WIDTH) - rest - 4
    bar = _bar(run, min(max(room, _BAR_MIN), _BAR_WIDEST), role)
    return line(*bar, "  ", *spans) if room >= _BAR_MIN else line(*spans)


def _bar(run: RunState, width: int, role: str) -> list[Span]:
    planned = max(len(run.nodes), 1)
    done = int(width * len(run.with_status("completed")) / planned)
    bad = run.with_status(*_BROKEN)
    broken = min(max(round(width * len(bad) / planned), bool(bad)), width - done)
    rest = width - done - broken
    return [
        Span("["),
        Span("#" * done, "good" if role in ("good", "busy") else role),
        Span("!" * broken, "bad"),
        Span("-" * rest + "]", "dim"),
    ]


def _rows(
    watched: Watched, run: RunState, screen: Screen, room: int | None, *, whole: bool
) -> list[Line]:
    state = watched.state
    end = screen.now if state.verdict == "running" else state.updated_at or screen.now
    rows = [_Row(node.name, (node,)) for node in run.nodes.values()]
    if not whole:  # of several sessions: only what has to be seen
        rows = [row for row in rows if row.rank < 2]
    rows, left_out = _fit(rows, room)
    if not rows:
        return []
    usual = watched.of(run).nodes
    body = [_cells(row, usual, run.ended_at or end) for row in rows]
    lines = table(_COLUMNS, body, (screen.width or _WIDTH) - 2)
    if not whole:
        lines = lines[1:]
    if left_out:
        statuses = Counter(node.status for row in left_out for node in row.nodes)
        number = count(sum(statuses.values()), "more node")
        parts = ", ".join(f"{much} {name}" for name, much in statuses.most_common())
        role = "bad" if any(row.rank == 0 for row in left_out) else "dim"
        lines.append(line(Span(f"... {number}: {parts}", role)))
    return lines


def _fit(rows: list[_Row], room: int | None) -> tuple[list[_Row], list[_Row]]:
    """Return at most *room* rows, one line being kept for the count of the others."""
    if room is None or len(rows) <= room:
        return rows, []
    folded = rows
    for depth in _DEPTHS:
        folded = _folded(rows, depth)
        if len(folded) <= room:
            return folded, []
    # After what is in progress: what was done last, and what comes next.
    at = max((i for i, row in enumerate(folded) if row.rank < 2), default=0)
    near = sorted(range(len(folded)), key=lambda i: (folded[i].rank, abs(i - at)))
    kept = set(near[: max(room - 1, 1)])
    return (
        [row for i, row in enumerate(folded) if i in kept],
        [row for i, row in enumerate(folded) if i not in kept],
    )


def _folded(rows: list[_Row], depth: int) -> list[_Row]:
    """Fold nodes that neither broke nor are in progress, by their namespace."""
    groups: dict[tuple[str, str], list[NodeState]] = {}
    for row in rows:
        (node,) = row.nodes
        space = node.plan.namespace if node.plan is not None and row.rank == 2 else ""
        short = ".".join(space.split(".")[:depth])
        key = ("namespace", short) if short else ("node", row.name)
        groups.setdefault(key, []).append(node)
    return [
        _Row(name if kind == "node" or len(nodes) > 1 else nodes[0].name, tuple(nodes))
        for (kind, name), nodes in groups.items()
    ]


def _cells(row: _Row, usual: Mapping[str, Usual], end: datetime) -> tuple[Line, ...]:
    if len(row.nodes) != 1:
        return _folded_cells(row)
    node = row.nodes[0]
    known = usual.get(node.name)
    seconds = node_seconds(node, end)
    status, role = node.status, VERDICT_ROLES.get(node.status, "")
    at: Line = (Span(at_text(node), "bad" if node.error is not None else ""),)
    if node.status in _BUSY and known is not None and seconds is not None:
        if known.is_overdue(seconds):
            at = line(Span("overdue", "warn"), "  " if at[0].text else "", at)
        elif known.seconds:
            share = min(int(100 * seconds / known.seconds), 99)
            at = line(Span(f"{share} %", "dim"), "  " if at[0].text else "", at)
    took = Span("" if seconds is None else duration(seconds))
    name = Span(node.name, "dim" if node.status == "pending" else "")
    usually = Span("" if known is None else duration(known.seconds), "dim")
    tries = f" ({node.tries} tries)" if node.tries > 1 else ""
    return (name,), (Span(status + tries, role),), (took,), (usually,), at


def _folded_cells(row: _Row) -> tuple[Line, ...]:
    statuses = Counter(node.status for node in row.nodes)
    (first, _), *others = statuses.most_common()
    role = VERDICT_ROLES.get(first, "") if not others else ""
    done = f"{statuses['completed']}/{len(row.nodes)} completed"
    status = first if not others else done
    took = sum(node.duration_s or 0.0 for node in row.nodes)
    name = line(row.name, Span(f" ({count(len(row.nodes), 'node')})", "dim"))
    return name, (Span(status, role),), line(duration(took) if took else ""), (), ()


def _notes(state: SessionState, screen: Screen) -> list[Line]:
    """Return the last notes and log records, warnings before others."""
    if not state.notes:
        return []
    major = [note for note in state.notes if note.level in _MAJOR or not note.level]
    shown = major[-_NOTES_SHOWN:] or state.notes[-_NOTES_SHOWN:]
    lines: list[Line] = [(), line(Span("Notes and warnings", "strong"))]
    for note in shown:
        role = "warn" if note.level == "WARNING" else "bad" if note.level else ""
        role = role if note.level in _MAJOR else "dim"
        level = f"{note.level.lower()} " if note.level else ""
        where = f"{note.node}: " if note.node else ""
        text = " ".join(note.text.split())
        when = Span(clock(note.at, screen), "dim")
        lines.append(line("  ", when, "  ", Span(level, role), where, text))
    return lines


def _failures(state: SessionState, screen: Screen) -> list[Line]:
    """Return the errors, with where each was raised."""
    if state.verdict == "completed":
        return []
    found = failures(state)
    lines: list[Line] = []
    for failure in found[:_FAILURES_SHOWN]:
        error = reason(failure.error)
        lines += [(), line(Span(error.summary(), "bad"))]
        own = [one for one in error.frames if "site-packages" not in one.file]
        where = failure.where
        if own:
            file = short_path(own[-1].file, state.project_path)
            where += f", at {file}:{own[-1].line}"
        lines.append(line("  ", Span(where, "dim")))
        lines += [clip(line("  ", text), screen.width) for text in error.snippet[-3:]]
    if len(found) > _FAILURES_SHOWN:
        more = count(len(found) - _FAILURES_SHOWN, "more error")
        lines.append(line(Span(f"  ... {more}", "dim")))
    return lines
