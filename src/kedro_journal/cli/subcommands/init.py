"""`init`: make a project's sessions journal everything."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click

from kedro_journal.cli.common import project_of
from kedro_journal.cli.options import project_option
from kedro_journal.cli.settings_file import (
    INSTRUCTIONS,
    Edit,
    set_session_class,
    unset_session_class,
)
from kedro_journal.config import find_project
from kedro_journal.console import screen
from kedro_journal.errors import JournalError, JournalNotFound
from kedro_journal.views.terminal import Span, escape, line, render

__all__ = ["init"]


@click.command("init")
@project_option
@click.option("--undo", is_flag=True, help="Remove the lines that `init` added.")
@click.option("--dry-run", is_flag=True, help="Show the change, write nothing.")
@click.pass_context
def init(
    ctx: click.Context, *, project: Path | None, undo: bool, dry_run: bool
) -> None:
    """Set the session class in settings.py.

    Runs are journaled as soon as kedro-journal is installed. With the session class,
    sessions also record when they are created, activated, interrupted and closed, and
    what failed before a run. Adds a guarded import and the setting: without
    kedro-journal the project runs with Kedro's own session. Running it again changes
    nothing, and --undo removes the lines. No code of the project is run or imported.
    """
    root = project_of(ctx, project)
    if root is None or find_project(root) != root.resolve():
        where = root or Path.cwd()
        message = (
            f"{where}: not a Kedro project: there is no pyproject.toml with "
            "[tool.kedro] in it or above it. Nothing was changed; give --project."
        )
        raise JournalError(message, exit_code=JournalNotFound.exit_code)
    path = _settings_path(root)
    before = _content(path)
    edit = unset_session_class(before) if undo else set_session_class(before)
    shown = escape(_short(path, root))
    if edit.outcome == "present":
        click.echo(
            f"{shown}:{edit.line} sets SESSION_CLASS already; nothing to change."
        )
        return
    if edit.outcome == "absent":
        click.echo(f"{shown} does not set our SESSION_CLASS; nothing to remove.")
        return
    if edit.outcome == "refused":
        raise _refusal(path, edit, undo=undo)
    click.echo(_diff(before, edit.after, _short(path, root)), nl=False)
    if dry_run:
        click.echo(f"\nNothing was written to {shown}: this was a dry run.")
        return
    _replace(path, edit.after)
    if undo:
        click.echo(
            f"\n{shown} changed. Runs are still journaled by the plugin's hooks. To "
            "stop that too, uninstall kedro-journal or set "
            'DISABLE_HOOKS_FOR_PLUGINS = ("kedro-journal",).'
        )
        return
    click.echo(
        f"\n{shown} changed. The next `kedro run` is journaled completely; "
        "`kedro-journal show` shows it."
    )
    _name_requirement(root)


def _name_requirement(root: Path) -> None:
    """Name the requirement that colleagues and CI need, unless it is declared."""
    requirements = root / "requirements.txt"
    declared = ""
    for path in (requirements, root / "pyproject.toml"):
        with contextlib.suppress(OSError):
            declared += path.read_text(encoding="utf-8", errors="replace")
    if re.search(r"kedro[-_.]journal\b(?!\])", declared, re.IGNORECASE):
        return
    place = (
        "requirements.txt"
        if requirements.is_file()
        else "the dependencies in pyproject.toml"
    )
    click.echo(
        f"Add `kedro-journal` to {place}, so that others who run this project "
        "journal their runs as well."
    )


def _settings_path(root: Path) -> Path:
    pyproject = root / "pyproject.toml"
    try:
        kedro = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["kedro"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        message = f"Cannot read {pyproject}: {error}. Nothing was changed."
        raise JournalError(message) from error
    package: Any = kedro.get("package_name") if isinstance(kedro, dict) else None
    source: Any = kedro.get("source_dir", "src") if isinstance(kedro, dict) else None
    named = isinstance(package, str) and isinstance(source, str)
    if not named or not all(part.isidentifier() for part in package.split(".")):
        message = (
            f"{pyproject}: [tool.kedro] needs package_name, and source_dir if it is "
            f"not src. Nothing was changed; {_by_hand()}"
        )
        raise JournalError(message)
    folder = (root / Path(source).expanduser()).resolve()
    if not folder.is_relative_to(root.resolve()):
        message = (
            f"{pyproject}: source_dir {source} is outside the project. Nothing was "
            f"changed; {_by_hand()}"
        )
        raise JournalError(message)
    return folder.joinpath(*package.split(".")) / "settings.py"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"Cannot read {path}: {reason}. Nothing was changed; {_by_hand()}"
        raise JournalError(message) from error


def _refusal(path: Path, edit: Edit, *, undo: bool) -> JournalError:
    where = f"{path}:{edit.line}" if edit.line else str(path)
    advice = "remove the setting by hand." if undo else _by_hand()
    return JournalError(f"{where}: {edit.reason}. Nothing was changed; {advice}")


def _by_hand() -> str:
    code = "; ".join(INSTRUCTIONS)
    return (
        f"to do it by hand put `{code}` in settings.py, or let your class inherit "
        "from that KedroSession."
    )


def _short(path: Path, root: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(root.resolve()))
    return str(path)


def _diff(before: bytes, after: bytes, name: str) -> str:
    old, new = (
        text.decode("utf-8", "replace").splitlines() for text in (before, after)
    )
    made = difflib.unified_diff(old, new, name, name, lineterm="")
    roles = {"+": "good", "-": "bad", "@": "busy"}
    lines = [line(Span(text, roles.get(text[:1], ""))) for text in made]
    return render(lines, screen().paint)


def _replace(path: Path, content: bytes) -> None:
    """Put new content in place of a file in one step, with the mode it had."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        reason = error.strerror or str(error)
        message = f"{path}: cannot be written: {reason}. Nothing was changed."
        raise JournalError(message) from error
