"""What was made from a file, as a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from kedro_journal.analysis import Descendant, Descent

from .terminal import Line, Screen, Span, clip, line, render
from .words import count, date_and_time

__all__ = ["descent_data", "descent_view"]

_BYTES: Final = {
    "same": "",
    "changed": "changed since then",
    "gone": "no longer there",
    "not known": "whether it is still the same is not known",
}
_MADE_FROM: Final = {
    "same": "",
    "changed": "made from an earlier state of {path}",
    "gone": "made from a state of {path} that is no longer there",
    "not known": "whether {path} still is what it was made from is not known",
}


def descent_view(descent: Descent, screen: Screen) -> str:
    """Return what was made from a file, nearest first; data in memory is counted."""
    lines = [clip(one, screen.width) for one in _lines(descent, screen)]
    return render(lines, screen.paint)


def descent_data(descent: Descent) -> dict[str, Any]:
    """Return what was made from a file as plain data, for JSON."""
    found: dict[str, Any] = msgspec.to_builtins(descent)
    return found


def _lines(descent: Descent, screen: Screen) -> Iterator[Line]:
    number = count(descent.sessions, "session")
    names = ", ".join(descent.datasets)
    yield line(Span(descent.path, "strong"), f"  loaded as {names} in {number}")
    stored = [one for one in descent.made if one.path]
    if not descent.made:
        yield line(Span("nothing that was made from it was saved", "dim"))
    for one in stored:
        yield from _one(one, descent.path, screen)
    rest = len(descent.made) - len(stored)
    if rest:
        text = f"and {count(rest, 'dataset')} in memory; --json has them"
        yield line(Span(text, "dim"))


def _one(one: Descendant, path: str, screen: Screen) -> Iterator[Line]:
    words = _BYTES[one.bytes]
    if one.bytes == "changed" and one.difference:
        words = f"{words}: {one.difference}"
    role = "dim" if one.bytes == "not known" else "warn"
    yield line(
        Span(one.dataset, "strong"), f"  {one.path}",
        Span(f"  {words}" if words else "", role),
    )  # fmt: skip
    when = f", {date_and_time(one.saved_at, screen)}" if one.saved_at else ""
    made = f"   node {one.node}, session {one.session_id}, record {one.record}{when}"
    if one.sessions > 1:
        made += f"; made from it in {one.sessions} sessions"
    yield line(made)
    if one.distance > 1:
        over = f", by {', '.join(one.loaded)}" if one.loaded else ""
        yield line(
            Span(f"   {count(one.distance, 'node')} after the file{over}", "dim")
        )
    state = _MADE_FROM[one.made_from].format(path=path)
    if state:
        yield line(Span(f"   {state}", "warn"))
    code = [part for part in (one.function, one.source) if part]
    if one.commit:
        code.append(f"commit {one.commit}")
    if code:
        yield line(Span(f"   {', '.join(code)}", "dim"))
