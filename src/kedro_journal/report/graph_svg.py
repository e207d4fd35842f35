"""The graph of a run's nodes with their status, as inline SVG."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kedro_journal.state import RunState
from kedro_journal.views.gantt_svg import svg_text
from kedro_journal.views.paths import edges_of

from .graph import Edge, Place, layout

__all__ = ["FOLD_ABOVE", "Graph", "graph_of", "graph_svg"]

FOLD_ABOVE: Final = 300
"""Nodes above which those of one namespace are drawn as one."""

_BOX_W: Final = 176
_BOX_H: Final = 26
_COLUMN: Final = 220
_ROW: Final = 38
_EDGE: Final = 12
_NAME_CELLS: Final = 22
_WORST: Final = (
    *("failed", "running", "loading", "saving", "confirming", "interrupted"),
    *("not recorded", "pending", "skipped", "completed"),
)


class Graph(NamedTuple):
    """What is drawn of a run.

    Attributes:
        statuses: Status of each node drawn, by its name; of folded nodes the worst.
        about: Text of each node drawn.
        pairs: Its edges with their datasets.
        folded: How many nodes are folded into namespaces.
    """

    statuses: Mapping[str, str]
    about: Mapping[str, str]
    pairs: Mapping[tuple[str, str], tuple[str, ...]]
    folded: int


def graph_of(run: RunState) -> Graph:
    """Return the graph of a run, folded by namespace above `FOLD_ABOVE` nodes."""
    nodes = run.nodes
    plans = {node.name: node.plan for node in nodes.values()}
    needs = {
        name: (plan.inputs, plan.outputs) if plan is not None else ((), ())
        for name, plan in plans.items()
    }
    pairs = edges_of(needs)
    if len(nodes) <= FOLD_ABOVE:
        about = {name: f"{name}: {node.status}" for name, node in nodes.items()}
        return Graph({n: nodes[n].status for n in nodes}, about, pairs, 0)
    home = {
        name: (plan.namespace if plan is not None else "")
        for name, plan in plans.items()
    }
    if len({space or name for name, space in home.items()}) > FOLD_ABOVE:
        home = {name: space.partition(".")[0] for name, space in home.items()}
    key = {
        name: f"{space} (namespace)" if space else name for name, space in home.items()
    }
    members: dict[str, list[str]] = {}
    for name in nodes:
        members.setdefault(key[name], []).append(nodes[name].status)
    merged: dict[tuple[str, str], tuple[str, ...]] = {}
    for (maker, user), datasets in pairs.items():
        pair = (key[maker], key[user])
        if pair[0] != pair[1]:
            merged[pair] = (*merged.get(pair, ()), *datasets)
    about = {
        name: f"{name}: " + ", ".join(f"{n} {s}" for s, n in Counter(some).items())
        for name, some in members.items()
    }
    folded = sum(1 for space in home.values() if space)
    statuses = {name: min(some, key=_badness) for name, some in members.items()}
    return Graph(statuses, about, merged, folded)


def graph_svg(
    graph: Graph, critical: Sequence[str], label: str, *, over: bool = True
) -> str:
    """Return the graph as one `<svg>`; see `gantt_svg` for what holds of it.

    Args:
        graph: What is drawn.
        critical: Names of the nodes of the critical path.
        label: What a screen reader says of the picture.
        over: The run is over: a node in progress was cut off.
    """
    placed = layout(list(graph.statuses), list(graph.pairs))
    width = max(placed.columns, 1) * _COLUMN - (_COLUMN - _BOX_W) + 4
    height = int(max(placed.rows, 1) * _ROW) + 4
    on_path = set(itertools.pairwise(critical))
    parts = [
        (
            f'<svg viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" font-size="12" '
            f'aria-label="{svg_text(label)}">'
        )
    ]
    for edge in placed.edges:
        pair = (edge.maker, edge.user)
        role = "e-critical" if pair in on_path else "e"
        names = ", ".join(graph.pairs[pair][:20])
        title = svg_text(f"{names}: {edge.maker} to {edge.user}", 300)
        parts.append(
            f'<path class="{role}" d="{_path(edge)}"><title>{title}</title></path>'
        )
    for name, place in placed.places.items():
        status = graph.statuses[name]
        kind = _kind(status, over=over)
        x, y = _corner(place)
        ring = " n-critical" if name in critical else ""
        parts.append(
            f'<g class="n n-{kind}{ring}"><title>{svg_text(graph.about[name], 400)}'
            f'</title><rect x="{x}" y="{y:g}" width="{_BOX_W}" height="{_BOX_H}" '
            f'rx="4"/><text x="{x + 10}" y="{y + 17:g}">'
            f"{svg_text(_mark(kind) + name, _NAME_CELLS)}</text></g>"
        )
    return "".join((*parts, "</svg>"))


def _kind(status: str, *, over: bool) -> str:
    if status in ("loading", "running", "saving", "confirming"):
        return "bad" if over else "busy"
    return {
        "completed": "good",
        "failed": "bad",
        "interrupted": "warn",
        "not recorded": "warn",
    }.get(status, "none")


def _mark(kind: str) -> str:
    """Return a sign before the name: colour alone says nothing to some people."""
    return {"good": "✓ ", "bad": "✗ ", "warn": "! ", "busy": "▸ "}.get(kind, "")


def _badness(status: str) -> int:
    return _WORST.index(status) if status in _WORST else 0


def _corner(place: Place) -> tuple[int, float]:
    return 2 + place.column * _COLUMN, 2 + place.row * _ROW


def _path(edge: Edge) -> str:
    """Return a curve from the right of one box to the left of another."""
    corners = [_corner(place) for place in edge.through]
    points: list[tuple[float, float]] = [
        (corners[0][0] + _BOX_W, corners[0][1] + _BOX_H / 2)
    ]
    for x, y in corners[1:-1]:
        points += [(x, y + _BOX_H / 2), (x + _BOX_W, y + _BOX_H / 2)]
    points.append((corners[-1][0], corners[-1][1] + _BOX_H / 2))
    parts = [f"M{points[0][0]:g} {points[0][1]:g}"]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if y0 == y1:
            parts.append(f"H{x1:g}")
        else:
            middle = (x0 + x1) / 2
            parts.append(f"C{middle:g} {y0:g} {middle:g} {y1:g} {x1:g} {y1:g}")
    return "".join(parts)
