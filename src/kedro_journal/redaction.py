"""Make any value safe to write: plain JSON, bounded, without secrets. Pure.

An append-only file cannot be cleaned later, so everything goes through here before it
is encoded, and what cannot be judged is left out (fail closed). Three ways to be a
secret: the name of the key says so, the shape of the text says so, or the value was
registered, as every value found under such a name is, and as the caller does with
credentials and the environment.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

__all__ = ["REDACTED", "Redactor", "is_secret_name"]

REDACTED: Final = "[redacted]"
FAILED: Final = "[redaction failed]"
STRING_MAX_CHARS: Final = 16 * 1024
DEPTH_MAX: Final = 32
ITEMS_MAX: Final = 1000
NODES_MAX: Final = 20_000  # values in one event, whatever their depth
_SAFE_INT_MAX: Final = 2**53
_REGISTERED_MIN_CHARS: Final = 6

_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)|(^|[-_. ])pass$|pwd|secret|credential"
    r"|(^|[^a-z])(auth|pat|psk)$|authorization|api[-_ .]?key|access[-_ .]?key"
    r"|account[-_ .]?key|private[-_ .]?(key|pem)|signing[-_ .]?key"
    r"|encryption[-_ .]?key|ssh[-_ .]?key|tokens?$|token[-_ .]?(value|secret|key)$"
    r"|bearer|cookie|session[-_ .]?key|connection[-_ .]?string|conn[-_ .]?str"
    r"|(^|[-_.])dsn$|sas[-_ .]?(token|url)|webhook|otp$",
    re.IGNORECASE,
)
# cls_token, max_tokens, cookiecutter and the like are words of the trade.
_INNOCENT: Final = re.compile(
    r"(cls|sep|pad|unk|mask|bos|eos|special|stop|image|start|end|max|min|num|n|per)"
    r"[-_]?(new[-_]?)?tokens?$|token(izer|ize|s?_(count|limit|length|per|ids?|type))"
    r"|cookiecutter|secretar",
    re.IGNORECASE,
)
_SECRET_WORD: Final = (
    r"[\w.\-]*(?:password|passwd|passphrase|passcode|pwd|secret|token|api[_\-]?key"
    r"|access[_\-]?key(?:[_\-]?id)?|account[_\-]?key|private[_\-]?key|credentials?"
    r"|authorization)[\w.\-]*"
)
# Registered values are masked wherever they stand, so ordinary words stay out.
_ORDINARY: Final = frozenset(
    "password passwd secret secrets default string public private token tokens "
    "credential credentials example unknown localhost anonymous changeme".split()
)


def _mask_named(match: re.Match[str]) -> str:
    if not is_secret_name(match[1].lstrip("-")):
        return match[0]
    return f"{match[1]}{match[2]}{REDACTED}"


_Replacement = str | Callable[[re.Match[str]], str]
_SHAPES: Final[tuple[tuple[re.Pattern[str], _Replacement], ...]] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        REDACTED,
    ),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), REDACTED),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"), REDACTED),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}"), REDACTED),
    (re.compile(r"\bglpat-[A-Za-z0-9_\-]{16,}"), REDACTED),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}"), REDACTED),
    (re.compile(r"\bsk-[A-Za-z0-9_\-]{20,}"), REDACTED),
    (re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"), REDACTED),
    (re.compile(r"\bAIza[A-Za-z0-9_\-]{30,}"), REDACTED),
    (re.compile(r"\bya29\.[A-Za-z0-9_\-]{20,}"), REDACTED),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}"), REDACTED),
    (re.compile(r"\bpypi-[A-Za-z0-9_\-]{20,}"), REDACTED),
    (re.compile(r"\bdapi[0-9a-f]{32}\b"), REDACTED),
    (
        re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"),
        REDACTED,
    ),
    # user:password@host in any URL, the host kept
    (
        re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*://)[^/\s'\"<>?#]*@"),
        rf"\1{REDACTED}@",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=_.~\-]{8,}"), rf"\1 {REDACTED}"),
    # name=value, name: value, "name": "value", --name value
    (
        re.compile(
            rf"(?i)(?<![\w])((?:--)?{_SECRET_WORD})(['\"]?\s*[=:]\s*)"
            r"(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&'\")\]}]+)"
        ),
        _mask_named,
    ),
    (
        re.compile(rf"(?i)(--{_SECRET_WORD})(\s+)(?!-)([^\s,;&'\"]+)"),
        _mask_named,
    ),
    (
        re.compile(r"([?&](?:sig|signature|X-Amz-Signature)=)[^&\s'\"]+"),
        rf"\1{REDACTED}",
    ),
)
# Cheap test that a text can hold any of the shapes at all.
_MAYBE: Final = re.compile(
    r"://|BEGIN |AKIA|ASIA|AROA|AIDA|gh[pousr]_|github_pat_|glpat-|xox|sk-|k_live|k_test"
    r"|AIza|ya29|hf_|pypi-|dapi|eyJ|bearer|basic|pass|pwd|secret|token|key|credential"
    r"|authorization|sig",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under this name is taken for a secret."""
    last = re.split(r"[.:/\[\]]", name.strip())[-1] or name
    return bool(_NAME.search(last)) and not _INNOCENT.search(last)


