"""How long runs usually take, in `list`, `show` and `tail`."""

from __future__ import annotations

import json

import pytest

import kedro_journal
from kedro_journal.cli.pace import Pace
from kedro_journal.events import (
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionClosed,
)
from kedro_journal.journal import JournalDirectory, JournalWriter
from kedro_journal.replaying.usual import usual_time, usual_times

from .conftest import RUN, Call, Journals

NOW = "2026-11-22T05.00.00.000Z"


def begin(journals: Journals, wanted: str, *nodes: str) -> JournalWriter:
    plan = tuple(PlannedNode(name, function=f"p.{name}") for name in nodes)
    started = RunStarted(run_id=RUN, pipelines=("__default__",), nodes=plan)
    return journals.begin(wanted, started, NodeStarted(run_id=RUN, node=nodes[0]))


def finish(writer: JournalWriter, seconds: float, *nodes: str) -> None:
    for name in nodes:
        if name != nodes[0]:
            writer.append(NodeStarted(run_id=RUN, node=name))
        writer.append(
            NodeComputed(run_id=RUN, node=name),
            NodeCompleted(run_id=RUN, node=name, duration_s=seconds),
        )
    writer.append(
        RunCompleted(run_id=RUN, duration_s=seconds * len(nodes)), SessionClosed()
    )


@pytest.fixture
def known(journals: Journals) -> Journals:
    """Three sessions whose nodes took 100, 120 and 110 seconds."""
    for day, seconds in enumerate((100.0, 120.0, 110.0), 1):
        writer = begin(journals, f"2026-11-0{day}T05.00.00.000Z", "split", "train")
        finish(writer, seconds, "split", "train")
    return journals


def test_a_session_that_runs_says_what_is_left(call: Call, known: Journals) -> None:
    begin(known, NOW, "split", "train")
    where = ("--directory", str(known.path))
    expected = "usually takes 3 min 40 s, the median of 3 runs: about 3 min"
    row = call("list", *where).stdout.splitlines()[1]
    assert "at split  about 3 min" in row
    assert row.endswith("left")
    assert f"the run {expected}" in call("show", *where).stdout
    result = call("tail", *where)
    run, node = result.stderr.splitlines()
    assert run.startswith(f"kedro-journal: the run {expected}")
    assert node.startswith("kedro-journal: node split usually takes 1 min 50 s, the ")
    assert "usually" not in result.stdout

    newest, *others = json.loads(call("list", "--json", *where).stdout)
    assert [one["usual"] for one in others] == [None] * 3
    usual = newest["usual"]
    assert (usual["seconds"], usual["longest"], usual["samples"]) == (220, 240, 3)
    assert 200 < usual["left_s"] == 220 - usual["elapsed_s"]
    assert usual["overdue"] is False
    data = json.loads(call("show", "--json", *where).stdout)["usual"]
    assert (data["run"]["seconds"], data["nodes"]["split"]["seconds"]) == (220, 110)
    assert data["nodes"]["train"]["elapsed_s"] is None  # it did not start
    assert call("tail", "--json", *where).stderr == ""
    known.let_go()


def test_too_few_comparable_runs_say_nothing(call: Call, known: Journals) -> None:
    begin(known, NOW, "other", "train")
    where = ("--directory", str(known.path))
    assert call("list", *where).stdout.splitlines()[1].endswith("at other")
    assert "Expected" not in call("show", *where).stdout
    assert call("tail", *where).stderr == ""
    assert json.loads(call("list", "--json", *where).stdout)[0]["usual"] is None
    state = kedro_journal.replay(NOW, directory=known.path)
    assert usual_time(JournalDirectory(known.path), state) is None
    assert state.last_run is not None
    run, nodes = usual_times(JournalDirectory(known.path), NOW, state.last_run)
    assert (run, list(nodes)) == (None, ["train"])
    known.let_go()


def test_show_names_what_took_unusually_long(call: Call, known: Journals) -> None:
    finish(begin(known, NOW, "split", "train"), 300.0, "split", "train")
    told = call("show", "--directory", str(known.path)).stdout
    assert told.partition("Unusually long\n")[2].splitlines() == [
        "  the run took 10 min 00 s; usually 3 min 40 s, the median of 3 runs",
        "  node split took 5 min 00 s; usually 1 min 50 s, the median of 3 runs",
        "  node train took 5 min 00 s; usually 1 min 50 s, the median of 3 runs",
    ]
    usual = call("show", "@-1", "--directory", str(known.path)).stdout
    assert "Unusually long" not in usual


def test_tail_says_which_node_took_unusually_long(
    known: Journals, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = begin(known, NOW, "split", "train")
    pace = Pace(JournalDirectory(known.path), NOW)
    pace.begin()
    capsys.readouterr()
    finish(writer, 300.0, "split", "train")
    for record in kedro_journal.records(NOW, directory=known.path):
        pace.saw(record)
    assert capsys.readouterr().err.splitlines() == [
        f"kedro-journal: node {name} took 5 min 00 s; usually 1 min 50 s, the median "
        "of 3 runs"
        for name in ("split", "train")
    ]


def test_tail_does_not_replay_a_session_that_is_closed(
    call: Call, known: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(Pace, "begin", lambda self: begun.append("x"))
    where = ("--directory", str(known.path))
    assert call("tail", *where).exit_code == 0
    assert begun == []
    begin(known, NOW, "split")
    assert call("tail", *where).exit_code == 0
    assert begun == ["x"]
    known.let_go()
