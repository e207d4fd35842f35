"""Where values came from, as text."""

from __future__ import annotations

from collections.abc import Sequence

from kedro_journal.state import Trace

from .terminal import Screen, escape

__all__ = ["trace_view"]

_VALUE_MAX_CHARS = 400


def trace_view(session_id: str, found: Sequence[Trace], screen: Screen) -> str:
    """Return where each value came from, nearest place first."""
    lines = [screen.paint(f"session {escape(session_id)}", "dim")]
    for one in found:
        value = escape(repr(one.value))
        if len(value) > _VALUE_MAX_CHARS:
            value = value[:_VALUE_MAX_CHARS] + "..."
        lines.append(f"{screen.paint(escape(one.name), 'strong')} = {value}")
        lines.append(f"  from {escape(one.origin)}")
        lines += [f"  {screen.paint(escape(step), 'dim')}" for step in one.steps]
    return "\n".join(lines) + "\n"
