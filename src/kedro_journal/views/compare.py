"""What differs between sessions, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from kedro_journal.analysis import Comparison, Difference

from .terminal import Screen, escape
from .words import count

__all__ = ["comparison_view"]

_HASHED: Final = frozenset({"packages", "source files"})
_VALUE_MAX_CHARS: Final = 200


def comparison_view(steps: Sequence[Comparison], screen: Screen) -> str:
    """Return for each step what differs, what is new and how much ran again."""
    return "\n".join(_step(one, screen) for one in steps)


def _step(one: Comparison, screen: Screen) -> str:
    names = f"{escape(one.before)} -> {escape(one.after)}"
    lines = [f"{screen.paint(names, 'strong')}  {escape(one.verdict)}"]
    lines += [_line(_kind(each), _difference(each)) for each in one.differences]
    for word, nodes in (
        ("broke", one.broken),
        ("completed", one.added),
        ("reused", one.kept),
        ("not run", one.left_out),
    ):
        if nodes:
            lines.append(_line(word, ", ".join(map(escape, nodes))))
    if one.datasets_added:
        lines.append(_line("saved", _datasets(one.datasets_added)))
    if one.anew:
        lines.append(_line("ran again", count(len(one.anew), "node")))
    if one.datasets_anew:
        lines.append(_line("saved again", count(len(one.datasets_anew), "dataset")))
    if len(lines) == 1:
        lines.append("  nothing differs")
    return "\n".join(lines) + "\n"


def _line(word: str, text: str) -> str:
    return f"  {word:<13}  {text}"


def _kind(one: Difference) -> str:
    return "code" if one.name == "source files" else one.kind


def _difference(one: Difference) -> str:
    name = escape(one.name)
    if name == "source files":
        name = "project source files"
    if one.kind in ("code", "configuration") or one.name in _HASHED:
        if one.was is UNSET or one.now is UNSET:
            return f"{name}: {'added' if one.was is UNSET else 'removed'}"
        return f"{name}: changed"
    return f"{name}: {_value(one.was)} -> {_value(one.now)}"


def _value(value: Any) -> str:
    if value is UNSET:
        return "(not set)"
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > _VALUE_MAX_CHARS:
        text = text[:_VALUE_MAX_CHARS] + "..."
    return escape(text)


def _datasets(datasets: Mapping[str, str | None]) -> str:
    return ", ".join(
        escape(name) + (f" ({escape(version)})" if version else "")
        for name, version in datasets.items()
    )
