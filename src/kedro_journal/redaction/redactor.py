"""A session's redactor: knows its secrets, and makes values safe to write."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from .limits import (
    DEPTH_MAX,
    FAILED,
    NODES_MAX,
    REDACTED,
    SECRETS_MAX,
    STRING_MAX_CHARS,
)
from .names import PARTS, is_secret_name
from .plain import Walk, encodable, is_plain
from .shapes import NAMED, SHAPES, WORD_HINTS, mask_named, named

__all__ = ["Redactor"]

_REGISTERED_MIN_CHARS: Final = 6
_PLACES: Final = frozenset({"project_path", "cwd"})
_LOOKAHEAD_CHARS: Final = 8 * 1024
# Registered values are masked wherever they stand, so ordinary words stay out.
_ORDINARY: Final = frozenset(
    [
        *("password", "passwd", "secret", "secrets", "token", "tokens", "credential"),
        *("credentials", "default", "string", "public", "private", "example"),
        *("unknown", "localhost", "anonymous", "changeme"),
    ]
)


class Redactor:
    """Makes values safe. Not shared between sessions: it remembers their secrets.

    Safe between threads and across forks without a lock: what is known only grows, in
    single steps, and every text is masked with all that was known when it came.

    Args:
        names: Further names (case does not matter, anywhere in a key) whose values are
            secrets.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(name.lower() for name in names if name)
        self._known: dict[str, tuple[str, ...]] = {}  # secret: the forms it may take
        self._ready: tuple[int, tuple[str, ...]] = (0, ())  # of how many; longest first
        self._own: re.Pattern[str] | None = None
        if self._names:
            self._own = named("|".join(re.escape(name) for name in self._names))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The registered secrets, for handing to a worker in memory. Never written."""
        return tuple(sorted(self._known))

    def register(self, *values: object) -> None:
        """Remember values as secrets, wherever they turn up later. Never raises.

        Containers are searched for their strings and numbers. What is shorter than
        six characters or an ordinary word is left out: it would mask plain text.
        """
        found: set[str] = set()
        _secret_texts(values, 0, found)
        for secret in sorted(found):
            if secret not in self._known and len(self._known) < SECRETS_MAX:
                self._known[secret] = _forms_of(secret)

    def _forms(self) -> tuple[str, ...]:
        count, forms = self._ready
        if count != len(self._known):
            every = tuple(self._known.values())
            distinct = {form for each in every for form in each}
            forms = tuple(sorted(distinct, key=len, reverse=True))
            self._ready = (len(every), forms)
        return forms

    def is_secret_name(self, name: str) -> bool:
        """Tell whether what stands under this name is a secret, own names included."""
        if self._is_own_name(name):
            return True
        return any(is_secret_name(part) for part in PARTS.split(name) if part)

    def text(self, text: str) -> str:
        """Redact and bound one text; it stays encodable as UTF-8."""
        for form in self._forms():
            if form in text:
                text = text.replace(form, REDACTED)
        return self._shaped(text)

    def _place(self, text: str) -> str:
        """Redact a path. A password that is a plain word, such as a user's name, would
        leave nobody knowing where the project is.
        """
        for form in self._forms():
            if form in text and not (form.isalpha() and form.islower()):
                text = text.replace(form, REDACTED)
        return self._shaped(text)

    def _shaped(self, text: str) -> str:
        excess = len(text) - STRING_MAX_CHARS
        # Far enough for a secret that begins before the cut to be known as one.
        text = text[: STRING_MAX_CHARS + _LOOKAHEAD_CHARS]
        low = text.lower()
        for shape in SHAPES:
            if any(hint in low for hint in shape.hints):
                text = shape.pattern.sub(shape.replacement, text)
        if any(hint in low for hint in WORD_HINTS):
            text = mask_named(text, NAMED, is_secret_name)
        if self._own is not None and any(name in low for name in self._names):
            text = mask_named(text, self._own, self._is_own_name)
        if excess > 0:
            text = f"{text[:STRING_MAX_CHARS]}[... {excess} characters more]"
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "backslashreplace").decode()
        return text

    def _is_own_name(self, name: str) -> bool:
        low = name.lower()
        return any(word in low for word in self._names)

    def plain(self, value: object) -> Any:
        """Give any value as plain JSON data, redacted and bounded. Never raises.

        Floats that JSON has not become `{"$float": "nan"}`, integers beyond 2**53
        `{"$int": "..."}`, bytes `{"$bytes": base64}`, other objects
        `{"$type": ..., "$repr": ...}`; what is too deep or too much says so.
        """
        self.learn(value)
        try:
            return Walk(self).value(value, 0)
        except Exception:  # fail closed, whatever an object does
            return FAILED

    def fields(
        self, values: Mapping[str, object], keep: frozenset[str]
    ) -> dict[str, Any]:
        """Redact the fields of an event. Never raises.

        Args:
            values: The fields by name. The names are the event's own, so none of them
                makes its value a secret.
            keep: Names of fields that hold identifiers and numbers: left as they are.
        """
        self.learn(list(values.values()))
        walk = Walk(self)
        safe: dict[str, Any] = {}
        for name, value in values.items():
            if name in keep and is_plain(value):
                safe[name] = encodable(value)
                continue
            if name in _PLACES and isinstance(value, str):
                safe[name] = self._place(value)
                continue
            try:
                if isinstance(value, tuple):
                    safe[name] = walk.whole(value, 1)
                else:
                    safe[name] = walk.value(value, 1)
            except Exception:  # fail closed
                safe[name] = FAILED
        return safe

    def learn(self, values: object) -> None:
        """Register what stands under secret names, before any text is written.

        Never raises; mappings, lists and Structs are searched.
        """
        try:
            found: list[object] = []
            self._collect(values, 0, found, [NODES_MAX])
            if found:
                self.register(*found)
        except Exception:  # the walk itself redacts by name as well
            return

    def _collect(
        self, value: object, depth: int, found: list[object], budget: list[int]
    ) -> None:
        budget[0] -= 1
        if depth > DEPTH_MAX or budget[0] < 0:
            return
        if isinstance(value, Mapping):
            for key, item in value.items():
                if isinstance(key, str) and self.is_secret_name(key):
                    found.append(item)
                else:
                    self._collect(item, depth + 1, found, budget)
        elif isinstance(value, (list, tuple)):
            for item in value:
                self._collect(item, depth + 1, found, budget)
        elif isinstance(value, msgspec.Struct):
            for name in value.__struct_fields__:
                item = getattr(value, name)
                if self.is_secret_name(name):
                    found.append(item)
                else:
                    self._collect(item, depth + 1, found, budget)


def _secret_texts(value: object, depth: int, found: set[str]) -> None:
    if depth > DEPTH_MAX or len(found) >= SECRETS_MAX or isinstance(value, bool | None):
        return
    if isinstance(value, Mapping):
        for item in value.values():
            _secret_texts(item, depth + 1, found)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _secret_texts(item, depth + 1, found)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _secret_texts(getattr(value, name), depth + 1, found)
    else:
        text = _scalar_text(value)
        ordinary = text.lower() in _ORDINARY or text == REDACTED
        if len(text) >= _REGISTERED_MIN_CHARS and not ordinary:
            found.add(text)


def _scalar_text(value: object) -> str:
    try:
        if isinstance(value, (bytes, bytearray)):
            return value.decode("utf-8", "replace")
        return str(value)
    except Exception:  # nothing to remember; its name hides it
        return ""


def _forms_of(secret: str) -> tuple[str, ...]:
    """Give the ways in which a secret may be written."""
    raw = secret.encode("utf-8", "replace")
    percent = quote(secret.encode("utf-8", "surrogatepass"), safe="")
    encoded = base64.b64encode(raw).decode()
    urlsafe = base64.urlsafe_b64encode(raw).decode()
    forms = {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        percent,
        percent.replace("%2F", "/"),
        percent.replace("%20", "+"),
        re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), percent),
        encoded,
        urlsafe,
        encoded.rstrip("="),
        urlsafe.rstrip("="),
    }
    return tuple(form for form in forms if len(form) >= _REGISTERED_MIN_CHARS)
