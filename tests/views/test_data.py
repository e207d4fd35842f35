"""JSON: stable keys, derived verdicts, times as RFC 3339."""

from __future__ import annotations

import json
from datetime import timedelta

import msgspec

from kedro_journal.events import NodeStarted, UnknownEvent
from kedro_journal.state import NodeState, RunState, SessionState
from kedro_journal.views import (
    json_line,
    json_text,
    record_data,
    state_data,
    summary_data,
)


def names(cls) -> set[str]:
    return {field.name for field in msgspec.structs.fields(cls)}


def test_every_field_is_there_even_where_nothing_is_known(story):
    empty = state_data(SessionState())
    story.created().started("train").node("train", "saving")
    data = json.loads(json_text(state_data(story.state("crashed"))))
    run = data["runs"][0]

    derived = {
        "verdict",
        "outcome",
        "unread",
        "unused_params",
        "duration_s",
        "duration_at_least_s",
    }
    assert set(empty) == names(SessionState) | derived
    assert set(data) == set(empty)
    assert set(run) == names(RunState) | {"verdict", "broken"}
    assert set(run["nodes"]["train"]) == names(NodeState) | {"dataset"}


def test_verdicts_are_derived_and_times_are_in_utc(story):
    story.created().started("train").node("train", "saving")
    data = json.loads(json_text(state_data(story.state("crashed"))))

    assert (data["verdict"], data["outcome"]) == ("crashed", "running")
    assert data["runs"][0]["verdict"] == "crashed"
    assert data["runs"][0]["broken"] == ["train"]
    assert data["runs"][0]["nodes"]["train"]["dataset"] == "model"
    assert data["created_at"] == "2026-11-22T05:11:34.000000Z"
    assert data["duration_s"] is None
    assert data["duration_at_least_s"] == 6.0


def test_a_summary_has_the_same_keys_for_every_session(story):
    now = story.begin + timedelta(hours=1)
    story.created().started("split", "train").node("train", "saving")
    data = summary_data(story.state("crashed"), now)

    assert set(data) == set(summary_data(SessionState(), now))
    assert data["places"] == [
        {
            "run_id": story.run_id,
            "attempt": 1,
            "node": "train",
            "doing": "saving",
            "datasets": ["model"],
        }
    ]
    assert (data["nodes_completed"], data["nodes_planned"]) == (0, 2)


def test_a_record_is_one_line_and_keeps_unknown_data(story):
    known = story.tell(NodeStarted(run_id="r", node="a")).records[0]
    unknown = story.tell(UnknownEvent(type="x.y", raw=b'{"new": [1, 2]}')).records[1]

    first, second = (json_line(record_data(record)) for record in (known, unknown))

    assert first.count("\n") == 1
    assert json.loads(first) == {
        "seq": 1,
        "at": "2026-11-22T05:11:32.000000Z",
        "w": "w1",
        "writer": "w1",
        "type": "node.started",
        "data": {"run_id": "r", "node": "a"},
    }
    assert json.loads(second)["data"] == {"new": [1, 2]}
    assert json.loads(second)["type"] == "x.y"
