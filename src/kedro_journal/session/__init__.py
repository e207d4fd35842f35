"""TRANSITION: the Kedro side. Sessions that journal themselves, and their hooks."""

from typing import TYPE_CHECKING, Any

from .current import get_current_session
from .session import KedroSession

if TYPE_CHECKING:
    from .service import KedroServiceSession

__all__ = ["KedroServiceSession", "KedroSession", "get_current_session"]


def __getattr__(name: str) -> Any:
    # Kedro before 1.4 has no service session; the others work without it.
    if name == "KedroServiceSession":
        from .service import KedroServiceSession

        return KedroServiceSession
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
