"""The list of sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from kedro_journal.analysis.durations import Usual
from kedro_journal.analysis.later import NOTHING_LATER, Later
from kedro_journal.state import SessionState
from kedro_journal.state.unread import is_unreadable, unread_text

from .derive import (
    Place,
    decisive_run,
    env_in_force,
    has_lost_worker,
    is_at_least,
    is_incomplete,
    last_attempts,
    progress,
    reason,
    run_seconds,
    session_seconds,
    started_by,
    where_it_is,
)
from .expected import pace, usual_data
from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import count, duration, short_date

__all__ = [
    "BROKE_WIDEST",
    "COLUMNS",
    "VERDICT_ROLES",
    "Listed",
    "broke",
    "is_in_progress",
    "row_usual",
    "session_row",
    "sessions_view",
]

VERDICT_ROLES: Final = {
    "completed": "good",
    "failed": "bad",
    "crashed": "bad",
    "interrupted": "warn",
    "unknown": "warn",
    "running": "busy",
    "pending": "dim",
    "skipped": "dim",
    "not recorded": "warn",
    "no run": "dim",
    "empty": "dim",
    "loading": "busy",
    "saving": "busy",
    "confirming": "busy",
}
"""Role of every verdict and status; see `terminal.Paint`."""

COLUMNS: Final = (
    Column("session", widest=40),
    Column("verdict"),
    Column("started"),
    Column("took", right=True, drop=2),
    Column("nodes", right=True),
    Column("user", widest=16, drop=6),
    Column("pipeline", widest=18, drop=3),
    Column("group", widest=28, drop=5),
    Column("env", widest=12, drop=4),
    Column("started by", widest=20, drop=1),
    Column("tags", widest=24, drop=7),
    Column("where"),
)

_NARROW: Final = 100
"""Columns of a terminal below which ids are shortened."""

_SHORT_ID: Final = len("2026-11-22T05.00.00")

BROKE_WIDEST: Final = 100
"""Columns that the last one takes at most where there is no terminal's width."""


class Listed(NamedTuple):
    """One session of the list.

    Attributes:
        state: Its state.
        damaged: Records of it are damaged or lost; the rest was folded.
        unreadable: Why its journal may not be read; empty if it may.
        later: Notes and tags that it was given later.
        usual: How long its run usually takes; None if that is not known or not asked.
    """

    state: SessionState
    damaged: bool = False
    unreadable: str = ""
    later: Later = NOTHING_LATER
    usual: Usual | None = None


def sessions_view(
    rows: Sequence[Listed],
    screen: Screen,
    *,
    more: int = 0,
    columns: Sequence[str] = (),
    flat: bool = False,
) -> str:
    """Return the table of sessions, newest first as they come.

    Those that resume or repeat another one, stand under that, oldest first;
    the whole family stands where its newest member would.

    Args:
        rows: The sessions; at least one.
        screen: Where it is shown.
        more: How many older ones were not looked at.
        columns: Titles of the columns that are wanted, in their order; none for as
            many as fit.
        flat: Keep the order of the rows, without families.
    """
    shown: tuple[Column, ...] = COLUMNS
    if screen.width is None:  # a pipe: an error can be longer than a line should be
        shown = (*COLUMNS[:-1], COLUMNS[-1]._replace(widest=BROKE_WIDEST))
    titles = [column.title for column in COLUMNS]
    chosen = [titles.index(title) for title in columns] or range(len(titles))
    if columns:
        shown = tuple(column._replace(drop=0) for column in shown)
    names = _short_ids(rows, screen)
    several = len({row.state.user for row in rows if row.state.user}) > 1
    every = [
        session_row(row, screen, branch, names=names, user=several or bool(columns))
        for row, branch in ([(row, "") for row in rows] if flat else _tree(rows))
    ]
    lines = table(
        [shown[i] for i in chosen],
        [[cells[i] for i in chosen] for cells in every],
        screen.width,
    )
    if more:
        older = count(more, "older session")
        lines += [(), line(Span(f"{older} not shown; --all shows them.", "dim"))]
    return render(lines, screen.paint)


def _short_ids(rows: Sequence[Listed], screen: Screen) -> dict[str, str]:
    """Return beginnings of ids for a narrow terminal; every command accepts them.

    They are left whole where two sessions of the list began in the same second.
    """
    ids = [row.state.session_id for row in rows]
    short = {name: name[:_SHORT_ID] if name.endswith("Z") else name for name in ids}
    narrow = screen.width is not None and screen.width < _NARROW
    return short if narrow and len(set(short.values())) == len(set(ids)) else {}


