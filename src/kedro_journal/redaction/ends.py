"""Where a value in a text ends: at its quote, its bracket, the next pair, its line."""

from __future__ import annotations

from typing import Final

from .late import Late
from .names import looks_random

__all__ = [
    "CHUNK",
    "IN_QUOTES",
    "LINE",
    "VALUE_MAX_CHARS",
    "end_of_bare",
    "end_of_brackets",
    "end_of_quoted",
]

VALUE_MAX_CHARS: Final = 64 * 1024
IN_QUOTES: Final = {
    # A doubled quote is part of it; two that are the whole value are not.
    '"': Late(r"(?:[^\"\\\n]|\\.|(?<!=)\"\"(?=[^\s,:)\]}]))*+"),
    "'": Late(r"(?:[^'\\\n]|\\.|'')*+"),
}
LINE: Final = Late(r"[^\n]*")
_BRACKETS: Final = Late(r"[()\[\]{}'\"]")
_BRACKETS_MAX_CHARS: Final = 8192
_NESTED_MAX: Final = 64
CHUNK: Final = Late(r"[^\s,;&)\]}<'\"\\]+")
_NEXT_PAIR: Final = Late(
    r"[\s,;&]{0,8}['\"\\]{0,4}-{0,2}[\w.\-\[\]]{1,80}"
    r"['\"\\]{0,4}\s{0,4}[=:]"
)
_NEXT_WORD: Final = Late(r"[ \t]{1,4}([^\s,;&)\]}<'\"\\=:]{4,200})")
_WHOLE_LINES: Final = ("phrase", "mnemonic", "passphrases")


def end_of_quoted(text: str, start: int, opened: str) -> int:
    """Return where a quoted value ends: at the same quote, escaped as often."""
    if opened in IN_QUOTES:
        found = IN_QUOTES[opened].match(text, start)
        end = found.end() if found else start
        return end if text[end : end + 1] == opened else _end_of_line(text, start)
    limit = start + VALUE_MAX_CHARS
    end = text.find(opened, start, limit)
    while end > start and opened[0] == "\\" and text[end - 1] == "\\":
        end = text.find(opened, end + len(opened), limit)
    return end if end >= 0 else _end_of_line(text, start)


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return end if end >= 0 else len(text)


def end_of_brackets(text: str, start: int) -> int:
    """Return where a bracket closes that opens here; else the end of the line.

    Brackets nested deeper than 64 are taken as never closed, which bounds the time of
    a text that opens many.
    """
    depth = 0
    quote = ""
    for sign in _BRACKETS.get().finditer(text, start, start + _BRACKETS_MAX_CHARS):
        at, char = sign.start(), sign[0]
        if quote:
            if char == quote and text[at - 1] != "\\":
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "([{":
            depth += 1
            if depth > _NESTED_MAX:
                break
        else:
            depth -= 1
            if depth == 0:
                goes_on = CHUNK.match(text, at + 1)
                return goes_on.end() if goes_on else at + 1
    line = LINE.match(text, start)
    return line.end() if line else start


def end_of_bare(text: str, start: int, name: str, sep: str, *, is_line: bool) -> int:
    """Return where a value without quotes ends: separators may be part of it."""
    if is_line or (name.lower().endswith(_WHOLE_LINES) and not name.startswith("-")):
        return _end_of_words(text, start)
    limit = min(len(text), start + VALUE_MAX_CHARS)
    at = start
    while at < limit:
        chunk = CHUNK.match(text, at)
        if chunk is not None:
            at = chunk.end()
        char = text[at : at + 1]
        if char in ("", "\n", "\r"):
            return at
        if char in " \t":
            word = _NEXT_WORD.match(text, at)
            if word is None or sep == " " or not looks_random(word[1]):
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
    line = LINE.match(text, start)
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
