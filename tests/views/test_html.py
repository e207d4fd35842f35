"""States as HTML: useful, escaped, and nothing but text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import msgspec
from events_strategy import events
from hypothesis import given, settings
from hypothesis import strategies as st
from siblings import GROUP, sibling

from kedro_journal.analysis import merge
from kedro_journal.events import (
    ErrorInfo,
    Frame,
    NodeFailed,
    NoteAdded,
    Record,
    RunFailed,
)
from kedro_journal.replaying import Newest
from kedro_journal.state import SessionState, fold
from kedro_journal.views import Screen, html_view

HOSTILE = "</pre></td><script>alert(1)</script><img src=x onerror=y>'\"&\x1b[2J\u202e"
TAGS = {"div", "span", "table", "tr", "th", "td", "details", "summary", "pre"}
DRAWN = {"svg", "g", "title", "text", "rect", "path"}
DRAWING = re.compile(
    r"(viewbox|width|height|role|aria-label|x|y|d|fill|fill-opacity|stroke|text-anchor"
    r"|stroke-(width|opacity)|font-(size|weight))\Z"
)
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


class Page(HTMLParser):
    """What a browser makes of it; fails on anything that is not text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.feed(page)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS | DRAWN
        for name, value in attrs:
            if tag in DRAWN:
                assert DRAWING.match(name)
                continue
            assert name in ("style", "open")
            assert not any(bad in (value or "") for bad in ("url", "expression", "\\"))
        self.open.append(tag)
        self.tags.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def page_of(value: object) -> Page:
    page = html_view(value, Screen(NOW, tz=UTC))
    for absent in ("http", "//", "<script", "<img", "\x1b", "\u202e"):
        assert absent not in page
    return Page(page)


states = st.builds(
    lambda found: fold(
        Record(seq=seq, at=NOW, writer="w1", prev="", crc="", event=event)
        for seq, event in enumerate(found, 1)
    ),
    st.lists(events, max_size=12),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(states, max_size=3))
def test_whatever_a_state_holds_it_can_be_shown(some: list[SessionState]) -> None:
    shown = [*some, merge("g", some), Newest(tuple(some), 3)]
    for value in (*shown, *(run for state in some for run in state.runs)):
        Page(html_view(value, Screen(NOW)))


def hostile(story: Any) -> SessionState:
    """Tell of a session in which every text that others choose is hostile."""
    error = ErrorInfo(
        type=HOSTILE,
        message=HOSTILE,
        frames=(Frame(file=HOSTILE, line=3, function=HOSTILE, source=HOSTILE),),
        snippet=(HOSTILE,),
        remote=HOSTILE,
    )
    run = {"run_id": HOSTILE, "attempt": 1}
    story.created(
        project_path=HOSTILE,
        env=HOSTILE,
        user=HOSTILE,
        host=HOSTILE,
        labels={HOSTILE: HOSTILE},
        group_id=HOSTILE,
        runtime_params={HOSTILE: HOSTILE},
        parent_session_id=HOSTILE,
        container=HOSTILE,
        notebook=HOSTILE,
    ).context(parameters={HOSTILE: {HOSTILE: HOSTILE}})
    story.started(HOSTILE, run_id=HOSTILE).tell(
        NoteAdded(
            text=HOSTILE, fields={HOSTILE: HOSTILE}, level="ERROR", logger=HOSTILE
        ),
        NodeFailed(**run, node=HOSTILE, error=error, dataset=HOSTILE),
        RunFailed(**run, error=error),
    )
    state: SessionState = story.state()
    return state


def test_hostile_names_are_text_wherever_they_stand(story):
    state = hostile(story)

    for value in (
        state,
        state.runs[0],
        merge(HOSTILE, [state]),
        Newest((state,)),
        HOSTILE,
    ):
        page = page_of(value)
        assert "<script>alert(1)</script>" in page.text  # as text, for all to see
        assert "\\x1b[2J\\u202e" in page.text


def test_a_session_tells_what_became_of_it_and_where(story):
    error = ErrorInfo(type="ValueError", message="boom")
    story.created(labels={"team": "demand"}).context(parameters={"lr": 0.1})
    story.started("split", "train").node("split").node("train", "running").tell(
        NodeFailed(run_id=story.run_id, node="train", error=error, duration_s=3.5),
        RunFailed(run_id=story.run_id, error=error),
        NoteAdded(text="look here", level="WARNING", logger="mill", node="train"),
    )

    page = page_of(story.state())

    for text in (
        story.session_id,
        "failed",
        "ValueError: boom",
        "team=demand",
        "3.50 s",
        "Parameters in force",
        "lr",
        "WARNING",
        "look here",
    ):
        assert text in page.text, text
    assert {"table", "details"} <= set(page.tags)


def test_a_run_of_many_nodes_is_bounded(story):
    story.created().started(*(f"n{number}" for number in range(1000)))

    page = page_of(story.state().runs[0])

    assert "976 more nodes" in page.text
    assert page.tags.count("tr") == 25


def test_a_group_shows_its_sessions_and_nodes():
    group = merge(
        GROUP,
        [
            sibling(1, "split"),
            sibling(2, "train!", ends="failed", host="b"),
            sibling(3, "train", host="c"),
        ],
    )

    page = page_of(group)

    for text in (GROUP, "completed", "3 sessions on 3 hosts", "s03", "made good later"):
        assert text in page.text, text
    assert "failed before in s02" in page.text


def test_nothing_is_shown_for_no_sessions():
    assert "No sessions yet." in page_of(Newest(())).text


def test_states_show_themselves_and_their_values_stay_what_they_are(story):
    story.created().started("a")
    state = story.state("running")
    group = merge("g", [state])

    for value in (state, state.runs[0], group):
        html = value._repr_html_()
        assert html is not None
        assert html.startswith("<div")
        assert Page(html)
        assert msgspec.structs.replace(value) == value
