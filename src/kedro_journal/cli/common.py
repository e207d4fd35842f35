"""What the reading commands share: options, the journal directory, the screen."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from kedro_journal.config import ENV_PREFIX, Config, find_project
from kedro_journal.errors import (
    ConfigError,
    JournalError,
    JournalNotFound,
    NewerJournal,
)
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.replaying.locate import open_directory
from kedro_journal.replaying.reference import WORDS, Place, parse
from kedro_journal.replaying.select import Chosen, Purpose, select
from kedro_journal.state import SessionState
from kedro_journal.state.unread import is_unreadable
from kedro_journal.views.terminal import escape

__all__ = [
    "choose",
    "choose_to_run",
    "complete_id",
    "exit_if_unread",
    "journals_quietly",
    "logs_aside",
    "open_journals",
    "session_argument",
    "told",
    "wait_for_first",
]

_WAIT_S: Final = 0.1  # between two looks for a first session

_F = TypeVar("_F", bound=Callable[..., Any])


def session_argument(command: _F) -> _F:
    """Return a command the optional argument ID."""
    argument = click.argument(
        "session_id",
        metavar="[ID]",
        default="latest",
        shell_complete=complete_id,
    )
    return argument(command)


def complete_id(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[str]:
    """Return the ids and words that an ID may be, for shell completion."""
    try:
        where = journals_quietly(
            ctx, ctx.params.get("project"), ctx.params.get("directory")
        )
        ids = [*reversed(where.ids()), *WORDS]
    except (JournalError, OSError):
        return []
    return [session_id for session_id in ids if session_id.startswith(incomplete)]


def journals_quietly(
    ctx: click.Context, project: Path | None, directory: Path | None
) -> JournalDirectory:
    """Return the journal directory that is meant, and print nothing.

    Raises:
        ConfigError: The setting `directory` is invalid.
        JournalError: The archive is damaged.
    """
    return open_directory(project_of(ctx, project), directory, on_mistake=_ignore)


def project_of(ctx: click.Context, project: Path | None) -> Path | None:
    """Find the project that is meant: given, Kedro's, or around here."""
    if project is not None:
        return find_project(project, broken=True) or project
    path = getattr(ctx.obj, "project_path", None)
    return Path(path) if path is not None else find_project(broken=True)


def project_needed(ctx: click.Context, project: Path | None) -> Path | None:
    """Find the project that is meant, as `project_of` does.

    Raises:
        ConfigError: Its setting `directory` is invalid.
        JournalError: There is none, and no journals either.
    """
    root = project_of(ctx, project)
    _check(root, project, open_directory(root, on_mistake=_ignore))
    return root


def open_journals(
    ctx: click.Context,
    project: Path | None,
    directory: Path | None,
    *,
    may_be_missing: bool = False,
    is_changed: bool = False,
) -> JournalDirectory:
    """Return the journal directory that is meant; print mistakes in settings.

    Args:
        ctx: Of the command.
        project, directory: As they were given.
        may_be_missing: Accept a *directory* that does not exist yet.
        is_changed: The command changes the directory: an archive is refused.

    Raises:
        ConfigError: The setting `directory` is invalid.
        JournalError: There is no project, and no journals either; or *directory* is
            not a journal directory.
    """
    root = project_of(ctx, project)
    where = open_directory(root, directory, on_mistake=_warn)
    if directory is None:
        if not any(map(_is_path, ctx.params.values())):
            _check(root, project, where)
    elif where.path != directory:
        if is_changed:
            message = f"{directory}: an archive is only read, never changed."
            raise JournalError(message, exit_code=2)
    else:
        _check_given(directory, may_be_missing=may_be_missing)
    return where


