"""Pages in a browser: what a parser cannot know."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from browser import MISSING, Browser
from played import BEGIN, Play, fan, hostile, play, state_of

from kedro_journal.events import Record
from kedro_journal.report.page import report_page
from kedro_journal.views.terminal import Screen

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {MISSING}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


def put(folder: Path, records: list[Record]) -> Path:
    page = folder / "report.html"
    screen = Screen(BEGIN + timedelta(hours=1), tz=UTC)
    page.write_text(report_page(state_of(records), screen, records=records), "utf-8")
    return page


def calm(browser: Browser, page: Path) -> None:
    """Check that a page asked for nothing and that nothing was refused or thrown."""
    assert [page.as_uri()] == browser.requests()
    assert [] == browser.messages()


def test_a_hostile_session_executes_nothing(browser: Browser, tmp_path: Path) -> None:
    page = put(tmp_path, hostile())
    browser.open(page)
    assert browser.run("return window.pwned === undefined")
    assert browser.run("return document.scripts.length === 1")
    assert browser.run("return document.querySelectorAll('img, iframe').length === 0")
    widths = browser.run(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert widths[0] <= widths[1]
    calm(browser, page)


def test_the_policy_forbids_what_would_slip_through(
    browser: Browser, tmp_path: Path
) -> None:
    """A script and an image that are put into the page are refused."""
    page = put(tmp_path, play(Play("a", 1.0)))
    text = page.read_text("utf-8")
    slipped = "<script>window.pwned=1</script><img src='http://127.0.0.1:9/x'>"
    page.write_text(text.replace("<main>", f"<main>{slipped}"), "utf-8")
    browser.requests()
    browser.open(page)
    assert browser.run("return window.pwned === undefined")
    assert any("Content Security Policy" in one for one in browser.messages())
    assert [page.as_uri()] == browser.requests()


def test_sorting_filtering_and_folding_by_keyboard(
    browser: Browser, tmp_path: Path
) -> None:
    page = put(tmp_path, play(*fan(18), end_s=20))
    browser.open(page)
    names = (
        "return Array.from(document.querySelectorAll('#nodes tbody th'))"
        ".filter(c => !c.parentNode.hidden).map(c => c.textContent)"
    )
    order = browser.run(names)
    assert order[0].startswith("source")
    browser.run(
        "Array.from(document.querySelectorAll('#nodes thead button'))"
        ".find(b => b.textContent === 'node').focus()"
    )
    browser.press("enter")
    assert sorted(order) == browser.run(names)
    browser.press("space")
    assert sorted(order, reverse=True) == browser.run(names)
    sort = "return document.activeElement.parentNode.getAttribute('aria-sort')"
    assert "descending" == browser.run(sort)

    browser.run(
        "var i = document.querySelector('[data-for=nodes] input'); i.value = 'work_00';"
        "i.dispatchEvent(new Event('input'))"
    )
    assert 10 == len(browser.run(names))
    said = "return document.querySelector('[data-for=nodes] output').textContent"
    assert "10 of 20 rows" == browser.run(said)

    browser.run("document.querySelector('#events summary').focus()")
    browser.press("enter")
    assert browser.run("return document.querySelector('#events').open")
    calm(browser, page)


@pytest.mark.parametrize("dark", [True, False])
def test_text_has_contrast_in_both_colour_schemes(
    browser: Browser, tmp_path: Path, dark: bool
) -> None:
    """WCAG AA, 4.5 to 1, for every colour of text on the page."""
    page = put(tmp_path, play(Play("bad", 1.0, upto="failed"), ends="failed"))
    browser.look(dark=dark)
    browser.open(page)
    low = browser.run(
        """
        function light(c) {
          var p = c.match(/[0-9.]+/g).slice(0, 3).map(function (v) {
            v = v / 255;
            return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
          });
          return 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
        }
        function behind(e) {
          for (; e; e = e.parentElement) {
            var c = getComputedStyle(e).backgroundColor;
            if (c !== 'rgba(0, 0, 0, 0)') return c;
          }
          return 'rgb(255,255,255)';
        }
        return Array.from(document.querySelectorAll('h1,h2,p,dt,dd,th,td,span,a,button'))
          .filter(function (e) { return e.textContent.trim() && e.offsetParent; })
          .map(function (e) {
            var a = light(getComputedStyle(e).color), b = light(behind(e));
            var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            return [ratio, e.outerHTML.slice(0, 80)];
          }).filter(function (pair) { return pair[0] < 4.5; });
        """
    )
    assert [] == low
    browser.look()
