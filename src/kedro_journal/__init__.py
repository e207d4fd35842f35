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

from kedro_journal._lazy import lazily
from kedro_journal._version import __version__

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from kedro_journal import errors
    from kedro_journal.errors import JournalError
    from kedro_journal.events import Cursor, Record

    from .analysis import GroupFailure, GroupNode, GroupState, NodeTry
    from .recording.notes import note
    from .replaying import (
        Sessions,
        current,
        follow,
        records,
        replay,
        replay_group,
        sessions,
        verify,
    )
    from .state import NodeState, RunState, SessionState

__all__ = [
    "Cursor",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "JournalError",
    "NodeState",
    "NodeTry",
    "Record",
    "RunState",
    "SessionState",
    "Sessions",
    "__version__",
    "current",
    "errors",
    "follow",
    "note",
    "records",
    "replay",
    "replay_group",
    "sessions",
    "verify",
]

_NAMES = {
    # These need no import of their own: `kedro_journal.session.KedroSession` is found.
    "": ("errors", "events", "journal", "session", "state"),
    "analysis": ("GroupFailure", "GroupNode", "GroupState", "NodeTry"),
    "errors": ("JournalError",),
    "events": ("Cursor", "Record"),
    "replaying": (
        *("Sessions", "current", "follow", "records"),
        *("replay", "replay_group", "sessions", "verify"),
    ),
    "recording.notes": ("note",),
    "state": ("NodeState", "RunState", "SessionState"),
}
__getattr__, __dir__ = lazily(__name__, _NAMES)
