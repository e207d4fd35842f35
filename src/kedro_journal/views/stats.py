"""What many sessions say of their nodes, as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kedro_journal.analysis.trends import NodeTrend, Trends

from .sessions import VERDICT_ROLES
from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import bytes_size, count, date_and_time, duration

__all__ = ["sparkline", "stats_view"]

_TREND_WIDTH: Final = 16
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_FLAKY_SHOWN: Final = 3
_COLUMNS: Final = (
    Column("node", widest=44),
    Column("runs", right=True),
    Column("failed", right=True),
    Column("median", right=True),
    Column("quartiles", right=True, drop=2),
    Column("trend", drop=1),
    Column("saved", right=True, drop=3),
    Column("remarks"),
)


def stats_view(found: Trends, screen: Screen, *, blocks: bool = True) -> str:
    """Return a table of nodes, and what stands out.

    Args:
        found: What the sessions say; at least one session.
        screen: Where it is shown.
        blocks: The terminal can show block characters; else no trend is drawn.
    """
    parts: list[Span] = []
    for verdict, number in sorted(found.verdicts.items(), key=lambda one: -one[1]):
        parts += [Span(", " if parts else ": ")]
        parts += [Span(f"{number} {verdict}", VERDICT_ROLES.get(verdict, ""))]
    lines: list[Line] = [line(Span(count(found.sessions, "session"), "strong"), *parts)]
    if found.since is not None and found.until is not None:
        since, until = (date_and_time(at, screen) for at in (found.since, found.until))
        lines.append(line(Span(f"from {since} to {until}", "dim")))
    if not found.nodes:
        return render([*lines, (), line("No node was planned.")], screen.paint)
    rows = [_cells(one, blocks=blocks) for one in found.nodes]
    lines += [(), *table(_COLUMNS, rows, screen.width)]
    for one in found.nodes:
        lines += _remarks(one)
    return render(lines, screen.paint)


def sparkline(values: Sequence[float], width: int) -> str:
    """Return the last values as blocks, from the lowest to the highest of them."""
    shown = values[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    scale = (len(_LEVELS) - 1) / (high - low) if high > low else 0.0
    return "".join(_LEVELS[round((value - low) * scale)] for value in shown)


def _cells(one: NodeTrend, *, blocks: bool) -> tuple[Line, ...]:
    role = "bad" if one.failed else "dim"
    share = f"{one.failed} ({100 * one.failure_rate:.0f} %)" if one.failed else "0"
    spread = ""
    if one.low_s is not None and one.high_s is not None and one.low_s != one.high_s:
        spread = f"{duration(one.low_s)} - {duration(one.high_s)}"
    remarks = [
        *(["flaky"] if one.flaky else []),
        *(["slower"] if one.regression is not None else []),
    ]
    return (
        line(Span(one.name, "strong")),
        line(str(one.runs)),
        line(Span(share, role)),
        line("" if one.median_s is None else duration(one.median_s)),
        line(spread),
        line(sparkline(one.durations_s, _TREND_WIDTH) if blocks else ""),
        line(bytes_size(one.saved_bytes) if one.saved_bytes else ""),
        line(Span(", ".join(remarks), "warn")),
    )


def _remarks(one: NodeTrend) -> list[Line]:
    lines: list[Line] = []
    if one.regression is not None:
        slow = one.regression
        head = f"{one.name} is slower since {slow.since}: "
        text = f"{duration(slow.now_s)}, was {duration(slow.before_s)}"
        why = f"; {', '.join(slow.differs)} differ" if slow.differs else ""
        lines += [(), line(Span(head, "warn"), text, why)]
        if not slow.differs:
            text = "  Its code, parameters and inputs are not known to differ."
            lines.append(line(Span(text, "dim")))
    if one.flaky:
        head = f"{one.name} is flaky: "
        text = "it failed and completed with the same code, parameters and inputs"
        lines += [(), line(Span(head, "warn"), text)]
        for failed, completed in one.flaky[-_FLAKY_SHOWN:]:
            text = f"  failed in {failed}, completed in {completed}"
            lines.append(line(Span(text, "dim")))
    return lines
