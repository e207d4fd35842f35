"""Registered secrets, and every encoding in which a text may hold them."""

from __future__ import annotations

import base64
import functools
import itertools
import re
import string
from collections.abc import Iterable
from typing import Final, NamedTuple

from .late import Late
from .limits import REDACTED
from .skeleton import without_digits

__all__ = ["LEAST_CHARS", "Forms", "Search", "forms_of"]

LEAST_CHARS: Final = 6
_WORD_MAX_CHARS: Final = 12
_ENCODED_LEAST_CHARS: Final = 8
_ANCHOR_LEAST_CHARS: Final = 3
_PLAIN: Final = Late(r"[A-Za-z0-9_.~]+|-+")
_UNESCAPED: Final = Late(r"[A-Za-z0-9_.~\-]+")
_BACKSLASHES: Final = Late(r"\\{2,}")
_CODE: Final = frozenset(string.ascii_letters + string.digits + "+/_-")
_WORDS: Final = Late(r"[A-Za-z0-9+/_\-]{8,}")
_SHORT_CHARS: Final = 300
_NO_CODE: Final = {code: " " for code in range(128) if chr(code) not in _CODE}
_DIGIT: Final = Late(r"[0-9]")
# How often a character may be escaped; each level doubles the backslashes.
_ESCAPES: Final = r"\\{0,16}"
_ENTITIES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
    "\xa0": "&nbsp;",
}
_LETTERS: Final = {"\n": "n", "\r": "r", "\t": "t", "\f": "f", "\b": "b", "\0": "0"}


class Forms(NamedTuple):
    """What to look for of one secret.

    Attributes:
        secret: The secret itself.
        anchor: A part of it that stands in every escaped form; may be empty.
        escaped: Finds it in escaped forms; None if it has none but itself.
        encoded: Its base64 and hexadecimal forms, without their ends.
        wide: Its forms with a null after each character.
        least: The length of the shortest of its encoded forms.
    """

    secret: str
    anchor: str
    escaped: re.Pattern[str] | None
    encoded: tuple[str, ...]
    wide: tuple[str, ...]
    least: int

    @property
    def is_word(self) -> bool:
        """Whether it is short and consists of lower-case letters alone."""
        is_short = len(self.secret) < _WORD_MAX_CHARS
        return is_short and self.secret.isalpha() and self.secret.islower()


class Search:
    """A search of texts for many secrets at once.

    Args:
        forms: Of the secrets, in any order.
    """

    def __init__(self, forms: Iterable[Forms]) -> None:
        every = sorted(forms, key=lambda one: -len(one.secret))
        self.longest: Final = len(every[0].secret) if every else 0
        self._plain: Final = tuple(
            form
            for one in every
            for form in dict.fromkeys((one.secret, one.secret[::-1]))
        )
        self._escaped: Final = tuple(
            (one.anchor, one.escaped) for one in every if one.escaped is not None
        )
        self._least: Final = min((one.least for one in every), default=0)
        self._every: Final = every

    @functools.cached_property
    def _mixed(self) -> tuple[str, ...]:
        return tuple(f for one in self._every for f in one.encoded if not f.islower())

    @functools.cached_property
    def _zeros(self) -> tuple[str, ...]:
        every = itertools.chain.from_iterable(one.encoded for one in self._every)
        return tuple(dict.fromkeys(map(without_digits, every)))

    @functools.cached_property
    def _lower(self) -> tuple[str, ...]:
        return tuple(f for one in self._every for f in one.encoded if f.islower())

    @functools.cached_property
    def _wide(self) -> tuple[str, ...]:
        return tuple(form for one in self._every for form in one.wide)

    def mask(self, text: str, distinct: str) -> str:
        """Return a text with every form of every secret replaced.

        Args:
            text: Any text.
            distinct: Its distinct words, see `distinct_words`.
        """
        if len(text) < LEAST_CHARS:
            return text
        for anchor, escaped in self._escaped:
            if anchor in text:
                text = escaped.sub(REDACTED, text)
        for secret in self._plain:
            if secret in text:
                text = text.replace(secret, REDACTED)
        if len(text) >= self._least > 0 and self._may_be_encoded(text, distinct):
            text = self._mask_encoded(text)
        if self._every and ("\0" in text or "x00" in text or "u0000" in text):
            for form in self._wide:
                text = text.replace(form, REDACTED)
        return text

    def _may_be_encoded(self, text: str, distinct: str) -> bool:
        """Return whether a text may hold an encoded form; False is certain."""
        if len(distinct) == len(text):
            return True
        words = distinct.translate(_NO_CODE).split()
        long = " ".join(word for word in words if len(word) >= self._least)
        return any(form in long for form in self._zeros)

    def _mask_encoded(self, text: str) -> str:
        """Replace encoded forms. They are looked for in long words alone.

        Base64 nearly always mixes cases, which ordinary words and paths do not.
        """
        if len(text) < _SHORT_CHARS:
            words = _WORDS.get().findall(text)
        else:
            words = text.translate(_NO_CODE).split()
        words = [word for word in set(words) if len(word) >= self._least]
        if not words:
            return text
        mixed = " ".join(word for word in words if not word.islower())
        if mixed:
            for form in self._mixed:
                if form in mixed:
                    text = _around(form).sub(REDACTED, text)
        lower = " ".join(words)
        for form in self._lower if _DIGIT.search(lower) else ():
            if form in lower:
                text = _around(form).sub(REDACTED, text)
        return text


