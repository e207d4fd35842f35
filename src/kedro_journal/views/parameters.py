"""The parameters of a session, and those that had no effect."""

from __future__ import annotations

from typing import Final

from kedro_journal.analysis.unused import unused_params
from kedro_journal.state import SessionState

from .derive import telling_parameters
from .table import pairs
from .terminal import Line, Screen, Span, indent, line
from .words import flatten, literal

__all__ = ["parameter_lines", "unused_lines"]

_PARAMETERS_SHOWN: Final = 12


def parameter_lines(state: SessionState, screen: Screen, *, whole: bool) -> list[Line]:
    """Return the parameters in force, a few or all; none if there are none.

    Those of the nodes that broke and those that were overridden come first.
    """
    found = flatten(state.parameters)
    environment = dict(state.environment)
    if state.context is not None:
        environment |= state.context.environment
    lines: list[Line] = []
    if found:
        first = telling_parameters(state)
        found.sort(key=lambda pair: not first(pair[0]))
        shown = found if whole else found[:_PARAMETERS_SHOWN]
        lines += [(), line(Span("Parameters in force", "strong"))]
        width = screen.width and screen.width - 2
        rows = [(key, line(literal(value))) for key, value in shown]
        lines += indent(pairs(rows, width))
        if len(shown) < len(found):
            rest = f"  ... {len(found) - len(shown)} more; --parameters shows all"
            lines.append(line(Span(rest, "dim")))
    if whole and environment:
        lines += [(), line(Span("Environment variables", "strong"))]
        lines += indent(pairs([(k, line(v)) for k, v in environment.items()], None))
    return lines


def unused_lines(state: SessionState) -> list[Line]:
    """Warn of runtime parameters that match nothing: they may be mistyped."""
    return [
        line(
            Span("  Warning: ", "warn"),
            f"{name} was given (--params), and overrides no configured parameter; "
            "no node loads it.",
        )
        for name in unused_params(state)
    ]
