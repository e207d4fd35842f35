"""`note`: say something of a session that was recorded."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kedro_journal.cli.annotate import annotate
from kedro_journal.cli.common import complete_id
from kedro_journal.cli.options import directory_options

__all__ = ["note"]


@click.command("note")
@click.argument("session_id", metavar="ID", shell_complete=complete_id)
@click.argument("text", metavar="TEXT")
@directory_options
@click.pass_context
def note(
    ctx: click.Context,
    *,
    session_id: str,
    text: str,
    project: Path | None,
    directory: Path | None,
) -> None:
    """Add a note to a session, also to a closed one.

    TEXT is the note; `-` reads it from standard input. Secrets in it are redacted. The
    journal of the session is not touched: the note is appended to the journal of notes
    in the journal directory. `show`, `list --json` and `report` have it.
    """
    said = sys.stdin.read().rstrip("\n") if text == "-" else text
    annotate(ctx, project, directory, session_id, "note", (said,))
