"""The tables of legal moves bind the writer as they bind the fold."""

from __future__ import annotations

import pytest
from journals import HEADER, opened

from kedro_journal.errors import IllegalTransition
from kedro_journal.events import (
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    RunInterrupted,
    RunStarted,
    SessionClosed,
    SessionCreated,
)
from kedro_journal.journal import MemoryJournal
from kedro_journal.redaction import Redactor


def test_an_illegal_transition_is_refused_before_anything_is_written() -> None:
    from kedro_journal.recording.recorder import Recorder

    journal = MemoryJournal(HEADER, opened())
    recorder = Recorder(
        journal, session_id="s", folder=None, redactor=Redactor(), strict=True
    )
    with pytest.raises(IllegalTransition) as caught:
        recorder.record(SessionClosed())
    assert (caught.value.type, caught.value.status) == ("session.closed", "empty")
    assert journal.lines() == []
    recorder.record(SessionCreated(session_id="s"))
    recorder.record(NodeStarted(run_id="r", node="a"))
    before = journal.lines()
    with pytest.raises(IllegalTransition):
        recorder.record(NodeCompleted(run_id="r", node="a"))
    assert journal.lines() == before


def test_one_event_that_does_not_fit_costs_no_other() -> None:
    from kedro_journal.recording.recorder import Recorder

    journal = MemoryJournal(HEADER, opened())
    recorder = Recorder(journal, session_id="s", folder=None, redactor=Redactor())
    recorder.record(SessionCreated(session_id="s"), RunStarted(run_id="r"))
    recorder.record(NodeStarted(run_id="r", node="n"))
    recorder.record(
        NodeComputed(run_id="r", node="n"), NodeComputed(run_id="r", node="n")
    )
    assert recorder.state().runs[0].nodes["n"].status == "saving"
    assert recorder.state().anomalies == ()


def test_a_run_that_has_ended_takes_no_events_of_its_nodes() -> None:
    from kedro_journal.recording.recorder import Recorder

    journal = MemoryJournal(HEADER, opened())
    recorder = Recorder(journal, session_id="s", folder=None, redactor=Redactor())
    recorder.record(SessionCreated(session_id="s"), RunStarted(run_id="r"))
    recorder.record(NodeStarted(run_id="r", node="n"))
    recorder.record(RunInterrupted(run_id="r", reason="KeyboardInterrupt"))
    before = journal.lines()

    recorder.record(NodeComputed(run_id="r", node="n"))  # by a thread that goes on

    assert journal.lines() == before
    recorder.record(RunStarted(run_id="r", attempt=2))
    recorder.record(NodeStarted(run_id="r", attempt=2, node="n"))
    assert recorder.state().runs[1].nodes["n"].status == "running"
    assert recorder.state().anomalies == ()


def test_a_run_does_not_start_in_a_session_that_was_not_created() -> None:
    from kedro_journal.recording.recorder import Recorder

    journal = MemoryJournal(HEADER, opened())
    recorder = Recorder(
        journal, session_id="s", folder=None, redactor=Redactor(), strict=True
    )
    with pytest.raises(IllegalTransition):
        recorder.record(RunStarted(run_id="r"))
    assert journal.lines() == []
