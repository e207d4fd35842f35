"""Bytes <-> record: what is refused, and on which side of every limit."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fuzzing.lines import Chain, sealed
from journals import AT, note, sample_lines

from kedro_journal.errors import JournalClosed, RecordTooLarge
from kedro_journal.events import (
    Cursor,
    Event,
    NodeStarted,
    NoteAdded,
    Record,
    SessionClosed,
    UnknownEvent,
)
from kedro_journal.journal import PAYLOAD_MAX_BYTES, decode
from kedro_journal.journal.codec import (
    DEPTH_MAX,
    SEQ_MAX,
    BadLine,
    Encoded,
    check_batch,
    decodes,
    encode_event,
    line_version,
    seal,
    seal_batch,
    timestamp,
)

LINE = sample_lines(4)[3][:-1]
WHERE = Path("/journals/s/journal.jsonl")


@pytest.fixture
def far_from_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run on a machine whose clock shows another time than UTC."""
    monkeypatch.setenv("TZ", "XXX-05:30")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
def test_a_time_is_written_in_utc_wherever_it_was_taken() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    zone = timezone(timedelta(hours=-7))
    assert timestamp(at) == timestamp(at.astimezone(zone)) == AT
    # Without a zone it is the machine's own.
    assert timestamp(datetime(2026, 1, 2, 8, 34, 5, 678901)) == AT
    assert timestamp(at.replace(microsecond=0)) == "2026-01-02T03:04:05.000000Z"
    assert timestamp(datetime(1, 1, 1, tzinfo=UTC)) == "0001-01-01T00:00:00.000000Z"


def test_other_data_can_stand_for_an_event_but_not_for_an_unknown_one() -> None:
    assert encode_event(note("a")) == b'{"text":"a"}'
    assert encode_event(note("a"), {"text": "b"}) == b'{"text":"b"}'
    event = UnknownEvent(type="x", raw=b'{"x": 1.50}')
    assert encode_event(event) == encode_event(event, {}) == b'{"x": 1.50}'


# --- what no journal may hold -----------------------------------------------------


def batch(*events: Event, data: bytes | None = None) -> list[Encoded]:
    return [
        Encoded(event, encode_event(event) if data is None else data)
        for event in events
    ]


@pytest.mark.parametrize(
    ("event", "name"),
    [(note(), "note.added"), (UnknownEvent(type="node.paused"), "node.paused")],
)
def test_the_payload_limit_is_the_longest_that_is_taken(
    event: Event, name: str
) -> None:
    check_batch(batch(event, data=b"x" * PAYLOAD_MAX_BYTES), WHERE)
    with pytest.raises(RecordTooLarge) as caught:
        check_batch(batch(event, data=b"x" * (PAYLOAD_MAX_BYTES + 1)), WHERE)
    error = caught.value
    found = (error.type, error.size_bytes, error.limit_bytes)
    assert found == (name, PAYLOAD_MAX_BYTES + 1, PAYLOAD_MAX_BYTES)


@pytest.mark.parametrize(
    ("event", "name"),
    [(note(), "note.added"), (UnknownEvent(type="node.paused"), "node.paused")],
)
def test_what_would_break_a_line_is_named(event: Event, name: str) -> None:
    with pytest.raises(
        ValueError, match=f"^{name}: the encoded event holds a newline$"
    ):
        check_batch(batch(event, data=b'{\n"x":1}'), WHERE)
    deep = b"[" * (DEPTH_MAX - 1) + b"]" * (DEPTH_MAX - 1)
    check_batch(batch(event, data=deep), WHERE)
    message = f"^{name}: the event is nested deeper than {DEPTH_MAX - 1}$"
    with pytest.raises(ValueError, match=message):
        check_batch(batch(event, data=b"[" + deep + b"]"), WHERE)


def test_only_the_last_of_a_batch_may_close_the_session() -> None:
    check_batch([], WHERE)
    check_batch(batch(SessionClosed()), WHERE)
    check_batch(batch(note(), note(), SessionClosed()), WHERE)
    for events, number in (
        ((SessionClosed(), note()), 1),
        ((note(), SessionClosed(), SessionClosed()), 2),
    ):
        with pytest.raises(JournalClosed) as caught:
            check_batch(batch(*events), WHERE)
        assert (caught.value.path, caught.value.seq) == (WHERE, number)


def test_every_event_of_a_batch_is_checked() -> None:
    large = Encoded(note(), b"x" * (PAYLOAD_MAX_BYTES + 1))
    with pytest.raises(RecordTooLarge):
        check_batch([*batch(note(), note()), large], WHERE)


# --- sealing ----------------------------------------------------------------------


def sealed_seq(seq: int) -> bytes:
    return seal(seq=seq, at=AT, writer="w1", prev="00000000", event=note(), data=b"{}")[
        0
    ]


def test_the_highest_number_is_written_and_no_higher_one() -> None:
    found = decode(sealed_seq(SEQ_MAX)[:-1])
    assert isinstance(found, Record)
    assert found.seq == SEQ_MAX
    with pytest.raises(
        OSError, match=f"no number is left after record {SEQ_MAX}"
    ) as caught:
        sealed_seq(SEQ_MAX + 1)
    assert caught.value.errno == errno.EOVERFLOW


