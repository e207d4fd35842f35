"""Bytes <-> Record. Pure: no file, no clock.

A line is `{"v":1,"seq":42,"at":"...","w":"w3","prev":"1f0c9a77",
"type":"node.completed","data":{...},"crc":"89abcdef"}` and a newline. `v` stands
first and `crc` last for ever. `crc` is the CRC-32 (ISO 3309, as zlib computes it) of
every byte before `,"crc"`; `prev` is the crc of the record before. 38 % of all
single-bit flips in such a line still parse as JSON; none of them keeps the checksum.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from kedro_journal._building import building
from kedro_journal._instant import Instant
from kedro_journal._outside import let_through
from kedro_journal.errors import JournalClosed, RecordTooLarge
from kedro_journal.events import (
    EVENT_TYPES,
    LIFECYCLE_TYPES,
    AnyEvent,
    Cursor,
    Event,
    Record,
    SessionClosed,
    UnknownEvent,
    type_name,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "FORMAT_VERSION",
    "LINE_MAX_BYTES",
    "NO_PREV",
    "PAYLOAD_MAX_BYTES",
    "BadLine",
    "Encoded",
    "check_batch",
    "decode",
    "encode_event",
    "is_deep",
    "is_plain",
    "seal",
    "seal_batch",
    "timestamp",
]

FORMAT_VERSION: Final = 1
NO_PREV: Final = "00000000"
PAYLOAD_MAX_BYTES: Final = 256 * 1024
"""Longest `data` a writer accepts."""
LINE_MAX_BYTES: Final = 1024 * 1024
"""Longest line a reader looks at; longer ones are reported unread."""
SEAL_BYTES: Final = len(',"crc":"89abcdef"}')
"""How long the end of every line is: the checksum and what is around it."""
DEPTH_MAX: Final = 64
"""Most containers within each other in a line; redaction stops at half of that. It is
far from the depth at which a parser gives up, which depends on its caller's stack."""
_TIMESTAMP_LENGTH: Final = len('"2026-01-02T03:04:05.678901Z"')
SEQ_MAX: Final = 2**53 - 1
"""Highest sequence number: every reader of JSON, in any language, tells it exactly."""

_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"{}[]"))


class BadLine(msgspec.Struct, frozen=True):
    """A whole line that is not a record, as a value.

    Attributes:
        reason: Why, in words, without any of its bytes.
    """

    reason: str


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """An event, ready to be appended.

    Attributes:
        event: What happened.
        data: The bytes of its `data`, redacted.
        at: Wall clock of the event if it is not that of the append.
    """

    event: Event
    data: bytes
    at: Instant | None = None


class _Envelope(msgspec.Struct):
    v: int
    seq: Annotated[int, msgspec.Meta(ge=1, le=SEQ_MAX)]
    at: Annotated[Instant, msgspec.Meta(tz=True)]
    w: str
    prev: str
    type: str
    data: msgspec.Raw
    tv: int = 1


_encoder: Final = msgspec.json.Encoder()
_envelope: Final = msgspec.json.Decoder(_Envelope)
# Made when the first event of a type is read: all of them take as long as the rest of
# the imports of a run, which reads none.
_decoders: Final[dict[str, msgspec.json.Decoder[Any]]] = {}


def _decoder_of(name: str) -> msgspec.json.Decoder[Any] | None:
    known = _decoders.get(name)
    if known is None and name in EVENT_TYPES:
        with building():
            known = _decoders[name] = msgspec.json.Decoder(EVENT_TYPES[name])
    return known


