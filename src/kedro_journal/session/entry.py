"""What Kedro finds by its entry points: `hooks` and `cli_hooks`.

Kedro asks for `hooks` whenever it makes a hook manager, and for `cli_hooks` with every
command. While the journal is switched off by its variable, both are an object without
hooks, and nothing else of this package is imported.
"""

from kedro_journal import _switch

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from typing import Any

__all__ = ["cli_hooks", "hooks"]  # noqa: F822 - by `__getattr__`


class _NoHooks:
    """A plugin that has no hooks."""


_no_hooks = _NoHooks()


def __getattr__(name: str) -> "Any":
    if name not in ("cli_hooks", "hooks"):
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if _switch.is_switched_off():
        if name == "hooks" and _switch.unknown_value():
            # A session is made. A command alone needs no warning.
            from kedro_journal.recording.say import say_if_unknown

            say_if_unknown()
        return _no_hooks
    from kedro_journal.hooks import plugin

    return getattr(plugin, name)
