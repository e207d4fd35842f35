"""Every statement about an ending is true, and the docs show it."""

from __future__ import annotations

import pytest

from kedro_journal.views.derive import last_attempts

from .statements import PAGE, STATEMENTS, Statement, page, shown


def test_the_docs_show_the_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- statements -->") == 1
    assert page(text) == text
    assert len(STATEMENTS) >= 40


@pytest.mark.parametrize("one", STATEMENTS, ids=lambda one: one.name)
def test_only_a_whole_record_says_that_everything_ran(one: Statement) -> None:
    verdict, sentences, _ = shown(one)
    state = one.state()
    nodes = [node for run in last_attempts(state) for node in run.nodes.values()]
    whole = (
        verdict == "completed"
        and not state.dropped_events
        and all(node.status == "completed" for node in nodes)
    )
    if "Everything ran and was saved" in sentences:
        assert whole
    if state.dropped_events or one.name.endswith("unknown events of nodes"):
        lost = {node.status for node in nodes if node.status != "completed"}
        assert lost <= {"not recorded"}


@pytest.mark.parametrize("one", STATEMENTS, ids=lambda one: one.name)
def test_a_session_that_runs_is_at_a_node_and_did_not_break(one: Statement) -> None:
    verdict, sentences, where = shown(one)
    if verdict == "running":
        assert sentences.startswith("Running for")
        assert not where or where.startswith("at ") or "Error" in where
    else:
        assert not where.startswith("at ")
