"""The published schemas are what the event classes say, and mean what they say."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from kedro_journal.events import EVENT_TYPES, ErrorInfo, NodeFailed
from kedro_journal.events.schema import (
    RECORD,
    SCHEMA_BASE,
    Line,
    event_schema,
    is_older_version,
    published,
    record_schema,
    schema_path,
    schema_text,
)
from kedro_journal.journal import codec

FOLDER = Path(__file__).parents[2] / "journal_schema"
CURRENT = {RECORD: 1} | {name: cls.VERSION for name, cls in EVENT_TYPES.items()}


def _schema(name: str) -> dict[str, Any]:
    return record_schema() if name == RECORD else event_schema(name)


def _examples(kind: str, name: str) -> list[Path]:
    return sorted((FOLDER / f"examples/{name}.v{CURRENT[name]}" / kind).glob("*.json"))


def _all(kind: str) -> list[Any]:
    return [
        pytest.param(name, path, id=f"{name}-{path.stem}")
        for name in CURRENT
        for path in _examples(kind, name)
    ]


def test_the_published_files_are_what_this_version_makes():
    files = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes().decode()
        for path in [*FOLDER.glob("*.json"), *FOLDER.glob("events/*.json")]
    }
    current = {path: text for path, text in files.items() if not is_older_version(path)}

    assert published() == current


@pytest.mark.parametrize("path", sorted(published()))
def test_every_schema_is_valid_2020_12_and_carries_its_name(path: str):
    schema = json.loads(published()[path])

    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == SCHEMA_BASE + path
    assert schema.get("additionalProperties", True) is True


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_schema_requires_exactly_the_fields_without_default(name: str):
    fields = msgspec.structs.fields(EVENT_TYPES[name])
    schema = event_schema(name)

    assert schema["required"] == [field.name for field in fields if field.required]
    assert list(schema["properties"]) == [field.name for field in fields]


@pytest.mark.parametrize("name", CURRENT)
def test_every_field_is_described(name: str):
    schema = _schema(name)
    for part in (schema, *schema.get("$defs", {}).values()):
        assert part["description"]
        for field, rules in part["properties"].items():
            assert rules.get("description"), field


def test_an_error_that_is_in_another_is_in_the_schema_once():
    defs = event_schema("node.failed")["$defs"]

    assert set(defs) == {"DataFailure", "ErrorInfo", "FailedCheck", "Frame", "LogLine"}
    cause = defs["ErrorInfo"]["properties"]["cause"]
    assert {"$ref": "#/$defs/ErrorInfo"} in cause["anyOf"]


def test_the_line_has_the_fields_that_the_codec_reads():
    read = [f for f in codec._Envelope.__struct_fields__ if f != "tv"]
    written = [f for f in Line.__struct_fields__ if f not in ("tv", "crc")]

    assert sorted(written) == sorted(read)
    assert next(iter(record_schema()["properties"])) == "v"
    assert list(record_schema()["properties"])[-1] == "crc"


def test_there_is_no_schema_for_an_unknown_type():
    with pytest.raises(KeyError):
        event_schema("model.promoted")


def test_only_an_earlier_version_of_a_known_type_may_lie_beside():
    assert not is_older_version("events/node.failed.v1.json")
    assert not is_older_version("events/node.failed.v99.json")
    assert not is_older_version("events/model.promoted.v1.json")
    assert not is_older_version("record.v1.json")


def test_an_older_version_is_left_where_it_is(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(NodeFailed, "VERSION", 2)

    assert is_older_version("events/node.failed.v1.json")
    assert not is_older_version("events/node.failed.v2.json")
    assert schema_path("node.failed", 2) in published()


@pytest.mark.parametrize("name", CURRENT)
def test_every_schema_has_a_good_and_two_bad_examples(name: str):
    assert _examples("good", name)
    assert len(_examples("bad", name)) >= 2


def test_every_example_belongs_to_a_published_schema():
    for folder in (FOLDER / "examples").iterdir():
        files = (FOLDER / f"{folder.name}.json", FOLDER / f"events/{folder.name}.json")
        assert any(file.is_file() for file in files), folder.name


@pytest.mark.parametrize(("name", "path"), _all("good"))
def test_good_examples_are_accepted(name: str, path: Path):
    data = json.loads(path.read_bytes())

    Draft202012Validator(_schema(name)).validate(data)
    if name != RECORD:
        event = msgspec.json.decode(path.read_bytes(), type=EVENT_TYPES[name])
        assert type(event) is EVENT_TYPES[name]


@pytest.mark.parametrize(("name", "path"), _all("bad"))
def test_bad_examples_are_refused(name: str, path: Path):
    data = json.loads(path.read_bytes())

    errors = list(Draft202012Validator(_schema(name)).iter_errors(data))
    assert errors, "the schema accepts it"
    if name != RECORD:
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(path.read_bytes(), type=EVENT_TYPES[name])


@pytest.mark.parametrize("path", _examples("good", RECORD), ids=lambda path: path.stem)
def test_good_records_are_lines_that_the_reader_takes(path: Path):
    line = msgspec.json.encode(json.loads(path.read_bytes()))

    record = codec.decode(line)

    assert not isinstance(record, codec.BadLine), record.reason
    assert record.crc == f"{zlib.crc32(line[: line.rindex(b',')]):08x}"


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_what_the_writer_writes_is_valid(name: str):
    for path in _examples("good", name):
        event = msgspec.json.decode(path.read_bytes(), type=EVENT_TYPES[name])
        line, _ = codec.seal(
            seq=7,
            at="2026-11-22T05:11:32.123456Z",
            writer="w1",
            prev="00000000",
            event=event,
            data=codec.encode_event(event),
        )
        entry = json.loads(line)
        Draft202012Validator(record_schema()).validate(entry)
        Draft202012Validator(event_schema(name)).validate(entry["data"])


def test_a_field_that_is_not_named_is_allowed():
    data = {"run_id": "r", "node": "n", "error": {"type": "E"}, "mood": "fine"}

    Draft202012Validator(event_schema("node.failed")).validate(data)
    event = msgspec.json.decode(json.dumps(data), type=NodeFailed)
    assert event.error == ErrorInfo(type="E")


def test_a_schema_is_written_with_one_newline_at_the_end():
    text = schema_text({"$id": "x", "title": "ä"})

    assert text == '{\n  "$id": "x",\n  "title": "ä"\n}\n'
