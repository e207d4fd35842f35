"""A layered layout of a graph: ranks by the longest path, crossings reduced by sweeps.

Deterministic: the same graph has the same layout. Pure: names and pairs in, places out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from kedro_journal.views.paths import in_order

__all__ = ["Edge", "Layout", "Place", "layout"]

_SWEEPS: Final = 8
_GRID_COLUMNS: Final = 5
_DEEPEST: Final = 30
_DUMMIES_MAX: Final = 4000  # an edge over many ranks is drawn straight beyond that


class Place(NamedTuple):
    """Where a node stands: its column from the left, its row from the top."""

    column: int
    row: float


class Edge(NamedTuple):
    """An edge with the places that it passes through, its ends included."""

    maker: str
    user: str
    through: tuple[Place, ...]


class Layout(NamedTuple):
    """A graph that is laid out.

    Attributes:
        places: Place of each node.
        edges: Its edges; those that would close a cycle are left out.
        columns, rows: Extent.
    """

    places: Mapping[str, Place]
    edges: tuple[Edge, ...]
    columns: int
    rows: int


Key = str | tuple[int, int]
"""A node by its name; or a point of an edge: number of the edge, rank."""


def layout(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Layout:
    """Lay a graph out from left to right; nodes without edges form a grid below.

    Args:
        names: Its nodes, in an order that breaks ties.
        pairs: Maker and user of each edge.
    """
    linked = {name for pair in pairs for name in pair}
    joined = [name for name in names if name in linked]
    order, forward = in_order(joined, pairs)
    rank = _ranks(order, forward)
    ranks: list[list[Key]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in joined:
        ranks[rank[name]].append(name)
    length = sum(rank[user] - rank[maker] - 1 for maker, user in forward)
    chains = _chains(forward, rank, ranks, bend=length <= _DUMMIES_MAX)
    _sweep(ranks, chains)
    deep = min(max(map(len, ranks), default=0), _DEEPEST)
    at: dict[Key, Place] = {}
    columns = 0
    for keys in ranks:
        wide = -(-len(keys) // _DEEPEST)  # a rank may take several columns
        lines = -(-len(keys) // max(wide, 1))
        for index, key in enumerate(keys):
            row = (deep - lines) / 2 + index // wide
            at[key] = Place(columns + index % wide, row)
        columns += wide
    alone = [name for name in names if name not in linked]
    columns = max(columns, min(_GRID_COLUMNS, len(alone)))
    for number, name in enumerate(alone):
        at[name] = Place(number % columns, float(deep + number // columns))
    rows = deep + (-(-len(alone) // columns) if alone else 0)
    edges = tuple(
        Edge(maker, user, tuple(at[key] for key in chain))
        for (maker, user), chain in zip(forward, chains, strict=True)
    )
    return Layout({name: at[name] for name in names}, edges, columns, rows)


def _ranks(order: Sequence[str], pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the rank of each node: the length of the longest way to it.

    A node without makers moves next to its first user, so that its edge is short.
    """
    after: dict[str, list[str]] = {}
    has_maker = {user for _, user in pairs}
    for maker, user in pairs:
        after.setdefault(maker, []).append(user)
    rank = dict.fromkeys(order, 0)
    for name in order:
        for user in after.get(name, ()):
            rank[user] = max(rank[user], rank[name] + 1)
    for name in order:
        users = after.get(name)
        if users and name not in has_maker:
            rank[name] = min(rank[user] for user in users) - 1
    return rank


def _chains(
    pairs: Sequence[tuple[str, str]],
    rank: Mapping[str, int],
    ranks: list[list[Key]],
    *,
    bend: bool,
) -> list[list[Key]]:
    chains: list[list[Key]] = []
    for number, (maker, user) in enumerate(pairs):
        points: list[Key] = [maker]
        if bend:
            for between in range(rank[maker] + 1, rank[user]):
                ranks[between].append((number, between))
                points.append((number, between))
        chains.append([*points, user])
    return chains


def _sweep(ranks: list[list[Key]], chains: Sequence[Sequence[Key]]) -> None:
    """Order each rank by the mean place of its neighbours, to and fro."""
    left: dict[Key, list[Key]] = {}
    right: dict[Key, list[Key]] = {}
    for chain in chains:
        for one, other in itertools.pairwise(chain):
            right.setdefault(one, []).append(other)
            left.setdefault(other, []).append(one)
    for number in range(_SWEEPS):
        ahead = number % 2 == 0
        neighbours = left if ahead else right
        place = {
            key: index - len(keys) / 2
            for keys in ranks
            for index, key in enumerate(keys)
        }
        for keys in ranks if ahead else reversed(ranks):
            wanted = {}
            for key in keys:
                near = [place[other] for other in neighbours.get(key, ())]
                wanted[key] = sum(near) / len(near) if near else place[key]
            keys.sort(key=wanted.__getitem__)
            for index, key in enumerate(keys):
                place[key] = index - len(keys) / 2
