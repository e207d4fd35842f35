"""Numbers and times as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kedro_journal.state import Trace
from kedro_journal.views import Screen
from kedro_journal.views.table import Column, table
from kedro_journal.views.terminal import Span, cells, line, render, wrap
from kedro_journal.views.trace import trace_view
from kedro_journal.views.words import ago, bytes_size, duration, flatten, short_date

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0 ms"),
        (-0.2, "0 ms"),
        (-1.7e308, "0 ms"),
        (0.0042, "4 ms"),
        (3.214, "3.21 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min 00 s"),
        (75, "1 min 15 s"),
        (3599.6, "1 h 00 min"),
        (3 * 86400 + 7200, "3 d 02 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("before_s", "text"),
    [(-5, ""), (3, "just now"), (59, "59 seconds ago"), (60, "1 minute ago"),
     (7300, "2 hours ago"), (86400 * 3, "3 days ago")],
)  # fmt: skip
def test_ages(before_s, text):
    assert ago(NOW - timedelta(seconds=before_s), NOW) == text


def test_sizes():
    sizes = [bytes_size(size) for size in (0, 999, 1400, 23_000_000, 5 * 10**15)]

    assert sizes == ["0 B", "999 B", "1.4 kB", "23.0 MB", "5000.0 TB"]


def test_dates_are_as_short_as_they_can_be():
    screen = Screen(NOW, tz=UTC)
    dates = (NOW, NOW - timedelta(days=2), NOW - timedelta(days=400))

    assert [short_date(at, screen) for at in dates] == [
        "today 12:00",
        "Nov 20 12:00",
        "2025-10-18",
    ]


def test_nested_values_become_dotted_keys():
    values = {"a": {"b": {"c": 1}, "d": {}}, "e": [1]}

    assert flatten(values) == [("a.b.c", 1), ("a.d", {}), ("e", [1])]


COLUMNS = (Column("name"), Column("extra", drop=1), Column("count", right=True))


def test_a_table_leaves_out_what_is_empty_and_drops_what_does_not_fit():
    rows = [
        (line("a"), line("x" * 30), line("1")),
        (line("bbbb"), line(""), line("22")),
    ]
    empty = [(one, line(""), three) for one, _, three in rows]

    wide = render(table(COLUMNS, rows, None)).splitlines()
    narrow = render(table(COLUMNS, rows, 20)).splitlines()

    assert wide[1] == "a     " + "x" * 30 + "      1"
    assert narrow == ["name  count", "a         1", "bbbb     22"]
    assert render(table(COLUMNS, empty, None)).splitlines() == narrow


def test_wide_characters_count_as_two_columns():
    rows = [(line("温度"), line(""), line("1")), (line("abcd"), line(""), line("2"))]

    lines = table(COLUMNS, rows, None)

    assert len({cells(one) for one in lines}) == 1


def test_a_traced_value_that_json_has_not_is_shown_as_a_number() -> None:
    found = Trace(
        name="params:x", kind="parameter", value={"$float": "nan"}, origin="x.yml:1"
    )
    shown = trace_view("s", [found], Screen(now=datetime(2026, 1, 2, tzinfo=UTC)))
    assert "params:x = nan\n" in shown


@pytest.mark.parametrize("width", [40, 41, 57, 80])
@pytest.mark.parametrize("margin", [0, 4])
def test_long_lines_break_between_words(width, margin):
    words = [*["word", "列車", "x"] * 20, "/a" * 50, *["end"] * 9]
    whole = line(
        Span(" " * margin), Span(" ".join(words[:30]), "bad"), " ", *words[30:31]
    )
    whole = line(*whole, " ", Span(" ".join(words[31:]), "dim"))
    parts = wrap(whole, width)
    texts = ["".join(span.text for span in part) for part in parts]
    assert " ".join(text.strip() for text in texts).split() == words
    assert all(
        text[:margin].strip() == "" != text[margin : margin + 1] for text in texts
    )
    assert [t for t in texts if cells(t) > width] == [" " * margin + "/a" * 50]
    assert {span.role for part in parts for span in part} == {"", "bad", "dim"}
    assert wrap(whole, None) == [whole]
    assert wrap(line("short"), width) == [line("short")]
