"""Make any value safe to write: plain JSON, bounded, without secrets. Pure.

An append-only file cannot be cleaned later, so everything goes through here before it
is encoded, and what cannot be judged is left out (fail closed). Three ways to be a
secret: the name of the key says so, the shape of the text says so, or the value was
registered, as every value found under such a name is, and as the caller does with
credentials and the environment.
"""

from __future__ import annotations

import base64
import itertools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple
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
_LOOKAHEAD_CHARS: Final = 8 * 1024
SECRETS_MAX: Final = 5000
_UNNAMED: Final = "(a key that cannot be written)"
_SCALARS: Final = (str, int, float, bool)
_FLAG: Final = re.compile(r"--?[A-Za-z][\w.\-]*\Z")
_PARTS: Final = re.compile(r"[.:/\[\]]")

_NAME: Final = re.compile(
    r"pass(word|wd|phrase|code)|(^|[-_. ]|db|user)pass$|pwd|secret|credential"
    r"|(^|[^a-z])(auth|pat|psk)$|authorization|api[-_ .]?key|access[-_ .]?key"
    r"|account[-_ .]?key|private[-_ .]?(key|pem)|signing[-_ .]?key"
    r"|encryption[-_ .]?key|ssh[-_ .]?key|tokens?$|token[-_ .]?(value|secret|key)$"
    r"|(^|[-_.])tokens?[-_ .]?(\d+|prod|production|dev|test|staging|live|main|admin"
    r"|read|write|ro|rw|old|new|primary|secondary|default|backup)$"
    r"|passwort|bearer|cookie|session[-_ .]?key|connection[-_ .]?string|conn[-_ .]?str"
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
_WORDS_OF_SECRETS: Final = (
    r"password|passwd|passphrase|passcode|passwort|pwd|secret|token|api[_\-]?key"
    r"|access[_\-]?key|account[_\-]?key|private[_\-]?key|credential|authorization"
    r"|cookie"
)
# What may stand between a name and its value: =, :, =>, >, also quoted and escaped.
_BETWEEN: Final = r"\\{0,4}['\"]?\s{0,8}(?:[=:]{1,2}>?|>|%3[dD])\s{0,8}"
# A value: quoted, perhaps with a prefix or escaped; something in brackets or a call,
# whose end cannot be told, to the end of the line; or up to a separator.
_VALUE: Final = (
    r"(?:[A-Za-z]{0,2}\"(?:[^\"\\\n]|\\.)*+(?:\"|\Z)"
    r"|[A-Za-z]{0,2}'(?:[^'\\\n]|\\.)*+(?:'|\Z)"
    r"|\\{1,4}['\"](?:[^\\\n]|\\(?!\\{0,3}['\"]))*+(?:\\{1,4}['\"])?"
    r"|[\w.]{0,60}[\[({][^\n]*"
    r"|[^\s,;&'\")\]}<]+)"
)
# Registered values are masked wherever they stand, so ordinary words stay out.
_ORDINARY: Final = frozenset(
    [
        *("password", "passwd", "secret", "secrets", "token", "tokens", "credential"),
        *("credentials", "default", "string", "public", "private", "example"),
        *("unknown", "localhost", "anonymous", "changeme"),
    ]
)


_NAME_BEFORE: Final = re.compile(r"[\w.\-]{0,80}\Z")
_VALUE_AT: Final = re.compile(_VALUE)


def _named(words: str) -> re.Pattern[str]:
    """Match a name that holds one of *words*, and what stands before its value.

    What the name begins with is looked up behind the match: searched for, it would
    take quadratic time on a long text without spaces.
    """
    name = rf"(?P<name>(?:{words})[\w.\-]{{0,80}}+)"
    return re.compile(rf"(?i){name}(?P<between>{_BETWEEN}|\s{{1,8}}(?!-))")


def _mask_named(
    text: str, pattern: re.Pattern[str], is_secret: Callable[[str], bool]
) -> str:
    """Hide name=value, name: value, "name": "value", --name value."""
    parts: list[str] = []
    done = 0
    while match := pattern.search(text, done):
        start = match.start()
        before = _NAME_BEFORE.search(text[max(0, done, start - 80) : start])
        name = (before[0] if before else "") + match["name"]
        value = None
        # Without a sign between them, only after --: else it is words in a sentence.
        if match["between"].strip() or name.startswith("--"):
            value = is_secret(name.lstrip("-")) and _VALUE_AT.match(text, match.end())
        parts.append(text[done : match.end()])
        done = match.end()
        if value:
            parts.append(REDACTED)
            done = value.end()
    parts.append(text[done:])
    return "".join(parts)


def _mask_basic(match: re.Match[str]) -> str:
    """Basic credentials are base64 of user:password; other words stay."""
    try:
        text = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4))
    except ValueError:
        return match[0]
    return f"{match[1]}{REDACTED}" if b":" in text else match[0]


class _Shape(NamedTuple):
    """A known form of secrets in texts.

    Attributes:
        hints: Lower-case texts of which it always holds one: a cheap first look.
        pattern: Finds it.
        replacement: What is put in its place.
    """

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replacement: str | Callable[[re.Match[str]], str] = REDACTED


