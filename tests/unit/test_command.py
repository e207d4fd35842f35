"""What ended a command, seen while click ends it."""

from __future__ import annotations

from collections.abc import Callable

import click
import pytest

from kedro_journal.hooks.command import ending_error


def ended_by(work: Callable[[], object]) -> BaseException | None:
    """Give what `ending_error` says when click, as 8.1 does, exits for this work."""
    try:
        try:
            work()
        except click.exceptions.Exit as error:
            raise SystemExit(error.exit_code) from None
        except click.Abort:
            raise SystemExit(1) from None
    except BaseException:
        return ending_error()
    return None


def leave(error: BaseException) -> Callable[[], object]:
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    "error",
    [click.exceptions.Exit(0), SystemExit(0), SystemExit(None), SystemExit()],
    ids=repr,
)
def test_an_exit_without_a_code_is_no_failure(error: BaseException) -> None:
    assert ended_by(leave(error)) is None


@pytest.mark.parametrize(
    "error", [click.exceptions.Exit(3), click.Abort(), SystemExit(3), KeyError("x")]
)
def test_any_other_end_is_one(error: BaseException) -> None:
    assert ended_by(leave(error)) is error


def test_what_click_made_of_an_interrupt_is_one() -> None:
    def work() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise click.Abort from error

    assert isinstance(ended_by(work), KeyboardInterrupt)