def timestamp(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC, with six digits of a second and `Z`."""
    if at.tzinfo is UTC:
        text = _encoder.encode(at)  # the same at a twentieth of the price
        if len(text) == _TIMESTAMP_LENGTH:  # not where no microseconds are left
            return text[1:-1].decode()
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def encode_event(event: Event, data: object = None) -> bytes:
    """Encode what stands in `data`.

    Args:
        event: The event. An `UnknownEvent` gives back its own bytes.
        data: Encoded in place of *event*: its redacted, plain form.

    Raises:
        TypeError, ValueError, RecursionError, UnicodeEncodeError: a value that JSON
            has no form for; `redaction.plain` makes any value safe before this.
    """
    if isinstance(event, UnknownEvent):
        return event.raw
    return _encoder.encode(event if data is None else data)


def is_plain(event: Event, data: bytes) -> bool:
    """Return whether an event is of those that need no looking into: see `check_batch`.

    That is, it is small, has nothing nested in it, and no death or failure to tell of.
    """
    return (
        len(data) <= PAYLOAD_MAX_BYTES
        and data.rfind(b"{") == 0
        and data.find(b"[") < 0
        and data.find(b"\n") < 0
        and event.TYPE not in LIFECYCLE_TYPES
    )


def check_batch(batch: Sequence[Encoded], where: Path) -> bool:
    """Refuse what no journal may hold, before anything is written.

    Args:
        batch: What is to be appended together.
        where: The journal, for the message.

    Returns:
        Whether one of them tells of a life's course or of a failure, which belongs on
        the disk at once.

    Raises:
        RecordTooLarge: Over the payload limit.
        JournalClosed: Something follows `session.closed` in the same batch.
        ValueError: The bytes of an event hold a newline, which would end the line, or
            are nested deeper than a reader looks.
    """
    urgent = False
    for number, encoded in enumerate(batch, 1):
        event, data = encoded.event, encoded.data
        if len(data) > PAYLOAD_MAX_BYTES:
            raise RecordTooLarge(type_name(event), len(data), PAYLOAD_MAX_BYTES)
        if b"\n" in data:
            message = f"{type_name(event)}: the encoded event holds a newline"
            raise ValueError(message)
        # The count of brackets is what `is_deep` begins with; a call is dearer.
        if data.count(b"{") + data.count(b"[") >= DEPTH_MAX and is_deep(
            data, DEPTH_MAX - 1
        ):
            message = (
                f"{type_name(event)}: the event is nested deeper than {DEPTH_MAX - 1}"
            )
            raise ValueError(message)
        if event.TYPE in LIFECYCLE_TYPES:
            urgent = True
            if event.TYPE == SessionClosed.TYPE and number < len(batch):
                raise JournalClosed(where, number)
    return urgent


def seal(
    seq: int, at: str, writer: str, prev: str, event: Event, data: bytes
) -> tuple[bytes, str]:
    """Make the line of a record, newline included, and its checksum.

    Raises:
        OSError: No number is left that a reader takes: the last record there is has
            the highest one.
    """
    if seq > SEQ_MAX:
        raise OSError(errno.EOVERFLOW, f"no number is left after record {seq - 1}")
    name, version = event.TYPE, event.VERSION
    if not name:  # an `UnknownEvent`, whose name is none of ours: it may need escapes
        assert isinstance(event, UnknownEvent)  # noqa: S101 - every other has a name
        name, version = _encoder.encode(event.type)[1:-1].decode(), event.version
    tv = "" if version == 1 else f',"tv":{version}'
    body = (
        f'{{"v":{FORMAT_VERSION},"seq":{seq},"at":"{at}","w":"{writer}",'
        f'"prev":"{prev}","type":"{name}"{tv},"data":'.encode()
    ) + data
    crc = f"{zlib.crc32(body):08x}"
    return b'%b,"crc":"%b"}\n' % (body, crc.encode()), crc


def seal_batch(
    batch: Sequence[Encoded], last: Cursor, writer: str, now: datetime
) -> tuple[bytes, list[Record]]:
    """Number and seal what follows *last*.

    Args:
        batch: The events, in order.
        last: Place after the record before them.
        writer: Name of the writer.
        now: Wall clock of those that have none of their own.

    Returns:
        The bytes of all lines together, and their records.
    """
    lines: list[bytes] = []
    records: list[Record] = []
    seq, offset, prev = last
    now_text = timestamp(now)
    for encoded in batch:
        at = encoded.at or now
        at_text = now_text if at is now else timestamp(at)
        seq += 1
        event = encoded.event
        line, crc = seal(seq, at_text, writer, prev, event, encoded.data)
        end = offset + len(line)
        record = Record(
            seq=seq,
            at=at,
            writer=writer,
            prev=prev,
            crc=crc,
            event=event,  # type: ignore[arg-type]
            offset=offset,
            end=end,
        )
        lines.append(line)
        records.append(record)
        offset, prev = end, crc
    return b"".join(lines), records


def decodes(event: Event, data: bytes) -> bool:
    """Return whether encoded data reads back as the type of *event*."""
    decoder = _decoder_of(event.TYPE)
    if decoder is None:
        return True
    try:
        decoder.decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        let_through(error)
        return False
    return True


def decode(line: bytes, offset: int = -1, end: int = -1) -> Record | BadLine:
    """Read one line, without its newline.

    The checksum is compared before anything is parsed. An event of unknown type or
    newer version, or whose data does not fit its type or is longer than any writer
    accepts, becomes an `UnknownEvent`: the record stands, no reader may read a meaning
    into it. What such an event holds is not parsed, but it is UTF-8.

    Args:
        line: The bytes, without the newline.
        offset: Where the line begins in its file, kept in the record.
        end: Where the next one begins.
    """
    if line[-SEAL_BYTES:-10] != b',"crc":"' or line[-2:] != b'"}':
        return BadLine("it has no checksum")
    crc = line[-10:-2]
    if b"%08x" % zlib.crc32(line[:-SEAL_BYTES]) != crc:
        return BadLine("its checksum is wrong")
    if is_deep(line, DEPTH_MAX):
        return BadLine(f"its envelope is invalid: nested deeper than {DEPTH_MAX}")
    try:
        envelope = _envelope.decode(line)
        at = envelope.at.astimezone(UTC)
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        let_through(error)
        return BadLine(f"its envelope is invalid: {error}")
    event = _decode_event(envelope)
    if event is None:
        return BadLine("its data is not UTF-8")
    return Record(
        seq=envelope.seq,
        at=at,
        writer=envelope.w,
        prev=envelope.prev,
        crc=crc.decode(),
        event=event,
        offset=offset,
        end=end,
    )


def _decode_event(envelope: _Envelope) -> AnyEvent | None:
    """Decode the data of an envelope; None if it is no text."""
    decoder = _decoder_of(envelope.type)
    raw = bytes(envelope.data)
    # Plain values can take a hundred times the room of their text.
    if decoder is not None and len(raw) <= PAYLOAD_MAX_BYTES:
        version = EVENT_TYPES[envelope.type].VERSION
        if envelope.tv == version and envelope.v == FORMAT_VERSION:
            try:
                event: AnyEvent = decoder.decode(raw)
            except (msgspec.MsgspecError, ValueError) as error:
                let_through(error)
                # kept below, byte for byte
            else:
                return event
    try:
        raw.decode()
    except UnicodeDecodeError:
        return None
    return UnknownEvent(
        type=envelope.type, version=envelope.tv, format=envelope.v, raw=raw
    )


def is_deep(text: bytes, limit: int) -> bool:
    """Return whether more than *limit* containers of a JSON text lie within each other.

    Text that is no JSON may count as deep, too.
    """
    if text.count(b"{") + text.count(b"[") <= limit:
        return False
    unescaped = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside_strings = b"".join(unescaped.split(b'"')[::2])
    brackets = outside_strings.translate(_ALIKE, _NO_BRACKETS)
    for _ in range(limit):  # each turn takes the innermost ones away
        brackets = brackets.replace(b"[]", b"")
        if not brackets:
            return False
    return True


def line_version(line: bytes) -> int:
    """Return the `v` of a line that decodes."""
    return _envelope.decode(line).v
