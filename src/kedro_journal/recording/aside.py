"""What a later run needs and no line can hold -> a file beside the journal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal.codec import is_deep
from kedro_journal.journal.values import VALUE_MAX_BYTES, read_value, write_value
from kedro_journal.redaction.decoding import decode, is_escape

from .say import say

__all__ = ["Keep", "keep_in", "recorded_value", "short_enough"]

FIELD_MAX_BYTES: Final = 32 * 1024
"""Longest exact field that stands in a line as a whole."""
_ITEM_MAX_BYTES: Final = 4 * 1024  # of a field that is longer: such items stay
_DEPTH_MAX: Final = 48  # of a field; a line has some more around it
_encode: Final = msgspec.json.Encoder().encode

Keep = Callable[[bytes], str]
"""Writes a value file and returns its name.

Raises:
    OSError, JournalError: It cannot be written.
"""


def keep_in(folder: Path | None) -> Keep | None:
    """Return what writes value files of a session; None without a folder."""
    return None if folder is None else lambda data: write_value(folder, data)


def short_enough(
    value: Any, keep: Keep | None, inline_max_bytes: int = FIELD_MAX_BYTES
) -> Any:
    """Return an exact field so that a line can hold it, its large items in files.

    Args:
        value: The field in its exact form.
        keep: Writes a value file; None if there is no folder for one.
        inline_max_bytes: Longest field that stays as it is.
    """
    if _fits(value, inline_max_bytes):
        return value
    if isinstance(value, dict) and not is_escape(value):
        small = {
            key: item if _fits(item, _ITEM_MAX_BYTES) else _aside(item, keep)
            for key, item in value.items()
        }
        if _fits(small, inline_max_bytes):
            return small
    return _aside(value, keep)


def _fits(value: Any, limit: int) -> bool:
    data = _encode(value)
    return len(data) <= limit and not is_deep(data, _DEPTH_MAX)


def _aside(value: Any, keep: Keep | None) -> dict[str, Any]:
    data = _encode(value)
    if keep is None or len(data) > VALUE_MAX_BYTES:
        return {"$truncated": f"{len(data)} bytes"}
    try:
        name = keep(data)
    except (OSError, JournalError) as error:
        let_through(error)
        say(logging.DEBUG, "a value file was not written", error=error)
        return {"$truncated": f"{len(data)} bytes"}
    return {"$value": {"sha256": name, "bytes": len(data), "type": _kind(value)}}


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"text of {len(value)} characters"
    if isinstance(value, list):
        return f"list of {len(value)} items"
    return "mapping" if isinstance(value, dict) and not is_escape(value) else "value"


def recorded_value(value: Any, folder: Path | None) -> Any:
    """Return the value that a session recorded, with `Inexact` for what it did not.

    Args:
        value: An exact field of an event, or a part of one.
        folder: The session folder, where its value files are.
    """
    return decode(value, None if folder is None else lambda n: read_value(folder, n))
