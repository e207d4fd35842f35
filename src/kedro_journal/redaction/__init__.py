"""Make any value safe to write: plain JSON, bounded, without secrets. Pure.

An append-only file cannot be cleaned later, so everything goes through here before it
is encoded, and what cannot be judged is left out (fail closed). Three ways to be a
secret: the name of the key says so, the shape of the text says so, or the value was
registered, as every value found under such a name is, and as the caller does with
credentials and the environment.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .limits import FAILED, REDACTED
    from .names import is_secret_name
    from .redactor import Redactor

__all__ = ["FAILED", "REDACTED", "Redactor", "is_secret_name"]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "limits": ("FAILED", "REDACTED"),
        "names": ("is_secret_name",),
        "redactor": ("Redactor",),
    },
)
