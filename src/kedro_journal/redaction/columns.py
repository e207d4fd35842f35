"""Look at many parts of events at once, one field of all of them at a time.

A plan has thousands of nodes, and each node several fields: to look at every field of
every node by itself takes most of the time that a plan costs.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .look import is_own

__all__ = ["are_ascii", "column_of", "is_of_one_class"]


def is_of_one_class(items: tuple[Any, ...]) -> bool:
    """Return whether all items are of one class of this package."""
    cls: Any = type(items[0]) if items else None
    if type(cls) is not type(msgspec.Struct) or not is_own(cls):
        return False
    return all(type(item) is cls for item in items)


def column_of(items: tuple[Any, ...], name: str, default: object) -> list[Any]:
    """Return the values of one field that are not its default."""
    return [one for item in items if (one := getattr(item, name)) is not default]


def are_ascii(values: list[Any]) -> bool:
    """Return whether all values are ASCII texts."""
    return all(type(one) is str for one in values) and "".join(values).isascii()
