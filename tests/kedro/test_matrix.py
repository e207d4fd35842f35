"""Ways of running x endings: each told apart, by real processes and real signals.

The cells that `matrix_table.is_always` names run with the other tests, the others with
`-m matrix`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_journal import SessionState

from .conftest import Project
from .matrix_docs import PAGE, page
from .matrix_model import KEDRO_VERSION, Told
from .matrix_project import make_project
from .matrix_stage import Played, Stage
from .matrix_table import (
    ALWAYS,
    CELLS,
    ENDINGS,
    WAYS,
    Cell,
    is_always,
    matrix,
)


def cells(*, sample: bool = False) -> list[object]:
    """Give the cells as parameters; of a sample, one of each way is always run."""
    first: set[str] = set()
    found: list[object] = []
    for cell in CELLS:
        always = is_always(cell)
        if sample and always and cell.way.id != "run-1-sequential":
            always = cell.way.id not in first
            first.add(cell.way.id)
        mark = pytest.mark.matrix(always=always)
        found.append(pytest.param(cell, id=cell.id, marks=mark))
    return found


@pytest.fixture(scope="module")
def template(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project that every cell copies."""
    return make_project(generated, tmp_path_factory.mktemp("template") / "project")


@pytest.fixture(scope="module")
def stage(
    template: Project,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Stage]:
    """Plays the cells that were selected, ahead of their tests.

    Of several processes that share the tests none knows which will be its own.
    """
    wanted: list[tuple[Cell, bool]] = []
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    for item in request.session.items if alone else ():
        cell = getattr(item, "callspec", None) and item.callspec.params.get("cell")
        if isinstance(cell, Cell):
            wanted.append((cell, item.originalname != WITHOUT))
    running = Stage(template, tmp_path_factory.mktemp("cells"), dict.fromkeys(wanted))
    yield running
    running.close()


@pytest.mark.kedro
@pytest.mark.parametrize("cell", cells())
def test_the_journal_tells_how_it_ended(cell: Cell, stage: Stage) -> None:
    played = stage.played(cell)
    told = cell.told
    assert (told.exit_code, told.answer) == (played.exit_code, played.answer)
    if not told.journaled:
        assert () == played.states
        return
    (state,) = played.states
    check_sound(played, state)
    assert (cell.way.via if told.at != "command" else "command") == state.via
    assert told.verdict == state.verdict
    assert ("active" if told.verdict == "crashed" else "closed") == state_of(state)
    if is_of_command(cell, told):
        assert played.exit_code == state.exit_code
    if told.at:
        assert state.error is not None
        assert (told.error, told.at) == (state.error.type, state.error_phase)
        assert told.says in state.error.message
    if not told.run:
        assert () == state.runs
        return
    check_run(cell, told, state)
    if played.seen_waiting is not None:
        check_seen_waiting(played.seen_waiting)


def state_of(state: SessionState) -> str:
    """Give the session's status; one that was not entered was active all the same."""
    return "active" if state.status == "created" else state.status


def is_of_command(cell: Cell, told: Told) -> bool:
    """It is the end of the command that closes the session."""
    lives = told.verdict != "crashed" and told.signal is None
    return cell.way.kind == "run" and cell.way.via == "hooks" and lives


def check_sound(played: Played, state: SessionState) -> None:
    """Nothing is wrong with the journal, and nothing was said."""
    (verification,) = played.verifications
    assert verification.ok
    assert () == verification.findings
    assert () == state.anomalies
    missing = (state.unknown_events, state.unattributed_events, state.dropped_events)
    assert (0, 0, 0, 0) == (*missing, state.repairs)
    said = [line for line in played.output.splitlines() if "kedro-journal" in line]
    # A worker that the session did not outlive may say that it cannot go on.
    assert [] == [line for line in said if "was closed" not in line]


def check_run(cell: Cell, told: Told, state: SessionState) -> None:
    """The run, and the node that acts in it."""
    (run,) = state.runs
    assert (told.run, told.reason) == (run.status, run.reason)
    assert (told.signal, told.code) == (run.signal, run.exit_code)
    assert cell.way.runner == run.runner
    if told.at != "after the run":
        assert told.error == (run.error.type if run.error else "")
        assert told.says in (run.error.message if run.error else "")
    node = run.nodes["act"]
    assert (told.node, told.phase, told.dataset) == (
        node.status,
        node.phase,
        node.dataset,
    )
    failed = told.node == "failed"
    assert (told.error if failed else "") == (node.error.type if node.error else "")
    reached = told.node != "pending"
    assert ("completed" if reached else "pending") == run.nodes["first"].status
    assert ("completed" if told.run == "completed" else "pending") == (
        run.nodes["last"].status
    )
    if cell.ending.id == "node raises":
        assert node.error is not None
        assert any('raise LookupError("boom' in line for line in node.error.snippet)
    if cell.ending.id == "goes on":
        assert "completed" == run.nodes["beside"].status


def check_seen_waiting(state: SessionState) -> None:
    """While the node waited, a reader saw that it did."""
    assert ("running", "running") == (state.verdict, state.runs[0].status)
    node = state.runs[0].nodes["act"]
    assert ("running", "") == (node.status, node.phase)


@pytest.mark.kedro
@pytest.mark.parametrize("cell", cells(sample=True))
def test_the_process_ends_as_without_us(cell: Cell, stage: Stage) -> None:
    without, played = stage.played(cell, journaled=False), stage.played(cell)
    assert () == without.states
    assert (without.exit_code, without.answer) == (played.exit_code, played.answer)


WITHOUT = test_the_process_ends_as_without_us.__name__


def test_what_is_always_run_has_every_way_and_every_ending() -> None:
    always = [cell for cell in CELLS if is_always(cell)]
    known = {way.id for way in WAYS if way.since <= KEDRO_VERSION}
    assert known == {cell.way.id for cell in always}
    assert {ending.id for ending in ENDINGS} == {cell.ending.id for cell in always}
    assert set(ALWAYS) == {way.id for way in WAYS}


def test_the_docs_show_this_matrix() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run: python -m tests.kedro.matrix_docs"


def test_a_cell_that_is_not_run_has_a_reason() -> None:
    for cell in matrix():
        assert (cell in CELLS) != bool(cell.impossible)
