"""How a state shows itself in a notebook, though this package knows no view."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec

__all__ = ["Short", "Shown", "html_of"]


def html_of(value: object) -> str:
    """Return a value as HTML, as IPython asks for it.

    The view is above this package. It is looked up by its name when a notebook asks,
    so that nothing here depends on it and no state is kept.
    """
    html: str = import_module("kedro_journal.notebook").html_now(value)
    return html


class Short(msgspec.Struct, frozen=True):
    """A value whose `repr` is one line, in IPython too."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the short form in IPython, which would print every field."""
        printer.text(repr(self))


class Shown(Short, frozen=True, omit_defaults=True):
    """A state that notebooks show as HTML."""

    def _repr_html_(self) -> str:
        return html_of(self)
