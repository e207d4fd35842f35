"""Lines that simply go on from the one before: the reader's quick way.

Nearly all lines of a journal are such: a known event without anything nested in it, the
next number, the checksum right. They are decoded in one step, and nothing else about
them needs to be looked into. Whatever is not clearly of this kind is left to `codec`
and `scan`, which take every line and give the same records. Pure: no file.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from itertools import islice
from operator import or_
from typing import Annotated, Any, Final, Literal

import msgspec

from kedro_journal.events import EVENT_TYPES, AnyEvent, Cursor, Record

from .codec import FORMAT_VERSION, PAYLOAD_MAX_BYTES, SEQ_MAX

__all__ = ["PlainLine", "plain_lines", "record_of"]

# No deeper than a reader looks, however short the names within it are.
_LAST_BRACE_MAX: Final = 200


class PlainLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A record as it stands in its line, without its place; see `Record`."""

    v: Literal[1]
    seq: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    writer: str = msgspec.field(name="w")
    prev: str
    event: AnyEvent = msgspec.field(name="data")
    crc: str


def _line_of(name: str, event: type) -> Any:
    fields: list[Any] = [
        ("event", event, msgspec.field(name="data")),
        ("crc", str),
    ]
    return msgspec.defstruct(
        "PlainLine",
        fields,
        bases=(PlainLine,),
        tag_field="type",
        tag=name,
        gc=False,
        forbid_unknown_fields=True,
    )


_decode: Final = msgspec.json.Decoder(
    reduce(
        or_,
        (_line_of(name, cls) for name, cls in EVENT_TYPES.items() if cls.VERSION == 1),
    )
).decode


def plain_lines(lines: Sequence[bytes], first: int, last: Cursor) -> list[PlainLine]:
    """Decode lines as long as each simply goes on from the one before.

    Args:
        lines: Whole lines, without their newlines.
        first: Number of the line to begin with.
        last: The record before it.

    Returns:
        What the first lines say; the next one, if there is one, is of another kind.
    """
    found: list[PlainLine] = []
    seq, crc = last.seq, last.crc
    for line in islice(lines, first, None):
        if line[-18:] != b',"crc":"%08x"}' % zlib.crc32(line[:-18]):
            break
        nested = line.rfind(b"{") > _LAST_BRACE_MAX or line.find(b"[") >= 0
        if nested or len(line) > PAYLOAD_MAX_BYTES:
            break
        try:
            one: PlainLine = _decode(line)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            break
        seq += 1
        if one.seq != seq or one.prev != crc or one.at.tzinfo is not UTC:
            break
        crc = one.crc
        found.append(one)
    return found


def record_of(line: PlainLine, offset: int, end: int) -> Record:
    """Give the record, with its place."""
    return Record(
        seq=line.seq,
        at=line.at,
        writer=line.writer,
        prev=line.prev,
        crc=line.crc,
        event=line.event,
        offset=offset,
        end=end,
    )


assert FORMAT_VERSION == 1  # noqa: S101 - as `PlainLine.v` has it
