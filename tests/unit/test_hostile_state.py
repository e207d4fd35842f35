"""State of records that nobody would write, in numbers that nobody would expect."""

from __future__ import annotations

import time

from kedro_journal.events import (
    ContextLoaded,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    NodeComputed,
    NodeStarted,
    RunStarted,
    SessionCreated,
)
from kedro_journal.state import SessionState, StateBuilder, evolve
from kedro_journal.testing import fold, records

AT = {"run_id": "r", "node": "n"}


def datasets_of_one_node(count: int) -> list[Event]:
    """Give the events of a node with many inputs and as many outputs."""
    names = [f"d{number}" for number in range(count)]
    return [
        RunStarted(run_id="r"),
        *(DatasetLoading(**AT, dataset=name) for name in names),
        *(DatasetLoaded(**AT, dataset=name) for name in names),
        NodeStarted(**AT, input_versions=((names[0], "v"),)),
        NodeComputed(**AT),
        *(DatasetSaving(**AT, dataset=name) for name in names),
        *(DatasetSaved(**AT, dataset=name) for name in names),
    ]


def test_a_state_that_was_given_out_never_changes() -> None:
    """The builder changes what it makes in place, and only what it alone has."""
    builder = StateBuilder()
    states: list[tuple[SessionState, str]] = []
    for record in records(*datasets_of_one_node(3)):
        builder.add(record)
        states.append((builder.state(), repr(builder.state())))
    assert [repr(state) for state, _ in states] == [text for _, text in states]
    assert len({text for _, text in states}) == len(states)


def test_a_node_of_many_datasets_is_the_same_by_any_road() -> None:
    events = datasets_of_one_node(20)
    state = SessionState()
    for record in records(*events):
        state = evolve(state, record)
    assert state == fold(*events)
    node = state.runs[0].nodes["n"]
    assert len(node.loads) == len(node.saves) == 20
    assert node.open_operations == ()


def test_the_source_of_a_name_of_dots_is_looked_for_in_the_time_of_its_length() -> None:
    """Each dot could end the name of a mapping that it is in."""
    name = "." * 240_000
    state = fold(
        SessionCreated(session_id="s"),
        ContextLoaded(parameters={name: 1, "a": {"b.c": {"d": 2}}}),
    )
    begun = time.process_time()
    found = {one.name: one.value for one in state.trace("parameters")}
    assert time.process_time() - begun < 1
    assert found == {f"params:{name}": 1, "params:a.b.c.d": 2}
