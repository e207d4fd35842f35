"""`viz`: a session in Kedro-Viz, without its project."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path
from typing import Final, NoReturn

import click

from kedro_journal.cli.common import choose, open_journals, session_argument
from kedro_journal.cli.options import directory_options
from kedro_journal.console import screen
from kedro_journal.errors import JournalError
from kedro_journal.replaying import replay_folder
from kedro_journal.state import RunState, SessionState
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import escape
from kedro_journal.views.viz import viz_files

__all__ = ["viz"]

_PACKAGE: Final = "kedro-viz"
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("viz")
@session_argument
@click.option(
    "-o", "--output", type=_FOLDER, help="The folder to write.  [default: viz-ID]"
)
@click.option(
    "--static", type=_FOLDER, help="Write a whole site there; Kedro-Viz is needed."
)
@click.option("--run", "run_id", help="A run of the session.  [default: the last]")
@directory_options
@click.pass_context
def viz(
    ctx: click.Context,
    *,
    session_id: str,
    output: Path | None,
    static: Path | None,
    run_id: str | None,
    project: Path | None,
    directory: Path | None,
) -> None:
    """Show a session in Kedro-Viz, with its own graph and status.

    Writes the folder that `kedro viz run --load-file` opens, and prints that command.
    The graph is that of the run, whatever the project is by now; the status is that of
    its nodes and datasets. Neither the project nor its packages are needed. With
    --static the folder also has the pages of the Kedro-Viz that is installed here: any
    web server serves it.

    Kedro-Viz knows two statuses. A node that was cut off is shown as failed, with a
    message that says how; one that did not begin, or still runs, as skipped.
    """
    if output is not None and static is not None:
        raise click.UsageError("Give either --output or --static.", ctx)
    pages = _pages() if static is not None else None
    chosen = choose(open_journals(ctx, project, directory), session_id, "run")
    state = replay_folder(chosen.folder, salvage=True)
    files = viz_files(state, _run(state, run_id), screen().now, _version())
    folder = static or output or Path(f"viz-{chosen.session_id}")
    _check(folder)
    try:
        if pages is not None:
            shutil.copytree(pages, folder, dirs_exist_ok=True)
        for name, content in files.items():
            path = folder / "api" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json_text(content), encoding="utf-8")
    except OSError as error:
        _refuse(f"{error.filename or folder}: {error.strerror or error}.")
    # Kedro-Viz puts the working directory before the path that it is given.
    shown = escape(os.path.relpath(folder))
    if static is None:
        click.echo(f"kedro viz run --load-file {shown}")
    else:
        click.echo(f"python -m http.server --directory {shown}")


def _run(state: SessionState, run_id: str | None) -> RunState:
    fitting = [run for run in state.runs if run_id in (None, run.run_id)]
    if not fitting:
        what = (
            "no run of it was begun" if run_id is None else f"it has no run {run_id!r}"
        )
        _refuse(f"session {state.session_id}: {what}, so that there is no graph.", 3)
    return fitting[-1]


def _refuse(message: str, exit_code: int = 1) -> NoReturn:
    raise JournalError(message, exit_code=exit_code)


def _check(folder: Path) -> None:
    """Refuse a folder that has other things in it."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "api/main").exists():
        _refuse(f"{folder}: the folder has other files in it. Name a new one.", 2)


def _version() -> str:
    try:
        return importlib.metadata.version(_PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return "0.0.0"


def _pages() -> Path:
    """Return the pages of the Kedro-Viz that is installed, without importing it."""
    spec = importlib.util.find_spec("kedro_viz")
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    for place in places:
        if (Path(place) / "html" / "index.html").is_file():
            return Path(place) / "html"
    _refuse(f"--static needs the pages of Kedro-Viz: pip install {_PACKAGE}.")
