"""Events -> records and state, without a journal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from kedro_journal import state
from kedro_journal.events import Event, Record
from kedro_journal.journal.codec import NO_PREV, BadLine, decode, encode_event, seal
from kedro_journal.journal.codec import timestamp as _timestamp

__all__ = ["fold", "records"]

_START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def records(
    *events: Event, after: int = 0, start: datetime = _START, writer: str = "w1"
) -> list[Record]:
    """Wrap events into records, one second apart, as if they stood in a journal.

    They go through the bytes of a line, so that what cannot be journaled fails here.

    Args:
        events: Any events, in any order: no transition is checked.
        after: Sequence number before the first.
        start: Wall clock of the first.
        writer: The writer's name.
    """
    wrapped: list[Record] = []
    crc, offset = NO_PREV, 0
    for number, event in enumerate(events):
        line, crc = seal(
            seq=after + number + 1,
            at=_timestamp(start + timedelta(seconds=number)),
            writer=writer,
            prev=crc,
            event=event,
            data=encode_event(event),
        )
        found = decode(line[:-1], offset, offset + len(line))
        if isinstance(found, BadLine):  # pragma: no cover - seal and decode agree
            raise ValueError(found.reason)
        offset += len(line)
        wrapped.append(found)
    return wrapped


def fold(
    *events: Event, initial: state.SessionState | None = None
) -> state.SessionState:
    """Return the state that events add up to, after *initial*.

    Args:
        events: As for `records`.
        initial: The state to start from; None is the empty one.
    """
    after = initial.seq if initial else 0
    return state.fold(records(*events, after=after), initial=initial)
