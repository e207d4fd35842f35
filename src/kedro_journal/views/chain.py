"""A resumed session as a whole: one line for each attempt, and every node."""

from __future__ import annotations

from typing import Any, Final

from kedro_journal.analysis import ChainNode, ChainState
from kedro_journal.journal.codec import timestamp
from kedro_journal.state import SessionState

from .data import summary_data
from .derive import is_at_least, progress, session_seconds, started_by, took
from .sessions import VERDICT_ROLES, Listed, broke
from .table import Column, table
from .terminal import Line, Screen, Span, indent, line, render
from .words import count, short_date

__all__ = ["chain_data", "chain_view"]

_ATTEMPTS: Final = (
    Column("attempt", right=True),
    Column("session", widest=40),
    Column("verdict"),
    Column("started", drop=1),
    Column("took", right=True, drop=3),
    Column("nodes", right=True),
    Column("started by", widest=20, drop=2),
    Column("where"),
)
_NODES: Final = (
    Column("node", widest=52),
    Column("status"),
    Column("attempt", right=True),
    Column("took", right=True),
    Column("tries", right=True),
)


def chain_view(chain: ChainState, screen: Screen) -> str:
    """Return the page of a chain.

    Args:
        chain: The chain; it has at least one session.
        screen: Where it is shown.
    """
    attempts = count(len(chain.sessions), "attempt")
    at_least = is_at_least(chain.sessions[-1])
    total = took(_seconds(chain, screen), at_least=at_least)
    busy = took(_busy_s(chain, screen), at_least=_any_at_least(chain))
    done = f"{len(chain.completed)} of {count(len(chain.nodes), 'node')} completed"
    head = line(
        Span(chain.sessions[0].session_id, "strong"),
        "  ",
        Span(chain.verdict, VERDICT_ROLES.get(chain.verdict, "")),
    )
    lines: list[Line] = [
        head,
        line(f"{attempts}: {done}, {total} from start to end, {busy} at work."),
        (),
    ]
    rows = [
        _attempt(number, state, screen)
        for number, state in enumerate(chain.sessions, 1)
    ]
    lines += table(_ATTEMPTS, rows, screen.width)
    if chain.nodes:
        width = screen.width and screen.width - 2
        nodes = [_node(node, screen) for node in chain.nodes.values()]
        lines += [(), line(Span("Nodes, by the attempt that ran them last", "strong"))]
        lines += indent(table(_NODES, nodes, width))
    return render(lines, screen.paint)


def _attempt(number: int, state: SessionState, screen: Screen) -> tuple[Line, ...]:
    done, planned = progress(state)
    seconds = session_seconds(state, screen.now)
    return (
        line(str(number)),
        line(Span(state.session_id, "strong")),
        line(Span(state.verdict, VERDICT_ROLES.get(state.verdict, ""))),
        line("" if state.created_at is None else short_date(state.created_at, screen)),
        line(took(seconds, at_least=is_at_least(state))),
        line(f"{done}/{planned}" if state.runs else ""),
        line(started_by(state)),
        broke(Listed(state)),
    )


def _node(node: ChainNode, screen: Screen) -> tuple[Line, ...]:
    del screen
    return (
        line(node.name),
        line(Span(node.status, VERDICT_ROLES.get(node.status, ""))),
        line(str(node.attempt)),
        line(took(node.duration_s, at_least=False)),
        line(str(node.attempts) if node.attempts > 1 else ""),
    )


def _seconds(chain: ChainState, screen: Screen) -> float | None:
    last = chain.sessions[-1]
    if chain.started_at is None or last.liveness != "running":
        return chain.duration_s
    return max((screen.now - chain.started_at).total_seconds(), 0.0)


def _busy_s(chain: ChainState, screen: Screen) -> float:
    each = (session_seconds(state, screen.now) for state in chain.sessions)
    return sum(seconds for seconds in each if seconds is not None)


def _any_at_least(chain: ChainState) -> bool:
    return any(is_at_least(state) for state in chain.sessions)


def chain_data(chain: ChainState, screen: Screen) -> dict[str, Any]:
    """Return the chain of `show --chain --json`.

    Keys: verdict, started_at, ended_at, duration_s (wall clock, to the last record),
    busy_s (of all attempts together), nodes_completed, nodes_planned, sessions (oldest
    first, each as in `list --json`), nodes (an object by name, each with name, status,
    session_id, run_id, attempt, duration_s, attempts: how many of them began it).
    """
    started, ended = chain.started_at, chain.ended_at
    return {
        "verdict": chain.verdict,
        "started_at": timestamp(started) if started is not None else None,
        "ended_at": timestamp(ended) if ended is not None else None,
        "duration_s": chain.duration_s,
        "busy_s": _busy_s(chain, screen),
        "nodes_completed": len(chain.completed),
        "nodes_planned": len(chain.nodes),
        "sessions": [summary_data(state, screen.now) for state in chain.sessions],
        "nodes": dict(chain.nodes),
    }
