"""The nodes of a run, as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from kedro_journal.state import DatasetOperation, NodeState, RunState, SessionState

from .derive import run_verdict
from .failure import short_path
from .sessions import VERDICT_ROLES
from .table import Column, table
from .terminal import Line, Screen, Span, indent, line
from .words import bytes_size, count, duration

__all__ = [
    "COLUMNS",
    "NODES_SHOWN",
    "left_out_lines",
    "node_lines",
    "node_row",
    "nodes_around_break",
]

NODES_SHOWN: Final = 24
"""Rows of a node table that is not asked to be whole."""

_VERBS: Final = {
    "load": ("loading", "loaded"),
    "save": ("saving", "saved"),
    "confirm": ("confirming", "confirmed"),
}
COLUMNS: Final = (
    Column("node", widest=44),
    Column("status"),
    Column("took", right=True),
    Column("process", drop=1),
    Column("at"),
    Column("source", drop=2),
)


def node_lines(
    run: RunState,
    state: SessionState,
    screen: Screen,
    *,
    every: bool = False,
    datasets: bool = False,
) -> list[Line]:
    """Return the nodes of a run in execution order.

    Args:
        run: The run.
        state: Its session.
        screen: Where it is shown.
        every: All of them; else those around where it broke, at most `NODES_SHOWN`.
        datasets: Under each node, what it loaded and saved.
    """
    nodes = list(run.nodes.values())
    if not nodes:
        return [line(Span("no nodes were planned", "dim"))]
    shown = list(range(len(nodes))) if every else nodes_around_break(nodes)
    several = len({node.writer for node in nodes if node.writer}) > 1
    over = run_verdict(run, state) != "running"
    rows = [node_row(nodes[i], state, several=several, over=over) for i in shown]
    header, *body = table(COLUMNS, rows, screen.width)
    lines, previous = [header], -1
    for number, text in zip(shown, body, strict=True):
        lines += left_out_lines(nodes[previous + 1 : number])
        lines.append(text)
        if datasets:
            lines += indent(_datasets(nodes[number]), 4)
        previous = number
    return lines + left_out_lines(nodes[previous + 1 :])


def nodes_around_break(nodes: Sequence[NodeState]) -> list[int]:
    """Choose the nodes around the break: broken ones first, then their neighbours."""
    if len(nodes) <= NODES_SHOWN:
        return list(range(len(nodes)))
    calm = ("pending", "completed", "skipped", "not recorded")
    broken = [i for i, node in enumerate(nodes) if node.status not in calm]
    done = [i for i, node in enumerate(nodes) if node.status == "completed"]
    focus = broken[0] if broken else (done[-1] if done else 0)
    chosen = set(broken[:NODES_SHOWN])
    nearest = sorted(range(len(nodes)), key=lambda i: (abs(i - focus), i))
    for number in nearest:
        if len(chosen) >= NODES_SHOWN:
            break
        chosen.add(number)
    return sorted(chosen)


def left_out_lines(nodes: Sequence[NodeState]) -> list[Line]:
    """Return how many nodes are not shown, and how they stand."""
    if not nodes:
        return []
    counts = Counter(node.status for node in nodes)
    what = ", ".join(f"{number} {status}" for status, number in counts.items())
    text = f"... {count(len(nodes), 'more node')}: {what} (--all-nodes shows them)"
    return [line(Span(text, "dim"))]


def node_row(
    node: NodeState, state: SessionState, *, several: bool, over: bool
) -> tuple[Line, ...]:
    """Return the cells of a node, one for each of `COLUMNS`."""
    writer = state.writers.get(node.writer) if several else None
    process = f"{node.writer} ({writer.pid})" if writer is not None else ""
    plan = node.plan
    source = (plan.source or plan.function) if plan is not None else ""
    source = short_path(source, state.project_path)
    in_progress = node.status in ("loading", "running", "saving", "confirming")
    role = "bad" if over and in_progress else VERDICT_ROLES.get(node.status, "")
    return (
        line(Span(node.name, "dim" if node.status == "pending" else "")),
        line(Span(f"was {node.status}" if over and in_progress else node.status, role)),
        line(duration(node.duration_s) if node.duration_s is not None else ""),
        line(process),
        _at(node),
        line(Span(source, "dim")),
    )


def _at(node: NodeState) -> Line:
    if node.status in ("pending", "completed", "skipped", "not recorded"):
        return ()
    names = ", ".join(operation.dataset for operation in node.open_operations)
    doing = node.phase if node.phase not in ("", node.status) else ""
    if names and not doing:
        return line(names)
    return line(f"{doing} {names}".strip())


def _datasets(node: NodeState) -> list[Line]:
    every = (*node.loads.values(), *node.saves.values(), *node.confirms.values())
    return [_dataset(operation) for operation in every]


def _dataset(operation: DatasetOperation) -> Line:
    if operation.is_open:
        doing = _VERBS[operation.kind][0]
        return line(Span(f"{doing} {operation.dataset}: begun, not ended", "warn"))
    verb = _VERBS[operation.kind][1]
    parts = [f"{verb} {operation.dataset}"]
    if operation.duration_s is not None:
        parts.append(f" in {duration(operation.duration_s)}")
    if operation.count > 1:
        parts.append(f", {operation.count} times")
    if operation.version:
        parts.append(f", version {operation.version}")
    if operation.entries is not None:
        parts.append(f", {count(operation.entries, 'file')}")
    if operation.size_bytes is not None:
        parts.append(f", {bytes_size(operation.size_bytes)}")
    if operation.path:
        parts.append(f"  {operation.path}")
    return line(Span("".join(parts), "dim"))
