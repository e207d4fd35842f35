"""The writer's guard: a batch is refused as a whole, and costs what its events cost."""

from __future__ import annotations

import contextlib

import pytest
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st

from kedro_journal.errors import IllegalTransition
from kedro_journal.events import (
    DatasetSaved,
    DatasetSaving,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    RunCompleted,
    RunStarted,
    SessionCreated,
)
from kedro_journal.recording.guard import Guard

KEY = {"run_id": "r", "node": "n"}


def seen(guard: Guard) -> tuple[object, ...]:
    return guard._session, dict(guard._runs), dict(guard._nodes)


def test_a_batch_that_does_not_fit_moves_nothing() -> None:
    guard = Guard("empty")
    created = SessionCreated(session_id="s")
    guard.move_all([created, RunStarted(run_id="r"), NodeStarted(**KEY)])
    guard.move(NodeComputed(**KEY))
    before = seen(guard)
    batch = [
        DatasetSaving(**KEY, dataset="d"),
        DatasetSaved(**KEY, dataset="d"),
        NodeStarted(run_id="r", node="other"),
        RunCompleted(run_id="r"),
        NodeCompleted(**KEY),  # its run is over
    ]
    with pytest.raises(IllegalTransition):
        guard.move_all(batch)
    assert seen(guard) == before
    guard.move_all(batch[:4])
    assert seen(guard) != before


@settings(max_examples=200, deadline=None)
@given(first=st.lists(events, max_size=20), batch=st.lists(events, max_size=5))
def test_a_batch_does_what_its_events_do_one_by_one_or_nothing(
    first: list[Event], batch: list[Event]
) -> None:
    guard, other = Guard("empty"), Guard("empty")
    for event in first:
        for each in (guard, other):
            with contextlib.suppress(IllegalTransition):
                each.move(event)
    before, fits = seen(guard), True
    try:
        for event in batch:
            other.move(event)
    except IllegalTransition:
        fits = False
    try:
        guard.move_all(batch)
    except IllegalTransition:
        assert not fits
        assert seen(guard) == before
    else:
        assert fits
        assert seen(guard) == seen(other)
