"""The only road from a journal's text to a person's screen.

A journal holds text that others chose: names, messages, parameters, file paths. Printed
as it is, an escape sequence in it could clear the screen, rename the window or show a
path in another order than it has. So views make `Span`s, and `render` escapes every one
of them; colour is added outside, after the escaping, from a role and never from text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

__all__ = [
    "Line",
    "Paint",
    "Screen",
    "Span",
    "cells",
    "clip",
    "escape",
    "indent",
    "line",
    "pad",
    "plain",
    "render",
    "text_lines",
    "wrap",
]

# C0, DEL, C1; Arabic letter mark, left-to-right and right-to-left marks; line and
# paragraph separators; bidirectional embeddings, overrides and isolates; surrogates,
# which no terminal encoding can write.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MORE: Final = "..."

Paint = Callable[[str, str], str]
"""Gives a text in the colour of a role: good, bad, warn, busy, dim, strong or ''."""


class Span(NamedTuple):
    """A piece of a line. Its text may still hold anything; `render` escapes it."""

    text: str
    role: str = ""


Line = tuple[Span, ...]


def plain(text: str, role: str) -> str:
    """Colour nothing."""
    return text


class Screen(NamedTuple):
    """What a view is made for.

    Attributes:
        now: The present, aware: ages and running durations are counted to it.
        width: Columns, >= 40; None where lines may be as long as they are (a pipe).
        tz: Time zone of every time shown; None for the local one.
        paint: Colours a text by its role.
    """

    now: datetime
    width: int | None = None
    tz: tzinfo | None = None
    paint: Paint = plain

    def local(self, at: datetime) -> datetime:
        """Return a time in the screen's zone; its own at the ends of the calendar."""
        try:
            return at.astimezone(self.tz)
        except (OverflowError, ValueError):
            return at


def escape(text: str) -> str:
    """Write control characters as `\\xNN` or `\\uNNNN`; the text stays one line."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    return _SHORT.get(char) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def text_lines(text: str, role: str = "") -> list[Line]:
    """Make lines of a text whose newlines are wanted, such as a traceback."""
    parts = text.replace("\r\n", "\n").split("\n")
    return [(Span(part.expandtabs(4), role),) for part in parts]


def line(*parts: str | Span | Line) -> Line:
    """Make a line of texts, spans and lines."""
    spans: list[Span] = []
    for part in parts:
        if isinstance(part, str):
            spans.append(Span(part))
        elif isinstance(part, Span):
            spans.append(part)
        else:
            spans.extend(part)
    return tuple(spans)


def indent(lines: Iterable[Line], by: int = 2) -> list[Line]:
    """Move lines to the right by some columns."""
    return [(Span(" " * by), *one) if one else one for one in lines]


def cells(what: str | Line) -> int:
    """Count the columns that a text or line takes, once escaped."""
    if not isinstance(what, str):
        return sum(cells(span.text) for span in what)
    if what.isascii() and what.isprintable():
        return len(what)
    return sum(_cell(char) for char in escape(what))


def _cell(char: str) -> int:
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me", "Cf") else 1


def clip(what: Line, width: int | None) -> Line:
    """Cut a line to at most *width* columns, its end marked where it was cut."""
    if width is None or cells(what) <= width:
        return what
    room = max(width - len(_MORE), 0)
    kept: list[Span] = []
    for span in what:
        text = escape(span.text)
        if cells(text) > room:
            while text and cells(text) > room:
                text = text[: min(room, len(text) - 1)]
            kept.append(Span(text, span.role))
            break
        kept.append(span)
        room -= cells(text)
    return (*kept, Span(_MORE[:width], "dim"))


def wrap(what: Line, width: int | None) -> list[Line]:
    """Break a line between words, so that each part has at most *width* columns.

    The parts keep the indentation of the line. A word that is wider than that stays
    whole: it may be a path that a user copies.
    """
    if width is None or cells(what) <= width:
        return [what]
    chars = [(char, span.role) for span in what for char in escape(span.text)]
    text = "".join(char for char, _ in chars)
    margin = len(text) - len(text.lstrip(" "))
    if margin > width // 2:
        return [what]
    found: list[Line] = []
    start, first = 0, margin
    while start < len(text):
        end = _end_of_part(text, start, first, width - (margin if found else 0))
        part = _spans(chars[start:end])
        found.append((Span(" " * margin), *part) if found else part)
        start = end + len(text[end:]) - len(text[end:].lstrip(" "))
        first = start
    return found


def _end_of_part(text: str, start: int, first: int, room: int) -> int:
    """Return where a part ends that begins at *start*, its first word at *first*."""
    taken, blank = 0, -1
    for at in range(start, len(text)):
        if text[at] == " " and at > first:
            if taken > room:
                return at if blank < 0 else blank
            blank = at
        taken += 1 if text[at].isascii() else _cell(text[at])
    return blank if taken > room and blank >= 0 else len(text)


def _spans(chars: Iterable[tuple[str, str]]) -> Line:
    grouped = groupby(chars, key=itemgetter(1))
    return tuple(
        Span("".join(char for char, _ in each), role) for role, each in grouped
    )


def pad(what: Line, width: int, *, right: bool = False) -> Line:
    """Fill a line with blanks to *width* columns."""
    blanks = Span(" " * max(width - cells(what), 0))
    return (blanks, *what) if right else (*what, blanks)


def render(lines: Iterable[Line], paint: Paint = plain) -> str:
    """Return the lines as one text that is safe to print; it ends with a newline."""
    return "".join(_render_line(one, paint) + "\n" for one in lines)


def _render_line(spans: Line, paint: Paint) -> str:
    parts = [(escape(span.text), span.role) for span in spans]
    while parts and not parts[-1][0].strip(" "):
        parts.pop()  # no blanks at the end of a line
    if parts:
        parts[-1] = (parts[-1][0].rstrip(" "), parts[-1][1])
    return "".join(paint(text, role) if role else text for text, role in parts)
