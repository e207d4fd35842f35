"""What the doctor found, and what that means."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import Any, Final

import msgspec

from kedro_journal.doctor import Check, Report

from .terminal import Line, Screen, Span, escape, indent, line, render
from .words import count

__all__ = ["doctor_data", "doctor_view"]

_TITLES: Final = {
    "settings": "Settings",
    "place": "The place",
    "operations": "What the file system does",
    "locks": "Locks",
    "journals": "The journals there",
    "software": "What is installed",
}
_ROLES: Final = {"ok": "good", "note": "busy", "warning": "warn", "problem": "bad"}
_STATUS_WIDTH: Final = 9
_ANSWERS: Final = {
    "process_death": "A process dies",
    "power_loss": "Power is lost",
    "several_processes": "Several processes",
    "several_hosts": "Several hosts",
}
_MARGIN: Final = 2


def doctor_data(report: Report) -> dict[str, Any]:
    """Return a report as `doctor --json` prints it: its fields, and `worst`."""
    return {"worst": report.worst, **msgspec.structs.asdict(report)}


def doctor_view(report: Report, screen: Screen) -> str:
    """Return a report as text: checks in groups, then what is guaranteed."""
    lines: list[Line] = []
    for group, title in _TITLES.items():
        checks = [check for check in report.checks if check.group == group]
        if checks:
            lines += [line(Span(title, "strong")), *_checks(checks, screen), ()]
    if report.not_probed:
        keys = ", ".join(report.not_probed)
        lines += [*_wrapped(f"Not tried: {keys}.", screen, 0, "dim"), ()]
    lines += [*_guarantees(report, screen), (), _summary(report)]
    return render(lines, screen.paint)


def _checks(checks: list[Check], screen: Screen) -> list[Line]:
    lines: list[Line] = []
    inside = _MARGIN + _STATUS_WIDTH
    for check in checks:
        first, *rest = _wrapped(check.text, screen, inside)
        status = Span(check.status.ljust(_STATUS_WIDTH), _ROLES[check.status])
        lines.append(line(" " * _MARGIN, status, first))
        lines += indent(rest, inside)
        if check.advice:
            advice = _wrapped(check.advice, screen, inside, "dim")
            lines += indent(advice, inside)
    return lines


def _guarantees(report: Report, screen: Screen) -> list[Line]:
    title = f"What survives here, with durability {report.durability}"
    lines = [line(Span(title, "strong"))]
    said = {one.text for one in report.guarantees}
    if len(said) == 1:
        return [*lines, *indent(_wrapped(said.pop(), screen, _MARGIN), _MARGIN)]
    for one in report.guarantees:
        text = f"{_ANSWERS.get(one.key, one.key)}: {one.text}"
        lines += indent(_wrapped(text, screen, _MARGIN), _MARGIN)
    return lines


def _summary(report: Report) -> Line:
    counted = Counter(check.status for check in report.checks)
    said = [
        count(counted[status], status)
        for status in ("problem", "warning", "note")
        if counted[status]
    ]
    role = _ROLES[report.worst]
    verdict = ", ".join(said) if said else "all is well"
    tried = count(len(report.checks), "check")
    return line(Span(verdict, role), f" in {tried}, {report.duration_s:.1f} s")


def _wrapped(text: str, screen: Screen, taken: int, role: str = "") -> list[Line]:
    """Break a text into lines that fit beside what takes some columns of each."""
    safe = escape(text)
    if screen.width is None:
        return [(Span(safe, role),)]
    parts = textwrap.wrap(
        safe, max(screen.width - taken, 20), break_on_hyphens=False
    ) or [""]
    return [(Span(part, role),) for part in parts]
