"""The page of a session, parsed."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import UTC, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from played import BEGIN, HOSTILE, Play, fan, hostile, play, state_of

from kedro_journal.analysis import merge
from kedro_journal.report.group_page import group_page
from kedro_journal.report.page import report_page
from kedro_journal.state import SessionState
from kedro_journal.views.terminal import Screen

SCREEN = Screen(BEGIN + timedelta(hours=1), tz=UTC)
VOID = {"meta", "link", "input", "rect", "path"}
FETCHING = {"img", "iframe", "object", "embed", "base", "form", "video", "audio"}


class Page(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inner: dict[str, list[str]] = {}
        self.feed(page)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID or (tag == "path" and "svg" in self.open):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open:
            self.inner.setdefault(self.open[-1], []).append(data)

    @property
    def text(self) -> str:
        return " ".join(self.texts)

    def counted(self, tag: str) -> int:
        return sum(1 for name, _ in self.tags if name == tag)


def safe(text: str) -> Page:
    """Parse a page, and check what holds of every page."""
    page = Page(text)
    attributes = [pair for _, each in page.tags for pair in each.items()]
    assert not FETCHING & {tag for tag, _ in page.tags}
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert "style" not in dict(attributes)
    for name, value in attributes:
        if name in ("href", "src", "action", "xlink:href"):
            assert value == "data:," or (value or "").startswith("#")
    assert 1 == page.counted("script") == page.counted("style")
    (policy,) = [
        each["content"] or ""
        for tag, each in page.tags
        if tag == "meta" and each.get("http-equiv") == "Content-Security-Policy"
    ]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        content = "".join(page.inner[tag])
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text
    )
    return page


def test_a_completed_session() -> None:
    records = play(
        Play("first", 0.5, outputs=("table",)),
        Play("second", 3.5, inputs=("table",)),
        notes=("checked by hand",),
    )
    text = report_page(state_of(records), SCREEN, records=records, journal="/p/j")
    page = safe(text)
    assert "Everything ran and was saved: 2 nodes" in page.text
    assert "Critical path (*): 5.00 s, 2 nodes: first > second" in page.text
    assert "checked by hand" in page.text
    assert "/p/data/table" in page.text
    assert "completed in 2.50 s" in page.text  # the events
    assert {"nodes", "datasets"} <= {each.get("id") for _, each in page.tags}


def test_a_failure_comes_with_its_source_lines() -> None:
    records = play(Play("bad", 0.5, upto="failed"), ends="failed")
    page = safe(report_page(state_of(records), SCREEN))
    assert "ValueError: bad: bad" in page.text
    assert "> 12 | raise ValueError" in page.text


def test_what_was_cut_off_took_at_least_so_long() -> None:
    records = play(Play("cut", 0.5, outputs=("x",), upto="saving"), ends="open")
    page = safe(report_page(state_of(records, "crashed"), SCREEN))
    assert "at least 2.00 s" in page.text
    assert "was saving" in page.text
    assert "save did not end" in page.text


def test_a_session_without_a_run_and_one_without_records() -> None:
    assert "empty" in safe(report_page(SessionState(), SCREEN)).text
    safe(report_page(state_of(play(ends="open")[:3], "crashed"), SCREEN))


def test_a_hostile_session_is_text() -> None:
    records = hostile()
    page = safe(report_page(state_of(records), SCREEN, records=records))
    shown = page.text
    for text in HOSTILE:
        if text.isprintable():
            assert text in shown
    assert "\\x1b[2J" in shown
    assert "\\u202egnp.exe" in shown
    assert "49" not in shown.replace("0.1.", "").split("7 * 7")[1][:5]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_any_name_is_text(name: str, note: str) -> None:
    records = play(Play(name, 1.0, outputs=(note,)), notes=[note] if note else [])
    safe(report_page(state_of(records), SCREEN, records=records))


def test_a_group() -> None:
    states = [
        state_of(
            play(
                Play(f"{HOSTILE[number]} {number}", 1.0),
                session_id=f"s{number}",
                group_id=HOSTILE[0],
            )
        )
        for number in (0, 1)
    ]
    page = safe(group_page(merge(HOSTILE[0], states), SCREEN))
    assert "2 sessions: 2 completed" in page.text


def test_a_hundred_nodes_are_under_300_kb() -> None:
    records = play(*fan(98), end_s=50)
    text = report_page(state_of(records), SCREEN, records=records)
    assert 100 == text.count('data-status="completed"')
    assert len(text.encode()) < 300_000


def test_thousands_of_events_are_cut_and_counted() -> None:
    records = play(*fan(298), end_s=150)
    text = report_page(state_of(records), SCREEN, records=records)
    assert f"... {len(records) - 1500} records not shown" in safe(text).text


@pytest.mark.parametrize("damaged", [True, False])
def test_damage_is_stated(damaged: bool) -> None:
    records = play(Play("a", 1.0))
    page = safe(report_page(state_of(records), SCREEN, damaged=damaged))
    assert damaged == ("The journal is damaged." in page.text)