_WORD_HINTS: Final = (
    *("pass", "pwd", "secret", "token", "key", "credential", "authorization"),
    "cookie",
)
_NAMED: Final = _named(_WORDS_OF_SECRETS)
_SHAPES: Final = (
    _Shape(
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
            r".*?(-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
    ),
    _Shape(
        ("akia", "asia", "aroa", "aida"),
        re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"),
    ),
    _Shape(
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"),
    ),
    _Shape(("github_pat_",), re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}")),
    _Shape(("glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_\-]{16,}")),
    _Shape(("xox",), re.compile(r"\bxox[abeoprs]-[A-Za-z0-9\-]{10,}")),
    _Shape(("sk-",), re.compile(r"\bsk-[A-Za-z0-9_\-]{20,}")),
    _Shape(
        ("k_live_", "k_test_"), re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}")
    ),
    _Shape(("aiza",), re.compile(r"\bAIza[A-Za-z0-9_\-]{30,}")),
    _Shape(("ya29.",), re.compile(r"\bya29\.[A-Za-z0-9_\-]{20,}")),
    _Shape(("hf_",), re.compile(r"\bhf_[A-Za-z0-9]{20,}")),
    _Shape(("pypi-",), re.compile(r"\bpypi-[A-Za-z0-9_\-]{20,}")),
    _Shape(("dapi",), re.compile(r"\bdapi[0-9a-f]{32}\b")),
    _Shape(
        ("eyj",),
        re.compile(r"\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*"),
    ),
    # user:password@host in any URL, the host kept
    _Shape(("://",), re.compile(r"(://)[^/\s'\"<>?#]*@"), rf"\1{REDACTED}@"),
    # the same where the password holds /, ? or #; a port is no password
    _Shape(
        ("://",),
        re.compile(
            r"(://)[^\s:/@?#'\"<>]*:(?!\d{1,5}(?:[/?#\s]|\Z))[^\s@'\"<>]*@"
            r"(?:[^\s@/'\"<>]*@)*"
        ),
        rf"\1{REDACTED}@",
    ),
    _Shape(
        ("bearer",),
        re.compile(r"(?i)\b(bearer\s{1,8})[A-Za-z0-9+/=_.~\-]{8,}"),
        rf"\1{REDACTED}",
    ),
    _Shape(
        ("basic",),
        re.compile(r"(?i)\b(basic\s{1,8})([A-Za-z0-9+/_\-]{8,}=*)"),
        _mask_basic,
    ),
    # headers: schemes and pairs follow, up to the end of the line
    _Shape(
        ("authorization", "cookie"),
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)"
            r"(\\{0,4}['\"]?\s{0,8}[:=]\s{0,8})(?!\\{0,4}['\"\s])[^\n'\"\\]+"
        ),
        rf"\1\2{REDACTED}",
    ),
    _Shape(
        ("sig",),
        re.compile(r"([?&](?:sig|signature|X-Amz-Signature)=)[^&\s'\"]+"),
        rf"\1{REDACTED}",
    ),
)


def is_secret_name(name: str) -> bool:
    """Tell whether what stands under this name is taken for a secret."""
    last = re.split(r"[.:/\[\]]", name.strip())[-1] or name
    return bool(_NAME.search(last)) and not _INNOCENT.search(last)


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
            self._own = _named("|".join(re.escape(name) for name in self._names))

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
        return any(is_secret_name(part) for part in _PARTS.split(name) if part)

    def text(self, text: str) -> str:
        """Redact and bound one text; it stays encodable as UTF-8."""
        for form in self._forms():
            if form in text:
                text = text.replace(form, REDACTED)
        excess = len(text) - STRING_MAX_CHARS
        # Far enough for a secret that begins before the cut to be known as one.
        text = text[: STRING_MAX_CHARS + _LOOKAHEAD_CHARS]
        low = text.lower()
        for shape in _SHAPES:
            if any(hint in low for hint in shape.hints):
                text = shape.pattern.sub(shape.replacement, text)
        if any(hint in low for hint in _WORD_HINTS):
            text = _mask_named(text, _NAMED, is_secret_name)
        if self._own is not None and any(name in low for name in self._names):
            text = _mask_named(text, self._own, self._is_own_name)
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
            return _Walk(self).value(value, 0)
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
        walk = _Walk(self)
        safe: dict[str, Any] = {}
        for name, value in values.items():
            if name in keep and (value is None or type(value) in _SCALARS):
                safe[name] = _encodable(value)
                continue
            try:
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


def _key_text(key: object) -> str:
    try:
        return key if isinstance(key, str) else str(key)
    except Exception:  # its __str__ raised, or it is a huge number
        return _UNNAMED


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
                safe["$truncated"] = len(value) - ITEMS_MAX
                break
            name = _key_text(key)
            secret = name == _UNNAMED or self._redactor.is_secret_name(name)
            if secret and item is not None and not isinstance(item, bool):
                safe[self._redactor.text(name)] = REDACTED
            else:
                safe[self._redactor.text(name)] = self.value(item, depth + 1)
        return safe

    def _items(self, value: Iterable[object], count: int, depth: int) -> list[Any]:
        safe: list[Any] = []
        flag = False  # the item before was --password or the like: this is its value
        for number, item in enumerate(value):
            if number >= ITEMS_MAX:
                safe.append({"$truncated": count - ITEMS_MAX})
                break
            text = item if isinstance(item, str) else ""
            if flag and text and not text.startswith("--"):
                safe.append(REDACTED)
            else:
                safe.append(self.value(item, depth + 1))
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
        safe: dict[str, Any] = {}
        for name in value.__struct_fields__:
            item = getattr(value, name)
            if name in defaults and item == defaults[name]:
                continue
            secret = self._redactor.is_secret_name(name)
            if secret and item is not None and not isinstance(item, bool):
                safe[name] = REDACTED
            else:
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
            shown = repr(value)
        except Exception:  # somebody else's __repr__
            shown = "(its repr raised)"
        return {"$type": kind, "$repr": self._redactor.text(shown)[:1000]}


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
