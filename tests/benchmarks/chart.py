"""A chart of every target: how far from its bound, on a logarithmic scale."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from xml.sax.saxutils import escape

from measure import Group, Summary, Verdict
from report import number

__all__ = ["chart"]

_LEFT, _WIDTH, _ROW, _TOP = 360, 900, 22, 56
_DECADES = 2  # to each side


def chart(found: Sequence[tuple[Group, dict[str, Summary], list[Verdict]]]) -> str:
    """Give an SVG: one bar for each target, to the right where it was surpassed."""
    rows = [v for _, _, verdicts in found for v in verdicts if v.values]
    height = _TOP + _ROW * len(rows) + 12
    middle = _LEFT + (_WIDTH - _LEFT - 90) / 2
    scale = (middle - _LEFT) / _DECADES
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="8" y="20" font-size="14" fill="#222">Every target: '
        "how much better (right) or worse (left) than its bound</text>",
    ]
    for exponent in range(-_DECADES, _DECADES + 1):
        x = middle + exponent * scale
        label = "bound" if exponent == 0 else f"{10 ** abs(exponent)} x"
        parts += [
            f'<line x1="{x:.0f}" y1="{_TOP - 8}" x2="{x:.0f}" y2="{height - 8}" '
            f'stroke="{"#444" if exponent == 0 else "#ddd"}"/>',
            f'<text x="{x:.0f}" y="{_TOP - 14}" text-anchor="middle" fill="#666">'
            f"{label}</text>",
        ]
    for index, verdict in enumerate(rows):
        parts += _bar(verdict, _TOP + index * _ROW, middle, scale)
    return "\n".join([*parts, "</svg>", ""])


def _bar(verdict: Verdict, y: float, middle: float, scale: float) -> list[str]:
    target, median = verdict.target, statistics.median(verdict.values)
    better = median / target.limit if target.at_least else target.limit / median
    length = max(-_DECADES, min(_DECADES, math.log10(max(better, 1e-9)))) * scale
    colour = "#2a7d4f" if verdict.met else "#c0392b"
    x = middle if length >= 0 else middle + length
    sign = "&#8805;" if target.at_least else "&#8804;"
    unit = target.unit or ("x" if target.under else "")
    told = f"{number(median)} {unit}, {sign} {number(target.limit)}"
    return [
        f'<text x="{_LEFT - 8}" y="{y + 14:.0f}" text-anchor="end" fill="#222">'
        f"{escape(target.what)}</text>",
        f'<rect x="{x:.1f}" y="{y + 4:.0f}" width="{max(abs(length), 1):.1f}" '
        f'height="{_ROW - 8}" fill="{colour}"/>',
        f'<text x="{_WIDTH - 6}" y="{y + 14:.0f}" text-anchor="end" fill="#666">'
        f"{told}</text>",
    ]
