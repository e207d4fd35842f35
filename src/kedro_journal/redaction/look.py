"""Look into the user's values without running the user's code.

A `__repr__`, `__str__`, `__iter__` or `__eq__` may raise, never end, or fetch a table
from a cluster, in the middle of the user's run. Values are therefore distinguished by
their type alone, and only methods of built-in types are called on them.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import re
import sys
import types
import uuid
from collections import UserDict, UserList, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, Literal, NamedTuple

import msgspec

from .marks import marks_of

__all__ = [
    "Inside",
    "exact_text",
    "is_own",
    "key_text",
    "look_inside",
    "shown",
    "told_fields",
    "type_name",
]

KEY_MAX_ITEMS: Final = 20
_BYTES_SHOWN_MAX: Final = 200
# Classes whose own `__repr__` is short, quick, and calls no other code.
_TELLING: Final = frozenset(
    [
        *(complex, range, type(...), type(NotImplemented), decimal.Decimal),
        *(fractions.Fraction, uuid.UUID, datetime.timedelta, datetime.timezone),
        re.Pattern,
    ]
)
_NAMED: Final = (
    *(types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type),
)
_PATHS: Final = frozenset(["pathlib", "upath"])  # packages whose paths are only texts


class Inside(NamedTuple):
    """What a value holds.

    Attributes:
        kind: `fields` are those of an object, a data class or the like.
        items: Its items with their keys; the key is None where there is none.
        total: How many.
    """

    kind: Literal["mapping", "sequence", "set", "fields"]
    items: Iterable[tuple[Any, Any]]
    total: int


def look_inside(value: Any) -> Inside | None:  # noqa: PLR0911 - one for each kind
    """Return what a container holds; None if the value is no known container."""
    cls = type(value)
    if issubclass(cls, msgspec.Struct):
        return _fields(
            value, told_fields(cls) if is_own(cls) else cls.__struct_fields__
        )
    if issubclass(cls, dict):
        return Inside("mapping", dict.items(value), dict.__len__(value))
    if issubclass(cls, list):
        return _sequence(list.__iter__(value), list.__len__(value))
    if issubclass(cls, tuple):
        return _tuple(value, cls)
    if issubclass(cls, set):
        return _sequence(set.__iter__(value), set.__len__(value), "set")
    if issubclass(cls, frozenset):
        return _sequence(frozenset.__iter__(value), frozenset.__len__(value), "set")
    if issubclass(cls, deque):
        return _sequence(deque.__iter__(value), deque.__len__(value))
    if issubclass(cls, (UserDict, UserList)):
        return look_inside(_fields_of(value).get("data"))
    if cls is types.MappingProxyType or _is_from(cls, "omegaconf"):
        return _foreign(value)
    if issubclass(cls, types.SimpleNamespace):
        fields = _fields_of(value)
        return Inside("fields", fields.items(), len(fields))
    names = _field_names(cls)
    return None if names is None else _fields(value, names)


def is_own(cls: type) -> bool:
    """Return whether a class is one of this package, such as a part of an event."""
    return _is_from(cls, "kedro_journal")


@functools.lru_cache(maxsize=256)
def told_fields(cls: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the fields of a part of an event, without names and numbers."""
    marks = marks_of(cls)
    left_out = marks.plain | marks.names
    return tuple(name for name in cls.__struct_fields__ if name not in left_out)


def _fields(value: object, names: Sequence[str]) -> Inside:
    found = _fields_of(value)
    pairs = [(n, found[n] if n in found else _slot(value, n)) for n in names]
    return Inside("fields", pairs, len(pairs))


def _sequence(
    items: Iterable[Any], count: int, kind: Literal["sequence", "set"] = "sequence"
) -> Inside:
    return Inside(kind, ((None, item) for item in items), count)


def _tuple(value: tuple[Any, ...], cls: type) -> Inside:
    names = _static(cls, "_fields")  # of a named tuple
    count = tuple.__len__(value)
    if not isinstance(names, tuple) or len(names) != count:
        return _sequence(tuple.__iter__(value), count)
    return Inside("sequence", zip(names, tuple.__iter__(value), strict=True), count)


