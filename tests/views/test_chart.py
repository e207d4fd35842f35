"""Where the time of a run went: the model, its folding, the terminal's picture."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from played import BEGIN, Play, fan, hostile, play, state_of

from kedro_journal.analysis import merge
from kedro_journal.state import RunState, SessionState
from kedro_journal.views.chart import Bar, Piece, group_chart, run_chart
from kedro_journal.views.folding import fold, only
from kedro_journal.views.gantt import (
    gantt_data,
    group_gantt_view,
    namespaces_of,
    session_gantt_view,
)
from kedro_journal.views.paths import edges_of, in_order, longest_path
from kedro_journal.views.terminal import Screen, cells

NOW = BEGIN + timedelta(minutes=5)
SCREEN = Screen(NOW, 80, UTC)


def chain(upto: str = "completed") -> tuple[Play, ...]:
    """Three nodes, one after the other, and one beside them."""
    return (
        Play("a", 1.0, outputs=("x",)),
        Play("b", 3.5, inputs=("x",), outputs=("y",)),
        Play("aside", 3.5, inputs=("x",), compute=0.5),
        Play("c", 7.0, inputs=("y",), outputs=("z",), upto=upto),
    )


def last(state: SessionState) -> RunState:
    assert state.last_run is not None
    return state.last_run


def test_load_compute_and_save_are_told_apart() -> None:
    state = state_of(play(*chain()))
    chart = run_chart(last(state), state, NOW)
    bars = {bar.name: bar for bar in chart.bars}
    assert (
        Piece("load", 3.5, 4.0),
        Piece("compute", 4.0, 6.0),
        Piece("save", 6.0, 6.5),
    ) == bars["b"].pieces
    assert 3.0 == bars["b"].took_s
    assert [0.5, 2.0, 0.5] == [
        bars["b"].seconds(k) for k in ("load", "compute", "save")
    ]
    assert ["a", "b", "aside", "c"] == [bar.name for bar in chart.bars]


def test_idle_time_the_critical_path_and_how_many_at_once() -> None:
    state = state_of(play(*chain()))
    chart = run_chart(last(state), state, NOW)
    assert ((0.0, 1.0), (6.5, 7.0)) == chart.idle
    assert 1.5 == chart.idle_s
    assert ("a", "b", "c") == chart.critical
    assert 8.5 == chart.critical_s
    assert 2 == chart.at_once
    assert 10.0 == chart.span_s
    assert not chart.cut


@pytest.mark.parametrize(
    ("upto", "pieces"),
    [
        ("loading", [("load", 7.0, 7.0)]),
        ("running", [("load", 7.0, 7.5), ("compute", 7.5, 7.5)]),
        ("saving", [("load", 7.0, 7.5), ("compute", 7.5, 9.5), ("save", 9.5, 9.5)]),
    ],
)
def test_a_node_in_which_the_process_died_took_at_least_so_long(
    upto: str, pieces: list[tuple[str, float, float]]
) -> None:
    """It ends at the last record; where a load began, its record says."""
    records = play(*chain(upto), ends="open")
    state = state_of(records, "crashed")
    moments = {record.seq: record.at for record in records}
    chart = run_chart(last(state), state, NOW, moments)
    node = next(bar for bar in chart.bars if bar.name == "c")
    assert node.cut
    assert not node.ongoing
    assert pieces == [tuple(piece) for piece in node.pieces]
    assert chart.cut
    assert chart.critical_cut == ("c" in chart.critical)
    text = session_gantt_view(state, SCREEN, moments=moments)
    row = next(row for row in text.splitlines() if row[4:6] == "c ")
    assert "at least" in row
    assert ">" in row


def test_a_run_at_work_has_taken_its_time_up_to_now() -> None:
    state = state_of(play(*chain("running"), ends="open"), "running")
    chart = run_chart(last(state), state, NOW)
    node = next(bar for bar in chart.bars if bar.name == "c")
    assert node.ongoing
    assert not node.cut
    assert 300.0 == node.end_s
    assert chart.ongoing
    assert "so far" in session_gantt_view(state, SCREEN)


def test_a_failed_node_ends_where_it_failed() -> None:
    state = state_of(play(*chain("failed"), ends="failed"))
    chart = run_chart(last(state), state, NOW)
    node = next(bar for bar in chart.bars if bar.name == "c")
    assert ("failed", 9.5, False) == (node.status, node.end_s, node.cut)
    assert ["c"] == [bar.name for bar in only(chart.bars, "failed")]


def test_an_interrupted_node_was_cut_off() -> None:
    state = state_of(play(*chain("running"), ends="interrupted"))
    chart = run_chart(last(state), state, NOW)
    node = next(bar for bar in chart.bars if bar.name == "c")
    assert ("interrupted", 10.0, True) == (node.status, node.end_s, node.cut)


def test_a_node_that_did_not_begin_has_no_bar() -> None:
    records = [
        record
        for record in play(*chain(), ends="failed")
        if getattr(record.event, "node", "") != "c"
    ]
    state = state_of(records)
    chart = run_chart(last(state), state, NOW)
    assert chart.bars[-1].name == "c"
    assert chart.bars[-1].took_s is None
    assert "1 node did not begin" in session_gantt_view(state, SCREEN)


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("blocks", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, blocks: bool) -> None:
    for state in (state_of(play(*fan(198), end_s=90)), state_of(hostile())):
        text = session_gantt_view(state, Screen(NOW, width, UTC), blocks=blocks)
        assert "\x1b" not in text
        assert "\u202e" not in text
        if not blocks:
            assert "█" not in text
        verdict_and_title = 5  # they wrap, as on every page
        rows = text.splitlines()[verdict_and_title:]
        assert max(map(cells, rows)) <= width


def test_more_than_fifty_rows_are_folded_and_counted() -> None:
    flat = state_of(play(*fan(198), end_s=90))
    text = session_gantt_view(flat, SCREEN)
    assert "150 more nodes, none longer than" in text
    assert "work_006" in text  # of the critical path
    spaces = state_of(play(*fan(198, namespaces=9), end_s=90))
    text = session_gantt_view(spaces, SCREEN)
    assert "198 nodes folded into 9 namespaces" in text
    assert "part_3 (22 nodes)" in text


def test_a_broken_node_is_never_folded() -> None:
    bars = [Bar(f"s.{n}", "completed", (), 0.0, 1.0) for n in range(20)]
    bars += [
        Bar("s.bad", "failed", (), 0.0, 0.1),
        Bar("s.cut", "running", (), 0, 1, True),
    ]
    rows, lost = fold(bars, dict.fromkeys((bar.name for bar in bars), "s"), 5)
    assert ["s", "s.bad", "s.cut"] == [bar.name for bar in rows]
    assert 20 == rows[0].nodes
    assert [] == lost
    rows, lost = fold(bars, {}, 5)
    assert {"s.bad", "s.cut"} < {bar.name for bar in rows}
    assert 17 == len(lost)


def test_only_slow_are_the_ten_longest() -> None:
    bars = [Bar(str(n), "completed", (), 0.0, float(n)) for n in range(30)]
    assert [str(n) for n in range(20, 30)] == [bar.name for bar in only(bars, "slow")]


def test_a_group_stands_on_one_clock() -> None:
    one = state_of(play(*chain(), session_id="s1", group_id="g", host="a"))
    two = state_of(
        play(Play("d", 2.0, inputs=("z",)), session_id="s2", group_id="g", host="b")
    )
    group = merge("g", [one, two])
    chart = group_chart(group, NOW)
    bars = {bar.name: bar for bar in chart.bars}
    assert "s2" == bars["d"].process
    assert 3.0 == bars["d"].start_s  # the sessions began a second before their runs
    assert ("a", "b", "c", "d") == chart.critical
    assert "clocks of 2 hosts" in group_gantt_view(group, SCREEN)


def test_the_data_of_a_chart_is_plain() -> None:
    state = state_of(play(*chain()))
    data = gantt_data(run_chart(last(state), state, NOW))
    assert ["a", "b", "c"] == list(data["critical"])  # type: ignore[call-overload]
    bar = data["bars"][1]  # type: ignore[index]
    assert {"name": "b", "took_s": 3.0, "load_s": 0.5, "critical": True}.items() <= (
        bar.items()
    )


def test_a_state_without_times_has_a_chart() -> None:
    state = SessionState(runs=(RunState(run_id=None),))
    chart = run_chart(last(state), state, NOW)
    assert () == chart.bars
    assert chart.span_s > 0
    assert "No node began." in session_gantt_view(state, SCREEN)
    assert "No run started" in session_gantt_view(SessionState(), SCREEN)


def test_namespaces_are_those_of_the_plan() -> None:
    state = state_of(play(*fan(4, namespaces=2)))
    assert "part_1" == namespaces_of(last(state))["part_1.work_001"]


def test_the_longest_path_is_the_longest_by_time() -> None:
    needs = {
        "a": ((), ("x", "w@pandas")),
        "b": (("x",), ("y",)),
        "c": (("y",), ()),
        "long": (("w@spark",), ()),
    }
    weights = {"a": 1.0, "b": 1.0, "c": 1.0, "long": 5.0}
    assert ("a", "long") == longest_path(needs, weights)
    assert ("a", "b", "c") == longest_path(needs, {**weights, "long": 1.5})
    assert () == longest_path({}, {})
    assert () == longest_path(needs, dict.fromkeys(needs, 0.0))


def test_a_cycle_in_a_damaged_journal_ends() -> None:
    needs = {"a": (("y",), ("x",)), "b": (("x",), ("y",)), "c": (("c",), ("c",))}
    assert {("a", "b"), ("b", "a")} == set(edges_of(needs))
    order, pairs = in_order(list(needs), list(edges_of(needs)))
    assert sorted(needs) == sorted(order)
    assert pairs in ([("a", "b")], [("b", "a")])
    assert 2 == len(longest_path(needs, dict.fromkeys(needs, 1.0)))
