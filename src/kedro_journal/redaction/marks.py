"""Which fields of an event need no redaction, and which are names.

The marks stand on the fields themselves, in `Meta(extra=...)`; see `events.base`. A
field without a mark is free text unless its type cannot hold a text at all.
"""

from __future__ import annotations

import functools
import re
import sys
from typing import Any, Final, NamedTuple

import msgspec

__all__ = ["NO_MARKS", "Marks", "marks_of"]

# int, float, bool or None and unions of them, alone or in Annotated[...].
_NUMBER: Final = re.compile(
    r"(?:Annotated\[)?(?:<class ')?(?:int|float|bool)(?:'>)?"
    r"(?: \| (?:int|float|bool|None))*(?:,|\Z)"
)


class Marks(NamedTuple):
    """The marked fields of one class.

    Attributes:
        plain: Fields that are written as they are.
        names: Fields that identify something, see `Identities`.
    """

    plain: frozenset[str]
    names: frozenset[str]


NO_MARKS: Final = Marks(frozenset(), frozenset())


@functools.lru_cache(maxsize=256)
def marks_of(cls: type[msgspec.Struct]) -> Marks:
    """Return the marked fields of an event type or of a part of an event.

    The annotations are read as the text that they are in the source: to evaluate those
    of all events would take a quarter of the time that a run takes to start.
    """
    plain, names = set[str](), set[str]()
    module = sys.modules.get(cls.__module__)
    written: dict[str, Any] = cls.__annotations__
    for name in cls.__struct_fields__:
        kind = str(written.get(name, ""))
        if kind.isidentifier():  # an alias, such as NodeName
            alias = getattr(module, kind, None)
            one = next(iter(getattr(alias, "__metadata__", ())), None)
            extra = getattr(one, "extra", None) or {}
            is_name, is_plain = bool(extra.get("name")), bool(extra.get("plain"))
            kind = str(getattr(alias, "__origin__", kind))
        else:
            is_name, is_plain = "extra=NAME" in kind, "extra=PLAIN" in kind
        if is_name:
            names.add(name)
        elif is_plain or _NUMBER.match(kind):
            plain.add(name)
    return Marks(frozenset(plain), frozenset(names))