class Redactor:
    """Makes values safe. Not shared between sessions: it remembers their secrets.

    Args:
        names: Further names (case does not matter, anywhere in a key) whose values are
            secrets.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(name.lower() for name in names)
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The registered secrets, for handing to a worker in memory. Never written."""
        return tuple(sorted(self._secrets))

    def register(self, *values: object) -> None:
        """Remember values as secrets, wherever they turn up later.

        Containers are searched for their strings and numbers. What is shorter than
        six characters or an ordinary word is left out: it would mask plain text.
        """
        before = len(self._secrets)
        for value in values:
            self._register(value, 0)
        if len(self._secrets) != before:
            self._pattern = None

    def _register(self, value: object, depth: int) -> None:
        if depth > DEPTH_MAX or isinstance(value, bool) or value is None:
            return
        if isinstance(value, Mapping):
            for item in value.values():
                self._register(item, depth + 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                self._register(item, depth + 1)
        else:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
            text = text or str(value)
            ordinary = text.lower() in _ORDINARY or text == REDACTED
            if len(text) >= _REGISTERED_MIN_CHARS and not ordinary:
                self._secrets.add(text)

    def is_secret_name(self, name: str) -> bool:
        """Tell whether what stands under this name is a secret, own names included."""
        low = name.lower()
        return any(word in low for word in self._names) or is_secret_name(name)

    def text(self, text: str) -> str:
        """Redact and bound one text; it stays encodable as UTF-8."""
        if self._secrets:
            if self._pattern is None:
                self._pattern = _any_of(self._secrets)
            text = self._pattern.sub(REDACTED, text)
        if _MAYBE.search(text):
            for pattern, replacement in _SHAPES:
                text = pattern.sub(replacement, text)
        if len(text) > STRING_MAX_CHARS:
            cut = len(text) - STRING_MAX_CHARS
            text = f"{text[:STRING_MAX_CHARS]}[... {cut} characters more]"
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "backslashreplace").decode()
        return text

    def plain(self, value: object) -> Any:
        """Give any value as plain JSON data, redacted and bounded. Never raises.

        Floats that JSON has not become `{"$float": "nan"}`, integers beyond 2**53
        `{"$int": "..."}`, bytes `{"$bytes": base64}`, other objects
        `{"$type": ..., "$repr": ...}`; what is too deep or too much says so.
        """
        try:
            return _Walk(self).value(value, 0)
        except Exception:  # noqa: BLE001 - fail closed, whatever an object does
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
        self._note_secrets(list(values.values()), 0)
        walk = _Walk(self)
        safe: dict[str, Any] = {}
        for name, value in values.items():
            if name in keep and (value is None or type(value) in (str, int, float, bool)):
                safe[name] = _encodable(value)
                continue
            try:
                safe[name] = walk.value(value, 1)
            except Exception:  # noqa: BLE001 - fail closed
                safe[name] = FAILED
        return safe

    def _note_secrets(self, values: object, depth: int) -> None:
        """Register what stands under secret names, before any text is written."""
        try:
            found: list[object] = []
            self._collect(values, depth, found, [NODES_MAX])
            if found:
                self.register(*found)
        except Exception:  # noqa: BLE001 - the walk itself redacts by name as well
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
                self._collect(getattr(value, name), depth + 1, found, budget)


def _encodable(value: object) -> Any:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "backslashreplace").decode()
    elif isinstance(value, float) and not math.isfinite(value):
        return None
    return value


class _Walk:
    """One pass over one event, with a budget of values."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._left = NODES_MAX
        self._path: set[int] = set()

    def value(self, value: object, depth: int) -> Any:
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

    def _container(self, value: object, depth: int) -> Any:
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
                return self._items(sorted(value, key=repr), len(value), depth)
            if isinstance(value, msgspec.Struct):
                return self._struct(value, depth)
            return self._object(value)
        finally:
            self._path.discard(id(value))

    def _mapping(self, value: Mapping[object, object], depth: int) -> dict[str, Any]:
        safe: dict[str, Any] = {}
        for number, (key, item) in enumerate(value.items()):
            if number >= ITEMS_MAX:
                safe["$truncated"] = len(value) - ITEMS_MAX
                break
            name = key if isinstance(key, str) else str(key)
            secret = self._redactor.is_secret_name(name)
            if secret and item is not None and not isinstance(item, bool):
                safe[self._redactor.text(name)] = REDACTED
            else:
                safe[self._redactor.text(name)] = self.value(item, depth + 1)
        return safe

    def _items(self, value: Iterable[object], count: int, depth: int) -> list[Any]:
        safe: list[Any] = []
        for number, item in enumerate(value):
            if number >= ITEMS_MAX:
                safe.append({"$truncated": count - ITEMS_MAX})
                break
            safe.append(self.value(item, depth + 1))
        return safe

    def _struct(self, value: msgspec.Struct, depth: int) -> dict[str, Any]:
        defaults = dict(
            zip(
                value.__struct_fields__[-len(value.__struct_defaults__) :],
                value.__struct_defaults__,
                strict=False,
            )
        )
        safe: dict[str, Any] = {}
        for name in value.__struct_fields__:
            item = getattr(value, name)
            if name in defaults and item == defaults[name]:
                continue
            safe[name] = self.value(item, depth + 1)
        return safe

    def _object(self, value: object) -> Any:
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        if hasattr(value, "__fspath__"):
            return self._redactor.text(str(value))
        isoformat = getattr(value, "isoformat", None)
        if callable(isoformat):
            return self._redactor.text(str(isoformat()))
        try:
            shown = repr(value)[:1000]
        except Exception:  # noqa: BLE001 - somebody else's __repr__
            shown = "(its repr raised)"
        return {"$type": kind, "$repr": self._redactor.text(shown)}


def _any_of(secrets: Iterable[str]) -> re.Pattern[str]:
    forms: set[str] = set()
    for secret in secrets:
        forms.add(secret)
        forms.add(repr(secret)[1:-1])
        forms.add(quote(secret, safe=""))
        forms.add(base64.b64encode(secret.encode("utf-8", "replace")).decode())
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(re.escape(form) for form in ordered))
