"""An event-sourced session journal for Kedro.

Every lifecycle transition of a session is appended, as a typed event, to that session's
own JSONL journal; everything else is derived from it:

    transition -> event -> line -> replay -> state -> view

`kedro_journal.session` is the Kedro side. This module reads journals and never imports
Kedro.
"""

from kedro_journal import errors
from kedro_journal._version import __version__
from kedro_journal.errors import JournalError
from kedro_journal.events import Cursor, Record
from kedro_journal.replay import (
    Sessions,
    current,
    events,
    follow,
    replay,
    replay_group,
    sessions,
    verify,
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
    show_with,
)

# The function replaces the subpackage of the same name on purpose: `replay(...)` is
# what users call, `kedro_journal.replay.x` is what nobody does.

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
    "events",
    "follow",
    "note",
    "replay",
    "replay_group",
    "sessions",
    "verify",
]


def _html(value: object) -> str:
    """Show a state in a notebook, as of now; the view itself reads no clock."""
    from datetime import UTC, datetime  # noqa: PLC0415 - notebooks only

    from kedro_journal.views import Screen, html_view  # noqa: PLC0415

    return html_view(value, Screen(datetime.now(UTC)))


show_with(_html)
