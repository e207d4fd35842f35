"""Texts of exceptions without data values: a chain, a traceback, a log record.

The text of one exception comes again in others: in the message of the one that wraps
it, in the traceback of a worker process, in what is logged about it. So whatever a
chain of exceptions says is looked up in every text that goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from kedro_journal._outside import let_through, suppress

from .carriers import CARRIERS, LEFT_OUT, VALUE_OUT, Said, carrier_of

__all__ = ["Chain", "patterns_out", "remote_out"]

CHAIN_MAX: Final = 100
MESSAGE_OUT: Final = "(message left out)"
_RAW_MIN_CHARS: Final = 8
_RAW_MAX_CHARS: Final = 1024 * 1024

_QUOTED: Final = r"""(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`\n]*`)"""
_QUOTED_VALUE: Final = rf"(?:[\w.]{{1,40}}\()?{_QUOTED}\)?|\[[^\n]*|\([^)\n]*\)"
# Conversions of Python, NumPy, pandas, Arrow, Polars and databases say which value they
# failed for: in quotes or brackets behind these words,
_BEFORE_QUOTED: Final = (
    r"could not convert string to (?:float|complex|int)(?: NaN)?: ",
    r"[Cc]ould not convert (?:string |value )?",
    r"invalid literal for int\(\) with base \d+: ",
    r"Invalid literal for Fraction: ",
    r"Unable to parse string ",
    r"time data ",
    r"Invalid isoformat string: ",
    r"[Cc]ould not parse ",
    r"[Cc]annot (?:parse|convert|cast) (?:value |string |input )?",
    r"[Ii]nvalid (?:value|input value|enum value|date|boolean value):? ",
    r"invalid input syntax for type [\w ]{1,40}: ",
    r"Failed to parse (?:string|value): ",
    r"Duplicate entry ",
    r"[Dd]uplicate key value is ",
    r"Key \([^)\n]*\)=",
    r"input_value=",
    r"new category ",
    r"failed for (?:value|input) ",
    r"out of \d+ values: ",
)
# or in all the rest of the line.
_BEFORE_REST: Final = (
    r"unconverted data remains(?: when parsing with format [^:\n]+)?: ",
    r"Unknown (?:datetime )?string format(?:, unable to parse)?: ",
    r"Given date string ",
    r"Out of bounds \w+ timestamp: ",
    r"DETAIL: ",
    r"overlapping values: ",
    r"Bin edges must be unique: ",
    r"has duplicate (?:keys|entries|values): ",
    r"\[parameters: ",
    r"\[SQL: ",
    r"\[(?:left|right)\]:\s{1,4}",
    r"first diff: ",
    r"ACTUAL: ",
    r"DESIRED: ",
    r"None of \[",
)
_AFTER: Final = re.compile(
    rf"(?P<told>{'|'.join(_BEFORE_QUOTED)})(?P<value>{_QUOTED_VALUE})"
)
_REST: Final = re.compile(rf"(?P<told>{'|'.join(_BEFORE_REST)})[^\n]*")
_HINTS: Final = (
    *("onver", "literal", "arse ", "time data", "format", "annot cast", "failed for"),
    *("Out of bounds", "nvalid", "DETAIL", "uplicate", "Key (", "input_value"),
    *("category", "overlapping", "Bin edges", "None of", "[parameters", "[SQL"),
    *(
        "[left]",
        "[right]",
        "first diff",
        "ACTUAL",
        "DESIRED",
        "alidation failed",
        "date string",
    ),
    "out of ",
)
_KEDRO: Final = re.compile(
    r"(?P<head>Validation failed(?: for dataset '[^'\n]*'(?: on \w+)?)?"
    r"(?:\n[ |]*\(validator: [^\n]*\))?)(?P<rest>(?:\n(?!\s*\n|Traceback|The above"
    r"|During handling)[^\n]+)*)"
)
_COUNTED: Final = re.compile(r"\n[ |]*\d+ check\(s\) failed[^\n:]*")


def patterns_out(text: str) -> str:
    """Leave values out that known messages give, wherever they stand in a text."""
    if not any(hint in text for hint in _HINTS):
        return text
    if "alidation failed" in text:
        text = _KEDRO.sub(_without_rest, text)
    text = _REST.sub(rf"\g<told>{VALUE_OUT}", text)
    return _AFTER.sub(rf"\g<told>{VALUE_OUT}", text)


def _without_rest(found: re.Match[str]) -> str:
    rest = found["rest"]
    if not rest:
        return found["head"]
    counted = _COUNTED.match(rest)
    told = counted[0] if counted else ""
    return f"{found['head']}{told}\n{LEFT_OUT}"


class Chain:
    """What an exception and all that it came from may say.

    Never raises: of an exception that cannot be asked the message is left out.

    Args:
        error: The exception; its causes, contexts and, of groups, members belong to it.
        types_only: Nothing may be said of any exception but its type.
    """

    def __init__(
        self, error: BaseException | None, *, types_only: bool = False
    ) -> None:
        self._types_only = types_only
        self._said: dict[int, Said] = {}
        self._raw: list[tuple[str, str]] = []
        self._held: list[BaseException] = []  # so that no id is used again
        if error is not None:
            for one, beneath in _reachable(error):
                self._held.append(one)
                self._look_at(one, beneath=beneath)
        self._raw.sort(key=lambda pair: len(pair[0]), reverse=True)

    def _look_at(self, error: BaseException, *, beneath: bool) -> None:
        says = carrier_of(error)
        if says is not None:
            said = _asked(says, error)
        elif self._types_only:
            said = Said(MESSAGE_OUT)
        elif beneath:  # what a validator raised itself is about the data as well
            said = Said(LEFT_OUT)
        else:
            return
        if self._types_only:
            said = Said(MESSAGE_OUT, said.data)
        self._said[id(error)] = said
        for raw in {_safely(str, error), *map(_plain, _arguments(error))}:
            if _RAW_MIN_CHARS <= len(raw) <= _RAW_MAX_CHARS and raw != said.message:
                self._raw.append((raw, said.message))

    def said(self, error: BaseException) -> Said | None:
        """Return what may be said of one of the chain; None if its text may stand."""
        return self._said.get(id(error))

    def text(self, text: str) -> str:
        """Return a text that goes with the chain, without the values it tells."""
        for raw, message in self._raw:
            if raw in text:
                text = text.replace(raw, message)
        return patterns_out(text)


def _reachable(error: BaseException) -> Iterator[tuple[BaseException, bool]]:
    """Return a chain; the flag says that one is beneath a known carrier of data."""
    waiting, seen = [(error, False)], {id(error)}
    while waiting and len(seen) <= CHAIN_MAX:
        one, beneath = waiting.pop()
        yield one, beneath
        below = beneath or carrier_of(one) is not None
        for each in _inner(one):
            if isinstance(each, BaseException) and id(each) not in seen:
                seen.add(id(each))
                waiting.append((each, below))


def _inner(error: BaseException) -> list[Any]:
    found: list[Any] = []
    with suppress(Exception):  # properties of foreign classes
        found += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            found += list(error.exceptions[:CHAIN_MAX])
        found.append(getattr(error, "orig", None))  # of SQLAlchemy
    return found


def _asked(says: Callable[[Any], Said], error: BaseException) -> Said:
    try:
        return says(error)
    except Exception as caught:  # another version of the package: nothing is known
        let_through(caught)
        return Said(LEFT_OUT)


def _arguments(error: BaseException) -> tuple[object, ...]:
    found = BaseException.__dict__["args"].__get__(error)
    return tuple(found[:10])


def _plain(value: object) -> str:
    return value if type(value) is str else ""


def _safely(call: Callable[[Any], str], value: object) -> str:
    try:
        return call(value)
    except Exception as error:  # __str__ of a foreign class
        let_through(error)
        return ""


# -- tracebacks as text --------------------------------------------------------------

_SAID: Final = re.compile(
    r"(?P<margin>[ |+\-]*)(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<text>.*))?\Z"
)
_FRAME: Final = re.compile(r"[ |+\-]*(?:File \"|Traceback \(most recent call last\))")
_NEXT: Final = re.compile(
    r"[ |+\-]*(?:The above exception was|During handling of the above|Traceback \("
    r"|\+?-+\s*\d+ -+|\"\"\"\Z)"
)


def remote_out(text: str, *, types_only: bool = False) -> str:
    """Leave data values out of the text of a traceback.

    Args:
        text: As `traceback.format_exception` gives it.
        types_only: Leave out every message, whatever its type is.
    """
    given = text.split("\n")
    # What led to an exception that is known to carry data is about the data as well.
    last = max((n for n, line in enumerate(given) if _names_carrier(line)), default=-1)
    lines: list[str] = []
    in_frames, skipping = True, False
    for number, line in enumerate(given):
        if _NEXT.match(line) or _FRAME.match(line):
            skipping = False
            in_frames = True
        elif skipping:
            continue
        elif in_frames and (found := _SAID.match(line)) and _is_message(found, line):
            in_frames = False
            if (types_only or number <= last) and found["text"] is not None:
                skipping = True
                lines.append(f"{found['margin']}{found['type']}: {LEFT_OUT}")
                continue
        lines.append(line)
    return patterns_out("\n".join(lines))


def _names_carrier(line: str) -> bool:
    found = _SAID.match(line)
    if found is None or not _is_message(found, line):
        return False
    named = found["type"].split(".")
    return f"{named[0].lstrip('_')}.{named[-1]}" in CARRIERS


def _is_message(found: re.Match[str], line: str) -> bool:
    """Return the line that names the exception; source lines are indented."""
    margin = found["margin"]
    return not line.startswith(" ") or "|" in margin
