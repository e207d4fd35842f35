"""A session's redactor: knows its secrets, and makes values safe to write."""

from __future__ import annotations

import base64
import decimal
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from kedro_journal._outside import let_through

from .blocks import masked_text, may_hold_key
from .exact import Exact
from .identities import Identities
from .limits import (
    CUT,
    DEPTH_MAX,
    FAILED,
    NAME_MAX_CHARS,
    NODES_MAX,
    PARAMETER_MAX_BYTES,
    PARAMETERS_MAX_BYTES,
    REDACTED,
    SECRET_MAX_CHARS,
    SECRET_PART_CHARS,
    SECRETS_MAX,
    STRING_MAX_CHARS,
)
from .look import exact_text, look_inside
from .marks import NO_MARKS, Marks
from .names import PARTS, is_secret_name
from .plain import Safe, Walk, encodable, is_plain
from .shapes import (
    SHAPES,
    WORD_HINTS,
    mask_named,
    may_be_shaped,
    named,
    secret_words,
)

__all__ = ["Redactor"]

_REGISTERED_MIN_CHARS: Final = 6
_PLACES: Final = frozenset({"project_path", "cwd"})
_LOOKAHEAD_CHARS: Final = 8 * 1024
_JUDGED_MAX: Final = 4096
_WORD_MAX_CHARS: Final = 12
_NOTHING_INSIDE: Final = frozenset([str, int, float, bool, type(None), Safe])
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

    Attributes:
        identities: Masks names of nodes, datasets and the like.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(name.lower() for name in names if name)
        self._known: dict[str, tuple[str, ...]] = {}  # secret: the forms it may take
        self._ready: tuple[int, tuple[str, ...]] = (0, ())  # of how many; longest first
        self._judged: dict[str, bool] = {}  # names that came before
        self._own: re.Pattern[str] | None = None
        self.identities = Identities(self._mask_name)
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
        gathering = _Gathering()
        gathering.everything(values)
        for secret in sorted(gathering.texts):
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
        known = self._judged.get(name)
        if known is None:
            known = self._judge_name(name)
            if len(self._judged) < _JUDGED_MAX and len(name) <= NAME_MAX_CHARS:
                self._judged[name] = known
        return known

    def _judge_name(self, name: str) -> bool:
        if len(name) > 2 * NAME_MAX_CHARS:
            name = f"{name[:NAME_MAX_CHARS]}/{name[-NAME_MAX_CHARS:]}"
        if self._is_own_name(name):
            return True
        return any(is_secret_name(part) for part in PARTS.split(name) if part)

    def text(self, text: str) -> str:
        """Redact and bound one text; it stays encodable as UTF-8."""
        if may_hold_key(text):
            text = masked_text(text)
        forms = self._forms()
        return self._shaped(text, forms, forms)

    def keeps(self, text: str) -> bool:
        """Tell whether a text, such as a path, is sure to be left as it is."""
        for form in self._forms():
            if form in text:
                return False
        low = text.lower()
        if may_be_shaped(low):
            return False
        return self._own is None or not any(name in low for name in self._names)

    def prime(self, names: Iterable[str]) -> None:
        """Look at many names at once, before events that hold them are encoded."""
        self.identities.prime(names, holds=self._may_hold)

    def _may_hold(self, text: str) -> bool:
        """Return whether a text holds a registered secret or what hints at a token."""
        if any(form in text for form in self._forms()):
            return True
        low = text.lower()
        return any(hint in low for shape in SHAPES for hint in shape.hints)

    def _mask_name(self, name: str) -> str:
        """Mask registered secrets and known tokens; `name=value` is no part of it."""
        for form in self._forms():
            if form in name:
                name = name.replace(form, REDACTED)
        low = name.lower()
        if may_be_shaped(low):
            for shape in SHAPES:
                if any(hint in low for hint in shape.hints):
                    name = shape.mask(name)
        return name

    def _place(self, text: str) -> str:
        """Redact a path. A password that is a short word, such as a user's name, would
        leave nobody knowing where the project is.
        """
        forms = self._forms()
        some = tuple(form for form in forms if not _is_word(form))
        return self._shaped(text, forms, some)

    def _shaped(
        self, text: str, forms: tuple[str, ...], masked: tuple[str, ...]
    ) -> str:
        cut = CUT.search(text) if len(text) > STRING_MAX_CHARS else None
        if cut is not None and cut.start() <= STRING_MAX_CHARS:  # it was cut before
            return self._shaped(text[: cut.start()], forms, masked) + cut[0]
        excess = len(text) - STRING_MAX_CHARS
        # Far enough for a secret that begins before the cut to be known as one; what is
        # left of one that begins too late to be known stands at the very end.
        reach = max(_LOOKAHEAD_CHARS, len(forms[0]) if forms else 0)
        is_cut = excess > reach
        text = self._masked(text[: STRING_MAX_CHARS + reach], masked)
        if excess > 0:
            kept = max(0, len(text) - reach) if is_cut else len(text)
            text = (
                f"{text[: min(STRING_MAX_CHARS, kept)]}[... {excess} characters more]"
            )
        try:
            text.encode()
        except UnicodeEncodeError:
            text = text.encode("utf-8", "backslashreplace").decode()
        return text

    def mask(self, text: str) -> str:
        """Redact a text of any length, and leave the rest of it as it is."""
        return self._masked(text, self._forms())

    def _masked(self, text: str, forms: tuple[str, ...]) -> str:
        for form in forms:
            if form in text:
                text = text.replace(form, REDACTED)
        low = text.lower()
        if may_be_shaped(low):
            for shape in SHAPES:
                if any(hint in low for hint in shape.hints):
                    text = shape.mask(text)
            if any(hint in low for hint in WORD_HINTS):
                text = mask_named(text, secret_words(), is_secret_name)
        if self._own is not None and any(name in low for name in self._names):
            text = mask_named(text, self._own, self._is_own_name)
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
        except Exception as error:  # fail closed, whatever an object does
            let_through(error)
            return FAILED

    def exact(self, value: object) -> Any:
        """Return a value as JSON data that `redaction.exact.decode` reads back.

        Secrets are masked, and make what holds them inexact. Never raises.
        """
        self.learn(value)
        return Exact(self).value(value)

    def parameters(self, values: Mapping[str, object]) -> tuple[Safe, dict[str, str]]:
        """Return parameters for display, each with bounds of its own. Never raises.

        Returns:
            The parameters, and of each that is cut the SHA-256 of its whole value in
            its exact form, secrets masked: another value has another hash.
        """
        self.learn(values)
        shown, digests, left = Safe(), dict[str, str](), PARAMETERS_MAX_BYTES
        for key, value in values.items():
            walk = Walk(self)
            ((name, safe),) = walk.value({key: value}, 0).items()
            size = len(_json(safe))
            if walk.cut or size > min(PARAMETER_MAX_BYTES, left):
                digests[name] = hashlib.sha256(
                    _json(Exact(self).value(value))
                ).hexdigest()
            if size > min(PARAMETER_MAX_BYTES, left):
                safe = {"$truncated": f"{size} bytes"}
            left -= min(size, PARAMETER_MAX_BYTES)
            shown[name] = safe
        return shown, digests

    def fields(
        self,
        values: Mapping[str, object],
        marks: Marks = NO_MARKS,
        exact: frozenset[str] = frozenset(),
    ) -> dict[str, Any]:
        """Redact the fields of an event. Never raises.

        Args:
            values: The fields by name. The names are the event's own, so none of them
                makes its value a secret.
            marks: Which of the fields are left as they are, and which are names.
            exact: Names of fields that a later run needs: encoded without loss.
        """
        self.learn(list(values.values()))
        safe: dict[str, Any] = {}
        for name, value in values.items():
            walk = Walk(
                self, own=True
            )  # what one field has too much of is not the others' loss
            if name in marks.plain and is_plain(value):
                safe[name] = encodable(value)
                continue
            if name in exact:
                safe[name] = Exact(self).value(value)
                continue
            if name in marks.names and is_plain(value):
                safe[name] = self.identities.value(value)
                continue
            if name in _PLACES and type(value) is str:
                safe[name] = self._place(value)
                continue
            try:
                if type(value) is tuple:
                    safe[name] = walk.whole(value, 1)
                else:
                    safe[name] = walk.value(value, 1)
            except Exception as error:  # fail closed
                let_through(error)
                safe[name] = FAILED
        return safe

    def learn(self, values: object) -> None:
        """Register what stands under secret names, before any text is written.

        Never raises; whatever can be looked into is searched.
        """
        gathering = _Gathering()
        gathering.named(values, 0, self.is_secret_name)
        if gathering.found:
            self.register(*gathering.found)


