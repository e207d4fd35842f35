"""How a state shows itself in a notebook, though this package knows no view."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

__all__ = ["Short", "Shown", "html_of", "show_with"]

_views: Final[list[Callable[[object], str]]] = []


def show_with(view: Callable[[object], str]) -> None:
    """Let *view* make the HTML of every state from now on; it must be pure."""
    _views[:] = [view]


def html_of(value: object) -> str | None:
    """Give a value as HTML, None if there is no view: then its repr is shown."""
    return _views[0](value) if _views else None


class Short(msgspec.Struct, frozen=True):
    """A value whose `repr` is one line, in IPython too."""

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show the short form in IPython, which would print every field."""
        printer.text(repr(self))


class Shown(Short, frozen=True, omit_defaults=True):
    """A state that notebooks show as HTML."""

    def _repr_html_(self) -> str | None:
        return html_of(self)
