"""The type of a moment, which no test replaces.

freezegun puts a class of its own in the place of `datetime` in every module that has
that name, for as long as time is frozen. msgspec looks names up when a decoder is
built, and has no decoder for that class, nor an encoder for its values. So the fields
of structs are of the type `Instant`.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Annotated, Final

__all__ = ["EPOCH", "Instant"]


def _real_class() -> type[datetime.datetime]:
    """Return Python's own class; this module may be imported while time is frozen."""
    bases = reversed(datetime.datetime.__mro__)
    return next(base for base in bases if base.__name__ == "datetime")


EPOCH: Final = _real_class()(1970, 1, 1, tzinfo=datetime.UTC)
"""The beginning of 1970; its class is Python's own, whatever `datetime` is."""

# Within another object: freezegun replaces the class where a module names it.
if TYPE_CHECKING:
    Instant = datetime.datetime
else:
    Instant = Annotated[type(EPOCH), "with a time zone"]
