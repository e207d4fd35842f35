"""Event -> bytes: redacted, bounded, and sure to decode again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from kedro_journal.events import ErrorInfo, Event, SessionCreated
from kedro_journal.events.base import EXACT_FIELDS
from kedro_journal.journal import PAYLOAD_MAX_BYTES
from kedro_journal.journal.codec import decodes
from kedro_journal.redaction import FAILED, Redactor
from kedro_journal.redaction.limits import STRING_MAX_CHARS
from kedro_journal.redaction.marks import marks_of

from .aside import Keep, short_enough

__all__ = ["encode", "encode_least"]

_SHRINK_FROM_BYTES: Final = 16 * 1024
_ITEM_MAX_BYTES: Final = 1024  # of a mapping that is too large: such items stay
_NAMED_MAX: Final = 20
_NAME_SHOWN_MAX: Final = 200
_LEFT_OUT: Final = (b"$truncated", FAILED.encode())  # where a value of its type was
_encode: Final = msgspec.json.Encoder().encode


def encode(event: Event, redactor: Redactor, keep: Keep | None = None) -> bytes:
    """Redact and encode an event; it always fits and always decodes again.

    Args:
        event: The event.
        redactor: Knows the session's secrets.
        keep: Writes a value file; None if there is no folder for one.
    """
    if _is_plain(event, redactor):
        try:
            data = _encode(event)
        except UnicodeEncodeError:
            data = b""  # a lone surrogate in a name: made safe below
        if 0 < len(data) <= PAYLOAD_MAX_BYTES:
            return data
    fields = _given(event)
    safe = redactor.fields(fields, marks_of(type(event)), EXACT_FIELDS)
    for name in EXACT_FIELDS.intersection(safe):
        safe[name] = short_enough(safe[name], keep)
    if isinstance(event, SessionCreated):
        _keep_arguments(event, safe, redactor, keep)
    data = _encode(safe)
    if len(data) > PAYLOAD_MAX_BYTES:
        named = "left_out" in event.__struct_fields__
        data = _encode(_shrink(safe, _largest_out, named=named))
        if not decodes(event, data):  # an item of it was required
            data = _encode(_shrink(safe, _all_out, named=named))
    if any(mark in data for mark in _LEFT_OUT) and not decodes(event, data):
        data = encode_least(event, redactor)
    return data


def _keep_arguments(
    event: SessionCreated, safe: dict[str, Any], redactor: Redactor, keep: Keep | None
) -> None:
    """Keep the whole command line in a file if one of its arguments is too long."""
    told = safe.get("command")
    if event.command is None or not isinstance(told, dict):
        return
    argv = told.get("argv") or []
    if not all(type(one) is str and len(one) <= STRING_MAX_CHARS for one in argv):
        exact = redactor.exact(list(event.command.argv))
        told["argv_exact"] = short_enough(exact, keep, inline_max_bytes=0)


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
    if "left_out" in event.__struct_fields__:
        kept["left_out"] = sorted(fields.keys() - kept.keys())
    return _encode(kept)


def _given(event: Event) -> dict[str, Any]:
    """Return the fields that differ from their defaults: others are not encoded."""
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
    safe: dict[str, Any], smaller: Callable[[dict[str, Any], int], Any], *, named: bool
) -> dict[str, Any]:
    """Cut what is too large for one record, largest first.

    Args:
        safe: The fields.
        smaller: Makes a mapping smaller, that had so many bytes.
        named: The event has a field `left_out`, which names what was cut.
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
        elif name == "command" and isinstance(value, dict):
            small[name] = _short_command(value)
        elif isinstance(value, dict):
            small[name] = smaller(value, size)
        else:
            small[name] = [] if isinstance(value, list) else str(value)[:1000]
        left -= size
        if named:
            small.setdefault("left_out", []).append(_named(name, value))
    return small


def _named(field: str, value: Any) -> str:
    """Name a field that was cut, with the names of the items that it had."""
    if not isinstance(value, list):
        return field
    names = [
        one.get("name") if isinstance(one, dict) else getattr(one, "name", one)
        for one in value[:_NAMED_MAX]
    ]
    more = [f"{len(value) - _NAMED_MAX} more"] if len(value) > _NAMED_MAX else []
    words = [name[:_NAME_SHOWN_MAX] for name in names if isinstance(name, str)]
    return f"{field}: {', '.join([*words, *more])}"


def _short_command(value: dict[str, Any]) -> dict[str, Any]:
    """Cut the arguments and flags of a command line; the exact ones stay a file."""
    argv: Sequence[Any] = value.get("argv") or ()
    short = {
        name: one
        for name, one in value.items()
        if len(_encode(one)) <= _ITEM_MAX_BYTES or name == "argv_exact"
    }
    return {**short, "argv": [str(one)[:_NAME_SHOWN_MAX] for one in argv[:_NAMED_MAX]]}


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
