"""What Kedro finds by its entry points: `hooks` and `cli_hooks`.

Kedro asks for `hooks` whenever it makes a hook manager, and for `cli_hooks` with every
command. While the journal is switched off by its variable, both are an object without
hooks, and nothing else of this package is imported.
"""

from kedro_journal import _switch

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from typing import Any

__all__ = ["cli_hooks", "hooks", "say_if_unknown"]  # noqa: F822 - by `__getattr__`


class _NoHooks:
    """A plugin that has no hooks."""


_no_hooks = _NoHooks()
_said: set[str] = set()


def say_if_unknown() -> None:
    """Warn, once in a process, that a value which means nothing journals nothing.

    The workers of a run leave it to the process that started them.
    """
    value = _switch.unknown_value()
    if not value or value in _said:
        return
    _said.add(value)
    from multiprocessing import parent_process

    if parent_process() is not None:
        return
    import logging

    from kedro_journal.recording.say import say

    say(
        logging.WARNING,
        "Nothing is journaled: %s is %r, which has no meaning. It may be %s.",
        _switch.VARIABLE,
        value,
        _switch.ACCEPTED,
    )


def __getattr__(name: str) -> "Any":
    if name not in ("cli_hooks", "hooks"):
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if _switch.is_switched_off():
        if name == "hooks":  # a session is made; a command alone needs no warning
            say_if_unknown()
        return _no_hooks
    from kedro_journal.hooks import plugin

    return getattr(plugin, name)
