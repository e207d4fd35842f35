"""Registered secrets, and every encoding in which a text may hold them."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from .late import Late
from .limits import REDACTED

__all__ = ["LEAST_CHARS", "Forms", "encoded_runs", "forms_of", "has_nulls"]

LEAST_CHARS: Final = 6
_ENCODED_LEAST_CHARS: Final = 8
_ANCHOR_LEAST_CHARS: Final = 3
_PLAIN: Final = Late(r"[A-Za-z0-9_.~]+|-+")
_UNESCAPED: Final = Late(r"[A-Za-z0-9_.~\-]+")
_RUN: Final = Late(r"[A-Za-z0-9+/_\-]{8,}")
_BACKSLASHES: Final = Late(r"\\{2,}")
_WIDE: Final = Late(r"\x00|x00|u0000|\\0")
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
        is_word: It consists of lower-case letters alone.
    """

    secret: str
    anchor: str
    escaped: re.Pattern[str] | None
    encoded: tuple[str, ...]
    wide: tuple[str, ...]
    is_word: bool

    def is_in(self, text: str, runs: str, *, wide: bool) -> bool:
        """Return whether a text holds the secret in any form."""
        if self.secret in text:
            return True
        if self.escaped and self.anchor in text and self.escaped.search(text):
            return True
        if runs and any(form in runs for form in self.encoded):
            return True
        return wide and any(form in text for form in self.wide)

    def mask(self, text: str, runs: str, *, wide: bool) -> str:
        """Return a text with every form replaced."""
        if self.secret in text:
            text = text.replace(self.secret, REDACTED)
        if self.escaped and self.anchor in text:
            text = self.escaped.sub(REDACTED, text)
        if runs:
            for form in self.encoded:
                if form in runs:
                    text = _around(form).sub(REDACTED, text)
        if wide:
            for form in self.wide:
                text = text.replace(form, REDACTED)
        return text


@functools.lru_cache(maxsize=256)
def _around(form: str) -> re.Pattern[str]:
    """Find an encoded form with the characters that its ends share with others."""
    return re.compile(
        rf"[A-Za-z0-9+/_\-]{{0,2}}{re.escape(form)}[A-Za-z0-9+/_\-]{{0,2}}={{0,2}}"
    )


def encoded_runs(text: str) -> str:
    """Return the parts of a text that may be base64 or hexadecimal."""
    return " ".join(_RUN.get().findall(text))


def has_nulls(text: str) -> bool:
    """Return whether a text may hold UTF-16 as text."""
    return _WIDE.search(text) is not None


def forms_of(secret: str) -> Forms:
    """Return the forms of a secret."""
    raw = secret.encode("utf-8", "surrogatepass")
    narrow = raw if len(raw) <= 3 * 1365 else raw[: 3 * 1365]
    two = secret.encode("utf-16-le", "surrogatepass")
    parts = _PLAIN.get().findall(secret)
    anchor = max(parts, key=len, default="")
    if len(anchor) < _ANCHOR_LEAST_CHARS:
        anchor = ""
    encoded = {
        form
        for data in (narrow, two)
        for form in (*_base64_forms(data), data.hex(), data.hex().upper())
        if len(form) >= _ENCODED_LEAST_CHARS
    }
    encoded.discard(secret)
    return Forms(
        secret=secret,
        anchor=anchor,
        escaped=None if _UNESCAPED.get().fullmatch(secret) else _escaped(secret),
        encoded=tuple(sorted(encoded, key=len, reverse=True)),
        wide=tuple(_wide_forms(secret)),
        is_word=secret.isalpha() and secret.islower(),
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
        spellings = [r"\\{1,64}"]
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
