"""Known forms of tokens: what issues them, how they begin, and of what they consist.

The facts are from the documentation of the services and from public catalogs of
secret scanners. To add one, add a line to `token_table`; the tests invent an example
of every line.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable
from typing import Final, NamedTuple

from .late import Late
from .names import looks_random
from .skeleton import without_digits
from .token_table import TABLE

__all__ = ["ALPHABETS", "Token", "mask_tokens", "tokens"]

ALPHABETS: Final = {
    "hex": "0-9a-fA-F",
    "upper": "A-Z0-9",
    "alnum": "A-Za-z0-9",
    "word": r"A-Za-z0-9_\-",
    "dots": r"A-Za-z0-9_.=\-",
    "base64": r"A-Za-z0-9+/=_\-",
    "any": r"A-Za-z0-9+/=_.~$!@:\-",
}
"""Characters of a token after its prefix, as they stand in a class of a pattern."""

# Tokens whose fixed part does not stand at the beginning, with that part.
_OTHERS: Final = (
    ("Telegram", ":AA", r"\d{8,10}:AA[\w\-]{30,40}"),
    ("Azure AD", "Q~", r"[\w~.]{3}\dQ~[\w~.\-]{31,34}"),
    ("Terraform Cloud", ".atlasv1.", r"[A-Za-z0-9]{14}\.atlasv1\.[\w\-]{50,80}"),
    ("MaxMind", "_mmk", r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk"),
    ("Mailchimp", "-us", r"[0-9a-f]{32}-us\d{1,2}"),
    ("Salesforce", "00D", r"00D[A-Za-z0-9]{12,15}![\w.]{60,130}"),
    ("Airtable", "pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("Asana", ":", r"\d{16}:[0-9a-f]{32}"),
    ("42", "s-s4t2", r"s-s4t2(?:ud|af)-[0-9a-f]{64}"),
    ("Azure storage", "==", r"[A-Za-z0-9+/]{86}=="),
    (
        "JSON web token",
        "eyJ",
        r"eyJ[A-Za-z0-9_\-]{8,1000}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*){1,3}",
    ),
    ("Discord bot", ".", r"[MNO][\w\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,40}"),
)
_LEAST_CHARS: Final = 16
_OTHER_LEAST_CHARS: Final = 32
# A token is one long word: only in such words the beginnings are looked for.
_CHARS: Final = frozenset(string.ascii_letters + string.digits + "+/=_.~$!@:|-")
_LONG: Final = Late(r"[A-Za-z0-9+/=_.~$!@:|\-]{16,}")
_ESCAPED: Final = Late(
    r"\\(?:[nrtbf]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|%(?:25)?[0-9a-fA-F]{2}"
)
_SHORT_CHARS: Final = 300
_DELIMITERS: Final = {code: " " for code in range(128) if chr(code) not in _CHARS}
_ALNUM: Final = frozenset(string.ascii_letters + string.digits)
_NO_WORD: Final = {code: " " for code in range(128) if chr(code) not in _ALNUM}
_STARTS: Final = Late(r"(?<![A-Za-z0-9])(?=([A-Za-z0-9]..))")
_UUID: Final = Late(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_BOUNDARY: Final = Late(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9])")


class Token(NamedTuple):
    """One known form.

    Attributes:
        service: What issues it.
        prefix: What it begins with.
        alphabet: A key of `ALPHABETS`.
        length: How many characters follow, as documented.
        exact: Only exactly that many are taken for one.
        weak: What follows must look generated as well.
    """

    service: str
    prefix: str
    alphabet: str
    length: int
    exact: bool
    weak: bool

    @property
    def least(self) -> int:
        """The number of characters from which it is masked."""
        if self.exact:
            return self.length
        return min(self.length, max(_LEAST_CHARS, self.length // 4))


@functools.cache
def tokens() -> tuple[Token, ...]:
    """Return the table."""
    found = []
    for line in TABLE.strip().splitlines():
        service, prefix, alphabet, length = line.replace("\\|", "\0").split("|")
        found.append(
            Token(
                service,
                prefix.replace("\0", "|"),
                alphabet,
                int(length.rstrip("!?")),
                length.endswith("!"),
                length.endswith("?"),
            )
        )
    return tuple(found)


@functools.cache
def _by_beginning() -> dict[str, tuple[Token, ...]]:
    """Return the tokens by the first two characters, the longest prefix first."""
    found: dict[str, list[Token]] = {}
    for token in sorted(tokens(), key=lambda one: -len(one.prefix)):
        found.setdefault(token.prefix[:2], []).append(token)
    return {beginning: tuple(some) for beginning, some in found.items()}


@functools.cache
def _other(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])")


_bare: Final = functools.cache(re.compile)


@functools.cache
def _body(alphabet: str) -> re.Pattern[str]:
    return re.compile(f"[{ALPHABETS[alphabet]}]*")


def mask_tokens(text: str, distinct: str, mark: str) -> str:
    """Replace every known token in a text with a mark.

    Args:
        text: Any text.
        distinct: Its distinct words, see `distinct_words`.
        mark: What stands in the place of a token.
    """
    if len(text) < _LEAST_CHARS:
        return text
    if not distinct.isascii():
        distinct = distinct.encode("ascii", "replace").decode()
    if len(distinct) < len(text) and not ("\\" in text or "%" in text):
        long = (
            w for w in distinct.translate(_DELIMITERS).split() if len(w) >= _LEAST_CHARS
        )
        if not _may_hold(" ".join(long), without_digits):
            return text
    plain = text
    if "\\" in text or "%" in text:  # what is escaped before a token is no part of it
        plain = f"{_ESCAPED.sub(' ', text)} {text}"
    # Other alphabets end a token as well, which `translate` does not know.
    if len(plain) < _SHORT_CHARS or not plain.isascii():
        words = _LONG.get().findall(plain)
    else:  # split in one go: most words are short
        every = plain.translate(_DELIMITERS).split()
        words = list({word for word in every if len(word) >= _LEAST_CHARS})
    if not words or not _may_hold(" ".join(words)):
        return text
    # A word may be the beginning of a longer one, so the longer one comes first.
    for word in sorted(words, key=len, reverse=True):
        safe = _mask_word(word, mark)
        if safe != word:
            text = text.replace(word, safe)
    return text


@functools.cache
def _by_head(form: Callable[[str], str]) -> dict[str, dict[str, str]]:
    """Return the prefixes by their first two letters or digits.

    Behind a short prefix is a pattern of it and of the least that follows.
    """
    found: dict[str, dict[str, str]] = {}
    for token in tokens():
        prefix = form(token.prefix)
        head = prefix.translate(_NO_WORD).split()[0][:2]
        pattern = rf"{re.escape(prefix)}[{ALPHABETS[token.alphabet]}]{{{token.least}}}"
        some = found.setdefault(head, {})
        is_short = len(prefix) <= 3 and prefix not in some
        some[prefix] = pattern if is_short else ""
    return found


def _may_hold(words: str, form: Callable[[str], str] = str) -> bool:
    """Return whether any of the words may hold a token: one look at all of them.

    Args:
        words: The words.
        form: What was done with them before.
    """
    known = _by_head(form)
    pieces = set(words.translate(_NO_WORD).split())
    for head in {piece[:2] for piece in pieces}.intersection(known):
        for prefix, pattern in known[head].items():
            if prefix in words and (not pattern or _bare(pattern).search(words)):
                return True
    for _, part, pattern in _OTHERS:
        if form(part) not in words:
            continue
        if form(part) != part:
            return True  # the pattern does not fit any more
        if _bare(pattern).search(words):  # faster than with what may stand around it
            return True
    return False


@functools.cache
def _beginnings() -> frozenset[str]:
    """Return the first three characters of every prefix; of a short one, two."""
    return frozenset(token.prefix[:3] for token in tokens())


def _may_begin(word: str) -> bool:
    """Return whether any part of a word may be the beginning of a token."""
    known = _beginnings()
    return any(
        three in known or three[:2] in known for three in _STARTS.get().findall(word)
    )


def _mask_word(word: str, mark: str) -> str:
    if len(word) == 36 and _UUID.match(word):
        return word
    by_beginning = _by_beginning()
    parts: list[str] = []
    done = 0
    for match in _BOUNDARY.finditer(word) if _may_begin(word) else ():
        start = match.start()
        known = by_beginning.get(word[start : start + 2])
        if known is None or start < done:
            continue
        end = _end_of_token(word, start, known)
        if end:
            parts += (word[done:start], mark)
            done = end
    if done:
        parts.append(word[done:])
        word = "".join(parts)
    if len(word) <= _OTHER_LEAST_CHARS:
        return word
    for _, part, pattern in _OTHERS:
        if part in word:
            word = _other(pattern).sub(mark, word)
    return word


def _end_of_token(word: str, start: int, known: tuple[Token, ...]) -> int:
    """Return where the token ends that begins here; 0 if there is none."""
    for token in known:
        if not word.startswith(token.prefix, start):
            continue
        at = start + len(token.prefix)
        found = _body(token.alphabet).match(word, at)
        body = found[0] if found else ""
        if token.exact and len(body) != token.length:
            continue
        if len(body) >= token.least and not (token.weak and not looks_random(body)):
            return at + len(body)
    return 0
