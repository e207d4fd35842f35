"""A session's redactor: knows its secrets, and makes values safe to write."""

from __future__ import annotations

import hashlib
import itertools
import operator
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from kedro_journal._outside import let_through

from .blocks import masked_text, may_hold_key
from .commands import mask_commands, may_hold_command
from .exact import Exact
from .forms import Forms, Search, forms_of
from .gathering import Gathering
from .identities import Identities
from .limits import (
    CUT,
    FAILED,
    NAME_MAX_CHARS,
    PARAMETER_MAX_BYTES,
    PARAMETERS_MAX_BYTES,
    SECRETS_MAX,
    STRING_MAX_CHARS,
)
from .marks import NO_MARKS, Marks
from .names import Verdict, is_secret, looks_random, verdict
from .pairs import mask_pairs
from .plain import Safe, Walk, encodable, is_plain
from .shapes import mask_shapes
from .skeleton import distinct_words, may_hold_name

__all__ = ["Redactor"]

_PLACES: Final = frozenset({"project_path", "cwd"})
_LOOKAHEAD_CHARS: Final = 8 * 1024
_JUDGED_MAX: Final = 4096
_TEXTS_MAX: Final = 2048  # whose redacted form is kept
_PRIMED_MAX: Final = 20_000
_TEXT_KEPT_CHARS: Final = 400
_LINE_NUMBER: Final = re.compile(r":\d{1,5}$", re.MULTILINE)
_WORD: Final = re.compile(r"[A-Za-z_]+\Z")
_NO_SEARCH: Final = Search(())
_LOGIN_FLAGS: Final = frozenset(["u", "U", "user", "proxy-user"])


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
        self._has_blanks = any(" " in name for name in self._names)
        self._known: dict[str, Forms] = {}
        self._ready: tuple[int, Search, Search] = (0, _NO_SEARCH, _NO_SEARCH)
        self._judged: dict[str, Verdict] = {}  # names that came before
        self._texts: tuple[int, dict[str, str]] = (0, {})  # with how many secrets
        self.identities = Identities(self._mask_name)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The registered secrets, for handing to a worker in memory. Never written."""
        return tuple(sorted(self._known))

    def register(self, *values: object) -> None:
        """Remember values as secrets, wherever they turn up later. Never raises.

        Containers are searched for their strings and numbers. Of a URL or a connection
        string the password counts by itself as well. What is shorter than six
        characters or an ordinary word is left out: it would mask plain text.
        """
        gathering = Gathering()
        gathering.everything(values)
        for secret in sorted(gathering.texts):
            if secret not in self._known and len(self._known) < SECRETS_MAX:
                self._known[secret] = forms_of(secret)

    def _searches(self) -> tuple[int, Search, Search]:
        """Return how many secrets are known, a search for them, and one for paths.

        A password that is a plain word, such as a user's name, is not searched for in
        paths: it would hide where the project is.
        """
        ready = self._ready
        if ready[0] != len(self._known):
            every = tuple(self._known.values())
            some = [one for one in every if not one.is_word]
            ready = self._ready = (len(every), Search(every), Search(some))
        return ready

    def is_secret_name(self, name: str) -> bool:
        """Return whether a name stands for a secret, own names included."""
        return self._verdict(name) == "secret"

    def hides(self, name: str, value: object) -> bool:
        """Return whether a value under a name is a secret, own names included."""
        found = self._verdict(name)
        if found == "harmless":
            return False
        if self._is_own_name(name):
            return value is not None and type(value) is not bool
        return is_secret(_bounded(name), value)

    def hides_argument(self, option: str, text: str) -> bool:
        """Return whether the argument that follows an option is a secret.

        Args:
            option: The option without its dashes.
            text: What follows it.
        """
        if option in _LOGIN_FLAGS:  # curl -u user:password
            user, colon, rest = text.partition(":")
            return bool(user and colon and rest) and not rest.startswith("//")
        return self.hides(option, text)

    def hides_second(self, first: str, second: object) -> bool:
        """Return whether the second of two values is the secret that the first names.

        Names of columns also come in twos, so a plain word is none.
        """
        if type(second) is not str or not self.hides(first, second):
            return False
        return looks_random(second) or not _WORD.match(second)

    def _verdict(self, name: str) -> Verdict:
        known = self._judged.get(name)
        if known is None:
            short = _bounded(name)
            known = "secret" if self._is_own_name(short) else verdict(short)
            if len(self._judged) < _JUDGED_MAX and len(name) <= NAME_MAX_CHARS:
                self._judged[name] = known
        return known

    def text(self, text: str) -> str:
        """Redact and bound one text; it stays encodable as UTF-8."""
        if len(text) > _TEXT_KEPT_CHARS:
            return self._shaped(text, self._searches()[1])
        count, texts = self._texts
        if count != len(self._known):
            count, texts = len(self._known), {}
            self._texts = (count, texts)
        known = texts.get(text)
        if known is None:
            if len(texts) >= _TEXTS_MAX:
                count, texts = len(self._known), {}
                self._texts = (count, texts)
            known = self._shaped(text, self._searches()[1])
            if count == len(self._known):
                texts[text] = known
        return known

    def keeps(self, text: str) -> bool:
        """Return whether a text, such as a path, stays as it is."""
        return self.text(text) == text

    def all_kept(self, name: str, texts: Iterable[str]) -> bool:
        """Return whether texts that a field of an event holds are all kept.

        Args:
            name: The name of the field.
            texts: The texts.
        """
        if self._verdict(name) != "harmless":
            return False
        count, known = self._texts
        if count != len(self._known):
            return False
        some = set(texts)
        return all(map(operator.eq, map(known.get, some), some))

    def prime(self, names: Iterable[str], texts: Iterable[str] = ()) -> None:
        """Look at many names and texts at once, before events are encoded.

        Args:
            names: Names, as `identities` masks them.
            texts: Texts such as places in source files, `file:line`. All numbers of
                lines are looked at as one, since they say nothing.
        """
        self.identities.prime(names, holds=lambda text: self._mask_name(text) != text)
        some = {text for text in texts if len(text) <= _TEXT_KEPT_CHARS}
        joined = "\n".join(some)
        if not joined.isascii() or joined.count("\n") >= len(some):
            some = {text for text in some if text.isascii() and "\n" not in text}
            joined = "\n".join(some)
        lines = set(_LINE_NUMBER.sub(":10000", joined).split("\n"))
        one = "\n".join(lines)
        count = len(self._known)
        if self.mask(one) != one:
            return  # each is masked by itself
        if self._texts[0] != count or len(self._texts[1]) >= _TEXTS_MAX:
            self._texts = (count, {})
        if count == len(self._known):
            kept = list(itertools.islice(some, _PRIMED_MAX))
            self._texts[1].update(zip(kept, kept, strict=True))

    def _mask_name(self, name: str) -> str:
        """Mask registered secrets and known tokens; `name=value` is not looked for."""
        words = distinct_words(name)
        masked = self._searches()[1].mask(name, words)
        if masked != name:
            words = distinct_words(masked)
        return mask_shapes(masked, words)

    def _place(self, text: str) -> str:
        """Redact a path."""
        return self._shaped(text, self._searches()[2])

    def _shaped(self, text: str, search: Search) -> str:
        cut = CUT.search(text) if len(text) > STRING_MAX_CHARS else None
        if cut is not None and cut.start() <= STRING_MAX_CHARS:  # it was cut before
            return self._shaped(text[: cut.start()], search) + cut[0]
        excess = len(text) - STRING_MAX_CHARS
        # Far enough for a secret that begins before the cut to be known as one; what is
        # left of one that begins too late to be known stands at the very end.
        reach = max(_LOOKAHEAD_CHARS, 2 * search.longest)
        is_cut = excess > reach
        text = self._masked(text[: STRING_MAX_CHARS + reach], search)
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
        return self._masked(text, self._searches()[1])

    def _masked(self, text: str, search: Search) -> str:
        if may_hold_key(text):
            text = masked_text(text)
        words = distinct_words(text)
        masked = search.mask(text, words)
        if masked != text:
            words = distinct_words(masked)
        text = mask_shapes(masked, words)
        # What these rules put in is no word of theirs, so the words still tell.
        if may_hold_command(words):
            text = mask_commands(text, self._verdict)
        if not self._names and not may_hold_name(words):
            return text
        own = self._is_own_name if self._has_blanks else None
        return mask_pairs(text, self._verdict, own)

    def _is_own_name(self, name: str) -> bool:
        low = name.lower()
        return any(word in low for word in self._names)

    def plain(self, value: object) -> Any:
        """Return any value as plain JSON data, redacted and bounded. Never raises.

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
        gathering = Gathering(lambda name: self._verdict(name) == "harmless")
        gathering.named(values, 0, self.hides)
        if gathering.found:
            self.register(*gathering.found)


def _bounded(name: str) -> str:
    """Return a name, of a very long one both ends."""
    if len(name) <= 2 * NAME_MAX_CHARS:
        return name
    return f"{name[:NAME_MAX_CHARS]}/{name[-NAME_MAX_CHARS:]}"


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")
