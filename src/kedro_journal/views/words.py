"""Numbers and times as people say them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from kedro_journal.events import DataFailure
from kedro_journal.redaction.decoding import decode
from kedro_journal.state import flat

from .terminal import Screen

__all__ = [
    "ago",
    "bytes_size",
    "clock",
    "count",
    "date_and_time",
    "duration",
    "failed_checks",
    "flatten",
    "literal",
    "short_date",
]

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400
_PLAIN_ESCAPES: Final = frozenset(
    "$int $float $date $datetime $time $timedelta $decimal $uuid $path".split()  # noqa: SIM905
    + "$tuple $set $frozenset".split()  # noqa: SIM905
)
_SIZE_MAX: Final = 10**24  # bytes; an integer of a journal may be beyond any float


def failed_checks(failure: DataFailure | None) -> str:
    """Return which checks of data failed: ` on save: not_null (3 values)`."""
    if failure is None:
        return ""
    checks = ", ".join(one.check or "a check" for one in failure.checks)
    told = f" on {failure.mode}" * bool(failure.mode)
    return told + f": {checks} ({failure.cases_total} values)" * bool(checks)


def duration(seconds: float | None) -> str:  # noqa: PLR0911 - a ladder
    """Return: `4 ms`, `3.21 s`, `1 min 15 s`, `2 h 05 min`; `-` if unknown."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{round(max(seconds, 0) * 1000)} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02d} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02d} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S:02d} h"


def ago(at: datetime, now: datetime) -> str:
    """Return the age in one unit; empty if it is not in the past."""
    seconds = int((now - at).total_seconds())
    if seconds < 0:
        return ""
    if seconds < 10:
        return "just now"
    for unit_s, name in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= unit_s:
            return f"{count(seconds // unit_s, name)} ago"
    return f"{seconds} seconds ago"


def date_and_time(at: datetime, screen: Screen) -> str:
    """Return a time to the second: `2026-11-22 05:11:32`."""
    return screen.local(at).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime, screen: Screen) -> str:
    """Return the time of day, with the date if it is not today's."""
    local = screen.local(at)
    if local.date() == screen.local(screen.now).date():
        return local.strftime("%H:%M:%S")
    return date_and_time(at, screen)


def short_date(at: datetime, screen: Screen) -> str:
    """Return a time in at most 12 columns: `today 05:11`, `2025-11-21`."""
    local, today = screen.local(at), screen.local(screen.now)
    if local.date() == today.date():
        return local.strftime("today %H:%M")
    if local.year == today.year:
        return local.strftime("%b %d %H:%M")
    return local.strftime("%Y-%m-%d")


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: `1 node`, `2 nodes`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def bytes_size(size_bytes: int) -> str:
    """Return a size: `512 B`, `1.4 kB`, `23.0 MB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size = float(min(size_bytes, _SIZE_MAX))
    for unit in ("kB", "MB", "GB", "TB"):
        size /= 1000
        if size < 999.95 or unit == "TB":
            return f"{size:.1f} {unit}"
    return ""  # pragma: no cover - the loop returns


def literal(value: object) -> str:  # noqa: PLR0911 - one for each kind
    """Write a plain value as JSON has it, but plain words without quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value if value and value.strip() == value else f'"{value}"'
    if isinstance(value, Mapping):
        escaped = _escaped(value)
        if escaped is not None:
            return escaped
        inner = ", ".join(f"{key}: {literal(one)}" for key, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(one) for one in value) + "]"
    return str(value)


def _escaped(value: Mapping[str, Any]) -> str | None:  # noqa: PLR0911
    """Write what stands for one value, see `redaction.exact`; None for a mapping."""
    if len(value) != 1:
        return None
    ((mark, content),) = value.items()
    if mark[:1] != "$":
        return None
    if mark == "$value" and isinstance(content, Mapping):
        size = bytes_size(content.get("bytes") or 0)
        return f"({content.get('type')}, {size}, in a file of the session)"
    if mark == "$type":
        return f"({content})"
    if mark == "$map" and isinstance(content, list):
        pairs = (pair for pair in content if isinstance(pair, list) and len(pair) == 2)
        return f"{{{', '.join(f'{literal(k)}: {literal(v)}' for k, v in pairs)}}}"
    if mark == "$text":
        return repr(decode(dict(value)))
    if mark in _PLAIN_ESCAPES:
        return content if isinstance(content, str) else literal(content)
    return None


def flatten(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested values as pairs of dotted key and value, in their order."""
    return list(flat.flatten(values, prefix))
