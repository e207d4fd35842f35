"""An event-sourced session journal for Kedro.

Every lifecycle transition of a session is appended, as a typed event, to that session's
own JSONL journal; everything else is derived from it:

    transition -> event -> line -> replay -> state -> view

`kedro_journal.session` is the Kedro side. This module reads journals and never imports
Kedro.

Its names are imported when they are asked for. Kedro imports this package for every
command, by entry point: that must cost nothing, and must not fail where a dependency
is missing.
"""

import sys
from importlib import import_module
from types import ModuleType

from kedro_journal._version import __version__

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from typing import Any

    from kedro_journal import errors
    from kedro_journal.analysis import Change, Origin, Why
    from kedro_journal.errors import JournalError
    from kedro_journal.events import Cursor, Record
    from kedro_journal.replay import (
        Sessions,
        current,
        events,
        explain,
        follow,
        replay,
        replay_group,
        sessions,
        verify,
        why,
    )
    from kedro_journal.session.notes import note
    from kedro_journal.state import (
        GroupFailure,
        GroupNode,
        GroupState,
        NodeState,
        NodeTry,
        RunState,
        SessionState,
    )

__all__ = [
    "Change",
    "Cursor",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "JournalError",
    "NodeState",
    "NodeTry",
    "Origin",
    "Record",
    "RunState",
    "SessionState",
    "Sessions",
    "Why",
    "__version__",
    "current",
    "errors",
    "events",
    "explain",
    "follow",
    "note",
    "replay",
    "replay_group",
    "sessions",
    "verify",
    "why",
]

_NAMES = {
    "analysis": ("Change", "Origin", "Why"),
    "errors": ("JournalError",),
    "events": ("Cursor", "Record"),
    "replay": (
        *("Sessions", "current", "events", "explain", "follow"),
        *("replay", "replay_group", "sessions", "verify", "why"),
    ),
    "session.notes": ("note",),
    "state": (
        *("GroupFailure", "GroupNode", "GroupState", "NodeState", "NodeTry"),
        *("RunState", "SessionState"),
    ),
}
_HOME_OF = {name: home for home, names in _NAMES.items() for name in names}

_MODULES = ("errors", "journal", "session", "state")
"""These need no import of their own: `kedro_journal.session.KedroSession` is found."""


class _Package(ModuleType):
    """This module, which the import system tells of every subpackage it has imported.

    The functions `events` and `replay` stand in the place of the subpackages of the
    same names: `replay(...)` is what users call, `kedro_journal.replay.x` is what
    nobody does.
    """

    def __setattr__(self, name: str, value: object) -> None:
        mine = value is sys.modules.get(f"{__name__}.{name}")
        if mine and name in _HOME_OF:
            return
        super().__setattr__(name, value)
        if mine and name == "state":
            value.show_with(_html)  # type: ignore[attr-defined]


def __getattr__(name: str) -> "Any":
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    home = _HOME_OF.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    found = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    dunder = (name for name in globals() if name.startswith("__"))
    return sorted({*dunder, *__all__, *_MODULES})


def _html(value: object) -> str:
    """Show a state in a notebook, as of now; the view itself reads no clock."""
    from datetime import UTC, datetime  # noqa: PLC0415 - notebooks only

    from kedro_journal.views import Screen, html_view  # noqa: PLC0415

    return html_view(value, Screen(datetime.now(UTC)))


sys.modules[__name__].__class__ = _Package
