"""Whatever a run is given or raises: an event comes of it, soon, and it decodes."""

from __future__ import annotations

import time
from typing import NamedTuple

import hostile
import msgspec
import pytest

from kedro_journal.capture.fields import error_info
from kedro_journal.events import CommandLine, NodeFailed, SessionCreated, Versions
from kedro_journal.journal import PAYLOAD_MAX_BYTES
from kedro_journal.journal.codec import decodes
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import FAILED, REDACTED, Redactor

SOON_S = 10.0  # many times what any of them takes, and far less than the slow ones


@pytest.mark.parametrize("kind", hostile.VALUES)
@pytest.mark.timeout(60)
def test_any_parameter_becomes_an_event_soon(kind: str) -> None:
    params = {"lr": 0.1, "value": hostile.VALUES[kind]()}
    versions = Versions(python="3", kedro="1", kedro_journal="0")
    event = SessionCreated(
        session_id="s",
        runtime_params=params,
        project_path="/p",
        versions=versions,
    )
    redactor = Redactor()
    redactor.register(*(f"secret value {number}" for number in range(50)))
    started_s = time.process_time()
    data = encode(event, redactor)
    assert time.process_time() - started_s < SOON_S
    assert len(data) <= PAYLOAD_MAX_BYTES
    assert decodes(event, data)
    read = msgspec.json.decode(data, type=SessionCreated)
    assert read.runtime_params["lr"] == 0.1
    assert (read.project_path, read.versions) == ("/p", versions)


def test_of_a_mapping_that_is_too_large_the_small_items_are_kept() -> None:
    params = {"large": ["x" * 900] * 900, "lr": 0.1, "model": {"depth": 3}}
    event = SessionCreated(session_id="s", runtime_params=params)

    read = msgspec.json.decode(encode(event, Redactor()), type=SessionCreated)

    assert {"large", "lr", "model"} == read.runtime_params.keys()
    assert (0.1, {"depth": 3}) == (
        read.runtime_params["lr"],
        read.runtime_params["model"],
    )
    assert read.runtime_params["large"].keys() == {"$truncated"}


def test_too_many_small_items_are_left_out_together() -> None:
    params = {f"key{number}": "x" * 900 for number in range(900)}
    event = SessionCreated(session_id="s", runtime_params=params)

    read = msgspec.json.decode(encode(event, Redactor()), type=SessionCreated)

    assert {"$truncated"} == read.runtime_params.keys()


def test_what_needs_its_items_is_left_out_as_a_whole() -> None:
    command = CommandLine(argv=("kedro", *["x" * 900] * 900), name="run")
    event = SessionCreated(session_id="s", project_path="/p", command=command)

    data = encode(event, Redactor())

    assert len(data) <= PAYLOAD_MAX_BYTES
    assert "/p" == msgspec.json.decode(data, type=SessionCreated).project_path


@pytest.mark.parametrize("kind", [k for k in hostile.VALUES if "raises" in k])
def test_a_value_that_raises_hides_nothing_beside_it(kind: str) -> None:
    shown = Redactor().plain(hostile.VALUES[kind]())
    assert (shown["before"], shown["after"]) == (1, [2])


@pytest.mark.parametrize("name", ["x", "password"])
def test_nobodys_code_is_run(name: str) -> None:
    """A `__repr__` may fetch a table from a cluster: nothing asks for it."""
    asked: list[str] = []

    def ask(self: object, *_: object) -> object:
        asked.append(type(self).__name__)
        return NotImplemented

    methods = ("__repr__", "__str__", "__iter__", "__len__", "__eq__", "__bool__")
    more = ("__getattr__", "__fspath__", "__int__", "items", "keys", "isoformat")
    space = {**dict.fromkeys((*methods, *more), ask), "__hash__": object.__hash__}
    for base in (object, str, int, float, list, tuple, dict, set, frozenset, bytes):
        cls = type("Asked" + base.__name__, (base,), space)
        for value in (cls(), [cls()], {name: cls()}, {"k": {name: [cls()]}}):
            Redactor().plain(value)
            Redactor().fields({"runtime_params": value})
        if cls.__hash__ is not None:
            Redactor().plain({cls(): 1})
            Redactor().plain([{cls()}])
    assert asked == []


