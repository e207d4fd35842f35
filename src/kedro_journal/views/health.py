"""What `verify` found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from kedro_journal.journal import Finding, Verification

from .table import Column, table
from .terminal import Line, Screen, Span, line, render
from .words import bytes_size, count

__all__ = ["finding_lines", "verification_view"]

_COLUMNS: Final = (
    Column("severity"),
    Column("finding"),
    Column("byte", right=True),
    Column("after record", right=True),
    Column("lost", right=True),
    Column("detail"),
)
_ROLES: Final = {"error": "bad", "warning": "warn", "info": "dim"}


def finding_lines(findings: Sequence[Finding]) -> list[Line]:
    """Return a table of findings: severity, kind, byte, record before, loss, words.

    Records of unknown types are no damage, and a journal of a newer version may consist
    of them. The first of them stands for all.
    """
    findings = list(_folded(findings))
    rows = [
        (
            line(Span(finding.severity, _ROLES.get(finding.severity, ""))),
            line(finding.kind),
            line(str(finding.offset)),
            line(str(finding.seq)),
            line(str(finding.lost) if finding.lost else ""),
            line(Span(finding.detail, "dim")),
        )
        for finding in findings
    ]
    return table(_COLUMNS, rows, None) if rows else []


def _folded(findings: Sequence[Finding]) -> Iterator[Finding]:
    unknown = [one for one in findings if one.kind == "unknown event"]
    for finding in findings:
        if finding.kind != "unknown event":
            yield finding
        elif finding is unknown[0]:
            more = f"; {len(unknown) - 1} more like it" if len(unknown) > 1 else ""
            yield replace(finding, detail=f"{finding.detail}{more}")


def verification_view(session_id: str, found: Verification, screen: Screen) -> str:
    """Return the health of one journal: a summary line, then the findings."""
    verdict = Span("ok", "good") if found.ok else Span("damaged", "bad")
    end = "closed" if found.closed else "not closed"
    size = bytes_size(found.size_bytes)
    summary = f"  {count(found.records, 'record')}, {size}, {end}"
    lines = [line(Span(session_id, "strong"), "  ", verdict, summary)]
    if found.unknown:
        some = f"{count(found.unknown, 'record')} of types unknown to this version"
        if found.newer_format:
            some = (
                "written by a newer version of kedro-journal (format "
                f"{found.newer_format}): upgrade to read it; {some}"
            )
        lines.append(
            line("  ", Span(f"{some}: only their checksums were checked", "warn"))
        )
    lines += [line("  ", one) for one in finding_lines(found.findings)]
    lost = sum(finding.lost for finding in found.findings)
    if not found.ok and lost:
        lines.append(line(f"  {count(lost, 'record')} known to be lost"))
    return render(lines, screen.paint)
