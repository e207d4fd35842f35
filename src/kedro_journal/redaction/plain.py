"""Any value -> plain JSON data, bounded and redacted."""

from __future__ import annotations

import base64
import functools
import itertools
import math
import re
from collections.abc import Iterable
from typing import Any, Final, Protocol

import msgspec

from kedro_journal._outside import let_through

from .blocks import masked_items
from .columns import are_ascii, column_of, is_of_one_class
from .identities import Identities
from .limits import (
    DEPTH_MAX,
    FAILED,
    ITEMS_MAX,
    NODES_MAX,
    REDACTED,
    STRING_MAX_CHARS,
    TEXTS_MAX_CHARS,
)
from .look import (
    Inside,
    exact_text,
    is_own,
    key_text,
    look_inside,
    shown,
    type_name,
)
from .marks import NO_MARKS, Marks, marks_of

__all__ = ["Flags", "Safe", "Walk", "can_hold_a_secret", "encodable", "is_plain"]

_SAFE_INT_MAX: Final = 2**53
_SCALARS: Final = frozenset([str, int, float, bool])
_UNNAMED: Final = "(a key that cannot be written)"
_FLAG: Final = re.compile(r"--?[A-Za-z][\w.\-]*\Z")


class Safe(dict[str, Any]):
    """Plain data that `Redactor` made: bounded and redacted once, not a second time.

    Only this package makes such mappings; nothing of the user's is added to them.
    """


class _Redacts(Protocol):
    """What the walk needs of a redactor."""

    def text(self, text: str) -> str:
        """Redact and bound one text."""
        ...

    def keeps(self, text: str) -> bool:
        """Return whether a text is certain to stay as it is."""
        ...

    def all_kept(self, name: str, texts: list[str]) -> bool:
        """Return whether all texts of a field stay as they are."""
        ...

    def hides(self, name: str, value: object) -> bool:
        """Return whether a value under a name is a secret."""
        ...

    def hides_argument(self, option: str, text: str) -> bool:
        """Return whether the argument that follows an option is a secret."""
        ...

    def hides_second(self, first: str, second: object) -> bool:
        """Return whether the second of two values is a secret that the first names."""
        ...

    @property
    def identities(self) -> Identities:
        """What masks names."""
        ...


def _key_text(key: object) -> str:
    try:
        text = key_text(key)
    except Exception as error:  # a huge number, or anything unforeseen
        let_through(error)
        return _UNNAMED
    return _UNNAMED if text is None else text


def is_plain(value: object) -> bool:
    """Return whether a value is a name or number, or a tuple of such."""
    if isinstance(value, tuple):
        return all(map(is_plain, value))
    return value is None or type(value) in _SCALARS


def encodable(value: object) -> Any:
    """Return a plain value in a form that can be encoded, whatever it holds."""
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


class Flags:
    """Judge the items of a sequence, such as what follows `--password`.

    Args:
        redactor: Judges names.
        count: How many items the sequence has. Of two, the first may name the second.
    """

    def __init__(self, redactor: _Redacts, count: int) -> None:
        self._redactor = redactor
        self._count = count
        self._option = ""  # the item before was such an option: this is its value
        self._first = ""  # the only item before, if there are two

    def hides(self, name: object, item: object) -> bool:
        """Return whether the next item, of a named tuple with its name, is a secret."""
        text = item if type(item) is str else ""
        hidden = bool(
            self._option
            and text
            and not text.startswith("--")
            and self._redactor.hides_argument(self._option, text)
        )
        if isinstance(name, str):
            hidden = hidden or self._redactor.hides(name, item)
        elif self._first:
            hidden = hidden or self._redactor.hides_second(self._first, item)
        self._option = text.lstrip("-") if _FLAG.match(text) else ""
        self._first = text if self._count == 2 and not self._option else ""
        return hidden


