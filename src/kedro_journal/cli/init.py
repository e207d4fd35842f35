"""`init`: make a project's sessions journal everything."""

from __future__ import annotations

import contextlib
import difflib
import os
import shutil
import tomllib
from pathlib import Path
from typing import Any

import click

from kedro_journal.config import find_project
from kedro_journal.errors import JournalError
from kedro_journal.views.terminal import Span, escape, line, render

from .common import project_of, screen
from .options import project_option
from .settings_file import INSTRUCTIONS, Edit, set_session_class

__all__ = ["init"]


@click.command("init")
@project_option
@click.option("--dry-run", is_flag=True, help="Show the change, write nothing.")
@click.pass_context
def init(ctx: click.Context, project: Path | None, dry_run: bool) -> None:
    """Set SESSION_CLASS in the project's settings.py.

    Runs are journaled as soon as kedro-journal is installed. With the session class,
    sessions also record when they are created, activated, interrupted and closed, and
    what failed before a run. Adds an import and the setting; running it again
    changes nothing. Nothing of the project is run or imported.
    """
    root = project_of(ctx, project)
    if root is None or find_project(root) != root.resolve():
        where = root or Path.cwd()
        message = (
            f"{where}: no Kedro project: no pyproject.toml with [tool.kedro] in it "
            "or above it. Nothing was changed; give --project."
        )
        raise JournalError(message)
    path = _settings_path(root)
    before = _content(path)
    edit = set_session_class(before)
    shown = escape(_short(path, root))
    if edit.outcome == "present":
        click.echo(
            f"{shown}:{edit.line} sets SESSION_CLASS already; nothing to change."
        )
        return
    if edit.outcome == "refused":
        raise _refusal(path, edit)
    click.echo(_diff(before, edit.after, _short(path, root)), nl=False)
    if dry_run:
        click.echo(f"\n{shown} would be changed so; --dry-run wrote nothing.")
        return
    _replace(path, edit.after)
    click.echo(
        f"\n{shown} changed. The next `kedro run` is journaled as a whole; "
        "`kedro-journal show` shows it."
    )


def _settings_path(root: Path) -> Path:
    pyproject = root / "pyproject.toml"
    try:
        kedro = tomllib.loads(pyproject.read_text(encoding="utf-8"))["tool"]["kedro"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
        message = f"{pyproject}: does not read: {error}. Nothing was changed."
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
        message = f"{path}: does not read: {reason}. Nothing was changed; {_by_hand()}"
        raise JournalError(message) from error


def _refusal(path: Path, edit: Edit) -> JournalError:
    where = f"{path}:{edit.line}" if edit.line else str(path)
    return JournalError(f"{where}: {edit.reason}. Nothing was changed; {_by_hand()}")


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
