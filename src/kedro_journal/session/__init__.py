"""Session: the API of a session that journals itself.

Main modules:
    session: `KedroSession`. service: `KedroServiceSession`, many runs in one session.
    lifecycle: what both share: a journal that lives as long as the session.
    current: `get_current_session()`. store: `session.store`. arguments, binding: how a
        session is made, and how our hooks get into it.
    recorded_node: a node with the inputs it had, to be called again. inputs: the same
        inputs alone.
    entry: what Kedro's entry points name. unjournaled: the class without a journal.
    resume: run what an earlier session left.

Invariants:
    A session behaves as Kedro's own does, whether it is journaled or not.
    The journal of a session has one owner, which is the process that opened it.

Who may write: the session, through its recorder.

Nothing is imported before it is asked for: Kedro imports `hooks.plugin` by entry
point for every command, and whatever failed to import here would stop them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .current import get_current_session
    from .recorded_node import RecordedNode, open_node
    from .resume.planning import resume_plan
    from .service import KedroServiceSession
    from .session import KedroSession

__all__ = [
    "KedroServiceSession",
    "KedroSession",
    "RecordedNode",
    "get_current_session",
    "open_node",
    "resume_plan",
]

_find, __dir__ = lazily(
    __name__,
    {
        "current": ("get_current_session",),
        "recorded_node": ("RecordedNode", "open_node"),
        "resume.planning": ("resume_plan",),
        "service": ("KedroServiceSession",),  # needs Kedro 1.4
        "session": ("KedroSession",),
    },
)


def __getattr__(name: str) -> Any:
    try:
        return _find(name)
    except Exception as error:
        # Imported here: a switched-off journal imports nothing but its switch.
        from kedro_journal._outside import let_through

        let_through(error)
        if name != "KedroSession":
            raise
        # It stands in settings.py: `kedro run` must go on without the journal.
        return import_module(f"{__name__}.unjournaled").unjournaled(error)