def test_fields_of_data_classes_are_told_and_hidden_by_name() -> None:
    shown = Redactor().plain(hostile.Settings(rate=0.5, inner=[1]))
    assert shown == {
        "$type": "hostile.Settings",
        "$fields": {"rate": 0.5, "password": REDACTED, "inner": [1]},
    }
    point = hostile.Point(1, {"password": "hunter2hunter2"})
    assert Redactor().plain(point) == [1, {"password": REDACTED}]


def test_a_secret_field_of_a_named_tuple_is_hidden() -> None:
    class Login(NamedTuple):
        user: str
        password: str

    redactor = Redactor()
    assert redactor.plain([Login("me", "hunter2hunter2")]) == [["me", REDACTED]]
    assert "hunter2hunter2" in redactor.secrets


def test_a_long_secret_is_hidden_wherever_a_part_of_it_shows() -> None:
    secret = "".join(f"{number:06d}" for number in range(4000))
    redactor = Redactor()
    redactor.learn({"password": secret})
    for text in (secret, secret[:5000], f"{'x' * 10_000} {secret}"):
        shown = redactor.text(text)
        assert "000100000101" not in shown
    assert "000700000701" not in redactor.text(f"it was {secret} then")


@pytest.mark.parametrize("shrinks", [0, 500])
def test_a_registered_secret_across_the_cut_of_a_long_text_is_hidden(
    shrinks: int,
) -> None:
    """Also where what was hidden before it moved it to the front."""
    redactor = Redactor()
    secret, long = "c4n4ry-V8x!w" * 3, "another-secret-that-is-long" * 40
    redactor.register(secret, long)
    for offset in range(24_400, 24_600, 7):
        text = (long * shrinks)[:20_000] + "x" * 30_000
        text = text[:offset] + secret + "y" * 50_000
        assert "c4n4ry" not in redactor.text(text)


@pytest.mark.parametrize("kind", hostile.ERRORS)
@pytest.mark.timeout(60)
def test_any_exception_becomes_an_event_soon(kind: str) -> None:
    error = hostile.ERRORS[kind]()
    started_s = time.process_time()
    info = error_info(error, None)
    event = NodeFailed(run_id="r", node="n", error=info)
    data = encode(event, Redactor())
    assert time.process_time() - started_s < SOON_S
    assert len(data) <= PAYLOAD_MAX_BYTES
    assert decodes(event, data)
    read = msgspec.json.decode(data, type=NodeFailed)
    assert read.error.type.endswith(type(error).__qualname__)
    assert FAILED not in data.decode()


@pytest.mark.parametrize("make", [int, hostile.Anything, hostile.Nowhere])
@pytest.mark.timeout(60)
def test_what_is_no_exception_is_described_too(make: type) -> None:
    """Another plugin may hand over anything at all."""
    odd = make()
    event = NodeFailed(run_id="r", node="n", error=error_info(odd, None))
    assert decodes(event, encode(event, Redactor()))


def test_of_a_deep_recursion_both_ends_are_told() -> None:
    info = error_info(hostile.recursion(), None)
    assert 50 < len(info.frames) <= 60
    assert any("frames left out" in frame.function for frame in info.frames)
    assert (info.frames[0].function, info.frames[-1].function) == (
        "recursion",
        "recursion.<locals>.again",
    )


def test_notes_and_members_of_a_group_stand_in_the_message() -> None:
    error = ExceptionGroup("two", [ValueError("one"), hostile.Mute()])
    error.add_note("a note")
    info = error_info(error, None)
    assert info.message.splitlines() == [
        "two (2 sub-exceptions)",
        "a note",
        "- ValueError: one",
        "- hostile.Mute: (its message could not be made)",
    ]


def test_a_secret_across_the_end_of_a_message_is_hidden() -> None:
    redactor = Redactor()
    redactor.register("c4n4ry-V8x!w")
    for length in range(8180, 8200):
        error = ValueError("x" * length + "c4n4ry-V8x!w" + "y" * 10_000)
        event = NodeFailed(run_id="r", node="n", error=error_info(error, None))
        assert b"c4n4ry" not in encode(event, redactor)


def test_an_event_that_would_not_decode_is_told_in_brief() -> None:
    """Where nothing but `[redaction failed]` is left of a mapping."""

    class Odd(dict):  # type: ignore[type-arg]
        @property
        def __class__(self) -> type:
            raise ZeroDivisionError

    event = SessionCreated(session_id="s", versions=Odd())  # type: ignore[arg-type]
    data = encode(event, Redactor())
    assert decodes(event, data)
