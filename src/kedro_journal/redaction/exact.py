"""Values that a later run needs <-> JSON, without loss. Pure.

JSON has no form for most of what a parameter may be, so such values are escaped: a
mapping with one key that begins with `$`. A mapping of the user's that has such a key
is escaped as well, hence no value can be mistaken for another one.

    {"$int": "..."}       beyond 2**53; decimal, hexadecimal beyond 4096 bits
    {"$float": "nan"}     nan, inf, -inf
    {"$bytes": base64}    and {"$bytearray": base64}
    {"$text": base64}     UTF-8 of a text with lone surrogates, or with one of our marks
    {"$tuple": [...]}     and $set, $frozenset
    {"$map": [[k, v]]}    keys that are no texts, or that begin with `$`
    {"$date": ISO}        and $datetime, $time, $timedelta, $decimal, $uuid, $path
    {"$value": {...}}     in a file beside the journal: sha256, bytes, type

What cannot be recorded without loss (a secret, what is too large, an object of any
other class) stays visibly inexact: `decoding.decode` puts an `Inexact` in its place.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
import pathlib
import uuid
from collections.abc import Callable
from typing import Any, Final, Protocol

from kedro_journal._outside import let_through

from .blocks import masked_items
from .identities import Identities
from .limits import (
    CUT,
    EXACT_DEPTH_MAX,
    EXACT_TEXT_MAX_CHARS,
    EXACT_TEXTS_MAX_CHARS,
    EXACT_VALUES_MAX,
    FAILED,
    REDACTED,
)
from .look import key_text, type_name
from .plain import Flags, Walk, can_hold_a_secret

__all__ = ["Exact"]

_SAFE_INT_MAX: Final = 2**53
_DECIMAL_MAX_BITS: Final = 4096  # Python itself refuses decimals of 4300 digits
_ORDERLESS: Final[dict[type, str]] = {set: "$set", frozenset: "$frozenset"}
_CONTAINERS: Final = frozenset([dict, list, tuple, set, frozenset])
_NUMBERS_FOR_A_VALUE: Final = 8  # a list of numbers costs so much less
_VALUES_FOR_A_KEY: Final = 8  # its name is judged
_OVERRUNS_MAX: Final = 3
_LEFT_AFTER_OVERRUNS: Final = 10_000
_PATH: Final = type(pathlib.Path())


class _Redacts(Protocol):
    @property
    def identities(self) -> Identities: ...
    def text(self, text: str) -> str: ...
    def mask(self, text: str) -> str: ...
    def keeps(self, text: str) -> bool: ...
    def hides(self, name: str, value: object) -> bool: ...
    def hides_argument(self, option: str, text: str) -> bool: ...
    def hides_second(self, first: str, second: object) -> bool: ...
    def all_kept(self, name: str, texts: list[str]) -> bool: ...


def _is_fixed(zone: object) -> bool:
    return zone is None or type(zone) is datetime.timezone


def _timedelta(value: datetime.timedelta) -> str:
    return f"{value.days} {value.seconds} {value.microseconds}"


# Class: its mark, its text. The text goes through redaction.
_AS_TEXT: Final[dict[type, tuple[str, Callable[[Any], str]]]] = {
    datetime.date: ("$date", datetime.date.isoformat),
    datetime.datetime: ("$datetime", datetime.datetime.isoformat),
    datetime.time: ("$time", datetime.time.isoformat),
    datetime.timedelta: ("$timedelta", _timedelta),
    decimal.Decimal: ("$decimal", str),
    uuid.UUID: ("$uuid", str),
    _PATH: ("$path", str),
}


class Exact:
    """One encoding of one field, with a budget of values and of text.

    Args:
        redactor: Masks texts and judges names.
    """

    def __init__(self, redactor: _Redacts) -> None:
        self._redactor = redactor
        self._left = EXACT_VALUES_MAX
        self._left_chars = EXACT_TEXTS_MAX_CHARS
        self._overruns = 0
        self._path: set[int] = set()

    def value(self, value: object, depth: int = 0) -> Any:
        """Return a value as JSON data that `decode` reads. Never raises."""
        self._left -= 1
        if self._left < 0:
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
        if cls is int:
            return self._int(value)
        if cls is float:
            return value if math.isfinite(value) else {"$float": str(value)}
        if cls is bytes or cls is bytearray:
            return self._bytes(value, f"${cls.__name__}")
        known = type(cls) is type  # with no hash of its own
        if known and cls in _AS_TEXT and _has_exact_text(value):
            mark, to_text = _AS_TEXT[cls]
            text = self._text(to_text(value))
            return REDACTED if _is_masked(text) else {mark: text}
        if known and cls in _CONTAINERS:
            if depth >= EXACT_DEPTH_MAX:
                return {"$truncated": "too deep"}
            if id(value) in self._path:
                return {"$truncated": "refers to itself"}
            self._path.add(id(value))
            try:
                return self._container(value, cls, depth)
            finally:
                self._path.discard(id(value))
        shown = Walk(self._redactor).value(value, 0)
        if isinstance(shown, dict) and "$type" in shown:
            return shown
        return {"$type": type_name(cls), "$repr": shown}

    def _text(self, text: str) -> Any:
        if len(text) > EXACT_TEXT_MAX_CHARS:
            return {"$truncated": f"{len(text)} characters"}
        self._left_chars -= len(text)
        if self._left_chars < 0:
            return {"$truncated": "too much text"}
        if not self._redactor.keeps(text):
            masked = self._redactor.mask(text)
            if masked != text:
                masked = masked.encode("utf-8", "backslashreplace").decode()
                return masked if REDACTED in masked else REDACTED
        if text.isascii() and not _is_marked(text):
            return text
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = text.encode("utf-8", "surrogatepass")
        else:
            if not _is_marked(text):
                return text
        return {"$text": base64.b64encode(data).decode()}

    def _int(self, value: int) -> Any:
        if -_SAFE_INT_MAX <= value <= _SAFE_INT_MAX:
            return value
        short = value.bit_length() <= _DECIMAL_MAX_BITS
        text = self._text(str(value) if short else hex(value))
        return REDACTED if _is_masked(text) else {"$int": text}

    def _bytes(self, value: bytes | bytearray, mark: str) -> Any:
        if len(value) > EXACT_TEXT_MAX_CHARS:
            return {"$truncated": f"{len(value)} bytes"}
        if _is_masked(self._text(value.decode("utf-8", "replace"))):
            return REDACTED
        return {mark: base64.b64encode(value).decode()}

    def _container(self, value: Any, cls: type, depth: int) -> Any:
        if cls is dict:
            return self._mapping(value, depth)
        if cls is list:
            return self._items(value, depth)
        if cls is tuple:
            return {"$tuple": self._items(list(value), depth)}
        items = sorted(self._items(list(value), depth), key=repr)
        return {_ORDERLESS[cls]: items}

    def _items(self, items: list[Any], depth: int) -> list[Any]:
        cost = len(items) // _NUMBERS_FOR_A_VALUE
        if cost < self._left and _are_plain_numbers(items):
            self._left -= cost
            return list(items)
        if len(items) > self._left:
            return [{"$truncated": f"{len(items)} items"}]
        flags, found = Flags(self._redactor, len(items)), list[Any]()
        for _, item in masked_items([(None, item) for item in items]):
            hidden = flags.hides(None, item)
            found.append(REDACTED if hidden else self.value(item, depth + 1))
            if self._left < 0:
                break  # its last item says so
        return found

    def _mapping(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        pairs: list[tuple[Any, Any]] = []
        if dict.__len__(value) * _VALUES_FOR_A_KEY > self._left:
            return {"$truncated": f"{dict.__len__(value)} items"}
        self._left -= dict.__len__(value) * _VALUES_FOR_A_KEY
        for key, item in masked_items(list(dict.items(value))):
            hidden = self._hides(key, item)
            safe_key = self.value(key, depth + 1)
            if hidden:
                pairs.append((safe_key, REDACTED))
            else:
                pairs.append((safe_key, self._item(item, depth)))
            if self._left < 0:
                break
        if all(type(key) is str and key[:1] != "$" for key, _ in pairs):
            return dict(pairs)
        return {"$map": [list(pair) for pair in pairs]}

    def _hides(self, key: object, item: object) -> bool:
        cls = type(key)
        if key is None or cls is int or cls is float or cls is bool:
            return False  # no name
        name = key_text(key)
        if name is None:
            return can_hold_a_secret(item)
        return self._redactor.hides(name, item)

    def _item(self, item: object, depth: int) -> Any:
        """Encode an item; one of the field itself that is too large costs no other."""
        if depth:
            return self.value(item, depth + 1)
        left, left_chars = self._left, self._left_chars
        safe = self.value(item, 1)
        if self._left >= 0 and self._left_chars >= 0:
            return safe
        self._overruns += 1
        if self._overruns > _OVERRUNS_MAX:  # each of them takes time
            left, left_chars = min(left, _LEFT_AFTER_OVERRUNS), left_chars // 8
        self._left, self._left_chars = left, left_chars
        return {"$truncated": "too large"}


def _are_plain_numbers(items: list[Any]) -> bool:
    """Return whether JSON holds all of these as they are, as in most long lists."""
    for item in items:
        cls = type(item)
        if cls is float:
            if not math.isfinite(item):
                return False
        elif cls is int:
            if not -_SAFE_INT_MAX <= item <= _SAFE_INT_MAX:
                return False
        elif item is not None and cls is not bool:
            return False
    return True


def _has_exact_text(value: Any) -> bool:
    if isinstance(value, (datetime.datetime, datetime.time)):
        return _is_fixed(value.tzinfo) and not value.fold
    return True


def _is_masked(text: object) -> bool:
    return isinstance(text, str) and (REDACTED in text or FAILED in text)


def _is_marked(text: str) -> bool:
    """Return whether a text of the user's looks like one of our marks."""
    if "[" not in text:
        return False
    return REDACTED in text or FAILED in text or CUT.search(text) is not None
