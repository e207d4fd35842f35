"""A runner may try a node again in the same run: the last try counts."""

from __future__ import annotations

import pytest
from resume_world import EPOCH, Journal

from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionCreated,
)
from kedro_journal.state import fold

KEY = {"run_id": "r", "node": "n"}
BEGIN: list[Event] = [
    SessionCreated(session_id="s"),
    RunStarted(run_id="r", nodes=(PlannedNode("n", ("x",), ("y",)),)),
]
LOAD: list[Event] = [
    DatasetLoading(**KEY, dataset="x"),
    DatasetLoaded(**KEY, dataset="x", path="x.json", modified_us=1),
]
FAILS: list[Event] = [
    NodeStarted(**KEY),
    NodeFailed(**KEY, error=ErrorInfo(type="OSError")),
]
WORKS: list[Event] = [
    NodeStarted(**KEY),
    NodeComputed(**KEY),
    DatasetSaving(**KEY, dataset="y"),
    DatasetSaved(**KEY, dataset="y"),
    NodeCompleted(**KEY),
]


def journal(*events: Event) -> Journal:
    made = Journal("s", "r")
    for event in (*BEGIN, *events):
        made.add(event, EPOCH)
    return made


@pytest.mark.parametrize("loads", [[], LOAD])
def test_a_node_that_failed_and_then_worked_is_completed(loads: list[Event]) -> None:
    state = journal(*loads, *FAILS, *loads, *FAILS, *loads, *WORKS).state()
    node = state.runs[0].nodes["n"]
    assert (node.status, node.tries, node.error) == ("completed", 3, None)
    assert [one.error for one in node.earlier_tries] == [ErrorInfo(type="OSError")] * 2
    assert state.anomalies == ()
    if loads:
        assert node.loads["x"].modified_us == 1


def test_a_try_after_a_save_that_failed_is_no_anomaly() -> None:
    state = journal(*LOAD, *WORKS[:3], DatasetLoading(**KEY, dataset="x")).state()
    node = state.runs[0].nodes["n"]
    assert (node.status, node.computed_seq, node.tries) == ("loading", 0, 2)
    assert state.anomalies == ()


def test_after_the_run_a_try_does_not_fit() -> None:
    state = journal(*FAILS, RunCompleted(run_id="r"), *WORKS).state()
    assert state.runs[0].nodes["n"].status == "failed"
    assert len(state.anomalies) == len(WORKS)


def test_a_fold_may_be_cut_between_tries() -> None:
    records = journal(*LOAD, *FAILS, *LOAD, *WORKS).records
    whole = fold(records)
    for cut in range(len(records)):
        assert fold(records[cut:], initial=fold(records[:cut])) == whole


def test_earlier_tries_are_bounded() -> None:
    node = journal(*FAILS * 50).state().runs[0].nodes["n"]
    assert (node.tries, len(node.earlier_tries)) == (50, 20)