def _foreign(value: Any) -> Inside | None:
    if isinstance(value, Mapping):
        return Inside("mapping", value.items(), len(value))
    if isinstance(value, Sequence):
        return _sequence(iter(value), len(value))
    return None


def _is_from(cls: type, package: str) -> bool:
    return str(cls.__module__).partition(".")[0] == package


def _static(cls: type, name: str) -> Any:
    """Look a name up in a class without asking its metaclass or a descriptor."""
    for base in cls.__mro__:
        found = base.__dict__.get(name)
        if found is not None:
            return found
    return None


def _field_names(cls: type) -> tuple[str, ...] | None:
    """Return the field names of a data class, an attrs or pydantic class."""
    for mark in ("__dataclass_fields__", "__pydantic_fields__", "__fields__"):
        found = _static(cls, mark)
        if isinstance(found, dict):
            return tuple(name for name in found if isinstance(name, str))
    attributes = _static(cls, "__attrs_attrs__")
    if isinstance(attributes, tuple):
        return tuple(attribute.name for attribute in attributes)
    return None


def _fields_of(value: object) -> dict[str, Any]:
    try:
        found = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return found if type(found) is dict else {}


def _slot(value: object, name: str) -> Any:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return None


def type_name(cls: type) -> str:
    """Return the name of a class, with its module."""
    return f"{cls.__module__}.{cls.__qualname__}"


def exact_text(value: Any) -> str | None:
    """Return the text of a text, path or date; None for other values."""
    cls = type(value)
    if issubclass(cls, str):
        return str.__str__(value)
    if issubclass(cls, pathlib.PurePath):
        owner = next(base for base in cls.__mro__ if "__str__" in base.__dict__)
        return (
            str(value) if any(_is_from(owner, package) for package in _PATHS) else None
        )
    if _is_from(cls, "pandas"):
        known = issubclass(cls, datetime.datetime)  # a Timestamp, or NaT
        return str(value.isoformat()) if known else None
    kind: Any
    for kind in (datetime.datetime, datetime.date, datetime.time):
        if issubclass(cls, kind):
            return str(kind.isoformat(value))
    return None


def shown(value: object) -> str | None:
    """Return the `repr` of an object where it is short and runs no other code."""
    cls = type(value)
    if issubclass(cls, enum.Enum):
        return f"{cls.__qualname__}.{_fields_of(value).get('_name_')}"
    if issubclass(cls, _NAMED):
        return _name_of(value)
    owner = next(base for base in cls.__mro__ if "__repr__" in base.__dict__)
    if owner in _TELLING:
        return repr(value)
    return _shown_array(value, cls)


def _name_of(value: Any) -> str:
    name = getattr(value, "__qualname__", None) or value.__name__
    module = getattr(value, "__module__", None)
    return f"{module}.{name}" if isinstance(module, str) else str(name)


def _shown_array(value: Any, cls: type) -> str | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or not _is_from(cls, "numpy"):
        return None
    if issubclass(cls, numpy.ndarray):
        return f"shape {value.shape}, {value.dtype}"
    plain = (numpy.number, numpy.bool_, numpy.datetime64, numpy.timedelta64)
    return repr(value) if issubclass(cls, plain) else None


def key_text(key: Any) -> str | None:  # noqa: PLR0911 - one for each kind
    """Return the key of a mapping as text; None if that would run its own code."""
    cls = type(key)
    text = exact_text(key)
    if text is not None:
        return text
    if key is None or cls in (bool, int, float, complex):
        return str(key)
    if cls is bytes:
        return str(key[:_BYTES_SHOWN_MAX])
    if cls is tuple or issubclass(cls, frozenset):
        inside = look_inside(key)
        assert inside is not None  # noqa: S101 - these two always can
        parts = [key_text(item) for _, item in islice(inside.items, KEY_MAX_ITEMS)]
        return None if None in parts else f"({', '.join(str(part) for part in parts)})"
    if issubclass(cls, int):
        return str(int.__int__(key))
    if cls in (decimal.Decimal, uuid.UUID):
        return str(key)
    told = shown(key)
    return told if told is None or not _is_from(cls, "numpy") else str(key.item())
