"""What ended a command: an exit code is made of many things, and some make none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import click
import pytest

from kedro_journal.hooks.command import ending_error


def leaves(call: Callable[[], object]) -> tuple[SystemExit, BaseException | None]:
    """Call, and ask what ended the command while the exit is on its way."""
    try:
        call()
    except SystemExit as error:
        return error, ending_error()
    pytest.fail("there was no exit")


def ended_by(error: BaseException, code: int | None) -> BaseException | None:
    """Exit because of an error, as click does, and ask what ended the command."""

    def fails() -> None:
        try:
            raise error
        except type(error):
            sys.exit(code)

    return leaves(fails)[1]


def exits() -> None:
    sys.exit(3)


@pytest.mark.parametrize("code", [0, None])
def test_a_command_that_ended_well_was_ended_by_nothing(code: int | None) -> None:
    assert ended_by(click.exceptions.Exit(0), code) is None


def test_what_click_made_an_exit_of_is_what_ended_it() -> None:
    error = ValueError("no such pipeline")
    assert ended_by(error, 1) is error


def test_an_abort_of_clicks_was_ctrl_c() -> None:
    interrupt = KeyboardInterrupt()
    abort = click.exceptions.Abort()
    abort.__cause__ = interrupt
    assert ended_by(abort, 1) is interrupt


def test_an_exit_in_a_worker_process_is_an_exit() -> None:
    """Its traceback comes along as the cause, which is an exception only in form."""
    with ProcessPoolExecutor(1) as pool:
        error, found = leaves(pool.submit(exits).result)
    assert error.__cause__ is not None
    assert found is error


@click.command()
@click.argument("what")
def command(what: str) -> None:
    """End as that exception ends."""
    if what == "exit":
        click.get_current_context().exit(1)
    raise {
        "ctrl-c": KeyboardInterrupt(),
        "abort": click.Abort(),
        "refused": click.ClickException("not today"),
    }[what]


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        ("ctrl-c", KeyboardInterrupt),
        ("refused", click.ClickException),
    ],
)
def test_what_this_click_left_before_it_exited_ended_the_command(
    what: str, kind: type[BaseException]
) -> None:
    try:
        command.main([what], prog_name="command")
    except SystemExit:
        found = ending_error()

    assert isinstance(found, kind)


def test_an_exit_that_click_was_asked_for_is_no_interruption() -> None:
    try:
        command.main(["exit"], prog_name="command")
    except SystemExit:
        found = ending_error()

    assert not isinstance(found, KeyboardInterrupt)
