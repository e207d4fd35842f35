"""`report`: a session, a group or all sessions as one HTML file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals, session_argument
from kedro_journal.cli.options import directory_options, group_option
from kedro_journal.console import moments_of, screen
from kedro_journal.errors import CorruptJournal
from kedro_journal.journal import JournalDirectory, read
from kedro_journal.replaying import replay_folder, replay_group
from kedro_journal.replaying.later import later_for
from kedro_journal.replaying.locate import resumed_by
from kedro_journal.state import SessionState
from kedro_journal.views.terminal import escape

__all__ = ["report"]


@click.command("report")
@session_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    default="report.html",
    show_default=True,
    help="The file to write; `-` for stdout.",
)
@click.option("--no-events", is_flag=True, help="Leave out the list of events.")
@group_option
@directory_options
@click.pass_context
def report(
    ctx: click.Context,
    *,
    session_id: str,
    output: Path,
    no_events: bool,
    group_id: str | None,
    project: Path | None,
    directory: Path | None,
) -> None:
    """Write a session as one self-contained HTML file.

    The page has the verdict and its cause, what was requested, a Gantt chart, the graph
    of the nodes, tables of nodes, datasets and parameters, the failure with its source
    lines, notes, logs and events. It needs no server and no network, and fetches
    nothing. An existing file is replaced once the new one is complete.

    With --group instead of ID: sibling sessions on one clock.

    A damaged journal is no error: the page says so and shows what can be read.
    """
    given = ctx.get_parameter_source("session_id")
    is_given = given is not None and given.name not in ("DEFAULT", "DEFAULT_MAP")
    if group_id is not None and is_given:
        raise click.UsageError("Give either a session's ID or --group.")
    where = open_journals(ctx, project, directory)
    here = screen()
    if group_id is not None:
        from kedro_journal.report.group_page import group_page

        text = group_page(replay_group(group_id, directory=where.path), here)
    else:
        text = _session(where, session_id, events=not no_events)
    _write(text, output)


def _session(where: JournalDirectory, session_id: str, *, events: bool) -> str:
    from kedro_journal.report.page import report_page

    chosen = choose(where, session_id)
    state, damaged = _read(chosen.folder)
    records = tuple(read(chosen.file, mode="salvage")) if events else ()
    return report_page(
        state,
        screen(),
        moments=moments_of(chosen.file, state),
        records=records,
        damaged=damaged,
        journal=str(chosen.file),
        resumed_by=resumed_by(chosen.where, chosen.session_id) or "",
        later=later_for(chosen.where, chosen.session_id, state.uid),
    )


def _read(folder: Path) -> tuple[SessionState, bool]:
    try:
        return replay_folder(folder), False
    except CorruptJournal:
        return replay_folder(folder, salvage=True), True


def _write(text: str, output: Path) -> None:
    """Write the page, whole or not at all; replace a file, never a device or a link."""
    if str(output) == "-":
        click.echo(text, nl=False)
        return
    if output.exists() and not output.is_file():  # a device or a pipe
        output.write_text(text, "utf-8")
        return
    target = output.resolve()
    number, name = tempfile.mkstemp(prefix=".report-", dir=target.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    size = f"{len(text.encode()) / 1000:.0f} kB"
    click.echo(f"Wrote {escape(str(output))} ({size}).", err=True)