def test_a_batch_is_numbered_and_chained_from_the_last_record() -> None:
    now = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    given = now - timedelta(seconds=9)
    events = [
        Encoded(note("a"), b'{"text":"a"}'),
        Encoded(note("b"), b'{"text":"b"}', given),
        Encoded(note("c"), b'{"text":"c"}'),
    ]
    data, records = seal_batch(events, Cursor(7, 1000, "89abcdef"), "w3", now)
    offset, prev = 1000, "89abcdef"
    lines = data.splitlines(keepends=True)
    for number, (line, record) in enumerate(zip(lines, records, strict=True)):
        assert decode(line[:-1], offset, offset + len(line)) == record
        assert (record.seq, record.prev, record.writer) == (8 + number, prev, "w3")
        offset, prev = offset + len(line), record.crc
    assert [record.at for record in records] == [now, given, now]
    assert seal_batch([], Cursor(7, 1000, "89abcdef"), "w3", now) == (b"", [])


# --- reading ----------------------------------------------------------------------


def test_a_line_needs_every_byte_of_its_seal() -> None:
    assert isinstance(decode(LINE), Record)
    for position in range(len(LINE) - 18, len(LINE)):
        for byte in (LINE[position] ^ 1, LINE[position] ^ 32):
            line = LINE[:position] + bytes([byte]) + LINE[position + 1 :]
            in_checksum = len(LINE) - 10 <= position < len(LINE) - 2
            reason = "its checksum is wrong" if in_checksum else "it has no checksum"
            assert decode(line) == BadLine(reason)


def test_what_is_shorter_than_a_seal_has_none() -> None:
    for length in range(19):
        assert decode(LINE[-length:] if length else b"") == BadLine(
            "it has no checksum" if length < 18 else "its checksum is wrong"
        )


def test_a_seal_around_nothing_is_no_record() -> None:
    found = decode(sealed(b"")[:-1])
    assert isinstance(found, BadLine)
    assert found.reason.startswith("its envelope is invalid: ")


def test_a_line_nested_too_deep_says_so() -> None:
    deep = [[]]
    for _ in range(DEPTH_MAX):
        deep = [deep]
    line = Chain().add("later.event", {"deep": deep})[:-1]
    assert decode(line) == BadLine(
        f"its envelope is invalid: nested deeper than {DEPTH_MAX}"
    )


@pytest.mark.parametrize("first", ["\\", "\\\\", '\\"', '"', '\\\\"', '"\\', 'a"\\"'])
def test_brackets_in_a_text_are_no_depth_whatever_the_text_before_it_ends_in(
    first: str,
) -> None:
    """Where a text ends is told by its quote, unless a backslash escapes that."""
    for fields in (
        {"a": first, "b": "[" * 200},
        {"b": "[" * 200, "c": first, "d": "{"},
    ):
        found = decode(Chain().add("note.added", {"text": "n", "fields": fields})[:-1])
        assert isinstance(found, Record)
        assert found.event == NoteAdded(text="n", fields=fields)


def test_as_many_open_brackets_as_may_be_nested_are_broken_and_not_deep() -> None:
    found = decode(sealed(b"[" * DEPTH_MAX)[:-1])
    assert isinstance(found, BadLine)
    assert "nested deeper" not in found.reason
    found = decode(sealed(b"[" * (DEPTH_MAX + 1))[:-1])
    assert isinstance(found, BadLine)
    assert "nested deeper" in found.reason


def test_data_that_is_no_text_says_so() -> None:
    body = Chain().add("later.event", {"x": "fine"})[:-19].replace(b"fine", b"\xff")
    assert decode(sealed(body)[:-1]) == BadLine("its data is not UTF-8")


def test_a_record_without_a_file_has_no_place() -> None:
    found = decode(LINE)
    assert isinstance(found, Record)
    assert (found.offset, found.end) == (-1, -1)


def test_the_line_format_of_a_line() -> None:
    assert line_version(LINE) == 1
    assert line_version(Chain().add("note.added", {"text": "n"}, v=7)[:-1]) == 7


def test_data_reads_back_or_not_as_the_type_of_its_event() -> None:
    assert decodes(note(), b'{"text":"a"}')
    assert not decodes(note(), b'{"text":1}')
    assert not decodes(note(), b"{")
    assert decodes(NodeStarted(run_id="r", node="n"), b'{"run_id":"r","node":"n"}')
    assert not decodes(NodeStarted(run_id="r", node="n"), b'{"text":"a"}')
    # Nobody reads a meaning into it, so nothing can be wrong with it.
    assert decodes(UnknownEvent(type="x"), b'{"text":1}')


def test_data_too_deep_to_parse_does_not_read_back() -> None:
    """A parser gives up with an error of its own; it is the same answer."""
    deep = b'{"text":"n","fields":{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    assert not decodes(NoteAdded(text="n"), deep)
