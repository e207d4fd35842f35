"""An event-sourced session journal for Kedro.

Every lifecycle transition of a session is appended, as a typed event, to that session's
own JSONL journal; everything else is derived from it:

    transition -> event -> line -> replay -> state -> view

`kedro_journal.session` is the Kedro side. This module reads journals. It imports Kedro
for `load_inputs` and `resume_plan` alone.

Its names are imported when they are asked for. Kedro imports this package for every
command, by entry point: that must cost nothing, and must not fail where a dependency
is missing.
"""

from kedro_journal._lazy import lazily
from kedro_journal._version import __version__

TYPE_CHECKING = not __name__  # type checkers know the name, and Jedi cannot tell
if TYPE_CHECKING:
    from kedro_journal import errors
    from kedro_journal.errors import JournalError
    from kedro_journal.events import Cursor, Record

    from .analysis import (
        Change,
        Comparison,
        Descendant,
        Descent,
        Difference,
        GroupFailure,
        GroupNode,
        GroupState,
        NodeTry,
        Origin,
        ResumePlan,
        Why,
    )
    from .recording.notes import note
    from .replaying import (
        Sessions,
        current,
        diff,
        explain,
        follow,
        made_from,
        records,
        replay,
        replay_group,
        sessions,
        trace,
        verify,
        why,
    )
    from .session.inputs import load_inputs
    from .session.resume.planning import resume_plan
    from .state import NodeState, RunState, SessionState, Trace

__all__ = [
    "Change",
    "Why",
    "explain",
    "Descendant",
    "Descent",
    "made_from",
    "Comparison",
    "Cursor",
    "Difference",
    "GroupFailure",
    "GroupNode",
    "GroupState",
    "JournalError",
    "NodeState",
    "NodeTry",
    "Origin",
    "Record",
    "ResumePlan",
    "RunState",
    "SessionState",
    "Sessions",
    "Trace",
    "__version__",
    "current",
    "diff",
    "errors",
    "follow",
    "load_inputs",
    "note",
    "records",
    "replay",
    "replay_group",
    "resume_plan",
    "sessions",
    "trace",
    "verify",
    "why",
]

_NAMES = {
    # These need no import of their own: `kedro_journal.session.KedroSession` is found.
    "": ("errors", "events", "journal", "session", "state"),
    "analysis": (
        *("Comparison", "Difference", "GroupFailure", "GroupNode", "GroupState"),
        *("Change", "Descendant", "Descent", "NodeTry", "Origin", "ResumePlan", "Why"),
    ),
    "errors": ("JournalError",),
    "events": ("Cursor", "Record"),
    "replaying": (
        *("Sessions", "current", "diff", "explain", "follow", "made_from", "records"),
        *("replay", "replay_group", "sessions", "trace", "verify", "why"),
    ),
    "recording.notes": ("note",),
    "session.inputs": ("load_inputs",),
    "session.resume.planning": ("resume_plan",),
    "state": ("NodeState", "RunState", "SessionState", "Trace"),
}
__getattr__, __dir__ = lazily(__name__, _NAMES)
