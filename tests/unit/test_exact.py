"""What a later run needs comes back equal and of the same type, or is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import yaml
from exact_values import is_same, keys, values
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kedro_journal.errors import NotRecorded
from kedro_journal.events import CommandLine, RunStarted, SessionCreated
from kedro_journal.journal import PAYLOAD_MAX_BYTES
from kedro_journal.journal.values import VALUES_NAME, read_value, write_value
from kedro_journal.recording.aside import keep_in, recorded_value
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import REDACTED, Redactor
from kedro_journal.redaction.decoding import Inexact, decode, problems
from kedro_journal.redaction.limits import EXACT_TEXT_MAX_CHARS
from kedro_journal.session.store import given_of, store_of
from kedro_journal.state import SessionState
from kedro_journal.views.command import command_text

SECRET = "hunter2-the-second"


def recorded(params: dict[Any, Any], folder: Path | None) -> Any:
    """Give what a session of these parameters says of them to a later one."""
    event = SessionCreated(session_id="s", runtime_params=params)
    data = encode(event, Redactor(), keep_in(folder))
    assert len(data) <= PAYLOAD_MAX_BYTES
    read = msgspec.json.decode(data, type=SessionCreated)
    return recorded_value(read.runtime_params, folder)


@given(params=st.dictionaries(keys, values, max_size=4))
@example(params={"ts": 1700000000123456789})
@example(params={"$int": "5", "a": {"$int": "5"}, "b": [{"$truncated": 3}]})
@example(params={"a": "x" * 16_384 + "[... 5 characters more]", "b": "[redacted]"})
@example(params={"a": {1: {2.5: {None: {True: date(2026, 1, 1)}}}}})
@settings(deadline=None, max_examples=300)
def test_what_a_file_or_a_flag_can_say_comes_back(params: dict[Any, Any]) -> None:
    back = recorded(params, None)
    if any(True for _ in problems(back)):  # a name that looks like a secret's
        assert "[redacted]" in repr(encode_text(params))
        return
    assert is_same(params, back), (params, back)


def encode_text(params: dict[Any, Any]) -> bytes:
    event = SessionCreated(session_id="s", runtime_params=params)
    return encode(event, Redactor(), None)


@given(text=st.text(max_size=200))
@settings(deadline=None)
def test_what_yaml_reads_comes_back(text: str) -> None:
    try:
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    back = recorded({"value": read}, None)
    assert any(True for _ in problems(back)) or is_same({"value": read}, back)


@pytest.mark.parametrize(
    "value",
    [
        10**5000,
        float("nan"),
        b"\xff\x00",
        bytearray(b"x"),
        Path("a/b c"),
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        time(1, 2, 3),
        timedelta(days=-1, microseconds=5),
        Decimal("1.10"),
        UUID(int=7),
        (1, (2, [3])),
        frozenset({"a", 1}),
        {1: "a", None: "b", (1, 2): "c"},
        yaml.safe_load("!!omap [a: 1, b: 2]"),
        yaml.safe_load("!!set {a, b}"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_value_comes_back_as_what_it_was(value: object) -> None:
    assert is_same(recorded({"v": value}, None), {"v": value})


@pytest.mark.parametrize(
    "value",
    [
        list(range(9000)),
        ["text"] * 5000,
        "x" * 40_000,
        {f"key{n}": n for n in range(5000)},
        b"x" * 40_000,
        [[[n, str(n)] for n in range(100)] for _ in range(100)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_large_value_is_kept_in_a_file(value: object, tmp_path: Path) -> None:
    assert recorded({"v": value, "w": 1}, tmp_path) == {"v": value, "w": 1}
    (file,) = (tmp_path / VALUES_NAME).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600

    file.write_bytes(file.read_bytes() + b" ")
    event = SessionCreated(session_id="s", runtime_params={"v": value, "w": 1})
    data = encode(event, Redactor(), keep_in(tmp_path / "elsewhere"))
    read = msgspec.json.decode(data, type=SessionCreated)
    damaged = recorded_value(read.runtime_params, tmp_path)
    assert [name for name, _ in problems(damaged)] == ["v"]


def test_many_small_parameters_are_kept_in_a_file(tmp_path: Path) -> None:
    params = {f"key{number}": f"value {number}" for number in range(5000)}
    assert recorded(params, tmp_path) == params
    assert recorded(dict.fromkeys(params, "x" * 900), tmp_path) == dict.fromkeys(
        params, "x" * 900
    )


def test_deep_values_come_back(tmp_path: Path) -> None:
    value: Any = 1
    for _ in range(55):
        value = {"a": [value]} if isinstance(value, list) else [value]
    assert recorded({"v": value}, tmp_path) == {"v": value}
    assert recorded({"v": {1: {2: {3: value}}}}, tmp_path)["v"] == {1: {2: {3: value}}}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("x" * (EXACT_TEXT_MAX_CHARS + 1), "too large"),
        ([{"a": object()}], "no exact form"),
        ({"inner": {"password": "abcdefgh"}}, "secret"),
        (["--password", "abcdefgh"], "secret"),
        (f"before {SECRET} after", "secret"),
        ({SECRET: 1}, "secret"),
        ({1, SECRET}, "secret"),
        (Path(SECRET), "secret"),
        (SECRET.encode(), "secret"),
        ({(1, SECRET): 2}, "secret"),
        (datetime(2026, 1, 1, fold=1), "no exact form"),
    ],
    # The repr of an object has its address: ids must not differ between workers.
    ids=lambda value: value if type(value) is str and len(value) < 20 else "",
)
def test_what_is_not_exact_is_named(value: object, reason: str, tmp_path: Path) -> None:
    redactor = Redactor()
    redactor.register(SECRET)
    event = SessionCreated(session_id="s", runtime_params={"a": {"v": value}, "w": 1})
    data = encode(event, redactor, keep_in(tmp_path))
    assert SECRET.encode() not in data

    read = msgspec.json.decode(data, type=SessionCreated)
    back = recorded_value(read.runtime_params, tmp_path)

    ((name, why), *more) = problems(back)
    assert name.startswith("a.v")
    assert reason in why
    assert not more
    assert back["w"] == 1


@pytest.mark.parametrize(
    "form",
    [
        {"$truncated": "5 more"},
        {"a": 1, "$truncated": "5 more"},
        [1, {"$truncated": 5}],
        {"$int": "of 5000 bits"},
        {"$bytes": "20000 bytes"},
        {"$type": "x.Y", "$repr": "Y()"},
        {"$type": "x.Y", "$fields": {}},
        "abc[... 5 characters more]",
        "https://[redacted]@host/",
        "[redaction failed]",
        {"$of a later version": 1},
        {"$int": 5},
        {"$int": "5", "more": 1},
        {"$map": [[["a list"], 1]]},
        {"$set": [["a list"]]},
        {"$value": {"sha256": "../../etc/passwd", "bytes": 1}},
        {"$date": "yesterday"},
    ],
    ids=str,
)
def test_no_form_of_display_is_a_value(form: object) -> None:
    back = decode({"v": form, "w": 1})
    assert [name for name, _ in problems(back)] == ["v"]
    assert back["w"] == 1


def test_filters_are_exact() -> None:
    names = [f"node {number}" for number in range(1200)]
    event = RunStarted(run_id="r", filters={"node_names": names})
    read = msgspec.json.decode(encode(event, Redactor()), type=RunStarted)
    assert decode(read.filters) == {"node_names": names}


def test_a_value_file_is_written_once_and_verified(tmp_path: Path) -> None:
    name = write_value(tmp_path, b"[1]")
    assert name == write_value(tmp_path, b"[1]")
    assert read_value(tmp_path, name) == b"[1]"
    assert read_value(tmp_path, "0" * 64) is None
    file = tmp_path / VALUES_NAME / f"{name}.json"
    file.write_bytes(b"[2]")
    assert read_value(tmp_path, name) is None
    assert write_value(tmp_path, b"[1]") == name
    assert read_value(tmp_path, name) == b"[1]"
    file.unlink()
    file.symlink_to(tmp_path)
    assert read_value(tmp_path, name) is None


def test_a_value_that_cannot_be_written_is_named() -> None:
    def full(data: bytes) -> str:
        raise OSError(28, "No space left on device")

    event = SessionCreated(session_id="s", runtime_params={"v": "x" * 40_000})
    read = msgspec.json.decode(encode(event, Redactor(), full), type=SessionCreated)
    assert [name for name, _ in problems(decode(read.runtime_params))] == ["v"]


def test_an_inexact_value_shows_its_mask() -> None:
    assert decode(f"a {REDACTED} b") == Inexact(
        "is a secret, and not recorded", f"a {REDACTED} b"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"runtime_params": {"a": {"b": {"$truncated": "9 bytes"}}}},
        {"command": CommandLine(argv=("kedro", "x" * 9 + "[... 5 characters more]"))},
        {
            "command": CommandLine(
                argv=("kedro",), name="run", argv_exact={"$value": {"sha256": "0"}}
            )
        },
    ],
    ids=["parameter", "argument", "file"],
)
def test_no_command_is_printed_that_would_do_something_else(fields: Any) -> None:
    state = SessionState(session_id="s", **fields)
    with pytest.raises(NotRecorded) as raised:
        command_text(state)
    assert raised.value.session_id == "s"
    assert raised.value.exit_code == 6


def test_a_command_has_the_exact_values() -> None:
    params = {"ts": {"$int": "1700000000123456789"}, "key": "a [redacted] b"}
    text = command_text(SessionState(session_id="s", runtime_params=params))
    assert "{'ts': 1700000000123456789, 'key': 'a [redacted] b'}" in text


def test_a_context_is_not_made_of_placeholders() -> None:
    params = {"ts": {"$int": "5"}, "a": {"key": "[redacted]"}, "v": {"$truncated": 1}}
    state = SessionState(session_id="s", runtime_params=params)
    assert store_of(state, None)["runtime_params"] == {
        "ts": 5,
        "a": {"key": "[redacted]"},
    }
    with pytest.raises(NotRecorded) as raised:
        given_of(state, None)
    assert raised.value.names == ("a.key", "v")
