"""Secrets that a text names: `name=value`, `"name": "value"`, `--name value`.

Names are judged as keys of mappings are. A value ends where its quotes, its URL, its
line or the next pair say so. Every step goes forward, so the time is linear.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from .late import Late
from .limits import REDACTED
from .names import Verdict, is_secret, looks_random
from .prose import NOTHING, PROSE, REFERENCE

__all__ = ["Judge", "mask_pairs", "values_of_pairs"]

_NAME_MAX_CHARS: Final = 80
_VALUE_MAX_CHARS: Final = 64 * 1024
_BEFORE: Final = Late(r"[\w.\-]{0,80}\Z")
_AFTER: Final = Late(r"[\w.\-]{0,80}")
_WORDS_BEFORE: Final = Late(r"((?:[A-Za-z]{2,20} ){1,2})\Z")
_UNSURE_BEFORE: Final = Late(
    r"(?:unexpected|invalid|unknown|bad|missing|wrong|expected|next|illegal|stray"
    r"|undefined|unrecognized|current|previous|each|per|every|of|special|duplicate"
    r"|reserved|unmatched) \Z",
    re.IGNORECASE,
)
_QUOTE: Final = (
    r"\\{0,16}['\"]|&quot;|&\#0?3[49];|&\#x2[27];|&apos;|%2[27]|\\{1,4}u002[27]"
)
_BETWEEN: Final = Late(
    rf"(?P<close>{_QUOTE})?[\])]?\s{{0,8}}"
    r"(?P<sep>[=:]{1,2}>?|->|>|&gt;|%3[dDaA]|\\{1,4}u003[dD])[ \t]{0,8}"
    r"(?:(?<=[: ])(?:str|bytes|SecretStr|Any|object|Optional\[str\]|str \| None)"
    r"\s{0,8}=\s{0,8})?"
)
# What stands between a name and its value, or before a name.
_SIGN: Final = Late(  # each alternative begins with a literal: `re` is fast then
    r"=|:|>|&gt;|%3[dDaA]|\\u003[dD]|--(?=[A-Za-z])"
    r"|'\s{0,4},(?=\s{0,4}[bBuUrR\\]{0,6}['\"])|\"\s{0,4},(?=\s{0,4}[bBuUrR\\]{0,6}['\"])"
)
_SIGNS: Final = frozenset("=:>'\"&%\\")
_CLOSED: Final = Late(r"(?:&quot;|&#0?3[49];|&#x2[27];|&apos;|%2[27]|u002[27]|['\"])\Z")
_CLOSINGS: Final = frozenset("'\";27")
_NAME_CHARS: Final = string.ascii_letters + string.digits + "_.-"
_LAST_WORDS: Final = frozenset(
    "key keys code id string phrase signature pass url str pin token".split()  # noqa: SIM905
)
_PADDING: Final = Late(r"\s{1,16}")
_COMMA: Final = Late(
    rf"(?P<close>{_QUOTE})\s{{0,4}},\s{{0,4}}(?=[bBuUrR]{{0,2}}(?:{_QUOTE}))"
)
_GAP: Final = Late(r"\s{1,8}(?!-)")
_OPEN: Final = Late(rf"[bBuUrRfF]{{0,2}}(?P<open>\"\"\"|'''|{_QUOTE})")
_IN_QUOTES: Final = {
    '"': Late(r"(?:[^\"\\\n]|\\.)*+"),
    "'": Late(r"(?:[^'\\\n]|\\.|'')*+"),
}
_LINE: Final = Late(r"[^\n]*")
_CALL: Final = Late(r"[\w.]{0,60}[\[({]")
_BLOCK: Final = Late(r"[|>][+\-]?[ \t]*\n((?:[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\n)+)")
_QUERY_VALUE: Final = Late(r"[^&\s'\"<>#\\]*")
_ENCODED_VALUE: Final = Late(r"(?:[^%&\s'\"<>#\\;]|%(?!26|3[bB]|22|27))*")
_CHUNK: Final = Late(r"[^\s,;&)\]}<'\"\\]+")
_NEXT_PAIR: Final = Late(
    r"[\s,;&]{0,8}['\"\\]{0,4}-{0,2}[\w.\-\[\]]{1,80}"
    r"['\"\\]{0,4}\s{0,4}[=:]"
)
_LINE_START: Final = Late(r"(?:\A|\n)[ \t]*(?:-[ \t]+|export[ \t]+|#[ \t]*)?['\"]?\Z")
_NEXT_WORD: Final = Late(r"[ \t]{1,4}([^\s,;&)\]}<'\"\\=:]{4,200})")
_WHOLE_LINES: Final = ("phrase", "mnemonic", "passphrases")
# What stands beside a secret name where names of columns are listed.
_COLUMNS: Final = frozenset(
    "email user username name id login token key value host salt hash role".split()  # noqa: SIM905
)
Judge = Callable[[str], Verdict]


class _Pair(NamedTuple):
    """A name in a text, and what is known of where it stands."""

    name: str
    start: int
    sep: str
    in_query: bool
    starts_line: bool


def mask_pairs(text: str, judge: Judge) -> str:
    """Replace the values of secret names in a text.

    Args:
        text: Any text.
        judge: Judges a name.
    """
    parts: list[str] = []
    done = 0
    for start, end in _spans(text, judge):
        parts += (text[done:start], REDACTED)
        done = end
    if not parts:
        return text
    parts.append(text[done:])
    return "".join(parts)


def values_of_pairs(text: str, judge: Judge) -> list[str]:
    """Return the values of secret names in a text, such as a connection string."""
    return [text[start:end] for start, end in _spans(text, judge)]


def _spans(text: str, judge: Judge) -> Iterator[tuple[int, int]]:
    """Yield where values stand. Signs are rare: from each one looks back for a name."""
    done = 0
    while sign := _SIGN.search(text, done):
        at = sign.start()
        start, end = _name_before(text, at, done)
        if sign[0].startswith("--"):
            start, end = at, _AFTER.get().match(text, at).end()  # type: ignore[union-attr]
            if _BETWEEN.match(text, end):
                done = max(end, at + 1)
                if text[done : done + 1] not in _SIGNS:
                    continue
        done = max(done, sign.end())
        name = text[start:end]
        kind = judge(name.lstrip("-.")) if name else "harmless"
        if kind == "harmless":
            name = _joined(text, start, name)
            kind = judge(name) if name else "harmless"
            if kind == "harmless":
                continue
        between = _between(text, start, end, name)
        if between is None:
            continue
        at, sep = between
        pair = _Pair(name, start, sep, _in_query(text, start), _starts(text, start))
        span = _value(text, at, pair)
        done = max(done, at)
        if span is not None and _hides(text, span, pair, kind):
            yield span
            done = max(span[1], at)


def _name_before(text: str, at: int, low: int) -> tuple[int, int]:
    """Return where the name begins and ends that stands before a sign."""
    start = max(low, at - _NAME_MAX_CHARS - 24)
    before = text[start:at].rstrip("-=:\\")
    before = before[:-8] + before[-8:].rstrip(" \t")
    if before.endswith(("]", ")")):
        before = before[:-1]
    entity = _CLOSED.search(before[-9:]) if before[-1:] in _CLOSINGS else None
    if entity is not None:
        before = before[: len(before) - len(entity[0])].rstrip("\\")
    short = before[-_NAME_MAX_CHARS:]
    name = short[len(short.rstrip(_NAME_CHARS)) :]
    if len(name) < len(short) and ord(short[-len(name) - 1]) > 127:
        found = _BEFORE.search(short)
        name = found[0] if found else name
    end = start + len(before)
    return end - len(name), end


def _joined(text: str, start: int, last: str) -> str:
    """Return a name of several words, such as `Access Key`; empty if it is none."""
    if last.lower() not in _LAST_WORDS:
        return ""
    words = _WORDS_BEFORE.search(text[max(0, start - 42) : start])
    return words[1].replace(" ", "_") + last if words else ""


def _between(text: str, start: int, end: int, name: str) -> tuple[int, str] | None:
    """Return where the value begins and what stands before it."""
    found = _BETWEEN.match(text, end)
    if found and _is_separator(text, start, end, found):
        at = found.end()
        if text[at : at + 1] in ("\n", "\r"):  # a value on its own line
            padding = _PADDING.match(text, at)
            after = padding.end() if padding else at
            if found["close"] and _OPEN.match(text, after):
                at = after
        return at, found["sep"]
    comma = _COMMA.match(text, end)
    if comma is not None:
        is_first = text[max(0, start - len(comma["close"]) - 1) : start][:1] == "("
        if name.startswith("--") or is_first:
            return comma.end(), ","
    if name.startswith("--"):
        gap = _GAP.match(text, end)
        if gap is not None:
            return gap.end(), " "
    return None


def _is_separator(text: str, start: int, end: int, found: re.Match[str]) -> bool:
    """Return whether what follows a name leads to its value."""
    sep = found["sep"]
    if sep in (">", "&gt;"):  # of a tag, not of a comparison and not of its end
        before = text[max(0, start - 4) : start]
        return found.end("sep") - end <= 4 and before.endswith(("<", "&lt;"))
    if sep == "==":
        return _OPEN.match(text, found.end()) is not None
    return True


def _in_query(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start]
    return before.endswith(("?", "&", "&amp;", "u0026")) or before[-3:].upper() in (
        "%26",
        "%3F",
    )


def _starts(text: str, start: int) -> bool:
    return _LINE_START.search(text[max(0, start - 40) : start] or "") is not None and (
        start < 40 or "\n" in text[start - 40 : start]
    )


def _hides(text: str, span: tuple[int, int], pair: _Pair, kind: Verdict) -> bool:
    """Return whether what stands there is a secret, for a name of this kind."""
    start, end = span
    if start >= end or text.startswith(REDACTED, start):
        return False
    value = text[start:end]
    if pair.sep == "," and value in _COLUMNS:
        return False
    if kind == "value" and text[pair.start - 1 : pair.start] == ";":
        return len(value) >= 8  # of a connection string
    if kind == "secret" and pair.name.lower().endswith("token"):
        before = text[max(0, pair.start - 16) : pair.start]
        if _UNSURE_BEFORE.search(before) and pair.sep in (":", "="):
            return looks_random(value)
    if value.isdigit() and len(value) < 16 and text[start - 1] not in "'\"":
        return is_secret(pair.name, int(value))
    return kind == "secret" or is_secret(pair.name, value)


def _value(  # noqa: PLR0911 - one for each way to write a value
    text: str, at: int, pair: _Pair
) -> tuple[int, int] | None:
    """Return where the value begins and ends; None if there is none to hide."""
    if text.startswith(REDACTED, at) or REFERENCE.match(text, at):
        return None
    if NOTHING.match(text, at) or _is_same(text, at, pair.name):
        return None
    opened = _OPEN.match(text, at)
    if opened is not None:
        inner = opened.end()
        if REFERENCE.match(text, inner) or text.startswith(REDACTED, inner):
            return None
        return inner, _end_of_quoted(text, inner, opened["open"])
    block = _BLOCK.match(text, at)
    if block is not None:
        lines = block[1]
        indented = block.start(1) + len(lines) - len(lines.lstrip())
        return indented, block.start(1) + len(lines.rstrip())
    if pair.in_query or pair.sep[0] in "%\\":
        pattern = _ENCODED_VALUE if pair.sep[0] in "%\\" else _QUERY_VALUE
        found = pattern.match(text, at)
        end = found.end() if found else at
        return at, at + len(text[at:end].rstrip(").,;]}"))
    if pair.sep in (">", "&gt;"):
        close = text.find("</" if pair.sep == ">" else "&lt;/", at)
        line = _LINE.match(text, at)
        end = line.end() if line else at
        return at, close if 0 <= close <= at + _VALUE_MAX_CHARS else end
    if PROSE.match(text, at):
        return None
    call = _CALL.match(text, at)
    if call is not None:
        return at, _end_of_brackets(text, call.end() - 1)
    return at, _end_of_bare(text, at, pair)


def _is_same(text: str, at: int, name: str) -> bool:
    """Return whether source code passes on what has the same name."""
    end = at + len(name)
    return text.startswith(name, at) and text[end : end + 1] in (".", ",", ")", "")


def _end_of_quoted(text: str, start: int, opened: str) -> int:
    """Return where a quoted value ends: at the same quote, escaped as often."""
    line = _LINE.match(text, start)
    end_of_line = line.end() if line else start
    if opened in _IN_QUOTES:
        found = _IN_QUOTES[opened].match(text, start)
        end = found.end() if found else start
        return end if text[end : end + 1] == opened else end_of_line
    end = text.find(opened, start)
    while end > start and opened[0] == "\\" and text[end - 1] == "\\":
        end = text.find(opened, end + len(opened))
    return end if end >= 0 else end_of_line


def _end_of_brackets(text: str, start: int) -> int:
    """Return where a bracket closes that opens here; else the end of the line."""
    depth = 0
    quote = ""
    for at in range(start, min(len(text), start + 8192)):
        char = text[at]
        if quote:
            if char == quote and text[at - 1] != "\\":
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                goes_on = _CHUNK.match(text, at + 1)
                return goes_on.end() if goes_on else at + 1
    line = _LINE.match(text, start)
    return line.end() if line else start


def _end_of_bare(text: str, start: int, pair: _Pair) -> int:
    """Return where a value without quotes ends: separators may be part of it."""
    is_line = pair.starts_line and pair.sep == ":" and text[start - 1] in " \t"
    if is_line or pair.name.lower().endswith(_WHOLE_LINES):
        return _end_of_words(text, start)
    limit = min(len(text), start + _VALUE_MAX_CHARS)
    at = start
    while at < limit:
        chunk = _CHUNK.match(text, at)
        if chunk is not None:
            at = chunk.end()
        char = text[at : at + 1]
        if char in ("", "\n", "\r"):
            return at
        if char in " \t":
            word = _NEXT_WORD.match(text, at)
            if word is None or pair.sep == " " or not looks_random(word[1]):
                return at
            if _NEXT_PAIR.match(text, at) or word[1][0] in "-@/" or "://" in word[1]:
                return at
            at = word.end()
            continue
        if not _goes_on(text, at, char):
            return at
        at += 1
    return at


def _goes_on(text: str, at: int, char: str) -> bool:
    """Return whether a separator is part of the value that it stands in."""
    after = text[at + 1 : at + 2]
    if not after or after.isspace():
        return False
    if char in ",;&":
        return not _NEXT_PAIR.match(text, at) and after not in "'\"])}"
    if char == "<":
        return after != "/"
    if char == "\\":
        return after not in "'\"nrt"
    if char in "'\"":
        return after.isalnum()
    return after not in ",;.:)]}'\"&<"


def _end_of_words(text: str, start: int) -> int:
    """Return where a value ends that may hold blanks: the line, a quote, a pair."""
    line = _LINE.match(text, start)
    end = line.end() if line else start
    at = start
    while at < end:
        char = text[at]
        if char in ",;" and _NEXT_PAIR.match(text, at):
            return at
        if char in "'\"" and not text[at + 1 : at + 2].isalnum():
            return at
        if char == " " and text.startswith(" #", at):
            return at
        at += 1
    return start + len(text[start:end].rstrip())
