"""What is too large for one record comes in parts, and what is cut is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from resume_world import Journal

from kedro_journal.capture.parts import in_parts
from kedro_journal.events import (
    CatalogEntry,
    ContextLoaded,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionCreated,
    SessionResumed,
)
from kedro_journal.journal import PAYLOAD_MAX_BYTES
from kedro_journal.journal.codec import decodes
from kedro_journal.recording.encoding import encode
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.plain import Safe
from kedro_journal.state.flat import flatten
from kedro_journal.views.words import literal

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG = "data_science.active_modelling.candidate.region_with_a_long_name"


def begun() -> Journal:
    journal = Journal("s", "r")
    journal.add(SessionCreated(session_id="s"), NOW)
    return journal


def test_a_plan_is_split_by_bytes_and_none_of_it_is_lost() -> None:
    nodes = tuple(
        PlannedNode(
            name=f"{LONG}_{n}",
            inputs=tuple(f"{LONG}_{n}_{k}" for k in range(20)),
            source="/a/file.py:1",
        )
        for n in range(1000)
    )
    free = tuple(f"{LONG}_{n}" for n in range(5000))
    versions = tuple((f"{LONG}_{n}", "2026-01-01T00.00.00.000Z") for n in range(3000))
    event = RunStarted(
        run_id="r", nodes=nodes, free_inputs=free, load_versions=versions, env="x"
    )
    names = ("load_versions", "nodes", "free_inputs")
    parts = in_parts(event, names, RunStarted(run_id="r"))

    assert [part.part for part in parts] == list(range(1, len(parts) + 1))
    assert [part.env for part in parts] == ["x", *[None] * (len(parts) - 1)]
    read = [
        msgspec.json.decode(encode(part, Redactor()), type=RunStarted) for part in parts
    ]
    for name in names:
        assert sum((getattr(one, name) for one in read), ()) == getattr(event, name)
    assert not any(one.left_out for one in read)


def test_a_small_event_is_one_record() -> None:
    event = RunStarted(run_id="r", nodes=(PlannedNode(name="a\ud800"),))
    assert in_parts(event, ("nodes",), RunStarted(run_id="r")) == [event]


def test_the_parts_of_a_context_add_up() -> None:
    entries = tuple(CatalogEntry(name=f"{LONG}_{n}", path="p") for n in range(3000))
    whole = ContextLoaded(
        parameters=Safe({f"{LONG}_{n}": n for n in range(3000)}),
        parameters_sha256="x",
        parameters_cut={f"{LONG}_{n}": "0" * 64 for n in range(3000)},
        catalog=entries,
        config_sources=("conf/base/catalog.yml",),
    )
    names = ("parameters", "parameters_cut", "catalog", "parameter_sources")
    parts = in_parts(whole, names, ContextLoaded())
    assert len(parts) > 3

    journal = begun()
    for part in parts:
        journal.add(part, NOW)
    assert journal.state().context == whole
    journal.add(ContextLoaded(env="later"), NOW)
    assert journal.state().context == ContextLoaded(env="later")


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (RunCompleted(run_id="r", outputs=(LONG,) * 6000), "outputs: "),
        (SessionResumed(parent_session_id="s", done=(LONG,) * 6000), "done: "),
        (
            RunStarted(
                run_id="r", nodes=(PlannedNode(name="n", inputs=(LONG,) * 6000),)
            ),
            "nodes: n",
        ),
        (
            SessionCreated(
                session_id="s", environment={str(n): LONG * 6 for n in range(900)}
            ),
            "environment",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_recorded_is_named(event: Any, named: str) -> None:
    data = encode(event, Redactor())
    assert len(data) <= PAYLOAD_MAX_BYTES
    assert decodes(event, data)
    (left_out,) = msgspec.json.decode(data, type=type(event)).left_out
    assert left_out.startswith(named)

    read = msgspec.json.decode(data, type=type(event))
    journal = Journal("s", "r") if isinstance(event, SessionCreated) else begun()
    if isinstance(event, RunCompleted):
        journal.add(RunStarted(run_id="r"), NOW)
    journal.add(read, NOW)
    assert journal.state().left_out == (f"{event.TYPE}: {left_out}",)


@pytest.mark.parametrize(
    "value",
    [
        [1] * 1401,
        {f"k{n}": n for n in range(1401)},
        "q" * 20_000,
        {"a": ["q" * 20_000, [0] * 2000]},
    ],
    ids=["list", "mapping", "text", "nested"],
)
def test_redaction_cuts_once(value: object) -> None:
    redactor = Redactor()
    once = redactor.plain(value)
    assert redactor.plain(once) == once
    assert "401" in str(once) or "3616" in str(once)


def test_the_fields_of_an_object_have_names_as_kedro_has_them() -> None:
    values = {
        "model": {"$type": "x.Model", "$fields": {"lr": 1, "deep": {"a": 2}}},
        "ts": {"$int": "5"},
        "n": 1,
    }
    assert dict(flatten(values)) == {
        "model": {"$type": "x.Model"},
        "model.lr": 1,
        "model.deep.a": 2,
        "ts": {"$int": "5"},
        "n": 1,
    }


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ({"$int": "123"}, "123"),
        ({"$float": "nan"}, "nan"),
        ({"$path": "/a/b"}, "/a/b"),
        ({"$tuple": [1, {"$date": "2026-01-01"}]}, "[1, 2026-01-01]"),
        ({"$map": [[1, "a"]]}, "{1: a}"),
        ({"$type": "x.Model"}, "(x.Model)"),
        (
            {"$value": {"sha256": "0", "bytes": 23_000, "type": "list of 5000 items"}},
            "(list of 5000 items, 23.0 kB, in a file of the session)",
        ),
        ({"$text": "W3JlZGFjdGVkXQ=="}, "'[redacted]'"),
        ({"$other": 1}, "{$other: 1}"),
    ],
)
def test_values_are_shown_as_what_they_are(recorded: object, shown: str) -> None:
    assert literal(recorded) == shown
