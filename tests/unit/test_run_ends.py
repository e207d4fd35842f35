"""What the end of a run says of nodes that save in chunks."""

from __future__ import annotations

import pytest

pytest.importorskip("kedro")

from kedro.pipeline import node

from kedro_journal.events import NodeCompleted
from kedro_journal.hooks.run_endings import run_completed
from kedro_journal.recording.progress import ActiveRun


def chunks(given: str) -> object:
    yield given


@pytest.mark.parametrize("stops", [True, False])
def test_a_generator_node_is_complete_where_a_failure_would_have_ended_the_run(
    stops: bool,
) -> None:
    run = ActiveRun("r", 1)
    run.stops_at_failure = stops

    events = run_completed(run, [node(chunks, "a", "b", name="n")])

    ended = [event.node for event in events if isinstance(event, NodeCompleted)]
    assert ended == ["n"] * stops
