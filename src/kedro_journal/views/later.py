"""Notes and tags that a session was given after it was recorded."""

from __future__ import annotations

from typing import Any, Final

from kedro_journal.analysis.later import Later

from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import date_and_time

__all__ = ["later_data", "later_lines", "later_view"]

_COLUMNS: Final = (Column("  at"), Column("by", widest=16), Column(""))


def later_view(later: Later, screen: Screen) -> str:
    """Return the sections of a page; empty for nothing."""
    lines = later_lines(later, screen)
    return render(lines, screen.paint) if lines else ""


def later_lines(later: Later, screen: Screen) -> list[Line]:
    """Return the lines of `later_view`."""
    lines: list[Line] = []
    if later.tags:
        tags = line(f"  {', '.join(later.tags)}")
        lines += [(), line(Span("Tags", "strong")), tags]
    if later.notes:
        rows: list[tuple[Line, ...]] = []
        for one in later.notes:
            first, *others = one.text.splitlines() or [""]
            at = line(f"  {date_and_time(one.at, screen)}")
            rows.append((at, line(one.by), line(first)))
            rows += [((), (), line(other)) for other in others]
        lines += [(), line(Span("Notes added later", "strong"))]
        lines += table(_COLUMNS, rows, screen.width)
    return lines


def later_data(later: Later) -> dict[str, Any]:
    """Return the members `tags` and `later_notes` of `--json`."""
    return {
        "tags": list(later.tags),
        "later_notes": [
            {"at": one.at, "by": one.by, "text": one.text} for one in later.notes
        ],
    }