def _tree(rows: Sequence[Listed]) -> list[tuple[Listed, str]]:
    """Order sessions by families; give each with the branch that leads to it."""
    by_id = {row.state.session_id: row for row in rows}
    children: dict[str, list[Listed]] = {}
    for row in reversed(rows):  # oldest first
        parent = row.state.parent_session_id
        if parent in by_id and parent != row.state.session_id:
            children.setdefault(str(parent), []).append(row)
    found: list[tuple[Listed, str]] = []
    seen: set[int] = set()
    for row in rows:
        root = row
        above: set[str | None] = set()
        if id(row) in seen:
            continue
        while (parent := root.state.parent_session_id) in by_id:
            if parent in above:
                break
            above.add(root.state.session_id)
            root = by_id[str(parent)]
        waiting = [(root, "")]
        while waiting:
            one, branch = waiting.pop()
            if id(one) in seen:
                continue
            seen.add(id(one))
            found.append((one, branch))
            deeper = "  " * (len(branch) // 2) + "+ "
            below = children.get(one.state.session_id, ())
            waiting += [(child, deeper) for child in reversed(below)]
    return found


def session_row(
    row: Listed,
    screen: Screen,
    branch: str = "",
    *,
    names: Mapping[str, str] | None = None,
    user: bool = False,
) -> tuple[Line, ...]:
    """Return the cells of a session, one for each of `COLUMNS`.

    Args:
        row: The session.
        screen: Where it is shown.
        branch: What leads to it in the tree of its family.
        names: Short forms of ids.
        user: Fill the column of the user. It is empty where there is only one.
    """
    state = row.state
    verdict = state.verdict
    done, planned = progress(state)
    pipelines = dict.fromkeys(p for run in last_attempts(state) for p in run.pipelines)
    started = "" if state.created_at is None else short_date(state.created_at, screen)
    seconds = session_seconds(state, screen.now)
    named = (names or {}).get(state.session_id, state.session_id)
    return (
        line(Span(branch, "dim"), Span(named, "strong")),
        line(Span(verdict, VERDICT_ROLES.get(verdict, ""))),
        line(started),
        line(f"{'>= ' if seconds and is_at_least(state) else ''}{duration(seconds)}"),
        line(f"{done}/{planned}" if state.runs else ""),
        line(state.user or "" if user else ""),
        line(", ".join(pipelines)),
        line(state.group_id or ""),
        line(env_in_force(state) or ""),
        line(started_by(state)),
        line(", ".join(row.later.tags)),
        line(*broke(row), *_pace(row, screen)),
    )


def is_in_progress(state: SessionState) -> bool:
    """Return whether a run of a session goes on."""
    run = state.last_run
    return run is not None and state.verdict == "running" and run.status == "running"


def row_usual(row: Listed, now: datetime) -> dict[str, Any] | None:
    """Return how long the run of a session usually takes, for JSON."""
    run = row.state.last_run
    if run is None:
        return None
    return usual_data(row.usual, run_seconds(run, row.state, now))


def _pace(row: Listed, screen: Screen) -> Line:
    """Say what is left of the run of a session; nothing if that is not known."""
    run = row.state.last_run
    if row.usual is None or run is None:
        return ()
    elapsed = run_seconds(run, row.state, screen.now)
    return () if elapsed is None else line("  ", pace(elapsed, row.usual))


def broke(row: Listed) -> Line:
    """Return where a session is, or where it broke and by what.

    A session that runs is at a node. One that completed has nothing here, unless
    records about its nodes are missing.
    """
    if row.unreadable:
        return line(Span(f"not readable: {row.unreadable}", "warn"))
    damage = [Span("damaged  ", "warn")] if row.damaged else []
    if row.state.verdict == "unknown" and is_unreadable(row.state):
        return line(*damage, Span(unread_text(row.state), "warn"))
    run = decisive_run(row.state)
    found = where_it_is(row.state)
    error = (run.error if run is not None else None) or row.state.error
    is_lost = run is not None and has_lost_worker(run)
    if found and (error is None or (error.is_broken_pool and not is_lost)):
        error = found[0].node.error or error
    said = reason(error).summary() if error is not None else ""
    if is_lost:
        said = "a worker process was killed"
    elif error is not None and error.is_unread_result:
        said = "what a worker process sent back could not be unpickled"
    what = Span(said, "dim") if error is not None else None
    if found:
        first, *others = found
        if row.state.verdict == "running" and run is not None and not run.ended_seq:
            damage.append(Span("at "))
        more = f" and {len(others)} more" if others else ""
        where = Span(in_short(first) + more)
        return line(*damage, where, "  ", what) if what else line(*damage, where)
    if what is None and row.state.verdict == "completed" and is_incomplete(row.state):
        what = Span("records are missing", "warn")
    return line(*damage, what) if what is not None else line(*damage)


def in_short(place: Place) -> str:
    """Return the place in few words: `train, saving model`."""
    doing = "" if place.doing == "running" else f", {place.doing}"
    datasets = f" {', '.join(place.datasets)}" if place.datasets else ""
    return f"{place.node.name}{doing}{datasets}"
