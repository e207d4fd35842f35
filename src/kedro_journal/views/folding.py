"""Fewer rows of a chart: nodes folded by namespace, and those that matter kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from .chart import Bar, Piece, union

__all__ = ["fold", "only"]

_SLOWEST = 10


def fold(
    bars: Sequence[Bar], namespaces: Mapping[str, str], most: int
) -> tuple[list[Bar], list[Bar]]:
    """Return at most *most* rows, and the bars that none of them stands for.

    Up to *most* bars are left alone. Of more, those of one namespace become one row,
    but for nodes that failed or were cut off. If these are still too many, the rows
    that matter are kept: broken ones, the critical path, then the longest.

    Args:
        bars: The bars in order.
        namespaces: Namespace of each node that has one, by its name.
        most: Rows, >= 1.
    """
    if len(bars) <= most:
        return list(bars), []
    groups: dict[str, list[Bar]] = {}
    for bar in bars:
        space = "" if bar.is_broken or bar.ongoing else namespaces.get(bar.name, "")
        groups.setdefault(f"n {space}" if space else f"b {bar.name}", []).append(bar)
    rows = [
        _folded(key[2:], some) if len(some) > 1 else some[0]
        for key, some in groups.items()
    ]
    if len(rows) <= most:
        return rows, []
    ranked = sorted(range(len(rows)), key=lambda i: (_rank(rows[i]), i))
    kept = set(ranked[:most])
    lost = [rows[i] for i in range(len(rows)) if i not in kept]
    return [rows[i] for i in sorted(kept)], lost


def only(bars: Sequence[Bar], which: str) -> list[Bar]:
    """Return the bars that are broken (`failed`), or the ten longest (`slow`)."""
    if which == "failed":
        return [bar for bar in bars if bar.is_broken]
    begun = [bar for bar in bars if bar.took_s is not None]
    longest = sorted(begun, key=lambda bar: -(bar.took_s or 0.0))[:_SLOWEST]
    chosen = {id(bar) for bar in longest}
    return [bar for bar in bars if id(bar) in chosen]


def _rank(bar: Bar) -> tuple[bool, bool, bool, float]:
    return not bar.is_broken, not bar.ongoing, not bar.critical, -(bar.took_s or 0.0)


def _folded(name: str, bars: Sequence[Bar]) -> Bar:
    starts = [bar.start_s for bar in bars if bar.start_s is not None]
    ends = [bar.end_s for bar in bars if bar.end_s is not None]
    every = list(chain.from_iterable(bar.pieces for bar in bars))
    pieces = [
        Piece(kind, start, end)
        for kind in ("load", "compute", "save", "confirm")
        for start, end in union((p.start_s, p.end_s) for p in every if p.kind == kind)
    ]
    statuses = {bar.status for bar in bars}
    return Bar(
        name,
        statuses.pop() if len(statuses) == 1 else "mixed",
        tuple(sorted(pieces, key=lambda piece: piece.start_s)),
        min(starts, default=None),
        max(ends, default=None),
        critical=any(bar.critical for bar in bars),
        nodes=sum(bar.nodes for bar in bars),
    )
