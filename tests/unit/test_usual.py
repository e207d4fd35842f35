"""How long runs usually take: the median of comparable ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kedro_journal.analysis.durations import Usual, usual_nodes, usual_run
from kedro_journal.events import PlannedNode
from kedro_journal.state import NodeState, RunState, SessionState
from kedro_journal.views import Screen
from kedro_journal.views.expected import expected_view


def session(
    seconds: float | None,
    *,
    status: str = "completed",
    runner: str = "r",
    more: str = "",
) -> SessionState:
    names = ["a", *([more] if more else [])]
    nodes = {
        name: NodeState(
            name, "completed", plan=PlannedNode(name, function=f"p.{name}"),
            duration_s=seconds,
        )
        for name in names
    }  # fmt: skip
    run = RunState("r", status=status, runner=runner, nodes=nodes, duration_s=seconds)  # type: ignore[arg-type]
    return SessionState(session_id=f"s{seconds}", runs=(run,))


def test_the_median_of_at_least_three_comparable_runs() -> None:
    run = session(None).runs[0]
    known = [session(4.0), session(9.0), session(5.0)]
    assert usual_run(run, known) == Usual(5.0, 9.0, 3)
    assert usual_run(run, known[:2]) is None
    others = [
        session(1.0, status="failed"),
        session(1.0, runner="other"),
        session(1.0, more="b"),  # as a run that was resumed has other nodes
        session(None),
    ]
    assert usual_run(run, known[:2] + others) is None


def test_only_the_newest_ten_count() -> None:
    run = session(None).runs[0]
    usual = usual_run(run, [session(2.0)] * 10 + [session(100.0)] * 50)
    assert usual == Usual(2.0, 2.0, 10)


def test_a_node_is_comparable_by_name_and_function_in_any_run() -> None:
    node = session(None).runs[0].nodes["a"]
    known = [session(1.0, more="b"), session(3.0, status="failed"), session(2.0)]
    assert usual_nodes([node], known) == {"a": Usual(2.0, 3.0, 3)}
    other = NodeState("a", plan=PlannedNode("a", function="p.another"))
    assert usual_nodes([other], known) == {}


def test_overdue_needs_more_than_the_longest_of_them() -> None:
    usual = Usual(10.0, 30.0, 5)
    assert not usual.is_overdue(25.0)
    assert not usual.is_overdue(44.0)
    assert usual.is_overdue(46.0)
    assert not Usual(0.01, 0.02, 5).is_overdue(0.5)  # less than a second is no wait
    assert (usual.left(4.0), usual.left(40.0)) == (6.0, 0.0)


def test_a_run_in_progress_says_how_long_it_takes_and_when_it_is_overdue() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    node = NodeState("a", "running", started_at=at + timedelta(seconds=60))
    run = RunState("r", started_at=at, nodes={"a": node})
    state = SessionState(
        session_id="s", status="active", liveness="running", runs=(run,)
    )
    screen = Screen(at + timedelta(seconds=90))
    told = expected_view(
        state, run, Usual(120.0, 130.0, 4), {"a": Usual(5, 6, 3)}, screen
    )
    assert told.splitlines()[2:] == [
        "  the run usually takes 2 min 00 s, the median of 4 runs: about 30.0 s left",
        "  node a usually takes 5.00 s, the median of 3 runs: overdue by 25.0 s",
    ]
    assert expected_view(state, run, None, {}, screen) == ""
