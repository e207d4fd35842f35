"""diff of three or more sessions, and durations beside each other."""

from __future__ import annotations

import json

import pytest

from kedro_journal.analysis.side_by_side import side_by_side
from kedro_journal.events import ContextLoaded, RunCompleted, SessionClosed
from tests.support.played import Play, play, state_of

from .conftest import RUN, run_of
from .test_prune import OLD, OTHER

IDS = ("2026-11-18T05.00.00.000Z", "2026-11-19T05.00.00.000Z", OLD)


@pytest.fixture
def three(journals):
    rates = (0.1, 0.1, 0.5)
    for session_id, rate in zip(IDS, rates, strict=True):
        parameters = {"model": {"lr": rate, "depth": 3}}
        if session_id == OLD:
            parameters["extra"] = "x"
        journals.begin(
            session_id,
            ContextLoaded(env="local", parameters=parameters),
            *run_of("split", "train"),
            RunCompleted(run_id=RUN),
            SessionClosed(exit_code=0),
        )
    journals.let_go()
    return ("--directory", journals.path)


def test_a_table_has_a_column_for_each_session(call, three):
    text = call("diff", *IDS, *three).stdout
    every = call("diff", *IDS, "--all", *three).stdout
    data = json.loads(call("diff", *IDS, "--json", *three).stdout)

    lines = text.splitlines()
    assert lines[0].split() == list(IDS)
    (rate,) = [one for one in lines if "model.lr" in one]
    assert rate.split() == ["parameter", "model.lr", "0.1", "0.1", "0.5"]
    (extra,) = [one for one in lines if "extra" in one]
    assert extra.split()[2:] == ["(not", "set)", "(not", "set)", "x"]
    assert "depth" not in text
    assert "model.depth" in every
    (split,) = [one for one in lines if one.startswith("split")]
    assert split.split() == ["split", *["1.50", "s"] * 3]
    assert data["sessions"] == list(IDS)
    (setting,) = [one for one in data["settings"] if one["name"] == "model.lr"]
    assert setting["values"] == dict(zip(IDS, (0.1, 0.1, 0.5), strict=True))
    (setting,) = [one for one in data["settings"] if one["name"] == "extra"]
    assert setting["values"] == {OLD: "x"}
    assert data["durations"][0]["durations_s"] == dict.fromkeys(IDS, 1.5)
    assert len(data["steps"]) == 2


def test_two_sessions_keep_their_page_and_have_the_durations(call, three):
    text = call("diff", IDS[2], IDS[0], *three).stdout
    same = call("diff", IDS[0], IDS[0], IDS[0], *three)
    equal = call("diff", IDS[0], IDS[1], "--all", *three).stdout

    assert text.startswith(f"{IDS[0]} -> {IDS[2]}")
    assert "model.lr: 0.1 -> 0.5" in text
    table = text.splitlines()
    assert table[-3].split() == ["node", IDS[0], IDS[2]]
    assert same.stdout == f"{IDS[0]}: the same session\n"
    assert "parameter model.lr" in equal


def test_a_node_is_shown_by_its_last_try_in_the_chain():
    first = play(
        Play("a", 0.0, compute=1.0),
        Play("b", 5.0, upto="failed", compute=2.0),
        session_id=OLD,
        ends="failed",
    )
    again = play(Play("b", 0.0, compute=7.0), session_id=OTHER)
    other = play(Play("a", 0.0, compute=3.0), session_id=IDS[0])

    found = side_by_side(
        [[state_of(first), state_of(again)], [state_of(other, "closed")]]
    )

    rows = {row.node: row for row in found.durations}
    assert rows["a"].durations_s == {OTHER: 1.0, IDS[0]: 3.0}
    assert rows["b"].statuses == {OTHER: "completed"}
    assert rows["b"].durations_s == {OTHER: 7.0}
    assert rows["a"].spread_s == 2.0