class Walk:
    """One pass over one field of an event, with a budget of values and of text.

    A value that cannot be looked at hides itself, not those beside it.

    Args:
        redactor: Redacts texts and judges names.
        own: What comes is encoded by msgspec: parts of an event may stay what they are.

    Attributes:
        cut: Something was left out because of a limit.
    """

    def __init__(self, redactor: _Redacts, *, own: bool = False) -> None:
        self._redactor = redactor
        self._own = own
        self._left = NODES_MAX
        self._left_chars = TEXTS_MAX_CHARS
        self._path: set[int] = set()
        self.cut = False

    def value(self, value: object, depth: int) -> Any:
        """Return a value as plain data. Never raises."""
        self._left -= 1
        if self._left < 0:
            self.cut = True
            return {"$truncated": "too many values"}
        try:
            return self._value(value, depth)
        except Exception as error:  # fail closed, whatever a value does
            let_through(error)
            return FAILED

    def _value(self, value: Any, depth: int) -> Any:  # noqa: PLR0911 - one for each kind
        cls = type(value)
        if value is None or cls is bool:
            return value
        if cls is str:
            return self._text(value)
        text = None if issubclass(cls, msgspec.Struct) else exact_text(value)
        if text is not None:
            return self._text(text)
        if issubclass(cls, int):
            return self._int(int.__int__(value))
        if issubclass(cls, float):
            number = float.__float__(value)
            return number if math.isfinite(number) else {"$float": str(number)}
        if issubclass(cls, (bytes, bytearray, memoryview)):
            return self._bytes(memoryview(value))
        if cls is Safe:
            return value
        if depth > DEPTH_MAX:
            self.cut = True
            return {"$truncated": "too deep"}
        if id(value) in self._path:
            return {"$truncated": "refers to itself"}
        self._path.add(id(value))
        try:
            return self._container(value, depth)
        finally:
            self._path.discard(id(value))

    def _text(self, text: str) -> Any:
        self._left_chars -= min(len(text), STRING_MAX_CHARS)
        self.cut = self.cut or len(text) > STRING_MAX_CHARS
        if self._left_chars < 0:
            self.cut = True
            return {"$truncated": "too much text"}
        return self._redactor.text(text)

    def _int(self, value: int) -> Any:
        if abs(value) <= _SAFE_INT_MAX:
            return value
        if value.bit_length() > 4096:
            self.cut = True
            return {"$int": f"of {value.bit_length()} bits"}
        return {"$int": str(value)}

    def _bytes(self, view: memoryview) -> Any:
        if view.nbytes > STRING_MAX_CHARS:
            self.cut = True
            return {"$bytes": f"{view.nbytes} bytes"}
        value = view.tobytes()
        text = self._text(value.decode("utf-8", "replace"))
        if REDACTED in text or not isinstance(text, str):
            return text
        return {"$bytes": base64.b64encode(value).decode()}

    def _container(self, value: object, depth: int) -> Any:
        if issubclass(type(value), msgspec.Struct):
            return self._struct(value, depth)
        inside = look_inside(value)
        kind = {"$type": type_name(type(value))}
        if inside is None:
            told = shown(value)
            return kind if told is None else {**kind, "$repr": self._text(told)}
        if inside.kind == "mapping":
            return self._mapping(inside, depth)
        if inside.kind == "fields":
            return {**kind, "$fields": self._mapping(inside, depth)}
        if inside.kind == "set":
            return self._set(inside, depth)
        return self._items(inside.items, inside.total, depth)

    def _mapping(self, inside: Inside, depth: int) -> dict[str, Any]:
        safe: dict[str, Any] = {}
        items = masked_items(list(itertools.islice(inside.items, ITEMS_MAX + 1)))
        for number, (key, item) in enumerate(items):
            if number >= ITEMS_MAX or self._left < 0:
                is_mark = inside.total == number + 1 and key == "$truncated"
                words = f"{inside.total - number} more"
                safe["$truncated"] = item if is_mark and type(item) is str else words
                self.cut = True
                break
            name = _key_text(key)
            hidden = name == _UNNAMED and can_hold_a_secret(item)
            hidden = hidden or self._redactor.hides(name, item)
            name = self._redactor.text(name)
            if hidden:
                safe[name] = REDACTED
            else:
                safe[name] = self.value(item, depth + 1)
        return safe

    def _set(self, inside: Inside, depth: int) -> list[Any]:
        """Return a set in one order, whatever the order of its hashes."""
        some = (item for _, item in itertools.islice(inside.items, NODES_MAX))
        ordered = ((None, item) for item in sorted(some, key=_rank))
        return self._items(ordered, inside.total, depth)

    def _items(
        self,
        items: Iterable[tuple[Any, object]],
        count: int,
        depth: int,
        limit: int = ITEMS_MAX,
    ) -> list[Any]:
        safe: list[Any] = []
        flags = Flags(self._redactor, count)
        some = masked_items(list(itertools.islice(items, limit + 1)))
        for number, (name, item) in enumerate(some):
            if number >= limit:
                is_mark = count == limit + 1 and _is_mark(item)
                safe.append(item if is_mark else {"$truncated": count - limit})
                self.cut = True
                break
            if flags.hides(name, item):
                safe.append(REDACTED)
            elif limit == ITEMS_MAX:
                safe.append(self.value(item, depth + 1))
            else:  # each with a budget of its own
                walk = Walk(self._redactor, own=self._own)
                safe.append(walk.value(item, depth + 1))
        return safe

    def _struct(self, value: Any, depth: int) -> Any:
        cls: Any = type(value)
        known = type(cls) is type(msgspec.Struct)  # with no hash of its own
        fields = _known_fields(cls) if known else _fields_of(cls)
        if self._own and known and is_own(cls) and self._stays(value, fields):
            return value
        safe: dict[str, Any] = {}
        for name, default, mark in fields:
            item = getattr(value, name)
            if _is_same(item, default):
                continue
            if mark == "plain" and is_plain(item):
                safe[name] = encodable(item)
            elif mark == "name":
                safe[name] = self._redactor.identities.value(item)
            elif self._redactor.hides(name, item):
                safe[name] = REDACTED
            elif type(item) is tuple:
                safe[name] = self.whole(item, depth + 1)
            else:
                safe[name] = self.value(item, depth + 1)
        return safe

    def _stays(
        self, value: msgspec.Struct, fields: tuple[tuple[str, object, str], ...]
    ) -> bool:
        """Return whether a part of an event is encoded as it is: nodes mostly are."""
        names = self._redactor.identities
        for name, default, mark in fields:
            item = getattr(value, name)
            if item is default:
                continue
            if mark == "name":
                stays = names.are_kept(item)
            else:
                stays = type(item) is str and item.isascii()
                if stays and not mark:
                    hidden = self._redactor.hides(name, item)
                    stays = not hidden and self._redactor.keeps(item)
            if not stays:
                return False
        return True

    def _all_stay(self, items: tuple[Any, ...]) -> bool:
        """Return what `_stays` would say of each, a field of all of them at a time."""
        redactor = self._redactor
        for name, default, mark in _known_fields(items[0].__class__):
            column = column_of(items, name, default)
            if mark == "name":
                stays = redactor.identities.are_known(column)
            else:
                stays = are_ascii(column)
                if stays and not mark and column:
                    stays = redactor.all_kept(name, column)
            if not stays:
                return False
        return True

    def whole(self, items: tuple[object, ...], depth: int) -> list[Any]:
        """Redact a sequence of an event's own, such as the nodes of a plan.

        Its types are fixed, so nothing may stand in it for what was left out: it has
        no bound but that of the record.
        """
        if self._own and is_of_one_class(items) and self._all_stay(items):
            return list(items)
        pairs = ((None, item) for item in items)
        return self._items(pairs, len(items), depth, limit=len(items))


