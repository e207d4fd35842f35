"""An event that is too large for one record -> the first record and further parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from kedro_journal._outside import let_through
from kedro_journal.events import ContextLoaded, RunStarted

__all__ = ["in_parts"]

PART_MAX_BYTES: Final = 96 * 1024
"""Of what is split, in one record. Redaction may lengthen it, and a record holds
256 KiB with all that is not split."""
_encode: Final = msgspec.json.Encoder().encode
_E = TypeVar("_E", RunStarted, ContextLoaded)


def in_parts(event: _E, names: Sequence[str], more: _E) -> list[_E]:
    """Split an event by the bytes that it takes up, in as few records as that gives.

    Args:
        event: The event, with everything.
        names: Fields that may be split: tuples and mappings.
        more: What further parts have besides, such as the run's id.
    """
    parts: list[dict[str, list[Any]]] = [{}]
    used = 0
    for name in names:
        value = getattr(event, name)
        for item in value.items() if isinstance(value, dict) else value:
            size = _size(item)
            if used + size > PART_MAX_BYTES and used:
                parts.append({})
                used = 0
            parts[-1].setdefault(name, []).append(item)
            used += size
    if len(parts) == 1:
        return [event]
    kinds = {name: type(getattr(event, name)) for name in names}
    first, *others = (
        {name: kinds[name](part.get(name, ())) for name in names} for part in parts
    )
    records = [replace(event, **first)]
    for number, part in enumerate(others, 2):
        records.append(replace(more, **part, part=number))
    return records


def _size(item: Any) -> int:
    try:
        return len(_encode(item)) + 1
    except (TypeError, ValueError, RecursionError) as error:
        # A lone surrogate, a huge integer, or a loop.
        let_through(error)
        return 2 * len(repr(item))
