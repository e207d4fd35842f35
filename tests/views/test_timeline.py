"""Every event type has a sentence of its own."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kedro_journal.events import (
    EVENT_TYPES,
    DatasetSaved,
    ErrorInfo,
    NodeCompleted,
    NodeFailed,
    NoteAdded,
    RunInterrupted,
    UnknownEvent,
)
from kedro_journal.state import SessionState, evolve
from kedro_journal.views import Timeline, changes, describe, render

ERROR = ErrorInfo(type="ValueError", message="bad shape")
REQUIRED: dict[str, Any] = {
    "session_id": "2026-11-22T05.11.32.000Z",
    "uid": "u",
    "salt": "s",
    "package_version": "0.1",
    "pid": 4321,
    "run_id": "r1",
    "node": "train",
    "dataset": "model",
    "error": ERROR,
    "parent_session_id": "2026-11-21T05.11.32.000Z",
    "text": "a note",
    "offset": 1,
    "length": 2,
    "dropped": 3,
}


def example(name: str) -> Any:
    """Make the smallest event of a type."""
    cls = EVENT_TYPES[name]
    fields = [field for field in msgspec.structs.fields(cls) if field.required]
    return cls(**{field.name: REQUIRED[field.name] for field in fields})


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_type_has_words_of_its_own(name):
    sentence = describe(example(name))
    others = {describe(example(other))[:2] for other in EVENT_TYPES if other != name}

    assert sentence.subject
    assert sentence.text
    assert sentence[:2] not in others
    assert name not in sentence.text, "a type's name is no sentence"


def test_an_unknown_event_is_named_and_said_to_be_newer():
    sentence = describe(UnknownEvent(type="node.cached", version=2))

    assert sentence.text == "node.cached version 2: written by a newer version"


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (NoteAdded(text="by hand"), ("note", "note: by hand", "")),
        (
            NoteAdded(text="slow", node="train", level="WARNING", logger="mill"),
            ("train", "WARNING mill: slow", "warn"),
        ),
        (NoteAdded(text="a", level="ERROR", logger="x"), ("log", "ERROR x: a", "bad")),
        (NoteAdded(text="a", level="INFO", logger="x"), ("log", "INFO x: a", "")),
    ],
)
def test_notes_and_log_records_are_told_apart(event, sentence):
    assert tuple(describe(event)) == sentence


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            NodeCompleted(run_id="r", node="train", duration_s=3.21),
            "completed in 3.21 s",
        ),
        (
            NodeFailed(
                run_id="r", node="train", error=ERROR, phase="saving", dataset="model"
            ),
            "failed while saving model: ValueError: bad shape",
        ),
        (
            DatasetSaved(
                run_id="r",
                node="train",
                dataset="model",
                duration_s=0.02,
                size_bytes=1400,
            ),
            "saved model in 20 ms, 1.4 kB",
        ),
        (
            RunInterrupted(run_id="r", reason="SIGTERM", signal=15, duration_s=75),
            "interrupted by SIGTERM (signal 15) after 1 min 15 s",
        ),
    ],
)
def test_sentences_say_what_how_long_and_how_much(event, text):
    assert describe(event).text == text


def test_columns_are_aligned_from_the_run_on(story, screen):
    story.created().started("train", "a_node_with_a_long_name").node("train")
    timeline = Timeline(screen)
    for record in story.records:
        timeline.learn(record)

    lines = render([timeline.line(record) for record in story.records]).splitlines()

    starts = {
        text.index(describe(record.event).text)
        for text, record in zip(lines, story.records, strict=True)
    }
    assert len(starts) == 1
    assert lines[0].startswith("11-22 05:11:32.000     1  w1  journal")


def test_runs_are_told_apart_only_where_there_are_several(story, screen):
    story.created().started("a", run_id="one").node("a", "loading", run_id="one")
    timeline = Timeline(screen)
    alone = render([timeline.line(record) for record in story.records])
    timeline.learn(story.started("a", run_id="two").records[-1])
    several = render([timeline.line(record) for record in story.records])

    assert "(run one)" not in alone
    assert "loading table  (run one)" in several


def test_changes_name_every_status_that_moved(story):
    story.created().started("split", "train").node("split", "running")
    story.tell(RunInterrupted(run_id=story.run_id, reason="SIGTERM"))
    told: list[tuple[str, ...]] = []
    state = SessionState()
    for record in story.records:
        after = evolve(state, record)
        told.append(changes(state, record, after))
        state = after

    assert told[2] == ("session: empty -> created",)
    assert told[3] == ("run: running, 2 nodes pending",)
    assert told[4] == ("node split: pending -> loading",)
    assert told[5] == ()
    assert told[-1] == (
        "run: running -> interrupted",
        "node split: running -> interrupted",
    )


def test_changes_name_a_record_that_does_not_fit(story):
    story.created().started("a").tell(NodeCompleted(run_id=story.run_id, node="a"))
    before = story.state()
    record = story.tell(NodeCompleted(run_id=story.run_id, node="a")).records[-1]

    assert changes(before, record, evolve(before, record)) == (
        "does not fit: node a was pending",
    )
