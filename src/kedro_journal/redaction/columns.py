"""Look at many parts of events at once, one field of all of them at a time.

A plan has thousands of nodes, and each node several fields: to look at every field of
every node by itself takes most of the time that a plan costs.
"""

from __future__ import annotations

import operator
from typing import Any, Final

import msgspec

from .look import is_own

__all__ = ["are_ascii", "column_of", "is_of_one_class"]


_TEXTS: Final = frozenset([str])


def is_of_one_class(items: tuple[Any, ...]) -> bool:
    """Return whether all items are of one class of this package."""
    cls: Any = type(items[0]) if items else None
    if type(cls) is not type(msgspec.Struct) or not is_own(cls):
        return False
    return all(type(item) is cls for item in items)


def column_of(items: tuple[Any, ...], name: str, default: object) -> list[Any]:
    """Return the values of one field that are not its default."""
    every = map(operator.attrgetter(name), items)
    return [one for one in every if one is not default]


def are_ascii(values: list[Any]) -> bool:
    """Return whether all values are ASCII texts."""
    return _TEXTS.issuperset(map(type, values)) and "".join(values).isascii()
