"""Find the secrets that stand in values, before any text is written."""

from __future__ import annotations

import decimal
import operator
import uuid
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import unquote

from kedro_journal._outside import let_through

from .columns import is_of_one_class
from .forms import LEAST_CHARS
from .limits import (
    DEPTH_MAX,
    NODES_MAX,
    REDACTED,
    SECRET_MAX_CHARS,
    SECRET_PART_CHARS,
    SECRETS_MAX,
)
from .look import exact_text, look_inside, told_fields
from .names import verdict
from .pairs import values_of_pairs
from .plain import Safe
from .urls import password_of_url

__all__ = ["Gathering"]

_NOTHING_INSIDE: Final = frozenset([str, int, float, bool, type(None), Safe])
# Registered values are masked wherever they stand, so ordinary words stay out.
_ORDINARY: Final = frozenset(
    [
        *("password", "passwd", "secret", "secrets", "token", "tokens", "credential"),
        *("credentials", "default", "string", "public", "private", "example"),
        *("unknown", "localhost", "anonymous", "changeme"),
    ]
)


class Gathering:
    """One search for secrets, with a budget of values. Never raises.

    Args:
        is_harmless: Returns whether no value under a name is a secret. Without it,
            every value is looked at.
    """

    def __init__(self, is_harmless: Callable[[str], bool] | None = None) -> None:
        self._is_harmless = is_harmless or _is_unsure
        self.found: list[object] = []
        self.texts: set[str] = set()
        self._left = NODES_MAX
        self._seen: dict[int, object] = {}  # once is enough: there may be many ways

    def _add(self, text: str) -> None:
        ordinary = text.lower() in _ORDINARY or REDACTED in text
        if len(text) >= LEAST_CHARS and not ordinary:
            self.texts.add(text)

    def _enters(self, value: object, depth: int) -> Iterable[tuple[Any, Any]]:
        if depth > DEPTH_MAX or self._left < 0 or id(value) in self._seen:
            return
        try:
            inside = look_inside(value)
            if inside is None:
                return
            self._seen[id(value)] = value
            for pair in inside.items:
                self._left -= 1
                if self._left < 0:
                    return
                yield pair
        except Exception as error:  # the walk itself redacts by name as well
            let_through(error)
            return

    def named(
        self, value: object, depth: int, is_secret: Callable[[str, object], bool]
    ) -> None:
        """Find the values under secret names."""
        if type(value) in _NOTHING_INSIDE:
            return
        if type(value) is tuple and _NOTHING_INSIDE.issuperset(map(type, value)):
            return  # such as the inputs of a node
        if type(value) is tuple and self._is_plan(value, is_secret):
            return
        for key, item in self._enters(value, depth):
            if issubclass(type(key), str) and is_secret(str.__str__(key), item):
                self.found.append(item)
            else:
                self.named(item, depth + 1, is_secret)

    def _is_plan(
        self, items: tuple[Any, ...], is_secret: Callable[[str, object], bool]
    ) -> bool:
        """Return whether parts of one class of events hold texts alone, and no secret.

        A plan has thousands of nodes: their fields are looked at a column at a time.
        """
        if not is_of_one_class(items):
            return False
        for name in told_fields(items[0].__class__):
            column = list(map(operator.attrgetter(name), items))
            if not _NOTHING_INSIDE.issuperset(map(type, column)):
                return False
            if self._is_harmless(name):
                continue
            if any(is_secret(name, one) for one in set(column)):
                return False
        return True

    def everything(self, value: object, depth: int = 0) -> None:
        """Find the texts and numbers in a secret."""
        if len(self.texts) >= SECRETS_MAX or type(value) in (bool, type(None)):
            return
        text = _scalar_text(value)[:SECRET_MAX_CHARS]
        for start in range(0, len(text), SECRET_PART_CHARS):
            self._add(text[start : start + SECRET_PART_CHARS])
        if "://" in text[:64] or ("=" in text and len(text) <= SECRET_PART_CHARS):
            for part in _parts_of(text):
                self._add(part)
        if not text:
            for _, item in self._enters(value, depth):
                self.everything(item, depth + 1)


def _is_unsure(name: str) -> bool:
    del name
    return False


def _parts_of(text: str) -> list[str]:
    """Return the passwords in a URL or a connection string, also decoded."""
    found = [password_of_url(text), *values_of_pairs(text, verdict)]
    return [part for each in found for part in {each, unquote(each)}]


def _scalar_text(value: Any) -> str:
    cls = type(value)
    try:
        if issubclass(cls, (bytes, bytearray, memoryview)):
            data = memoryview(value)[: 4 * SECRET_MAX_CHARS]
            return data.tobytes().decode("utf-8", "replace")
        if issubclass(cls, int):
            return str(int.__int__(value))
        if cls in (float, decimal.Decimal, uuid.UUID):
            return str(value)
        return exact_text(value) or ""
    except Exception as error:  # nothing to remember; its name hides it
        let_through(error)
        return ""
