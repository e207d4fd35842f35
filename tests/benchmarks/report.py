"""The tables, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from measure import Group, Summary, Target, Verdict

__all__ = ["figures_table", "number", "put", "targets_table"]

Found = Sequence[tuple[Group, dict[str, Summary], list[Verdict]]]


def number(value: float) -> str:
    """Write a figure with three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def _bound(target: Target) -> str:
    sign = ">=" if target.at_least else "<="
    unit = f" {target.unit}" if target.unit else " x"
    return f"{sign} {number(target.limit)}{unit if target.under or target.unit else ''}"


def _spread(values: Sequence[float]) -> list[str]:
    figures = min(values), statistics.median(values), max(values)
    return [number(figure) for figure in figures]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def put(page: str, name: str, text: str) -> str:
    """Put a text into a page, between the comments that name its place.

    Raises:
        ValueError: There is no such place.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        message = f"no place for the {name}: {begin.strip()} ... {end.strip()}"
        raise ValueError(message)
    return f"{before}{begin}\n{text}\n\n{end}{after}"


def targets_table(found: Found) -> str:
    """Give every target with what was reached; a ratio is one of each round."""
    lines = [_line(("target", "bound", "min", "median", "max", "met"))]
    lines.append("|---|--:|--:|--:|--:|---|")
    for _, _, verdicts in found:
        for verdict in verdicts:
            target = verdict.target
            if verdict.values:
                met = "yes" if verdict.met else "**no**"
                cells = [*_spread(verdict.values), met]
            else:
                cells = ["", "", "", "a peer is missing"]
            lines.append(_line((target.what, _bound(target), *cells)))
    return "\n".join(lines)


def figures_table(found: Found) -> str:
    """Give every figure."""
    lines = [_line(("what", "unit", "min", "median", "max"))]
    lines.append("|---|---|--:|--:|--:|")
    for group, figures, _ in found:
        lines.append(_line((f"**{group.name}**", group.unit, "", "", "")))
        for name, summary in figures.items():
            if summary.missing:
                lines.append(_line((name, f"missing: {summary.missing}", "", "", "")))
            else:
                lines.append(_line((name, "", *_spread(summary.values))))
    return "\n".join(lines)
