"""The variable that switches the journal off, and the one parser of it.

Kedro loads this in every process in which this package is installed. Nothing but `os`
is imported here.
"""

import os

TYPE_CHECKING = False  # what type checkers know by this name, without importing typing
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACCEPTED", "VARIABLE", "is_switched_off", "truth", "unknown_value"]

VARIABLE = "KEDRO_JOURNAL_DISABLE"
_TRUTH = {
    **dict.fromkeys(("", "0", "false", "no", "n", "off"), False),
    **dict.fromkeys(("1", "true", "yes", "y", "on"), True),
}
_SHOWN_MAX = 40
ACCEPTED = "1, true, yes, y or on to journal nothing; 0, false, no, n or off to journal"
"""The values that `VARIABLE` may have, as a part of a sentence."""


def truth(text: str) -> bool | None:
    """Return what the text of a boolean variable means; None if it means nothing."""
    return _TRUTH.get(text.strip().lower())


def is_switched_off(environ: "Mapping[str, str] | None" = None) -> bool:
    """Return whether `VARIABLE` asks for no journal.

    A value that means nothing counts: it was not meant to say "journal".

    Args:
        environ: The environment; None for that of this process.
    """
    text = (os.environ if environ is None else environ).get(VARIABLE)
    return text is not None and truth(text) is not False


def unknown_value() -> str:
    """Return the value of `VARIABLE` that means nothing, empty if it means something.

    It is cut to a few characters.
    """
    text = os.environ.get(VARIABLE, "")
    return text.strip()[:_SHOWN_MAX] if truth(text) is None else ""
