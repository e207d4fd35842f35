"""Aligned columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from .terminal import Line, Span, cells, clip, pad

__all__ = ["Column", "pairs", "table"]

_GAP: Final = 2
_LAST_MIN: Final = 25  # columns of the last column that others make room for


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: Its heading.
        right: Align to the right.
        widest: Columns it may take at most; None for as many as it needs.
        drop: When the lines do not fit, columns go in this order, 1 first; 0 stays.
    """

    title: str
    right: bool = False
    widest: int | None = None
    drop: int = 0


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Line]], width: int | None
) -> list[Line]:
    """Lay rows out under their headings, within *width*.

    A column that is empty in every row is left out. Where the lines do not fit, columns
    are dropped as they say until the last one has room for its beginning, and what
    still does not fit is cut.
    """
    shown = [
        number
        for number in range(len(columns))
        if any(cells(row[number]) for row in rows)
    ]
    while True:
        widths = {number: _width(columns[number], number, rows) for number in shown}
        total = sum(widths.values()) + _GAP * (len(shown) - 1)
        if shown and shown[-1] == len(columns) - 1:
            total -= max(widths[shown[-1]] - _LAST_MIN, 0)
        droppable = [number for number in shown if columns[number].drop]
        if width is None or total <= width or not droppable:
            break
        shown.remove(min(droppable, key=lambda number: columns[number].drop))
    heading = [(Span(column.title, "dim"),) for column in columns]
    lines: list[Line] = []
    for row in (heading, *rows):
        parts: list[Span] = []
        for number in shown:
            column = columns[number]
            cell = clip(row[number], widths[number])
            filled = pad(cell, widths[number], right=column.right)
            parts.extend((*filled, Span(" " * _GAP)))
        lines.append(clip(_without_blank_end(parts), width))
    return lines


def _without_blank_end(spans: Sequence[Span]) -> Line:
    kept = list(spans)
    while kept and not kept[-1].text.strip(" "):
        kept.pop()
    return tuple(kept)


def _width(column: Column, number: int, rows: Sequence[Sequence[Line]]) -> int:
    needed = max(cells(row[number]) for row in rows)
    needed = max(needed, len(column.title))
    return needed if column.widest is None else min(needed, column.widest)


def pairs(
    items: Sequence[tuple[str, Line]], width: int | None, *, key_width: int = 10
) -> list[Line]:
    """Lay names and values out in two columns."""
    wide = max([key_width, *(cells(key) for key, _ in items)])
    return [
        clip((*pad((Span(key, "dim"),), wide), Span("  "), *value), width)
        for key, value in items
    ]
