"""A record: one event with its envelope, one line of a journal."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import msgspec

from kedro_journal._instant import Instant

from .base import Event, UnknownEvent
from .session import SessionClosed
from .union import AnyEvent

__all__ = ["Cursor", "Entry", "Record", "closes", "type_name"]


class Cursor(NamedTuple):
    """A place from which a reader goes on; opaque to callers.

    Attributes:
        seq: Sequence number of the last record before it; 0 at the start.
        offset: Byte position after that record.
        crc: Its checksum, which the next record must name.
    """

    seq: int = 0
    offset: int = 0
    crc: str = "00000000"


class Entry(Protocol):
    """What a fold reads of a record; `Record` says what it means."""

    @property
    def seq(self) -> int:
        """Position in the journal."""
        ...

    @property
    def at(self) -> Instant:
        """Wall clock of the writer, UTC."""
        ...

    @property
    def writer(self) -> str:
        """The process that wrote it."""
        ...

    @property
    def event(self) -> AnyEvent:
        """What happened."""
        ...


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One event with its envelope.

    Attributes:
        seq: Position in the journal, 1, 2, 3... without gaps. The only order.
        at: Wall clock of the writer, UTC. For people; clocks step back.
        writer: The process that wrote it, `w` and the seq of its `writer.opened`.
        prev: Checksum of the record before, eight hex digits.
        crc: Checksum of this record, eight hex digits.
        event: What happened.
        offset: Byte position of the start of its line; -1 if it is on no disk.
        end: Byte position after its newline; -1 likewise.
    """

    seq: int
    at: Instant
    writer: str
    prev: str
    crc: str
    event: AnyEvent
    offset: int = -1
    end: int = -1

    @property
    def cursor(self) -> Cursor:
        """The place after this record, to follow or read on from."""
        return Cursor(self.seq, self.end, self.crc)

    @property
    def type(self) -> str:
        """The event type's name on the wire."""
        return type_name(self.event)


def closes(event: Event) -> bool:
    """Return whether an event closes its session, in whatever version of its type."""
    return type_name(event) == SessionClosed.TYPE


def type_name(event: Event) -> str:
    """Return the name of an event's type on the wire."""
    return event.type if isinstance(event, UnknownEvent) else event.TYPE
