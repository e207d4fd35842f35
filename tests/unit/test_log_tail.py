"""The last log records of running nodes, as a process keeps them."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from kedro_journal.active import Where
from kedro_journal.config import Config
from kedro_journal.events import LogLine
from kedro_journal.recording.log_records import Listener
from kedro_journal.recording.log_tail import LogTails

HERE = Where("s", "r", 1, "train")


def test_only_the_last_ones_are_kept_and_only_until_they_are_taken() -> None:
    tails = LogTails()
    for number in range(5):
        tails.add(HERE, LogLine(text=str(number)), 3)

    taken = tails.take("s", "r", 1, "train")

    assert [one.text for one in taken] == ["2", "3", "4"]
    assert tails.take("s", "r", 1, "train") == ()


def test_the_end_of_a_run_drops_those_of_its_nodes_alone() -> None:
    tails = LogTails()
    tails.add(HERE, LogLine(text="one"), 3)
    tails.add(HERE._replace(attempt=2), LogLine(text="two"), 3)

    tails.end_run("r", 1)

    assert tails.take("s", "r", 1, "train") == ()
    assert tails.take("s", "r", 2, "train")[0].text == "two"


def test_a_worker_that_is_not_told_of_failures_keeps_a_bounded_number_of_nodes() -> (
    None
):
    tails = LogTails()
    for number in range(300):
        tails.add(HERE._replace(node=str(number)), LogLine(text="one"), 3)

    assert tails.take("s", "r", 1, "0") == ()
    assert tails.take("s", "r", 1, "299")
    assert sum(bool(tails.take("s", "r", 1, str(n))) for n in range(300)) == 255


def without_handlers(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """Take the handlers away, which pytest adds at the start of each phase."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    return root


def listener(**settings: Any) -> Listener:
    return Listener(Config(**settings), SimpleNamespace(session_id="s", recorder=None))


def test_it_does_not_take_the_place_of_pythons_last_resort(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare_root = without_handlers(monkeypatch)
    one = listener()
    one.listen()
    alone = list(bare_root.handlers)
    other = logging.NullHandler()
    bare_root.addHandler(other)
    one.listen()
    beside = list(bare_root.handlers)
    one.stop()

    assert alone == []
    assert beside == [other, one]
    assert bare_root.handlers == [other]


@pytest.mark.parametrize(
    "settings", [{"log_tail": 0}, {"error_text": "type"}], ids=["off", "types only"]
)
def test_where_nothing_is_kept_there_is_no_handler(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    bare_root = without_handlers(monkeypatch)
    bare_root.addHandler(logging.NullHandler())
    listener(**settings).listen()

    assert len(bare_root.handlers) == 1
