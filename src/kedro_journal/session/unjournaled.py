"""The session class of a project in whose environment ours does not import.

`SESSION_CLASS = KedroSession` in settings.py must not stop every command because a
dependency of ours is missing or broken. Kedro and the standard library are all that is
imported here.
"""

from __future__ import annotations

from typing import Any

from kedro.framework.session import KedroSession

from kedro_journal.hooks.plugin import hooks

__all__ = ["unjournaled"]


def unjournaled(error: Exception) -> type[KedroSession]:
    """Return Kedro's own session class, which says why nothing is journaled."""

    class UnjournaledSession(KedroSession):
        """Kedro's session, without a journal."""

        @classmethod
        def create(cls, *args: Any, **kwargs: Any) -> KedroSession:
            """Make a session, as Kedro does."""
            hooks.give_up(error)
            return super().create(*args, **kwargs)

    return UnjournaledSession
