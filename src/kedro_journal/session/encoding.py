"""Event -> bytes: redacted, bounded, and sure to decode again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import msgspec

from kedro_journal.events import ErrorInfo, Event
from kedro_journal.journal import PAYLOAD_MAX_BYTES
from kedro_journal.journal.codec import decodes
from kedro_journal.redaction import FAILED, Redactor
from kedro_journal.redaction.marks import marks_of

__all__ = ["encode", "encode_least"]

_SHRINK_FROM_BYTES: Final = 16 * 1024
_ITEM_MAX_BYTES: Final = 1024  # of a mapping that is too large: such items stay
_LEFT_OUT: Final = (b"$truncated", FAILED.encode())  # where a value of its type was
_encode: Final = msgspec.json.Encoder().encode


def encode(event: Event, redactor: Redactor) -> bytes:
    """Redact and encode an event; it always fits and always decodes again."""
    if _is_plain(event, redactor):
        try:
            return _encode(event)
        except UnicodeEncodeError:
            pass  # a lone surrogate in a name: made safe below
    fields = _given(event)
    safe = redactor.fields(fields, marks_of(type(event)))
    data = _encode(safe)
    if len(data) > PAYLOAD_MAX_BYTES:
        data = _encode(_shrink(safe, _largest_out))
        if not decodes(event, data):  # an item of it was required
            data = _encode(_shrink(safe, _all_out))
    if any(mark in data for mark in _LEFT_OUT) and not decodes(event, data):
        data = encode_least(event, redactor)
    return data


def _is_plain(event: Event, redactor: Redactor) -> bool:
    """Return whether all that is given are numbers, and texts that stay."""
    names = redactor.identities
    for name, default, is_name in _other_fields(type(event)):
        value = getattr(event, name)
        if value is default:
            continue
        if is_name:
            if type(value) is str and names.known.get(value) == value:
                continue  # nearly always: names are few and repeat
            if not names.are_kept(value):
                return False
        elif not (type(value) is str and redactor.keeps(value)):
            return False
    return True


@functools.lru_cache(maxsize=256)
def _other_fields(cls: type[Event]) -> tuple[tuple[str, object, bool], ...]:
    """Name the fields of a class that are redacted, with their defaults.

    The flag says whether a field holds names.
    """
    names, values = cls.__struct_fields__, cls.__struct_defaults__
    defaults = (*[msgspec.NODEFAULT] * (len(names) - len(values)), *values)
    marks = marks_of(cls)
    return tuple(
        (name, default, name in marks.names)
        for name, default in zip(names, defaults, strict=True)
        if name not in marks.plain
    )


def encode_least(event: Event, redactor: Redactor) -> bytes:
    """Encode the identifiers of an event and what is required; it always decodes."""
    fields, marks = _given(event), marks_of(type(event))
    wanted = marks.plain | marks.names
    given = {name: value for name, value in fields.items() if name in wanted}
    kept = redactor.fields(given, marks)
    if "error" in fields:
        kept["error"] = {"type": "(left out: it was too large)"}
    if "text" in fields:
        kept["text"] = "(left out: it was too large)"
    return _encode(kept)


def _given(event: Event) -> dict[str, Any]:
    """Give the fields that differ from their defaults, as encoding leaves them out."""
    names, defaults = event.__struct_fields__, event.__struct_defaults__
    first = len(names) - len(defaults)
    found: dict[str, Any] = {}
    for number, name in enumerate(names):
        value = getattr(event, name)
        if number >= first:
            default = defaults[number - first]
            empty = isinstance(value, (dict, tuple)) and not value
            if empty or value is default:
                continue
            if type(value) is type(default) and value == default:
                continue
        found[name] = value
    return found


def _shrink(
    safe: dict[str, Any], smaller: Callable[[dict[str, Any], int], Any]
) -> dict[str, Any]:
    """Cut what is too large for one record, largest first.

    Args:
        safe: The fields.
        smaller: Makes a mapping smaller, that had so many bytes.
    """
    sizes = sorted(
        ((len(_encode(value)), name) for name, value in safe.items()), reverse=True
    )
    left = sum(size for size, _ in sizes)
    small = dict(safe)
    for size, name in sizes:
        if left <= PAYLOAD_MAX_BYTES // 2 or size < _SHRINK_FROM_BYTES:
            break
        value = safe[name]
        if name == "error" and isinstance(value, dict):
            small[name] = _short_error(value)
        elif isinstance(value, dict):
            small[name] = smaller(value, size)
        else:
            small[name] = [] if isinstance(value, list) else str(value)[:1000]
        left -= size
    return small


def _short_error(value: dict[str, Any]) -> Any:
    kept = ErrorInfo(
        type=str(value.get("type", ""))[:500],
        message=str(value.get("message", ""))[:2000],
    )
    return msgspec.to_builtins(kept)


def _all_out(value: dict[str, Any], size: int) -> dict[str, Any]:
    return {"$truncated": f"{size} bytes"}


def _largest_out(value: dict[str, Any], size: int) -> dict[str, Any]:
    """Keep the items that are small: they are not at fault."""
    sizes = {key: len(_encode(item)) for key, item in value.items()}
    small = {
        key: item if sizes[key] <= _ITEM_MAX_BYTES else _all_out(value, sizes[key])
        for key, item in value.items()
    }
    fits = len(_encode(small)) <= _SHRINK_FROM_BYTES
    return small if fits else _all_out(value, size)
