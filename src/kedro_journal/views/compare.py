"""What differs between sessions, as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET

from kedro_journal.state import Comparison, Difference

from .terminal import Screen, escape

__all__ = ["comparison_view"]

_HASHED: Final = frozenset({"packages", "source files"})
_VALUE_MAX_CHARS: Final = 200


def comparison_view(steps: Sequence[Comparison], screen: Screen) -> str:
    """Tell of each step what differs, and what it added or did anew."""
    return "\n".join(_step(one, screen) for one in steps)


def _step(one: Comparison, screen: Screen) -> str:
    names = f"{escape(one.before)} -> {escape(one.after)}"
    lines = [f"{screen.paint(names, 'strong')}  {escape(one.verdict)}"]
    lines += [_line(each.kind, _difference(each)) for each in one.differences]
    for word, nodes in (
        ("added", one.added),
        ("anew", one.anew),
        ("kept", one.kept),
        ("broke", one.broken),
    ):
        if nodes:
            lines.append(_line(word, ", ".join(map(escape, nodes))))
    for word, datasets in (
        ("saved", one.datasets_added),
        ("saved anew", one.datasets_anew),
    ):
        if datasets:
            lines.append(_line(word, _datasets(datasets)))
    if len(lines) == 1:
        lines.append("  nothing differs")
    return "\n".join(lines) + "\n"


def _line(word: str, text: str) -> str:
    return f"  {word:<13}  {text}"


def _difference(one: Difference) -> str:
    name = escape(one.name)
    if one.kind in ("code", "configuration") or one.name in _HASHED:
        if one.was is UNSET or one.now is UNSET:
            return f"{name}: {'new' if one.was is UNSET else 'gone'}"
        return f"{name}: changed"
    if one.now is UNSET:
        return f"{name}: gone, was {_value(one.was)}"
    if one.was is UNSET:
        return f"{name}: {_value(one.now)}, was not there"
    return f"{name}: {_value(one.now)}, was {_value(one.was)}"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if len(text) > _VALUE_MAX_CHARS:
        text = text[:_VALUE_MAX_CHARS] + "..."
    return escape(text)


def _datasets(datasets: Mapping[str, str | None]) -> str:
    return ", ".join(
        escape(name) + (f" ({escape(version)})" if version else "")
        for name, version in datasets.items()
    )
