"""Notes and log records: on record with the run and the node that they belong to."""

from __future__ import annotations

import json
from typing import Any

import pytest

import kedro_journal
from kedro_journal.state import Note, SessionState

from .conftest import Project
from .test_current import WAYS

NOTING = """
import logging, threading
import kedro_journal
from kedro.pipeline import Node, Pipeline

log = logging.getLogger("mill.nodes")

def work(name, rows):
    kedro_journal.note(f"in {name}", rows=rows, password="hunter2hunter2")
    helper = threading.Thread(target=kedro_journal.note, args=(f"beside {name}",))
    helper.start(); helper.join()
    log.warning("warned in %s", name)
    log.info("not this")
    try:
        raise LookupError("lost " + name)
    except LookupError:
        log.exception("caught")
    for number in range(300):
        log.warning("flood %d", number)
    return rows

def make(x): return work("make", 1)
def left(x): return work("left", 2)
def right(x): return work("right", 3)

def make_pipelines():
    return {"__default__": Pipeline([
        Node(make, "params:title", "a", name="make"),
        Node(left, "a", "b", name="left"),
        Node(right, "a", "c", name="right"),
    ])}
"""


def texts(state: SessionState, beginning: str) -> dict[str, Note]:
    return {n.text: n for n in state.notes if n.text.startswith(beginning)}


@pytest.fixture
def noting(project: Project) -> Project:
    project.nodes(NOTING)
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    return project


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("runner", "method"), WAYS)
def test_in_every_runner_notes_and_log_records_name_their_node(
    noting: Project, runner: str, method: str, level: int
) -> None:
    if level == 0:
        noting.level_0()
    done = noting.kedro(
        "run", "-r", runner,
        env={"KEDRO_MP_CONTEXT": method, "KEDRO_JOURNAL_LOG_LEVEL": "WARNING"},
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout
    state = noting.state()
    (run,) = state.runs
    of = {"run_id": run.run_id, "attempt": 1}
    for name in ("make", "left", "right"):
        notes = [note for note in state.notes if note.node == name]
        by_text = {note.text: note for note in notes}
        note = by_text[f"in {name}"]
        assert of == {"run_id": note.run_id, "attempt": note.attempt}
        assert ("[redacted]", "", "") == (
            note.fields["password"],
            note.level,
            note.logger,
        )
        warned = by_text[f"warned in {name}"]
        assert ("WARNING", "mill.nodes") == (warned.level, warned.logger)
        assert {"exception": f"LookupError: lost {name}"} == by_text["caught"].fields
        assert "ERROR" == by_text["caught"].level
        # 100 of the node's 302, and one that says how many there were besides.
        journaled = [note for note in notes if note.logger == "mill.nodes"]
        assert 100 == len(journaled)
        (rest,) = [note for note in notes if note.logger == "kedro_journal"]
        assert {"left_out": 202} == rest.fields
        node = run.nodes[name]
        assert node.started_seq < note.seq < warned.seq < rest.seq < node.ended_seq
        assert state.writers[node.writer].name
        # A thread that the node started may be anybody's: only its session is sure.
        beside = texts(state, f"beside {name}")[f"beside {name}"]
        assert (None, None) == (beside.run_id, beside.node)
    assert "not this" not in {note.text for note in state.notes}
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in noting.sessions_path.rglob("journal.jsonl")
    )
    assert noting.verification().ok
    assert () == state.anomalies
