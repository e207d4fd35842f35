"""Where values came from, as text."""

from __future__ import annotations

from collections.abc import Sequence

from kedro_journal.state import Trace

from .terminal import Screen, escape
from .words import literal

__all__ = ["trace_view"]

_VALUE_MAX_CHARS = 400


def _value(value: object) -> str:
    """Return a value as Python writes it; what JSON has not, as parameters show it."""
    if isinstance(value, dict) and len(value) == 1 and next(iter(value))[:1] == "$":
        return literal(value)
    return repr(value)


def trace_view(session_id: str, found: Sequence[Trace], screen: Screen) -> str:
    """Return where each value came from, nearest place first."""
    lines = [screen.paint(f"session {escape(session_id)}", "dim")]
    for one in found:
        value = escape(_value(one.value))
        if len(value) > _VALUE_MAX_CHARS:
            value = value[:_VALUE_MAX_CHARS] + "..."
        lines.append(f"{screen.paint(escape(one.name), 'strong')} = {value}")
        lines.append(f"  from {escape(one.origin)}")
        lines += [f"  {screen.paint(escape(step), 'dim')}" for step in one.steps]
    return "\n".join(lines) + "\n"