class _Gathering:
    """One search for secrets, with a budget of values. Never raises."""

    def __init__(self) -> None:
        self.found: list[object] = []
        self.texts: set[str] = set()
        self._left = NODES_MAX
        self._seen: dict[int, object] = {}  # once is enough: there may be many ways

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
        self, value: object, depth: int, is_secret: Callable[[str], bool]
    ) -> None:
        """Find the values under secret names."""
        if type(value) in _NOTHING_INSIDE:
            return
        if type(value) is tuple and _NOTHING_INSIDE.issuperset(map(type, value)):
            return  # such as the inputs of a node
        for key, item in self._enters(value, depth):
            if issubclass(type(key), str) and is_secret(str.__str__(key)):
                self.found.append(item)
            else:
                self.named(item, depth + 1, is_secret)

    def everything(self, value: object, depth: int = 0) -> None:
        """Find the texts and numbers in a secret."""
        if len(self.texts) >= SECRETS_MAX or type(value) in (bool, type(None)):
            return
        text = _scalar_text(value)[:SECRET_MAX_CHARS]
        for start in range(0, len(text), SECRET_PART_CHARS):
            part = text[start : start + SECRET_PART_CHARS]
            ordinary = part.lower() in _ORDINARY or part == REDACTED
            if len(part) >= _REGISTERED_MIN_CHARS and not ordinary:
                self.texts.add(part)
        if not text:
            for _, item in self._enters(value, depth):
                self.everything(item, depth + 1)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _is_word(form: str) -> bool:
    return form.isalpha() and form.islower() and len(form) < _WORD_MAX_CHARS


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