def _fields_of(cls: type[msgspec.Struct]) -> tuple[tuple[str, object, str], ...]:
    """Return the fields of a class, with their defaults and marks."""
    names, values = cls.__struct_fields__, cls.__struct_defaults__
    defaults = (*[msgspec.NODEFAULT] * (len(names) - len(values)), *values)
    marks = marks_of(cls) if is_own(cls) else NO_MARKS
    return tuple(
        (name, default, _mark(name, marks))
        for name, default in zip(names, defaults, strict=True)
    )


def _mark(name: str, marks: Marks) -> str:
    if name in marks.plain:
        return "plain"
    return "name" if name in marks.names else ""


_known_fields: Final = functools.lru_cache(maxsize=256)(_fields_of)


def _is_mark(item: object) -> bool:
    return type(item) is dict and list(item) == ["$truncated"]


def can_hold_a_secret(item: object) -> bool:
    """Return whether a value under a secret name is masked."""
    return item is not None and type(item) is not bool


def _is_same(item: object, default: object) -> bool:
    """Compare without calling an `__eq__` of the user's."""
    if item is default:
        return True
    if type(item) is not type(default):
        return False
    return item == default if is_plain(default) and is_plain(item) else False


def _rank(item: object) -> tuple[str, str]:
    name = type_name(type(item))
    try:
        return name, _key_text(item)[:STRING_MAX_CHARS]
    except Exception as error:  # nothing tells it from others of its type
        let_through(error)
        return name, ""
