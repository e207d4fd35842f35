"""Lines that directly follow the one before: the reader's quick way.

Nearly all lines of a journal are such: a frequent event, not deep, the next number, the
checksum right. They are decoded in one step, and nothing else about them needs to be
looked into. Whatever is not clearly of this kind is left to `codec` and `scan`, which
take every line and give the same records. Pure: no file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache, reduce
from itertools import takewhile
from operator import itemgetter, or_
from struct import pack
from typing import Annotated, Any, Final, Literal, NamedTuple
from zlib import crc32

import msgspec

from kedro_journal._building import building
from kedro_journal._instant import Instant
from kedro_journal._outside import suppress
from kedro_journal.events import (
    AnyEvent,
    Cursor,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    NoteAdded,
    Record,
    RunCompleted,
    SessionActivated,
    SessionClosed,
    SessionDeactivated,
    WriterOpened,
)

from .codec import DEPTH_MAX, FORMAT_VERSION, SEQ_MAX

__all__ = ["Plain", "PlainLine", "plain_lines", "record_of"]

_REFUSED: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
# What is in the others takes long to make a decoder for, and they are few.
_TYPES: Final[tuple[type[Event], ...]] = (
    JournalHeader,
    WriterOpened,
    SessionActivated,
    SessionDeactivated,
    NodeStarted,
    NodeComputed,
    NodeCompleted,
    DatasetLoading,
    DatasetLoaded,
    DatasetSaving,
    DatasetSaved,
    RunCompleted,
    NoteAdded,
    SessionClosed,
)
# No line so short goes deeper than a reader looks: each depth takes two bytes where
# there are lists, and the five of `{"":}` where there are none.
_SHORTEST: Final = (
    '{"v":1,"seq":1,"at":"2026-01-02T03:04:05Z","w":"","prev":"00000000",'
    '"type":"","data":{},"crc":"00000000"}'
)
_SHALLOW_BYTES: Final = tuple(len(_SHORTEST) + n * (DEPTH_MAX - 2) for n in (5, 2))
_body: Final[Callable[[bytes], bytes]] = itemgetter(slice(None, -18))
_tail: Final[Callable[[bytes], bytes]] = itemgetter(slice(-18, None))
_BETWEEN: Final = '"},"crc":"'


class PlainLine(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A record as it stands in its line, without its place; see `Record`."""

    v: Literal[1]
    seq: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    at: Annotated[Instant, msgspec.Meta(tz=True)]
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
    )


@cache  # made when the first line is read: a run reads none
def _decoder() -> Callable[[bytes], PlainLine]:
    with building():
        lines = [_line_of(event.TYPE, event) for event in _TYPES if event.VERSION == 1]
        decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(reduce(or_, lines))
    return decoder.decode


class Plain(NamedTuple):
    """Lines that simply go on.

    Attributes:
        entries: What they say.
        crcs: Their checksums, with a comma between each two.
        length: How many bytes they take, newlines included.
    """

    entries: Sequence[PlainLine] = ()
    crcs: str = ""
    length: int = 0


def plain_lines(lines: Sequence[bytes], last: Cursor, *, lists: bool = True) -> Plain:
    """Decode lines as long as each directly follows the one before.

    Args:
        lines: Whole lines, without their newlines, none longer than the data of an
            event may be.
        last: The record before the first.
        lists: There may be a `[` among the bytes.

    Returns:
        What the first ones say; the next, if there is one, is of another kind.
    """
    found: list[PlainLine] = []
    # Step by step through all of them: that is quicker than all steps for each.
    with suppress(*_REFUSED):
        found.extend(map(_decoder(), lines))  # up to the first that is refused
    some = lines if len(found) == len(lines) else lines[: len(found)]
    if not some:
        return Plain()
    lengths = list(map(len, some))
    if max(lengths) > _SHALLOW_BYTES[lists]:
        some = list(takewhile(_is_shallow, some))
    crcs = pack(f">{len(some)}I", *map(crc32, map(_body, some))).hex(",", 4)
    if b"".join(map(_tail, some)) != _tails(crcs):
        some = [
            line
            for line, _ in takewhile(
                _is_sealed, zip(some, crcs.split(","), strict=False)
            )
        ]
    count = _count_chained(found[: len(some)], last, crcs.split(","))
    if not count:
        return Plain()
    return Plain(found[:count], crcs[: 9 * count - 1], sum(lengths[:count]) + count)


def _is_shallow(line: bytes) -> bool:
    return line.count(b"{") + line.count(b"[") <= DEPTH_MAX


def _tails(crcs: str) -> bytes:
    """Return what lines with these checksums end in."""
    return b',"crc":"%b"}' % crcs.replace(",", _BETWEEN).encode()


def _is_sealed(line: tuple[bytes, str]) -> bool:
    return line[0][-18:] == _tails(line[1])


def _count_chained(
    found: Sequence[PlainLine], last: Cursor, crcs: Sequence[str]
) -> int:
    """Count the first that have the next number, the checksum before, and UTC."""
    seq, utc = last.seq, UTC
    for one, prev in zip(found, (last.crc, *crcs), strict=False):
        seq += 1
        if one.seq != seq or one.prev != prev or one.at.tzinfo is not utc:
            return seq - last.seq - 1
    return len(found)


def record_of(line: PlainLine, offset: int, end: int) -> Record:
    """Return the record, with its place."""
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
