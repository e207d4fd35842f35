"""TRANSITION: the Kedro side. Sessions that journal themselves, and their hooks.

Nothing is imported before it is asked for: Kedro imports `hooks.plugin` by entry
point for every command, and whatever failed to import here would stop them all.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOMES = {
    "KedroServiceSession": "service",  # needs Kedro 1.4
    "KedroSession": "session",
    "get_current_session": "current",
    "resume_plan": "resume.planning",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    try:
        return getattr(import_module(f"{__name__}.{home}"), name)
    except Exception as error:
        # Imported here: a switched-off journal imports nothing but its switch.
        from kedro_journal._outside import let_through

        let_through(error)
        if name != "KedroSession":
            raise
        # It stands in settings.py: `kedro run` must go on without the journal.
        return import_module(f"{__name__}.unjournaled").unjournaled(error)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
