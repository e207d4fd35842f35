"""The exact form of `redaction.exact` -> the values. Pure.

Old journals, which have the form of display in its place, are read as well: what was
cut or masked in them is inexact.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import pathlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from kedro_journal._outside import let_through

from .limits import CUT, FAILED, REDACTED

__all__ = ["MASKED", "Fetch", "Inexact", "decode", "is_escape", "problems"]

MASKED: Final = "is a secret, and not recorded"
TOO_LARGE: Final = "was too large to be recorded"
NO_FORM: Final = "is of a type that the journal has no exact form for"
LOST: Final = "is in a file that is gone or damaged"
UNREADABLE: Final = "is recorded in a form that this version cannot read"

Fetch = Callable[[str], bytes | None]
"""Gives the verified content of a value file by its SHA-256; None if there is none."""


class Inexact(NamedTuple):
    """Stands in decoded values for what is not recorded exactly.

    Attributes:
        reason: Why not, as a predicate: "is a secret, and not recorded".
        shown: What stands in the record, if that is a text with a secret masked.
    """

    reason: str
    shown: str = REDACTED


def _to_timedelta(text: str) -> datetime.timedelta:
    days, seconds, microseconds = map(int, text.split(" "))
    return datetime.timedelta(days, seconds, microseconds)


_FROM_TEXT: Final[dict[str, Callable[[str], Any]]] = {
    "$int": lambda text: int(text, 16 if "x" in text else 10),
    "$float": float,
    "$bytes": lambda text: base64.b64decode(text, validate=True),
    "$bytearray": lambda text: bytearray(base64.b64decode(text, validate=True)),
    "$text": lambda text: base64.b64decode(text, validate=True).decode(
        "utf-8", "surrogatepass"
    ),
    "$date": datetime.date.fromisoformat,
    "$datetime": datetime.datetime.fromisoformat,
    "$time": datetime.time.fromisoformat,
    "$timedelta": _to_timedelta,
    "$decimal": decimal.Decimal,
    "$uuid": uuid.UUID,
    "$path": pathlib.Path,
}
_FROM_ITEMS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "$tuple": tuple,
    "$set": set,
    "$frozenset": frozenset,
}


def is_escape(value: Mapping[str, Any]) -> bool:
    """Return whether a recorded mapping stands for one value and has no names."""
    return any(key[:1] == "$" for key in value) and "$truncated" not in value


def decode(value: Any, fetch: Fetch | None = None) -> Any:
    """Return the value that was recorded; `Inexact` in place of what was not. Pure.

    Args:
        value: The recorded form, also that of an older version.
        fetch: Reads value files; None if there are none to read.
    """
    try:
        return _decode(value, fetch)
    except (ValueError, TypeError, ArithmeticError, RecursionError) as error:
        let_through(error)
        return Inexact(UNREADABLE)


def _decode(  # noqa: PLR0911 - one for each kind
    value: Any, fetch: Fetch | None
) -> Any:
    if isinstance(value, str):
        if REDACTED in value:
            return Inexact(MASKED, value)
        if FAILED in value:
            return Inexact(NO_FORM)
        return Inexact(TOO_LARGE) if CUT.search(value) else value
    if isinstance(value, list):
        return [decode(item, fetch) for item in value]
    if isinstance(value, dict):
        if not any(key[:1] == "$" for key in value):
            return {k: _under(k, item, fetch) for k, item in value.items()}
        return _decode_escape(value, fetch)
    return value


def _under(key: str, item: Any, fetch: Fetch | None) -> Any:
    return Inexact(MASKED) if REDACTED in key or FAILED in key else decode(item, fetch)


def _decode_escape(  # noqa: PLR0911 - one for each kind
    value: dict[str, Any], fetch: Fetch | None
) -> Any:
    if "$truncated" in value:
        return Inexact(TOO_LARGE)
    if "$type" in value:
        return Inexact(NO_FORM)
    if len(value) != 1:
        return Inexact(UNREADABLE)
    ((mark, content),) = value.items()
    if mark in _FROM_TEXT:
        text = decode(content, fetch)
        if isinstance(text, Inexact):
            return text
        return _FROM_TEXT[mark](text) if isinstance(text, str) else Inexact(UNREADABLE)
    if mark in _FROM_ITEMS and isinstance(content, list):
        items = [decode(item, fetch) for item in content]
        found = next((item for item in items if isinstance(item, Inexact)), None)
        return found if found is not None else _FROM_ITEMS[mark](items)
    if mark == "$map" and isinstance(content, list):
        return _decode_map(content, fetch)
    if mark == "$value" and isinstance(content, dict):
        return _decode_file(content, fetch)
    return Inexact(UNREADABLE)


def _decode_map(pairs: list[Any], fetch: Fetch | None) -> Any:
    found: dict[Any, Any] = {}
    for key, item in pairs:
        name = decode(key, fetch)
        if isinstance(name, Inexact):
            return name
        found[name] = decode(item, fetch)
    return found


def _decode_file(content: dict[str, Any], fetch: Fetch | None) -> Any:
    data = fetch(str(content.get("sha256"))) if fetch is not None else None
    if data is None:
        return Inexact(LOST)
    return decode(msgspec.json.decode(data), None)  # no file refers to another one


def problems(values: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Yield what of decoded values is inexact: dotted name and reason.

    What is inside a list or another container has the name of that container.
    """
    if isinstance(values, Inexact):
        yield before, values.reason
    elif isinstance(values, dict):
        for key, item in values.items():
            yield from problems(item, f"{before}.{key}" if before else str(key))
    elif isinstance(values, (list, tuple)):
        for item in values:
            found = next(problems(item, before), None)
            if found is not None:
                yield before, found[1]
                return
