"""`demo`: a small project, and what its journals say of its runs."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kedro_journal.cli.common import say
from kedro_journal.cli.options import json_option
from kedro_journal.errors import JournalError

if TYPE_CHECKING:
    from kedro_journal.demo.story import Story

__all__ = ["demo"]


@click.command("demo")
@click.argument("directory", default="journal-demo", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace the project of an earlier demo.")
@json_option
def demo(directory: Path, *, force: bool, as_json: bool) -> None:
    """Run, break, kill and resume a small project.

    DIRECTORY is where the project goes; it stays there, to be tried out. Needs no
    network and no git, and takes less than a minute. Exits with 0 only if every step
    showed what it claims.

    With --json: one object with ok, error, project, journals, duration_s and steps,
    each of them with step, title, ok, duration_s, commands, session_id, verdict,
    exit_code, nodes_completed, nodes_planned, broke_in and facts. The story goes to
    stderr.
    """
    from kedro_journal.demo.project import check_folder, check_starter
    from kedro_journal.demo.story import Story
    from kedro_journal.demo.voice import Voice
    from kedro_journal.views.data import json_text

    folder = directory.resolve()
    check_folder(folder, force=force)
    check_starter()
    story = Story(folder, Voice(to_stderr=as_json))
    began = time.monotonic()
    error: str | None = "it did not end"
    try:
        with _killing_children_at_sigterm():
            story.tell()
        error = None
    except JournalError as problem:
        error = str(problem)
        message = f"{error} {_what_is_left(story)}".rstrip()
        raise JournalError(message, exit_code=problem.exit_code) from problem
    except (OSError, KeyboardInterrupt) as problem:
        stopped = isinstance(problem, KeyboardInterrupt)
        error = "stopped by Ctrl-C" if stopped else str(problem)
        first = "stopped; what was running was killed" if stopped else "broken off"
        left = _what_is_left(story) or "Nothing is left of it."
        say(f"\nkedro-journal: {first}. {left}")
        raise
    finally:
        if as_json:
            seconds = round(time.monotonic() - began, 3)
            click.echo(json_text(_summary(story, error, seconds)), nl=False)


@contextlib.contextmanager
def _killing_children_at_sigterm() -> Iterator[None]:
    def leave(number: int, frame: object) -> None:
        sys.exit(128 + number)  # as shells count; what was started is ended on the way

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _what_is_left(story: Story) -> str:
    from kedro_journal.demo.process import as_typed
    from kedro_journal.views.terminal import escape
    from kedro_journal.views.words import count

    folder = story.folder
    if not folder.is_dir() or not any(folder.iterdir()):
        return ""
    shown = escape(str(folder))
    again = as_typed("kedro-journal", "demo", str(folder), "--force")
    left = f"The project is left in {shown}"
    try:
        sessions = len(story.where.ids())
    except JournalError:
        sessions = 0
    if sessions:
        left += f", with {count(sessions, 'session')} for `kedro-journal list`"
    return f"{left}; `{escape(again)}` starts again."


def _summary(story: Story, error: str | None, seconds: float) -> dict[str, Any]:
    return {
        "ok": error is None,
        "error": error,
        "project": str(story.folder),
        "journals": str(story.where.path),
        "duration_s": seconds,
        "steps": story.steps,
    }
