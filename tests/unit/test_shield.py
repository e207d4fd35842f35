"""What is between the run and us: our own mistakes, and those of who is told of them."""

from __future__ import annotations

import io
import logging
import signal
from collections.abc import Iterator

import pytest

from kedro_journal.errors import JournalClosed, JournalError
from kedro_journal.recording import signals
from kedro_journal.recording.link import Shield
from kedro_journal.recording.say import say

LOGGER = logging.getLogger("kedro_journal")


@pytest.fixture
def handler() -> Iterator[list[logging.Handler]]:
    """Handlers put here are the logger's for one test."""
    handlers: list[logging.Handler] = []
    before, LOGGER.handlers = LOGGER.handlers, handlers
    yield handlers
    LOGGER.handlers = before


def strict_error() -> JournalError:
    from pathlib import Path

    error = JournalClosed(Path("journal.jsonl"), 3)
    error.strict = True
    return error


def test_what_we_say_is_no_markup(handler: list[logging.Handler]) -> None:
    rich_logging = pytest.importorskip("rich.logging")
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=200)
    handler.append(rich_logging.RichHandler(console=console, markup=True))
    say(logging.WARNING, "set it in %s, not in %s.", "[tool.kedro_journal]", "[/x]")
    assert (
        "kedro-journal: set it in [tool.kedro_journal], not in [/x]." in out.getvalue()
    )


def test_who_is_told_may_raise(handler: list[logging.Handler]) -> None:
    class Raises(logging.Handler):
        told = 0

        def emit(self, record: logging.LogRecord) -> None:
            self.told += 1
            raise OSError("the log is full")

    raises = Raises()
    handler.append(raises)
    say(logging.WARNING, "a thing")
    say(logging.WARNING, "%d", "no number")
    assert 2 == raises.told


def test_a_mistake_of_ours_is_said_once_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shield = Shield()
    with caplog.at_level(logging.WARNING, "kedro_journal"):
        for _ in range(3):
            with shield:
                raise KeyError("a bug")
    assert 1 == len(caplog.records)
    assert "KeyError in its own code" in caplog.text


def test_what_strict_raises_goes_through_but_not_over_an_error_of_the_user() -> None:
    with pytest.raises(JournalClosed), Shield():
        raise strict_error()
    with Shield(strict=False):
        raise strict_error()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_process_goes_through(kind: type[BaseException]) -> None:
    with pytest.raises(kind), Shield(strict=False):
        raise kind


@pytest.mark.usefixtures("default_signals")
def test_a_watcher_that_fails_keeps_no_process_alive(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    died: list[int] = []
    monkeypatch.setattr(signals, "die", died.append)
    told: list[str] = []

    def fails(number: int) -> bool:
        told.append("fails")
        raise strict_error()

    def works(number: int) -> bool:
        told.append("works")
        return True

    before = signal.getsignal(signal.SIGTERM)
    signals.watch(works)
    signals.watch(fails)
    try:
        signal.raise_signal(signal.SIGTERM)
    finally:
        signals.unwatch(fails)
        signals.unwatch(works)
    assert (["fails", "works"], [signal.SIGTERM]) == (told, died)
    assert before == signal.getsignal(signal.SIGTERM)
    assert "SIGTERM is not recorded" in caplog.text
