"""Sibling sessions merged: pure, total, and the same in whatever order they come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from siblings import BEGIN, GROUP, sibling

from kedro_journal.analysis import GroupState, merge
from kedro_journal.events import Event, Record
from kedro_journal.state import SessionState, fold


def group(*states: SessionState) -> GroupState:
    return merge(GROUP, states)


def session_of(found: list[Event], start: int) -> SessionState:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=start)
    return fold(
        Record(seq=seq, at=at, writer="w1", prev="", crc="", event=event)
        for seq, event in enumerate(found, 1)
    )


states = st.builds(
    lambda found, start, liveness: replace(session_of(found, start), liveness=liveness),
    st.lists(events, max_size=15),
    st.integers(0, 3),
    st.sampled_from([None, "running", "crashed", "unknown", "closed"]),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(states, max_size=6), st.randoms(use_true_random=False))
def test_any_order_of_the_same_states_gives_the_same_group(
    some: list[SessionState], random: object
) -> None:
    other = list(some)
    random.shuffle(other)  # type: ignore[attr-defined]

    once, again = group(*some), group(*other)

    assert once == again
    assert list(once.nodes) == list(again.nodes)
    assert group(*some, *other) == once  # each twice is each once


@settings(max_examples=100, deadline=None)
@given(st.lists(states, max_size=6))
def test_nothing_is_lost_in_a_group(some: list[SessionState]) -> None:
    some = [replace(state, uid=f"u{number}") for number, state in enumerate(some)]
    found = group(*some)

    assert len(some) == len(found.sessions)
    assert {s.session_id for s in some} == {s.session_id for s in found.sessions}
    names = {name for s in some for run in s.runs for name in run.nodes}
    assert names == {node.name for node in found.nodes.values()}
    assert found.busy_s >= 0
    assert found.duration_s is None or found.duration_s >= 0


def test_no_sessions_are_an_empty_group() -> None:
    found = group()

    assert ("empty", (), {}, None) == (
        found.verdict,
        found.hosts,
        found.nodes,
        found.duration_s,
    )


def test_tasks_that_all_completed_are_one_completed_run() -> None:
    found = group(
        sibling(3, "report", host="b"), sibling(1, "split"), sibling(2, "train")
    )

    assert "completed" == found.verdict
    assert ["s01", "s02", "s03"] == [s.session_id for s in found.sessions]
    assert ["split", "train", "report"] == list(found.nodes)
    assert ("b", "mill") == found.hosts
    assert BEGIN + timedelta(hours=1, minutes=2) == found.started_at
    assert BEGIN + timedelta(hours=3, minutes=8) == found.ended_at
    assert (2 * 60 + 6) * 60 == found.duration_s
    assert 3 * 6 * 60 == found.busy_s
    assert found.first_failure is None


def test_a_node_that_a_later_task_retried_counts_by_its_last_try() -> None:
    found = group(
        sibling(1, "split"),
        sibling(2, "train!", ends="failed"),
        sibling(3, "train!", ends="failed", host="b"),
        sibling(4, "train", host="c"),
    )

    assert "completed" == found.verdict
    node = found.nodes["train"]
    assert ("completed", "s04", "c") == (
        node.status,
        node.last.session_id,
        node.last.host,
    )
    assert [("s02", "failed"), ("s03", "failed")] == [
        (one.session_id, one.status) for one in node.earlier
    ]
    assert ("s02", "s03") == found.made_good
    assert found.first_failure is None


def test_what_a_failed_session_left_must_be_done_too() -> None:
    broken = sibling(1, "split", "train!", ends="failed")
    planned = replace(
        broken.runs[0],
        nodes={**broken.runs[0].nodes, "report": sibling(9, "x").runs[0].nodes["x"]},
    )
    pending = replace(planned.nodes["report"], name="report", status="pending")
    broken = replace(
        broken,
        runs=(replace(planned, nodes={**planned.nodes, "report": pending}),),
    )

    one_node = group(broken, sibling(2, "train"))
    both = group(broken, sibling(2, "train"), sibling(3, "report"))

    assert ("failed", "pending") == (
        one_node.verdict,
        one_node.nodes["report"].status,
    )
    assert "completed" == one_node.nodes["train"].status
    assert ("completed", "completed") == (both.verdict, both.nodes["report"].status)


def test_the_first_failure_is_the_earliest_that_stands() -> None:
    found = group(
        sibling(1, "split!", ends="failed"),
        sibling(2, "split"),
        sibling(3, "train!", ends="failed", host="b"),
        sibling(4, "report!", ends="failed"),
    )

    assert "failed" == found.verdict
    failure = found.first_failure
    assert failure is not None
    assert ("s03", "b", "train", "running", "failed") == (
        failure.session_id,
        failure.host,
        failure.node,
        failure.doing,
        failure.verdict,
    )
    assert failure.error is not None
    assert "boom" == failure.error.message


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ([("open", "running")], "running"),
        ([("open", "crashed")], "crashed"),
        ([("open", "unknown")], "unknown"),
        ([("open", "unknown"), ("open", "crashed")], "crashed"),
        ([("open", "crashed"), ("failed", None)], "failed"),
        ([("failed", None), ("open", "running")], "running"),
    ],
)
def test_the_verdict_is_the_first_that_stands(
    others: list[tuple[str, str | None]], verdict: str
) -> None:
    found = group(
        sibling(1, "split"),
        *(
            sibling(number, f"n{number}!", ends=ends, liveness=liveness)
            for number, (ends, liveness) in enumerate(others, 2)
        ),
    )

    assert verdict == found.verdict
    assert (verdict == "running" and "failed" not in dict(others)) == (
        found.first_failure is None
    )


def test_a_retry_that_still_runs_makes_it_run_and_the_failure_stands_no_more() -> None:
    found = group(
        sibling(1, "train!", ends="failed"),
        sibling(2, "train!", ends="open", liveness="running"),
    )

    assert ("running", None) == (found.verdict, found.first_failure)


def test_a_retry_that_crashed_is_what_counts() -> None:
    found = group(
        sibling(1, "train!", "report", ends="failed"),
        sibling(2, "train!", "report", ends="open", liveness="crashed"),
    )

    assert "crashed" == found.verdict
    assert found.first_failure is not None
    assert "s02" == found.first_failure.session_id


def test_one_node_with_different_parameters_is_no_retry() -> None:
    found = group(
        sibling(1, "train!", ends="failed", params={"fold": 1, "lr": 0.1}),
        sibling(2, "train", params={"fold": 2, "lr": 0.1}),
        sibling(3, "train", params={"fold": 3, "lr": 0.1}),
    )

    assert "failed" == found.verdict
    assert {
        "train [fold=1]": "failed",
        "train [fold=2]": "completed",
        "train [fold=3]": "completed",
    } == {key: node.status for key, node in found.nodes.items()}
    assert {"train"} == {node.name for node in found.nodes.values()}


def test_one_node_in_tasks_of_different_labels_is_no_retry() -> None:
    found = group(
        sibling(1, "train!", ends="failed", labels={"task": "de"}),
        sibling(2, "train", labels={"task": "fr"}),
        sibling(3, "train", labels={"task": "fr"}),
    )

    assert "failed" == found.verdict
    assert ["train [task=de]", "train [task=fr]"] == list(found.nodes)
    assert 2 == len(found.nodes["train [task=fr]"].tries)


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ({"labels": {"task": "a"}}, {"labels": {"task": "a"}}, "completed"),
        ({"labels": {"task": "a"}}, {"labels": {"task": "b"}}, "failed"),
        ({"argv": ("kedro", "run")}, {"argv": ("kedro", "run")}, "completed"),
        ({"argv": ("kedro", "run")}, {"argv": ("kedro", "run", "-n", "a")}, "failed"),
        ({}, {}, "failed"),  # nothing tells that the one is a retry of the other
    ],
)
def test_a_session_that_planned_nothing_is_made_good_by_the_same_task_or_command(
    first: dict[str, object], second: dict[str, object], verdict: str
) -> None:
    found = group(sibling(1, ends="early", **first), sibling(2, "train", **second))

    assert verdict == found.verdict


def test_an_earlier_session_makes_nothing_good() -> None:
    assert (
        "failed"
        == group(sibling(1, "train"), sibling(2, "train!", ends="failed")).verdict
    )


def test_a_node_that_completed_and_was_then_skipped_is_completed() -> None:
    skipped = sibling(2, "train")
    run = skipped.runs[0]
    node = replace(run.nodes["train"], status="skipped")
    skipped = replace(skipped, runs=(replace(run, nodes={"train": node}),))

    assert "completed" == group(sibling(1, "train"), skipped).nodes["train"].status
    failed = sibling(1, "train!", ends="failed")
    assert "skipped" == group(failed, skipped).nodes["train"].status


def test_attempts_within_a_session_are_tries_too() -> None:
    first = sibling(1, "train!", ends="failed")
    second = replace(sibling(1, "train").runs[0], attempt=2)
    both = replace(first, runs=(first.runs[0], second))

    node = group(both).nodes["train"]

    assert [(1, "failed"), (2, "completed")] == [
        (one.attempt, one.status) for one in node.tries
    ]
    assert "completed" == group(both).verdict


def test_of_one_session_read_twice_what_was_folded_furthest_counts() -> None:
    whole = sibling(1, "train")
    part = replace(sibling(1, "train!", ends="open"), liveness="unknown")

    assert "completed" == group(part, whole).verdict == group(whole, part).verdict
    copied = replace(part, liveness="running")
    assert "running" == group(part, copied).verdict == group(copied, part).verdict


def test_sessions_of_two_hosts_may_have_the_same_id() -> None:
    found = group(
        sibling(1, "split", host="a", uid="ua"), sibling(1, "train", host="b", uid="ub")
    )

    assert ["split", "train"] == sorted(found.nodes)
    assert 2 == len(found.sessions)
