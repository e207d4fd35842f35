"""A Gantt chart as inline SVG, for pages and notebooks.

Every text passes through `svg_text`. Colours are presentation attributes or classes,
never `style`: a page's Content-Security-Policy forbids inline styles.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Final

from .chart import Bar, Chart
from .gantt import shorten, took_text
from .terminal import escape
from .words import duration

__all__ = ["INLINE", "Look", "by_class", "gantt_svg", "inline", "svg_text"]

Look = Callable[[str], str]
"""Gives the attributes of a role: load, compute, save, confirm, wait, bad, name, dim,
critical, grid."""

_WIDTH: Final = 1160
_NAME: Final = 250
_TOOK: Final = 120
_ROW: Final = 20
_TOP: Final = 26
_NAME_CELLS: Final = 29
_STEPS: Final = (1, 2, 5)

INLINE: Final = {
    "load": 'fill="#5b9bd5"',
    "compute": 'fill="#4f7f63"',
    "save": 'fill="#d39b3a"',
    "confirm": 'fill="#d39b3a"',
    "wait": 'fill="#888" fill-opacity="0.35"',
    "bad": 'fill="#d1483f"',
    "cut": 'fill="none" stroke="#d1483f" stroke-width="1.5"',
    "name": 'fill="currentColor"',
    "dim": 'fill="currentColor" fill-opacity="0.65"',
    "critical": 'fill="currentColor"',
    "grid": 'stroke="#888" stroke-opacity="0.25"',
    "idle": 'fill="#888" fill-opacity="0.12"',
}
"""Attributes for a place without a style sheet, legible on white and on black."""


def inline(role: str) -> str:
    """Return the attributes of a role for a notebook."""
    return INLINE[role]


def by_class(role: str) -> str:
    """Return the class of a role for a page with a style sheet."""
    return f'class="g-{role}"'


def svg_text(text: str, most: int | None = None) -> str:
    """Return a text escaped for SVG and for its reader, cut to *most* columns."""
    if most is not None:
        text = shorten(text, most)
    return html.escape(escape(text), quote=True)


def gantt_svg(chart: Chart, rows: Sequence[Bar], look: Look, label: str) -> str:
    """Return a chart as one `<svg>`.

    Args:
        chart: The chart, for its scale and its idle time.
        rows: The bars to draw, one in a row; those that did not begin are left out.
        look: Gives the attributes of each role.
        label: What a screen reader says of the picture.
    """
    shown = [bar for bar in rows if bar.start_s is not None]
    height = _TOP + _ROW * len(shown) + 6
    track = _WIDTH - _NAME - _TOOK
    scale = track / chart.span_s
    parts = [
        (
            f'<svg viewBox="0 0 {_WIDTH} {height}" '
            f'width="{_WIDTH}" height="{height}" role="img" font-size="12" '
            f'aria-label="{svg_text(label)}">'
        )
    ]
    parts += [
        f'<rect x="{_n(_NAME + start * scale)}" y="{_TOP}" '
        f'width="{_n((end - start) * scale)}" height="{height - _TOP - 6}" '
        f"{look('idle')}/>"
        for start, end in chart.idle
        if (end - start) * scale >= 0.5
    ]
    parts += _axis(chart.span_s, scale, height, look)
    for number, bar in enumerate(shown):
        parts.append(_row(bar, _TOP + number * _ROW, scale, look))
    return "".join((*parts, "</svg>"))


def _axis(span_s: float, scale: float, height: int, look: Look) -> list[str]:
    parts = []
    step = _step(span_s)
    for number in range(9):
        at = number * step
        if at > span_s * 1.0001:
            break
        x = _n(_NAME + at * scale)
        text = "0" if not number else duration(at)
        anchor = "middle" if number else "start"
        parts.append(
            f'<path d="M{x} {_TOP - 6}V{height - 6}" {look("grid")}/>'
            f'<text x="{x}" y="{_TOP - 11}" text-anchor="{anchor}" '
            f"{look('dim')}>{svg_text(text)}</text>"
        )
    return parts


def _step(span_s: float) -> float:
    """Return the distance of the marks: 1, 2 or 5 times a power of ten; or minutes."""
    units = [10.0**power * one for power in range(-4, 2) for one in _STEPS]
    units = [one for one in units if one < 60]
    units += [60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0]
    return next((one for one in units if span_s / one <= 7), span_s / 5)


def _row(bar: Bar, top: int, scale: float, look: Look) -> str:
    start, end = bar.start_s or 0.0, bar.end_s or 0.0
    name = f"{bar.name} ({bar.nodes} nodes)" if bar.nodes > 1 else bar.name
    role = "bad" if bar.is_broken else ("critical" if bar.critical else "name")
    weight = ' font-weight="600"' if bar.critical or bar.is_broken else ""
    x, width = _NAME + start * scale, max((end - start) * scale, 1.5)
    parts = [
        f"<g><title>{svg_text(_about(bar, name))}</title>",
        (
            f'<text x="{_NAME - 10}" y="{top + 14}" text-anchor="end"{weight} '
            f"{look(role)}>{svg_text(name, _NAME_CELLS)}</text>"
        ),
        (
            f'<rect x="{_n(x)}" y="{top + 8}" width="{_n(width)}" height="4" '
            f"{look('wait')}/>"
        ),
    ]
    for piece in bar.pieces:
        px = _NAME + piece.start_s * scale
        wide = max((piece.end_s - piece.start_s) * scale, 0.75)
        parts.append(
            f'<rect x="{_n(px)}" y="{top + 4}" width="{_n(wide)}" height="12" '
            f"{look(piece.kind)}/>"
        )
    if bar.is_broken:
        parts.append(
            f'<rect x="{_n(x - 1)}" y="{top + 3}" width="{_n(width + 2)}" height="14" '
            f"{look('cut')}/>"
        )
    if bar.critical:
        parts.append(
            f'<rect x="{_n(x)}" y="{top + 17}" width="{_n(width)}" height="1.5" '
            f"{look('critical')}/>"
        )
    took = took_text(bar)
    parts.append(
        f'<text x="{_WIDTH}" y="{top + 14}" text-anchor="end" '
        f"{look('dim')}>{svg_text(took)}</text></g>"
    )
    return "".join(parts)


def _about(bar: Bar, name: str) -> str:
    parts = [f"{name}: {bar.status}, {took_text(bar)}"]
    for kinds, word in (
        (("load",), "load"),
        (("compute",), "compute"),
        (("save", "confirm"), "save"),
    ):
        seconds = bar.seconds(*kinds)
        if seconds:
            parts.append(f"{word} {duration(seconds)}")
    if bar.critical:
        parts.append("on the critical path")
    return ", ".join(parts)


def _n(number: float) -> str:
    """Write a coordinate with at most two decimals."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