def _check_given(directory: Path, *, may_be_missing: bool) -> None:
    """Refuse a `--directory` that is none, or is a session folder."""
    if (directory / JOURNAL_NAME).is_file():
        folder = directory.resolve()
        message = (
            f"{directory} is a session folder, not a journal directory: give its path "
            f"as the ID ({folder}), or --directory {folder.parent}."
        )
        raise JournalError(message, exit_code=2)
    if directory.is_file():
        message = f"{directory}: it is neither a journal directory nor an archive."
        raise JournalError(message, exit_code=2)
    if not may_be_missing and not directory.is_dir():
        message = f"{directory}: no such directory. --directory is a journal directory."
        raise JournalError(message, exit_code=JournalNotFound.exit_code)


def choose(where: JournalDirectory, wanted: str, purpose: Purpose = "show") -> Chosen:
    """Find the session that is meant; stderr says which newer ones were passed over.

    Raises:
        JournalError: As for `select`.
    """
    return told(select(where, wanted, purpose))


def told(chosen: Chosen) -> Chosen:
    """Name on stderr the newer sessions that were passed over for one."""
    if chosen.note:
        say(f"session {chosen.session_id} {chosen.note}")
    return chosen


def wait_for_first(where: JournalDirectory) -> Chosen:
    """Find the latest session; without any, wait for the first one and say so."""
    told = False
    while True:
        try:
            return choose(where, "latest")
        except JournalNotFound:
            if not told:
                say(f"kedro-journal: waiting for a first session in {where.path}")
                told = True
            time.sleep(_WAIT_S)


def _is_path(given: object) -> bool:
    """Return whether an argument names an existing session by its path."""
    if isinstance(given, tuple | list):
        return any(map(_is_path, given))
    if not isinstance(given, str) or not isinstance(
        parse(given, datetime.now()), Place
    ):
        return False
    return os.path.exists(given)  # noqa: PTH110 - any text may be given


def _check(root: Path | None, given: Path | None, where: JournalDirectory) -> None:
    """Refuse a folder that is not a project: it would look like an empty one."""
    found = root is not None and find_project(root, broken=True) is not None
    if found or f"{ENV_PREFIX}DIRECTORY" in os.environ or where.ids():
        return
    message = (
        f"{given or Path.cwd()}: no Kedro project: no pyproject.toml with "
        f"[tool.kedro] there or above it, and no journals in {where.path}. Run it in "
        "a project, or give --project or --directory."
    )
    raise JournalError(message, exit_code=JournalNotFound.exit_code)


def choose_to_run(root: Path | None, wanted: str) -> str:
    """Find the session to run again, as `choose` does, in a project's directory.

    Returns:
        Its id, or its path if that is not in the directory.
    """
    where = open_directory(root, on_mistake=_ignore)
    chosen = choose(where, wanted, "run")
    return chosen.session_id if chosen.where is where else str(chosen.folder)


def _warn(mistake: ConfigError) -> None:
    text = f"Warning: {escape(str(mistake))}"
    if mistake.key not in Config.__struct_fields__:  # it may be meant to be any
        text += " If it is to set `directory`, the journals are elsewhere."
    say(text)


def _ignore(mistake: ConfigError) -> None:
    """Do nothing: the error is reported elsewhere."""


@contextlib.contextmanager
def logs_aside() -> Iterator[None]:
    """Send to stderr what Kedro and the project print: stdout has the answer alone.

    By the descriptor too, for worker processes inherit that.
    """
    sys.stdout.flush()
    try:
        kept = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # closed, as in some daemons
        kept = -1
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if kept >= 0:
            os.dup2(kept, 1)
            os.close(kept)


def exit_if_unread(ctx: click.Context, state: SessionState) -> None:
    """End the command with exit code 5 if the outcome cannot be read."""
    if state.verdict == "unknown" and is_unreadable(state):
        ctx.exit(NewerJournal.exit_code)


def say(text: str) -> None:
    """Return a person something on stderr, beside the answer."""
    click.echo(text, err=True)


def write(chunks: Iterable[str]) -> None:
    """Print an answer."""
    for chunk in chunks:
        click.echo(chunk, nl=False)
