"""Any value -> plain JSON data, bounded and redacted."""

from __future__ import annotations

import base64
import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import msgspec

from .limits import DEPTH_MAX, ITEMS_MAX, NODES_MAX, REDACTED, STRING_MAX_CHARS

__all__ = ["Walk", "encodable", "is_plain"]

_SAFE_INT_MAX: Final = 2**53
_UNNAMED: Final = "(a key that cannot be written)"
_FLAG: Final = re.compile(r"--?[A-Za-z][\w.\-]*\Z")


class _Redacts(Protocol):
    """What the walk needs of a redactor."""

    def text(self, text: str) -> str:
        """Redact and bound one text."""
        ...

    def is_secret_name(self, name: str) -> bool:
        """Tell whether what stands under this name is a secret."""
        ...


def _key_text(key: object) -> str:
    try:
        return key if isinstance(key, str) else str(key)
    except Exception:  # its __str__ raised, or it is a huge number
        return _UNNAMED


def is_plain(value: object) -> bool:
    """Tell whether a value is a name or number, or a tuple of such."""
    if isinstance(value, tuple):
        return all(is_plain(item) for item in value)
    return value is None or type(value) in (str, int, float, bool)


def encodable(value: object) -> Any:
    """Give a plain value so that it can be encoded, whatever it holds."""
    if isinstance(value, tuple):
        return [encodable(item) for item in value]
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace").decode()
    elif isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class Walk:
    """One pass over one event, with a budget of values."""

    def __init__(self, redactor: _Redacts) -> None:
        self._redactor = redactor
        self._left = NODES_MAX
        self._path: set[int] = set()

    def value(self, value: object, depth: int) -> Any:  # noqa: PLR0911 - one for each kind
        self._left -= 1
        if self._left < 0:
            return {"$truncated": "too many values"}
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._redactor.text(str(value))
        if isinstance(value, int):
            return self._int(int(value))
        if isinstance(value, float):
            number = float(value)
            return number if math.isfinite(number) else {"$float": str(number)}
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(bytes(value))
        return self._container(value, depth)

    def _int(self, value: int) -> Any:
        if abs(value) <= _SAFE_INT_MAX:
            return value
        if value.bit_length() > 4096:
            return {"$int": f"of {value.bit_length()} bits"}
        return {"$int": str(value)}

    def _bytes(self, value: bytes) -> Any:
        if len(value) > STRING_MAX_CHARS:
            return {"$bytes": f"{len(value)} bytes"}
        text = self._redactor.text(value.decode("utf-8", "replace"))
        if REDACTED in text:
            return text
        return {"$bytes": base64.b64encode(value).decode()}

    def _container(self, value: object, depth: int) -> Any:  # noqa: PLR0911
        if depth > DEPTH_MAX:
            return {"$truncated": "too deep"}
        if id(value) in self._path:
            return {"$truncated": "refers to itself"}
        self._path.add(id(value))
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth)
            if isinstance(value, (list, tuple)):
                return self._items(value, len(value), depth)
            if isinstance(value, (set, frozenset)):
                some = itertools.islice(value, NODES_MAX)
                return self._items(sorted(some, key=repr), len(value), depth)
            if isinstance(value, msgspec.Struct):
                return self._struct(value, depth)
            return self._object(value)
        finally:
            self._path.discard(id(value))

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, Any]:
        safe: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items()):
            if number >= ITEMS_MAX:
                safe["$truncated"] = f"{len(value) - ITEMS_MAX} more"
                break
            name = _key_text(key)
            secret = name == _UNNAMED or self._redactor.is_secret_name(name)
            if secret and item is not None and not isinstance(item, bool):
                safe[self._redactor.text(name)] = REDACTED
            else:
                safe[self._redactor.text(name)] = self.value(item, depth + 1)
        return safe

    def _items(
        self, value: Iterable[object], count: int, depth: int, limit: int = ITEMS_MAX
    ) -> list[Any]:
        safe: list[Any] = []
        flag = False  # the item before was --password or the like: this is its value
        for number, item in enumerate(value):
            if number >= limit:
                safe.append({"$truncated": count - limit})
                break
            text = item if isinstance(item, str) else ""
            if flag and text and not text.startswith("--"):
                safe.append(REDACTED)
            elif limit == ITEMS_MAX:
                safe.append(self.value(item, depth + 1))
            else:  # each with a budget of its own
                safe.append(Walk(self._redactor).value(item, depth + 1))
            name = text.lstrip("-") if _FLAG.match(text) else ""
            flag = bool(name) and self._redactor.is_secret_name(name)
        return safe

    def _struct(self, value: msgspec.Struct, depth: int) -> dict[str, Any]:
        defaults = dict(
            zip(
                value.__struct_fields__[-len(value.__struct_defaults__) :],
                value.__struct_defaults__,
                strict=False,
            )
        )
        plain: frozenset[str] = getattr(value, "PLAIN_FIELDS", frozenset())
        safe: dict[str, Any] = {}
        for name in value.__struct_fields__:
            item = getattr(value, name)
            if name in defaults and item == defaults[name]:
                continue
            if name in plain and is_plain(item):
                safe[name] = encodable(item)
                continue
            secret = self._redactor.is_secret_name(name)
            if secret and item is not None and not isinstance(item, bool):
                safe[name] = REDACTED
            elif isinstance(item, tuple):
                safe[name] = self.whole(item, depth + 1)
            else:
                safe[name] = self.value(item, depth + 1)
        return safe

    def whole(self, items: tuple[object, ...], depth: int) -> list[Any]:
        """Redact a sequence of an event's own, such as the nodes of a plan.

        Its types are fixed, so nothing may stand in it for what was left out: it has
        no bound but that of the record.
        """
        return self._items(items, len(items), depth, limit=len(items))

    def _object(self, value: object) -> Any:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if hasattr(value, "__fspath__"):
            return self._redactor.text(str(value))
        isoformat = getattr(value, "isoformat", None)
        if callable(isoformat):
            return self._redactor.text(str(isoformat()))
        try:
            shown = repr(value)
        except Exception:  # somebody else's __repr__
            shown = "(its repr raised)"
        return {"$type": kind, "$repr": self._redactor.text(shown)[:1000]}
