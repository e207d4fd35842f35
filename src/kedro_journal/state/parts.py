"""A context that was recorded in parts -> the whole of it. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from kedro_journal.events import ContextLoaded

__all__ = ["with_part"]


def with_part(before: ContextLoaded | None, event: ContextLoaded) -> ContextLoaded:
    """Add a further part of a context to what came before it."""
    if event.part == 1 or before is None:
        return event
    return replace(
        before,
        parameters={**before.parameters, **event.parameters},
        parameters_cut={**before.parameters_cut, **event.parameters_cut},
        catalog=before.catalog + event.catalog,
        parameter_sources=before.parameter_sources + event.parameter_sources,
        left_out=before.left_out + event.left_out,
    )
