"""`why` and the end of `show`: which session and node are meant, and what is said."""

from __future__ import annotations

import json

import pytest

import kedro_journal
from kedro_journal.errors import NodeNotFound
from kedro_journal.replaying.inquiry import EarlierSessions

from .conftest import Call, Journals

GOOD, BAD = "2026-11-20T05.00.00.000Z", "2026-11-21T05.00.00.000Z"


@pytest.fixture
def broken(journals: Journals) -> Journals:
    journals.completed(GOOD)
    journals.failed(BAD)
    return journals


def ask(call: Call, journals: Journals, *args: str) -> str:
    result = call("why", *args, "--directory", str(journals.path))
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_the_answer_names_both_runs_and_what_cannot_be_seen(
    call: Call, broken: Journals
) -> None:
    told = ask(call, broken)
    assert told.startswith(f"Node split failed loading its inputs in session {BAD}\n")
    assert "DatasetError: no file\n\n" in told  # no line, and no record of the node
    assert f"Last worked in session {GOOD}, " in told
    good = kedro_journal.replay(GOOD, directory=broken.path)
    record = good.runs[0].nodes["split"].ended_seq
    assert f", record {record}\n" in told
    assert "What the journal cannot see" in told
    # The dataset was loaded by no node before, and is not loaded now.
    assert " 1. input table: it could not be loaded" in told


@pytest.mark.parametrize("words", [["split"], ["latest", "split"], [BAD, "split"]])
def test_a_word_is_a_session_or_a_node(
    call: Call, broken: Journals, words: list[str]
) -> None:
    assert ask(call, broken, *words) == ask(call, broken)


def test_a_node_that_is_not_there_is_an_error_with_what_was_meant(
    call: Call, broken: Journals
) -> None:
    result = call("why", "latest", "splt", "--directory", str(broken.path))
    assert result.exit_code == 3
    assert "has no node 'splt'. Nodes with a similar name: split." in result.stderr
    with pytest.raises(NodeNotFound) as error:
        kedro_journal.why(node="x", directory=broken.path)
    assert error.value.close == ()
    result = call("why", "no such", "--directory", str(broken.path))
    assert result.exit_code in (2, 3)
    assert call("why", "a", "b", "c", "--directory", str(broken.path)).exit_code == 2


def test_json_has_every_field(call: Call, broken: Journals) -> None:
    data = json.loads(ask(call, broken, "--json"))
    assert data["good"]["session_id"] == GOOD
    assert (data["nodes"], data["phase"]) == (["split"], "loading")
    assert [one["kind"] for one in data["changes"]] == ["input"]


def test_how_far_back_is_read_is_bounded_and_said(
    call: Call, journals: Journals
) -> None:
    journals.completed(GOOD)
    for minute in range(5):
        journals.failed(f"2026-11-21T05.0{minute}.00.000Z")
    told = ask(call, journals, "--look-back", "2")
    assert "No session in which node split completed is known: 2 earlier" in told
    assert "3 older sessions not read; --look-back 5 reads them." in told
    assert f"session {GOOD}" in ask(call, journals)
    past = EarlierSessions(
        kedro_journal.journal.JournalDirectory(journals.path), BAD, seconds=0.0
    )
    assert [list(past), past.searched] == [[], 0]


def test_show_of_a_failed_session_ends_with_what_changed(
    call: Call, broken: Journals
) -> None:
    shown = call("show", "--directory", str(broken.path)).stdout
    end = shown.splitlines()[-3:]
    assert end[0] == f"What changed since session {GOOD}, where it worked"
    assert end[1].startswith("  1. input table: it could not be loaded")
    assert end[2] == f"  `kedro-journal why {BAD}` has the evidence"
    good = call("show", GOOD, "--directory", str(broken.path)).stdout
    assert "What changed" not in good


def test_a_session_that_runs_has_not_failed(call: Call, journals: Journals) -> None:
    journals.completed(GOOD)
    journals.running()
    told = ask(call, journals)
    assert told.startswith("The run is running in session 2026-11-22T05.00.00.000Z\n")
    assert "cause" not in told
    assert "Expected" not in call("show", "--directory", str(journals.path)).stdout
    journals.let_go()


def test_a_completed_session_is_compared_with_the_one_before(
    call: Call, journals: Journals
) -> None:
    journals.completed(GOOD)
    journals.completed("2026-11-21T06.00.00.000Z")
    told = ask(call, journals)
    assert told.startswith("The run completed in session 2026-11-21T06.00.00.000Z\n")
    answer = kedro_journal.why(directory=journals.path)
    assert answer.session_id == "2026-11-21T06.00.00.000Z"
    assert "Nothing that the journal knows has changed." in told


def test_without_an_id_the_last_that_failed_is_meant_if_the_latest_completed(
    call: Call, broken: Journals
) -> None:
    newer = "2026-11-22T04.00.00.000Z"
    broken.completed(newer)
    where = ("--directory", str(broken.path))
    for words in ([], ["split"]):
        result = call("why", *words, *where)
        assert result.stdout == ask(call, broken, BAD)
        assert result.stderr == (
            f"session {BAD} (skipped 1 newer session that did not fail; `latest` names "
            f"the newest: {newer})\n"
        )
    assert kedro_journal.why(directory=broken.path).session_id == BAD
    # What is named is what is explained; a node that did not fail is in the latest.
    assert ask(call, broken, "latest").startswith(
        f"The run completed in session {newer}"
    )
    result = call("why", "train", *where)
    assert result.stdout.startswith(f"Node train completed in session {newer}")
    assert result.stderr == ""


def test_the_latest_is_meant_while_it_runs(call: Call, broken: Journals) -> None:
    broken.running("2026-11-22T05.00.00.000Z")
    assert ask(call, broken).startswith("The run is running in session 2026-11-22T05")
    broken.let_go()