@functools.lru_cache(maxsize=256)
def _around(form: str) -> re.Pattern[str]:
    """Find an encoded form with the characters that its ends share with others."""
    near = r"[A-Za-z0-9+/_\-]{0,2}"
    return re.compile(rf"{near}{re.escape(form)}{near}={{0,2}}")


def forms_of(secret: str) -> Forms:
    """Return the forms of a secret."""
    raw = secret.encode("utf-8", "surrogatepass")
    two = secret.encode("utf-16-le", "surrogatepass")
    parts = _PLAIN.get().findall(secret)
    anchor = max(parts, key=len, default="")
    encoded = {
        form
        for data in (raw, two)
        for form in (*_base64_forms(data), data.hex(), data.hex().upper())
        if len(form) >= _ENCODED_LEAST_CHARS
    }
    encoded.discard(secret)
    return Forms(
        secret=secret,
        anchor=anchor if len(anchor) >= _ANCHOR_LEAST_CHARS else "",
        escaped=None if _UNESCAPED.get().fullmatch(secret) else _escaped(secret),
        encoded=tuple(encoded),
        wide=tuple(_wide_forms(secret)),
        least=min(map(len, encoded)),
    )


def _base64_forms(raw: bytes) -> Iterable[str]:
    """Return base64 of a text that begins at any of three places in a longer one."""
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        first = (0, 2, 3)[offset]
        last = len(text) - (1 if (offset + len(raw)) % 3 else 0)
        form = text[first:last]
        yield form
        yield form.replace("+", "-").replace("/", "_")


def _wide_forms(secret: str) -> Iterable[str]:
    for null in ("\0", "\\x00", "\\u0000", "\\\\x00", "\\\\u0000", "\\0"):
        yield null.join(secret)


def _escaped(secret: str) -> re.Pattern[str]:
    """Compile what finds a secret however its special characters are written."""
    single = _BACKSLASHES.sub(r"\\", secret)  # how many there are tells nothing
    return re.compile("".join(map(_char, single)))


@functools.lru_cache(maxsize=1024)
def _char(char: str) -> str:
    """Return a pattern for one character in all its spellings."""
    if _UNESCAPED.get().fullmatch(char):
        return re.escape(char)
    code = ord(char)
    spellings = [rf"{_ESCAPES}{re.escape(char)}"]
    if char == "\\":
        spellings = [r"\\{1,64}", r"(?:%(?:25)?5[cC]){2,64}"]
    elif char == "'":
        spellings.append("''")
    if char == " ":
        spellings.append(r"\+")
    if char in _LETTERS:
        spellings.append(rf"\\{{1,16}}{_LETTERS[char]}")
    if char in _ENTITIES:
        spellings.append(f"(?i:{_ENTITIES[char]})")
    spellings.append(rf"&\#0{{0,3}}{code};|&\#[xX]0{{0,3}}(?i:{code:x});")
    raw = char.encode("utf-8", "surrogatepass")
    spellings.append("".join(f"%(?:25)?(?i:{byte:02x})" for byte in raw))
    spellings.append("".join(rf"\\{{1,16}}x(?i:{byte:02x})" for byte in raw))
    if code < 256:
        spellings.append(rf"\\{{1,16}}x(?i:{code:02x})")
    if code < 0x10000:
        spellings.append(rf"\\{{1,16}}u(?i:{code:04x})")
    else:
        high, low = 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + (code & 0x3FF)
        spellings.append(rf"\\{{1,16}}u(?i:{high:04x})\\{{1,16}}u(?i:{low:04x})")
        spellings.append(rf"\\{{1,16}}U(?i:{code:08x})")
    return f"(?:{'|'.join(spellings)})"
