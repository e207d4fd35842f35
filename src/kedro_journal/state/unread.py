"""What a journal holds that this version cannot read, and what is unknown for it.

A record of a newer line format, of an unknown type, or of a newer version of a known
type is kept and counted, but has no meaning here. What depends on it is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_journal.events import EVENT_TYPES, Entry, JournalHeader, UnknownEvent

if TYPE_CHECKING:
    from .model import SessionState

__all__ = [
    "hides_nodes",
    "hides_outcome",
    "is_unreadable",
    "unread_facts",
    "unread_text",
]

_TYPES_MAX: Final = 100
_FORMAT: Final = 1
_US: Final = "kedro-journal"
_SHOWN: Final = 5
_NOT_OF_NODES: Final = ("journal.", "writer.", "session.", "context.", "note.")
_DECISIVE: Final = frozenset(
    {
        "session.created",
        "session.failed",
        "run.started",
        "run.completed",
        "run.failed",
        "run.interrupted",
    }
)


def hides_nodes(event_type: str) -> bool:
    """Return whether a record of a type that is not read may be about a node."""
    return not event_type.startswith(_NOT_OF_NODES)


def hides_outcome(state: SessionState) -> bool:
    """Return whether the outcome may be in a record that was not read."""
    if not state.unknown_events:
        return False
    if state.status == "empty" or not _DECISIVE.isdisjoint(state.unknown_types):
        return True
    new_types = any(name not in EVENT_TYPES for name in state.unknown_types)
    return new_types and not state.runs


def is_unreadable(state: SessionState) -> bool:
    """Return whether what became of a session cannot be said for unread records."""
    ends_unread = state.unknown_events and state.unknown_seq == state.seq
    return hides_outcome(state) or bool(ends_unread and state.status != "closed")


def unread_facts(
    record: Entry, event: UnknownEvent, types: tuple[str, ...], newer: int
) -> dict[str, Any]:
    """Return what a state says after one more record that was not read.

    Args:
        record: The record.
        event: Its event.
        types: What the state has as `unknown_types`.
        newer: What it has as `newer_format`.
    """
    if event.type not in types and len(types) < _TYPES_MAX:
        types = tuple(sorted((*types, event.type)))
    if event.format > _FORMAT:
        newer = max(newer, event.format)
    if event.type == JournalHeader.TYPE and event.version > JournalHeader.VERSION:
        newer = max(newer, event.version)
    return {
        "unknown_types": types,
        "unknown_seq": record.seq,
        "newer_format": newer,
    }


def unread_text(state: SessionState) -> str:
    """Return a sentence, without a full stop, on the unread records; empty for none."""
    if not state.unknown_events:
        return ""
    some = "record" if state.unknown_events == 1 else "records"
    of = "a type" if len(state.unknown_types) == 1 else "types"
    names = ", ".join(state.unknown_types[:_SHOWN])
    more = ", ..." if len(state.unknown_types) > _SHOWN else ""
    unknown = f"{state.unknown_events} {some} of {of} unknown to this version"
    if state.newer_format:
        newer = f"written by a newer version of {_US} (format {state.newer_format})"
        return f"{newer}: upgrade to read it; {unknown} ({names}{more})"
    return f"{unknown}: upgrade kedro-journal to read it ({names}{more})"
