"""Nested values -> dotted names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["flatten"]


_OBJECT: Final = frozenset(["$type", "$fields"])


def flatten(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is no mapping under its keys, joined by dots.

    The fields of an object are those of a mapping, as Kedro has them in a name such as
    `params:model.lr`; the object's class is the value of `model` itself. A mapping that
    stands for one value, such as `{"$int": "..."}`, is one.
    """
    for key, value in values.items():
        name = f"{before}{key}"
        if not isinstance(value, Mapping) or not value:
            yield name, value
        elif value.keys() == _OBJECT and isinstance(value["$fields"], Mapping):
            yield name, {"$type": value["$type"]}
            yield from flatten(value["$fields"], name + ".")
        elif len(value) == 1 and next(iter(value))[:1] == "$":
            yield name, value
        else:
            yield from flatten(value, name + ".")
