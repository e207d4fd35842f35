"""Lines that simply go on from the one before: the reader's quick way.

Nearly all lines of a journal are such: a known event without anything nested in it, the
next number, the checksum right. They are decoded in one step, and nothing else about
them needs to be looked into. Whatever is not clearly of this kind is left to `codec`
and `scan`, which take every line and give the same records. Pure: no file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache, reduce
from itertools import islice
from operator import or_
from typing import Annotated, Any, Final, Literal
from zlib import crc32

import msgspec

from kedro_journal._building import building
from kedro_journal.events import EVENT_TYPES, AnyEvent, Cursor, Record

from .codec import FORMAT_VERSION, SEQ_MAX

__all__ = ["PlainLine", "plain_lines", "record_of"]

_REFUSED: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
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


@cache  # made when the first line is read: a run reads none
def _decoder() -> Callable[[bytes], PlainLine]:
    plain = (item for item in EVENT_TYPES.items() if item[1].VERSION == 1)
    with building():
        lines = [_line_of(name, event) for name, event in plain]
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(reduce(or_, lines))
    return decoder.decode


def plain_lines(
    lines: Sequence[bytes], first: int, last: Cursor, *, lists: bool = True
) -> list[PlainLine]:
    """Decode lines as long as each simply goes on from the one before.

    Args:
        lines: Whole lines, without their newlines, none longer than the data of an
            event may be.
        first: Number of the line to begin with.
        last: The record before it.
        lists: There may be a `[` among the bytes.

    Returns:
        What the first lines say; the next one, if there is one, is of another kind.
    """
    if first == 0 and not lists and (found := _all_at_once(lines, last)):
        return found
    return _one_by_one(islice(lines, first, None), last)


def _all_at_once(lines: Sequence[bytes], last: Cursor) -> list[PlainLine]:
    """Decode all the lines; nothing if one of them does not simply go on."""
    count = len(lines)
    # Step by step through all of them: that is quicker than all steps for each.
    tails = [b',"crc":"%08x"}' % crc32(line[:-18]) for line in lines]
    if tails != [line[-18:] for line in lines]:
        return []
    if max([line.rfind(b"{") for line in lines], default=0) > _LAST_BRACE_MAX:
        return []
    try:
        found = list(map(_decoder(), lines))
    except _REFUSED:
        return []
    if [one.seq for one in found] != list(range(last.seq + 1, last.seq + 1 + count)):
        return []
    crcs = [last.crc, *[one.crc for one in found]]
    if [one.prev for one in found] != crcs[:-1]:
        return []
    return [] if [one for one in found if one.at.tzinfo is not UTC] else found


def _one_by_one(lines: Iterable[bytes], last: Cursor) -> list[PlainLine]:
    found: list[PlainLine] = []
    seq, crc, decode = last.seq, last.crc, _decoder()
    for line in lines:
        if line[-18:] != b',"crc":"%08x"}' % crc32(line[:-18]):
            break
        if line.rfind(b"{") > _LAST_BRACE_MAX or line.find(b"[") >= 0:
            break
        try:
            one = decode(line)
        except _REFUSED:
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
