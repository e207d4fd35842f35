"""Records whose checksums are right and whose content is hostile: what readers do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fuzzing.lines import Chain, Raw, sealed
from fuzzing.values import deep
from journals import create, join, note, put, salvage

from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import NoteAdded, Record, UnknownEvent
from kedro_journal.journal import PAYLOAD_MAX_BYTES, MemoryJournal, decode, verify
from kedro_journal.journal.codec import DEPTH_MAX, SEQ_MAX, BadLine


def line(data: Any, type_: str = "note.added", **envelope: Any) -> bytes:
    """Give one line, without its newline, as hostile as it is told to be."""
    return Chain().add(type_, data, **envelope)[:-1]


def nested(depth: int, kind: str = "[") -> bytes:
    """Give a line of which *depth* containers lie within each other."""
    return line({"text": "n", "fields": {"a": Raw(deep(depth - 3, kind=kind))}})


@pytest.mark.parametrize("kind", ["[", "{"])
def test_a_line_is_read_up_to_a_depth_that_is_far_from_any_parsers(kind: str) -> None:
    assert isinstance(decode(nested(DEPTH_MAX, kind)), Record)
    for depth in (DEPTH_MAX + 1, 300, 900, 980, 1000, 100_000):
        found = decode(nested(depth, kind))
        assert isinstance(found, BadLine)
        assert "nested deeper" in found.reason


def test_what_a_line_means_does_not_depend_on_how_deep_its_reader_was_called() -> None:
    """A parser gives up where the stack ends, and a good record must not be damage."""

    def called(deeply: int, data: bytes) -> object:
        return called(deeply - 1, data) if deeply else decode(data)

    for depth in (DEPTH_MAX, 900):
        data = nested(depth)
        assert called(0, data) == called(500, data) == called(700, data)


@pytest.mark.parametrize(
    "text",
    ["[" * 200, '"' + "[" * 200, '\\"' + "{" * 200 + '\\\\"', "\\" * 201 + "[[[[" * 50],
)
def test_brackets_in_a_text_are_no_depth(text: str) -> None:
    found = decode(line({"text": text, "fields": {"[" * 99: "{" * 99}}))
    assert isinstance(found, Record)
    assert isinstance(found.event, NoteAdded)
    assert found.event.text == text


def test_many_containers_beside_each_other_are_no_depth() -> None:
    found = decode(line({"text": "n", "fields": {"a": [{"b": [[], {}]}] * 500}}))
    assert isinstance(found, Record)
    assert isinstance(found.event, NoteAdded)


def test_no_journal_takes_what_no_reader_would_look_at(tmp_path: Path) -> None:
    from journals import HEADER, opened

    value: list[Any] = []
    for _ in range(DEPTH_MAX):
        value = [value]
    for journal in (create(tmp_path / "s"), MemoryJournal(HEADER, opened())):
        journal.append(note())
        with pytest.raises(ValueError, match="nested deeper than 63"):
            journal.append(note("n"), NoteAdded(text="n", fields={"a": value}))
        deepest = value[0][0][0][0]
        (record,) = journal.append(NoteAdded(text="n", fields={"a": deepest}))
        assert record.seq == 4


@pytest.mark.parametrize(
    "at",
    ["2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
)
def test_a_time_that_is_none_in_utc_is_no_envelope(at: str) -> None:
    found = decode(line({"text": "n"}, at=at))
    assert isinstance(found, BadLine)
    assert "envelope is invalid" in found.reason


@pytest.mark.parametrize(
    "at",
    [
        "2026-01-01T05:00:00+05:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00-14:00",
    ],
)
def test_every_time_that_is_read_is_in_utc(at: str) -> None:
    found = decode(line({"text": "n"}, at=at))
    assert isinstance(found, Record)
    assert found.at == datetime.fromisoformat(at)
    assert found.at.tzinfo is UTC


@pytest.mark.parametrize("seq", ["0", "-1", str(SEQ_MAX + 1), "9" * 400, "9" * 4300])
def test_a_number_that_no_record_can_have_is_no_envelope(seq: str) -> None:
    found = decode(line({"text": "n"}, seq=Raw(seq)))
    assert isinstance(found, BadLine)
    assert "envelope is invalid" in found.reason


def test_where_the_numbers_end_nothing_is_appended(tmp_path: Path) -> None:
    """What follows the highest number could be acknowledged, and never read."""
    writer = create(tmp_path / "s")
    (mine,) = writer.append(note())
    last = Chain()
    last.seq, last.prev = SEQ_MAX - 2, mine.crc
    with writer.path.open("ab") as file:
        file.write(last.add("note.added", {"text": "hostile"}))
    (record,) = writer.append(note("one more"))
    before = writer.path.read_bytes()
    for other in (writer, join(tmp_path / "s")):
        with pytest.raises(JournalUnwritable, match="no number is left"):
            other.append(note("too much"))
    assert record.seq == SEQ_MAX
    assert writer.path.read_bytes() == before
    assert salvage(tmp_path / "s")[0][-1] == record


def test_data_longer_than_any_writer_accepts_is_kept_unread() -> None:
    """Plain values take up to a hundred times the room of their text."""
    room = PAYLOAD_MAX_BYTES - len('{"text":"","fields":{}}')
    for length, kind in ((room, NoteAdded), (room + 1, UnknownEvent)):
        text = Raw('{"text":"' + "x" * length + '","fields":{}}')
        found = decode(line(text))
        assert isinstance(found, Record)
        assert isinstance(found.event, kind)
        assert found.type == "note.added"


@pytest.mark.parametrize("type_", ["note.added", "later.event"])
def test_data_that_is_not_utf_8_is_no_record(type_: str) -> None:
    """An event that is kept unread is shown as it stands, so it must be a text."""
    body = line({"text": "fine"}, type_)[:-18].replace(b"fine", b"\xff\xfe")
    found = decode(sealed(body)[:-1])
    assert isinstance(found, BadLine)
    assert "not UTF-8" in found.reason


def test_a_finding_does_not_repeat_a_megabyte_of_its_line(tmp_path: Path) -> None:
    chain = Chain()
    chain.add("x" * 900_000, {})
    chain.add("note.added", {"text": "n"}, prev="y" * 900_000)
    unknown, splice = verify(put(tmp_path / "s", chain.data)).findings
    assert (unknown.kind, splice.kind) == ("unknown event", "splice")
    assert "is a " + "x" * 80 + "... event" in unknown.detail
    assert len(unknown.detail) + len(splice.detail) < 400
