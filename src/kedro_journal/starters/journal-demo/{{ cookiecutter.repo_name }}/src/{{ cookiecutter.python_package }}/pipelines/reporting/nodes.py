"""Draw the chart and write the report."""

from collections import defaultdict
from datetime import date
from html import escape
from statistics import fmean
from typing import Any

from ...table import Table

WIDTH, HEIGHT, MARGIN = 720, 280, 44
SERIES = (("passengers", "actual", "#1f5f8b"), ("forecast", "forecast", "#d9822b"))
STYLE = (
    "body { font: 16px/1.5 sans-serif; max-width: 46rem; margin: 2rem auto; "
    "padding: 0 1rem; color: #222; } "
    "table { border-collapse: collapse; margin: 1rem 0; } "
    "th, td { padding: 0.3rem 0.9rem; border-bottom: 1px solid #ccc; "
    "text-align: right; } "
    "th:first-child, td:first-child { text-align: left; } "
    "svg { max-width: 100%; height: auto; }"
)


def draw_demand_chart(predictions: Table) -> str:
    """Draw the mean demand of each week's test days, actual and forecast, as SVG."""
    by_week: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in predictions:
        day_of_year = date.fromisoformat(row["date"]).timetuple().tm_yday
        by_week[(day_of_year - 1) // 7 + 1].append(row)
    weeks = sorted(by_week)
    means = {
        name: [fmean(row[name] for row in by_week[week]) for week in weeks]
        for name, _, _ in SERIES
    }
    # The axis ends at the next round hundred.
    top = 100 * (int(max(max(values) for values in means.values())) // 100 + 1)

    def x(week: int) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (week - 1) / 52

    def y(value: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / top

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'role="img" font-family="sans-serif" font-size="12">',
        "<title>Passengers per sailing on the test days, by week</title>",
    ]
    for tick in range(0, top + 1, 50):
        parts.append(
            f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{y(tick):.1f}" '
            f'y2="{y(tick):.1f}" stroke="#ddd"/>'
            f'<text x="{MARGIN - 6}" y="{y(tick) + 4:.1f}" '
            f'text-anchor="end">{tick}</text>'
        )
    for week in range(1, 54, 13):
        parts.append(
            f'<text x="{x(week):.1f}" y="{HEIGHT - MARGIN + 18}" '
            f'text-anchor="middle">week {week}</text>'
        )
    for place, (name, label, colour) in enumerate(SERIES):
        points = " ".join(
            f"{x(week):.1f},{y(value):.1f}" for week, value in zip(weeks, means[name])
        )
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" '
            'stroke-width="2"/>'
            f'<text x="{MARGIN + 90 * place}" y="20" fill="{colour}">{label}</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def write_report(
    verdict: dict[str, Any],
    data_quality: list[dict[str, Any]],
    chart: str,
    report: dict[str, Any],
) -> str:
    """Put the verdict, the chart and the state of the data on one HTML page.

    The page says nothing about when it was made: the same data and parameters give
    the same page.
    """
    metrics = [
        [name.replace("_", " "), f"{verdict['model'][name]:.3f}",
         f"{verdict['baseline'][name]:.3f}"]
        for name in verdict["model"]
    ]  # fmt: skip
    tables = [
        [quality["table"], str(quality["rows_read"]), str(quality["rows_kept"]),
         quality["first_day"], quality["last_day"]]
        for quality in data_quality
    ]  # fmt: skip
    title = escape(report["title"])
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>{title}</title>',
            f"<style>{STYLE}</style></head>",
            "<body>",
            f"<h1>{title}</h1>",
            f"<p>The model passed the quality gate: R2 is "
            f"{verdict['model']['r2']:.3f}, and at least "
            f"{verdict['minimum_r2']:.3f} was required. Compared with the mean of "
            f"each route and weekday, its forecast of a sailing is closer by "
            f"{verdict['error_saved_per_sailing']:.1f} passengers on average.</p>",
            _html_table(["on the test days", "model", "baseline"], metrics),
            "<h2>Passengers per sailing on the test days</h2>",
            chart.rstrip("\n"),
            "<h2>Data</h2>",
            _html_table(["table", "rows read", "rows kept", "from", "to"], tables),
            "</body>",
            "</html>",
            "",
        ]
    )


def _html_table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["<table>", _html_row("th", header)]
    lines += [_html_row("td", row) for row in rows]
    return "\n".join([*lines, "</table>"])


def _html_row(tag: str, cells: list[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"
