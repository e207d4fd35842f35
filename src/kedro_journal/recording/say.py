"""Return the user, without ever breaking the run for it.

Only the standard library is imported here: this says that something else is missing.
"""

from __future__ import annotations

import logging
from typing import Final

from kedro_journal import _switch
from kedro_journal._outside import suppress

__all__ = ["say", "say_if_unknown"]

_logger: Final = logging.getLogger("kedro_journal")
_warned: Final[set[str]] = set()


def say(level: int, text: str, *values: object, error: object = None) -> None:
    """Log a message under our name. Never raises.

    Kedro's handler takes `[...]` in a message for markup: it would leave out
    `[tool.kedro_journal]`, and raise at `[/x]`. A handler of the user's may raise as
    well.

    Args:
        level: As in `logging`.
        text: The message, without our name.
        values: What goes into its places.
        error: An exception whose traceback goes with it.
    """
    with suppress(Exception):
        message = f"kedro-journal: {text}"
        _logger.log(
            level,
            message,
            *values,
            exc_info=error if isinstance(error, BaseException) else None,
            extra={"markup": False},
            stacklevel=2,
        )


def say_if_unknown() -> None:
    """Warn, once in a process, that an unknown value of the switch journals nothing.

    Worker processes leave the warning to the process that started them.
    """
    value = _switch.unknown_value()
    if not value or value in _warned:
        return
    _warned.add(value)
    from multiprocessing import parent_process

    if parent_process() is not None:
        return
    say(
        logging.WARNING,
        "Nothing is journaled: %s is %r, which has no meaning. It may be %s.",
        _switch.VARIABLE,
        value,
        _switch.ACCEPTED,
    )
