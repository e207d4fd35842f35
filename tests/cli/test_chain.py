"""`show --chain`: a resumed session as a whole; the same questions in Python."""

from __future__ import annotations

import json

import pytest

import kedro_journal
from kedro_journal.errors import NothingToTrace, NotResumable
from kedro_journal.events import (
    ContextLoaded,
    ErrorInfo,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    ParameterSource,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionResumed,
)

from .conftest import RUN

FIRST = "2026-11-20T05.00.00.000Z"
SECOND = "2026-11-20T06.00.00.000Z"
THIRD = "2026-11-20T07.00.00.000Z"


def nodes(*names: str) -> RunStarted:
    return RunStarted(run_id=RUN, nodes=tuple(map(PlannedNode, names)))


def done(name: str) -> tuple[Event, ...]:
    return (
        NodeStarted(run_id=RUN, node=name),
        NodeComputed(run_id=RUN, node=name),
        NodeCompleted(run_id=RUN, node=name, duration_s=1.5),
    )


@pytest.fixture
def chain(journals):
    error = ErrorInfo(type="ValueError", message="bad shape")
    failed = (
        NodeStarted(run_id=RUN, node="train"),
        NodeFailed(run_id=RUN, node="train", error=error),
        RunFailed(run_id=RUN, error=error),
        SessionClosed(exit_code=1),
    )
    journals.begin(FIRST, nodes("split", "train", "report"), *done("split"), *failed)
    journals.begin(
        SECOND,
        SessionResumed(parent_session_id=FIRST, parent_run_id=RUN),
        nodes("train", "report"),
        *failed,
    )
    journals.begin(
        THIRD,
        SessionResumed(parent_session_id=SECOND, parent_run_id=RUN),
        ContextLoaded(
            env="local",
            parameters={"lr": 0.1},
            parameter_sources=(ParameterSource("lr", source="parameters.yml", line=3),),
        ),
        nodes("train", "report"),
        *done("train"),
        *done("report"),
        RunCompleted(run_id=RUN),
        SessionClosed(exit_code=0),
    )
    journals.let_go()
    return journals


@pytest.mark.parametrize("asked", [FIRST, SECOND, THIRD])
def test_a_chain_is_one_page_whichever_session_is_asked_for(chain, call, asked) -> None:
    shown = call("show", asked, "--chain", "--directory", chain.path)
    data = json.loads(
        call("show", asked, "--chain", "--json", "--directory", chain.path).stdout
    )

    assert shown.exit_code == 0
    assert shown.stdout.startswith(f"{FIRST}  completed\n3 attempts: 3 of 3 nodes")
    rows = {line.split()[0]: line.split() for line in shown.stdout.splitlines() if line}
    assert rows["1"][1:3] == [FIRST, "failed"]
    assert rows["3"][1:3] == [THIRD, "completed"]
    assert rows["split"][1:3] == ["completed", "1"]
    assert rows["train"][1:3] == ["completed", "3"]
    assert rows["train"][-1] == "3"  # tries
    assert [one["session_id"] for one in data["sessions"]] == [FIRST, SECOND, THIRD]
    assert data["nodes"]["train"]["session_id"] == THIRD
    assert data["nodes"]["split"]["session_id"] == FIRST
    assert data["verdict"] == "completed"


def test_the_verdict_of_a_chain_is_an_exit_code(chain, call) -> None:
    done = call("show", FIRST, "--chain", "--exit-code", "--directory", chain.path)
    alone = call("show", FIRST, "--exit-code", "--directory", chain.path)

    assert done.exit_code == 0
    assert alone.exit_code != 0


def test_an_attempt_that_cannot_be_read_ends_the_chain(chain, call) -> None:
    for file in (chain.path / SECOND).iterdir():
        file.unlink()
    (chain.path / SECOND).rmdir()

    data = json.loads(
        call("show", THIRD, "--chain", "--json", "--directory", chain.path).stdout
    )

    assert [one["session_id"] for one in data["sessions"]] == [THIRD]


def test_diff_and_trace_answer_in_python_as_on_the_command_line(chain, call) -> None:
    told = json.loads(call("diff", THIRD, "--json", "--directory", chain.path).stdout)

    steps = kedro_journal.diff(THIRD, directory=chain.path)
    (one,) = kedro_journal.diff(THIRD, FIRST, directory=chain.path)
    (lr,) = kedro_journal.trace("params:lr", THIRD, directory=chain.path)

    assert [step.after for step in steps] == [s["after"] for s in told["steps"]]
    assert (one.before, one.after) == (FIRST, THIRD)
    assert kedro_journal.diff(FIRST, FIRST, directory=chain.path) == ()
    assert kedro_journal.diff(FIRST, directory=chain.path) == ()
    assert lr.origin == "parameters.yml:3"
    with pytest.raises(NothingToTrace):
        kedro_journal.trace("params:nope", THIRD, directory=chain.path)


def test_the_environment_in_force_is_an_attribute(chain) -> None:
    (state,) = [
        one
        for one in kedro_journal.sessions(directory=chain.path)
        if one.env == "local"
    ]

    assert state.session_id == THIRD


def test_a_flag_is_traced_without_two_dashes_before_it(chain, call) -> None:
    done = call("trace", THIRD, "--env", "--directory", chain.path)

    assert "Did you mean" not in done.stderr
    assert "No such option" not in done.stderr


def test_what_cannot_be_run_again_is_not_called_resumed() -> None:
    again = NotResumable("s", "it has no run 'nope'", "Its runs: a.", "run again")

    assert str(again).startswith("Session s is not run again: it has no run 'nope'.")
    assert again.advice == "Its runs: a."
