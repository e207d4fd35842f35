"""Where a file came from, as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from kedro_journal.analysis import Origin

from .terminal import Line, Screen, Span, clip, line, render
from .words import date_and_time, literal

__all__ = ["origin_data", "origin_view"]

_VALUE_MAX: Final = 60
_BYTES: Final = {
    "same": ("", ""),
    "changed": ("changed since then", "bad"),
    "gone": ("no longer there", "warn"),
    "not known": ("whether it is still the same is not known", "dim"),
}


def origin_view(origin: Origin, screen: Screen) -> str:
    """Return a dataset with everything that it was made from, as a tree."""
    lines = [clip(one, screen.width) for one in _lines(origin, screen, "", "", "")]
    return render(lines, screen.paint)


def origin_data(origin: Origin) -> dict[str, Any]:
    """Return the tree as plain data, for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(origin)
    return found


def _lines(
    one: Origin, screen: Screen, head: str, rest: str, reader: str
) -> Iterator[Line]:
    where = one.path or "in memory"
    words, role = _BYTES[one.bytes] if one.path else ("", "")
    if one.bytes == "changed" and one.difference:
        words = f"{words}: {one.difference}"
    yield line(
        Span(head, "dim"), Span(one.dataset, "strong"), f"  {where}",
        Span(f"  {words}" if words else "", role),
    )  # fmt: skip
    body = rest + ("│  " if one.inputs else "   ")
    for text in _facts(one, screen, reader):
        yield line(Span(body, "dim"), text)
    for number, each in enumerate(one.inputs, 1):
        last = number == len(one.inputs)
        yield from _lines(
            each,
            screen,
            rest + ("└─ " if last else "├─ "),
            rest + ("   " if last else "│  "),
            one.node,
        )


def _facts(one: Origin, screen: Screen, reader: str) -> Iterator[Span]:
    if not one.session_id:
        record = f", record {one.record}" if one.record else ""
        yield Span(f"no session saved it; loaded by node {reader}{record}", "dim")
        return
    when = f", {date_and_time(one.saved_at, screen)}" if one.saved_at else ""
    yield Span(f"node {one.node}, session {one.session_id}, record {one.record}{when}")
    if one.repeated:
        yield Span("told above", "dim")
        return
    code = [part for part in (one.function, one.source) if part]
    if one.commit:
        code.append(f"commit {one.commit}")
    if code:
        yield Span(", ".join(code), "dim")
    for parameter in one.parameters:
        value = literal(parameter.value)
        if len(value) > _VALUE_MAX:
            value = value[:_VALUE_MAX] + "..."
        yield Span(f"{parameter.name} = {value}, from {parameter.origin}", "dim")
