"""Nodes across sessions: failures, flaky nodes, durations and regressions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from journals import put, seal_all

from kedro_journal.analysis.trends import NodeTrend, trends
from kedro_journal.cli import journal
from kedro_journal.events import (
    ContextLoaded,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.state import DatasetOperation, NodeState, RunState, SessionState
from kedro_journal.views.stats import sparkline, stats_view
from kedro_journal.views.terminal import Screen, cells

LOAD: dict[str, Any] = {"path": "/d", "size_bytes": 5, "modified_us": 1}


def session(
    number: int,
    seconds: float = 1.0,
    status: str = "completed",
    code: str = "c",
    value: object = 1,
    load: dict[str, Any] | None = None,
) -> SessionState:
    plan = PlannedNode(
        "ns.train",
        inputs=("table", "params:lr"),
        function="p.train",
        source_sha256=code,
    )
    loaded = DatasetOperation("table", "load", 1, 2, **(LOAD if load is None else load))
    saved = DatasetOperation("model", "save", 1, 2, size_bytes=100)
    node = NodeState(
        "ns.train",
        status,  # type: ignore[arg-type]
        plan=plan,
        duration_s=seconds,
        loads={"table": loaded},
        saves={"model": saved},
    )
    run = RunState("r", nodes={"ns.train": node})
    context = ContextLoaded(parameters={"lr": value, "other": number})
    return SessionState(session_id=f"s{number}", context=context, runs=(run,))


def one(states: Sequence[SessionState]) -> NodeTrend:
    (found,) = trends(states, "train").nodes
    return found


def test_counts_durations_and_bytes() -> None:
    states = [session(n, seconds=float(n)) for n in range(1, 6)]
    states += [session(6, status="failed"), session(7, status="interrupted")]
    found = one(states)
    assert (found.runs, found.failed, found.failure_rate) == (6, 1, 1 / 6)
    assert (found.low_s, found.median_s, found.high_s) == (2.0, 3.0, 4.0)
    assert found.durations_s == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert found.saved_bytes == 500
    assert trends(states, "rain").nodes == ()


@pytest.mark.parametrize(
    ("changed", "is_flaky"),
    [
        ({}, True),
        ({"code": "d"}, False),
        ({"code": ""}, False),
        ({"value": 2}, False),
        ({"value": "[redacted]"}, False),
        ({"load": {**LOAD, "modified_us": 2}}, False),
        ({"load": {}}, False),
    ],
)
def test_flaky_is_said_only_where_all_is_known_to_be_the_same(
    changed: dict[str, Any], *, is_flaky: bool
) -> None:
    states = [session(1, status="failed", **changed), session(2)]
    assert one(states).flaky == ((("s1", "s2"),) if is_flaky else ())
    assert one(states[::-1]).flaky == ((("s1", "s2"),) if is_flaky else ())


@pytest.mark.parametrize(
    "value", ["[redacted]", "a[... 5 characters more]", [{"$type": "p.Model"}]]
)
def test_what_looks_the_same_may_be_another_value(value: object) -> None:
    states = [session(1, status="failed", value=value), session(2, value=value)]
    assert one(states).flaky == ()


def test_a_regression_is_three_that_are_slower_than_each_of_ten() -> None:
    before = [session(n, seconds=1.0 + n / 100) for n in range(10)]
    after = [session(n, seconds=2.0) for n in range(10, 13)]
    found = one([*before, *after]).regression
    assert found is not None
    assert (found.since, found.now_s, found.differs) == ("s10", 2.0, ())
    assert one([*before, *after[:2]]).regression is None
    assert one([*before[1:], *after]).regression is None
    assert one([*before[:9], session(9, seconds=2.5), *after]).regression is None
    load = {**LOAD, "size_bytes": 9}
    other = [session(12, seconds=3.0, code="d", value=2, load=load)]
    changed = one([*before, *after[:2], *other]).regression
    assert changed is not None
    assert changed.differs == ("code", "parameters", "inputs")


def test_the_table() -> None:
    states = [session(n, seconds=1.0 + n / 100) for n in range(10)]
    states += [session(10, status="failed")]
    states += [session(n, seconds=3.0, value=2) for n in range(11, 14)]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for width in (60, 80, 200):
        text = stats_view(trends(states), Screen(now, width))
        rows = text.splitlines()
        assert max(map(cells, rows[:5])) <= width
    assert "14 sessions" in text
    assert "1 (7 %)" in text
    assert "flaky, slower" in text
    assert "slower since s11: 3.00 s, was 1.04 s; parameters differ" in text
    assert "failed in s10, completed in s9" in text
    assert "No node was planned" in stats_view(trends([SessionState()]), Screen(now))


def test_sparklines() -> None:
    assert sparkline([1.0, 2.0, 8.0], 3) == "▁▂█"
    assert sparkline([5.0, 1.0, 1.0], 2) == "▁▁"
    assert sparkline([], 3) == ""


def test_the_command(tmp_path: Path) -> None:
    for number in range(2):
        session_id = f"2026-01-02T00.00.0{number}.000Z"
        events = [
            JournalHeader(
                session_id=session_id, uid="u", salt="s", package_version="0"
            ),
            WriterOpened(pid=1, host="elsewhere"),
            SessionCreated(session_id=session_id, host="elsewhere"),
            RunStarted(run_id="r", nodes=(PlannedNode("a"), PlannedNode("b"))),
            NodeStarted(run_id="r", node="a"),
            NodeComputed(run_id="r", node="a", duration_s=0.5),
            NodeCompleted(run_id="r", node="a", duration_s=1.0 + number),
            RunCompleted(run_id="r"),
            SessionClosed(),
        ]
        put(tmp_path / session_id, b"".join(seal_all(events)))

    def call(*args: str) -> Any:
        options = ["stats", "--directory", str(tmp_path), *args]
        return CliRunner().invoke(journal, options, catch_exceptions=False)

    found = json.loads(call("--json").stdout)
    assert found["sessions"] == 2
    assert [node["name"] for node in found["nodes"]] == ["a", "b"]
    assert found["nodes"][0]["durations_s"] == [1.0, 2.0]
    assert json.loads(call("a", "-n", "1", "--json").stdout)["nodes"][0]["runs"] == 1
    assert "2 sessions: 2 completed" in call().stdout
    assert "fits the filters" in call("--env", "no").stdout
    assert call("c").exit_code == 3
