"""The screen of `watch`, and its plain lines: what fits, what is folded, what is said."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kedro_journal.analysis.durations import Usual
from kedro_journal.state import SessionState
from kedro_journal.views.progressing import progress_lines
from kedro_journal.views.terminal import Screen, cells, render
from kedro_journal.views.watching import Expected, Watched, watch_lines
from tests.support.played import BEGIN, Play, fan, hostile, play, state_of

SMALL = (
    Play("clean", 0.0, ("raw",), ("c",)),
    Play("train", 4.0, ("c",), ("m",), upto="saving"),
    Play("score", 9.0, ("m",), ("s",), upto="loading"),
)
BROKEN = (Play("clean", 0.0), Play("train", 4.0, upto="failed"))


def screen(at_s: float = 20.0, width: int = 80) -> Screen:
    return Screen(BEGIN + timedelta(seconds=at_s), width)


def running(*nodes: Play, at_s: float = 20.0) -> SessionState:
    now = BEGIN + timedelta(seconds=at_s)
    return state_of([r for r in play(*nodes, ends="open") if r.at <= now], "running")


def shown(
    state: SessionState, expected: Expected | None = None, height: int | None = 24
) -> str:
    run = state.last_run
    known = {run.started_seq: expected} if run and expected else {}
    return render(watch_lines([Watched(state, known)], screen(), height))


def test_nodes_with_what_they_do_and_how_long_they_take() -> None:
    usual = Expected(Usual(30.0, 31.0, 5), {"train": Usual(1.0, 1.0, 4)})
    text = shown(running(*SMALL), usual)
    assert "1/3 nodes  20.0 s  about 10.0 s left (usually 30.0 s, 5 runs)" in text
    assert "train  saving     15.5 s  1.00 s  overdue  saving m" in text
    assert "loading m" in text


def test_time_left_without_comparable_runs() -> None:
    state = running(*SMALL)
    assert " left" not in shown(state)
    usual = Expected(Usual(2.0, 3.0, 3))
    assert "overdue by 18.0 s (usually 2.00 s, 3 runs)" in shown(state, usual)


def test_a_failure_is_shown_with_its_place() -> None:
    text = shown(state_of(play(*BROKEN, ends="failed"), "closed"))
    assert "train  failed" in text
    assert "in node train, while running, at src/nodes.py:12" in text
    assert "> 12 | raise ValueError" in text


@pytest.mark.parametrize("height", [1, 5, 10, 24, 60])
@pytest.mark.parametrize("spaces", [0, 6, 60])
def test_500_nodes_fit_and_no_failure_is_folded(height: int, spaces: int) -> None:
    nodes = [
        *fan(500, wide=16, namespaces=spaces),
        Play("bad", 1.0, namespace="part_1", upto="failed"),
    ]
    state = running(*nodes, at_s=40.0)
    lines = watch_lines([Watched(state)], screen(40.0), height)
    assert len(lines) <= height
    assert max(map(cells, lines)) <= 80
    text = render(lines)
    if height >= 24:
        assert "bad" in text
        assert "ValueError: bad: bad" in text
    if height == 60 and spaces == 6:
        assert "part_1 (8" in text
    assert len(watch_lines([Watched(state)], screen(40.0))) > 500


def test_many_sessions_share_the_height() -> None:
    state = running(*fan(60), at_s=12.0)
    lines = watch_lines([Watched(state)] * 9, screen(12.0), 24)
    assert len(lines) <= 24
    assert "... 4 more sessions" in render(lines)
    assert "No session runs" in render(watch_lines([], screen(), 24))


def test_hostile_names_cannot_leave_their_line() -> None:
    state = state_of(hostile(), "closed")
    for lines in (
        watch_lines([Watched(state)], screen(), None),
        progress_lines(None, Watched(state), screen()),
    ):
        text = render(lines)
        assert text.count("\n") == len(lines)
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_lines_say_each_thing_once() -> None:
    records = play(*BROKEN, ends="failed", notes=["look\nhere"])
    before: SessionState | None = None
    told: list[str] = []
    for number in range(1, len(records) + 1):
        ends = number == len(records)
        state = state_of(records[:number], "closed" if ends else "running")
        lines = progress_lines(before, Watched(state), screen())
        told += render(lines).splitlines()
        before = state
    assert [one[10:] for one in told] == [
        "__default__ started, 2 nodes",
        "[0/2] clean running",
        "[1/2] clean completed after 2.00 s",
        "[1/2] train running",
        "[1/2] train failed after 2.00 s: ValueError: bad: train",
        "note: look here",
        "__default__ failed after 10.0 s: ValueError: boom",
        f"session {state.session_id} failed after 12.0 s",
    ]
    at_once = progress_lines(None, Watched(state), screen())
    assert len(at_once) == len(told) - 2  # no line for what began and ended since
