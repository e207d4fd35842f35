"""What `verify` found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from kedro_journal.journal import Finding, Verification

from .terminal import Line, Screen, Span, line, render
from .words import bytes_size, count

__all__ = ["finding_lines", "verification_view"]

_ROLES: Final = {"error": "bad", "warning": "warn", "info": "dim"}


def finding_lines(findings: Sequence[Finding]) -> list[Line]:
    """Give one line per finding: severity, kind, byte, record before, loss, words."""
    return [_finding(finding) for finding in findings]


def _finding(finding: Finding) -> Line:
    role = _ROLES.get(finding.severity, "")
    where = f"  {finding.kind} at byte {finding.offset}, after record {finding.seq}"
    lost = f", {count(finding.lost, 'record')} lost" if finding.lost else ""
    detail = f": {finding.detail}" if finding.detail else ""
    return line(Span(f"{finding.severity:<7}", role), where, lost, detail)


def verification_view(session_id: str, found: Verification, screen: Screen) -> str:
    """Give the health of one journal: a summary line, then every finding."""
    verdict = Span("ok", "good") if found.ok else Span("damaged", "bad")
    end = "closed" if found.closed else "not closed"
    size = bytes_size(found.size_bytes)
    summary = f"  {count(found.records, 'record')}, {size}, {end}"
    lines = [line(Span(session_id, "strong"), "  ", verdict, summary)]
    lines += [line("  ", one) for one in finding_lines(found.findings)]
    lost = sum(finding.lost for finding in found.findings)
    if not found.ok and lost:
        lines.append(line(f"  {count(lost, 'record')} known to be lost"))
    return render(lines, screen.paint)
