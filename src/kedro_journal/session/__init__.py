"""TRANSITION: the Kedro side. Sessions that journal themselves, and their hooks.

Nothing is imported before it is asked for: Kedro imports `hooks.plugin` by entry
point for every command, and whatever failed to import here would stop them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .current import get_current_session
    from .resume.planning import resume_plan
    from .service import KedroServiceSession
    from .session import KedroSession

__all__ = [
    "KedroServiceSession",
    "KedroSession",
    "get_current_session",
    "resume_plan",
]

_find, __dir__ = lazily(
    __name__,
    {
        "current": ("get_current_session",),
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
