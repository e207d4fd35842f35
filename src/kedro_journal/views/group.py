"""A group: sibling sessions as the one run that they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from kedro_journal.analysis import GroupNode, GroupState, NodeTry
from kedro_journal.state import SessionState

from .derive import progress, session_seconds
from .sessions import VERDICT_ROLES, Listed, broke
from .table import Column, pairs, table
from .terminal import Line, Screen, Span, indent, line, render
from .words import ago, count, date_and_time, duration, short_date

__all__ = [
    "NODE_COLUMNS",
    "SESSION_COLUMNS",
    "failure_lines",
    "group_facts",
    "group_node_row",
    "group_view",
    "nodes_left_out",
    "nodes_shown",
    "sessions_in_short",
    "sibling_row",
]

NODES_SHOWN: Final = 40
SESSION_COLUMNS: Final = (
    Column("session", widest=40),
    Column("verdict"),
    Column("host", widest=24),
    Column("task", widest=24),
    Column("started", drop=1),
    Column("took", right=True),
    Column("nodes", right=True),
    Column("where"),
)
NODE_COLUMNS: Final = (
    Column("node", widest=52),
    Column("status"),
    Column("took", right=True),
    Column("session", widest=40),
    Column("host", widest=24, drop=1),
    Column("tries"),
)


def group_view(group: GroupState, screen: Screen, *, all_nodes: bool = False) -> str:
    """Return everything about a group.

    Args:
        group: Its state.
        screen: Where it is shown.
        all_nodes: Every node, not only the broken and the first ones.
    """
    role = VERDICT_ROLES.get(group.verdict, "")
    lines: list[Line] = [
        line(Span(group.group_id, "strong"), "  ", Span(group.verdict, role)),
        line(sessions_in_short(group)),
        *failure_lines(group, screen),
        (),
        *pairs(group_facts(group, screen), screen.width),
        (),
        line(Span("Sessions", "strong")),
    ]
    narrower = screen.width and screen.width - 2
    rows = [sibling_row(state, group, screen) for state in group.sessions]
    lines += indent(table(SESSION_COLUMNS, rows, narrower))
    if group.nodes:
        lines += [(), line(Span("Nodes", "strong"))]
        lines += indent(_node_lines(group, narrower, every=all_nodes))
    lines += _next(group)
    return render(lines, screen.paint)


def sessions_in_short(group: GroupState) -> str:
    """Return how many sessions there are, and how they stand."""
    verdicts = Counter(state.verdict for state in group.sessions)
    what = ", ".join(f"{number} {verdict}" for verdict, number in verdicts.items())
    hosts = f" on {count(len(group.hosts), 'host')}" if len(group.hosts) > 1 else ""
    good = f"; {len(group.made_good)} made good later" if group.made_good else ""
    return f"{count(len(group.sessions), 'session')}{hosts}: {what}{good}."


def failure_lines(group: GroupState, screen: Screen) -> list[Line]:
    """Return where the first failure that stands is."""
    failure = group.first_failure
    if failure is None:
        return []
    on = f" on {failure.host}" if failure.host else ""
    when = f", {date_and_time(failure.at, screen)}" if failure.at is not None else ""
    where = f" in session {failure.session_id}{on}{when}."
    if failure.node is None:
        first = line(f"First, it {_verb(failure.verdict)}", where)
    else:
        at = f" {', '.join(failure.datasets)}" if failure.datasets else ""
        doing = f" while {failure.doing}{at}" if failure.doing != "failed" else ""
        what = f" {_verb(failure.verdict)}{doing}"
        first = line("First, node ", Span(failure.node, "strong"), what, where)
    if failure.error is None:
        return [first]
    return [first, line(Span(failure.error.summary(), "bad"))]


def _verb(verdict: str) -> str:
    return {
        "failed": "failed",
        "interrupted": "was interrupted",
        "unknown": "ended for an unknown reason",
    }.get(verdict, "crashed")


def group_facts(group: GroupState, screen: Screen) -> list[tuple[str, Line]]:
    """Return what is known of the group as a whole, by name."""
    facts: list[tuple[str, str]] = []
    if group.started_at is not None:
        age = ago(group.started_at, screen.now)
        began = date_and_time(group.started_at, screen)
        facts.append(("started", f"{began}, {age}" if age else began))
    busy = f" ({duration(group.busy_s)} of sessions)" if group.sessions else ""
    facts.append(("took", f"{duration(group.duration_s)}{busy}"))
    facts.append(("hosts", ", ".join(group.hosts)))
    done = len(group.with_status("completed"))
    facts.append(
        ("nodes", f"{done} of {count(len(group.nodes), 'node')} completed")
        if group.nodes
        else ("nodes", "")
    )
    return [(name, line(text)) for name, text in facts if text]


def sibling_row(
    state: SessionState, group: GroupState, screen: Screen
) -> tuple[Line, ...]:
    """Return the cells of a session, one for each of `SESSION_COLUMNS`."""
    verdict = state.verdict
    done, planned = progress(state)
    good = state.session_id in group.made_good
    role = "dim" if good else VERDICT_ROLES.get(verdict, "")
    began = state.created_at
    where = broke(Listed(state))
    return (
        line(Span(state.session_id, "strong")),
        line(Span(verdict, role)),
        line(state.host),
        line(state.labels.get("task", "")),
        line("" if began is None else short_date(began, screen)),
        line(duration(session_seconds(state, screen.now))),
        line(f"{done}/{planned}" if state.runs else ""),
        line(Span("made good later  ", "dim"), where) if good else where,
    )


def _node_lines(group: GroupState, width: int | None, *, every: bool) -> list[Line]:
    shown = list(group.nodes) if every else nodes_shown(group)
    rows = [group_node_row(key, group.nodes[key]) for key in shown]
    return [*table(NODE_COLUMNS, rows, width), *nodes_left_out(group, shown)]


def nodes_shown(group: GroupState) -> list[str]:
    """Choose nodes that are shown where not all are: the broken and the first ones."""
    nodes = group.nodes
    calm = ("pending", "completed", "skipped", "not recorded")
    broken = [key for key in nodes if nodes[key].status not in calm]
    chosen = set([*broken, *nodes][:NODES_SHOWN])
    return [key for key in nodes if key in chosen]


def nodes_left_out(group: GroupState, shown: Sequence[str]) -> list[Line]:
    """Return how many nodes are not shown, and how they stand."""
    kept = set(shown)
    counts = Counter(n.status for key, n in group.nodes.items() if key not in kept)
    if not counts:
        return []
    what = ", ".join(f"{number} {status}" for status, number in counts.items())
    text = f"... {count(counts.total(), 'more node')}: {what} (--all-nodes shows them)"
    return [line(Span(text, "dim"))]


def group_node_row(key: str, node: GroupNode) -> tuple[Line, ...]:
    """Return the cells of a node, one for each of `NODE_COLUMNS`."""
    last = node.last
    took = last.node.duration_s
    return (
        line(key),
        line(Span(node.status, VERDICT_ROLES.get(node.status, ""))),
        line(duration(took) if took is not None else ""),
        line(Span(last.session_id, "dim")),
        line(Span(last.host, "dim")),
        line(Span(", ".join(_try(one) for one in node.earlier), "dim")),
    )


def _try(one: NodeTry) -> str:
    return f"{one.status} before in {one.session_id}"


def _next(group: GroupState) -> list[Line]:
    failure = group.first_failure
    running = [s.session_id for s in group.sessions if s.verdict == "running"]
    steps = []
    if failure is not None:
        steps.append((f"kedro-journal show {failure.session_id}", "what broke first"))
    if running:
        steps.append((f"kedro-journal tail {running[-1]} -f", "follow it live"))
    if not steps:
        return []
    rows = [(command, line(Span(what, "dim"))) for command, what in steps]
    return [(), line(Span("Next", "strong")), *indent(pairs(rows, None))]
