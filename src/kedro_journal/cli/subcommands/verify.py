"""`verify`: check every record of a journal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from kedro_journal.cli.common import (
    choose,
    open_journals,
    say,
    session_argument,
)
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.errors import JournalError, NewerJournal
from kedro_journal.journal import JournalDirectory, Verification
from kedro_journal.journal import verify as verify_file
from kedro_journal.views.data import json_text
from kedro_journal.views.health import verification_view

__all__ = ["verify"]

EXIT_DAMAGED = 4


@click.command("verify")
@session_argument
@click.option("every", "--all", is_flag=True, help="Check every session.")
@directory_options
@json_option
@click.pass_context
def verify(
    ctx: click.Context,
    *,
    session_id: str,
    every: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Check every record of a journal. Writes nothing.

    Exits with 0 if nothing is lost, with 4 if records are damaged, lost or foreign. A
    torn tail is normal after a crash. Exits with 5 if a newer version wrote the journal
    in a line format that this one does not know, or no record of it can be read.

    With --json: one object with session_id, ok, records, last_seq, closed, size_bytes,
    unknown (records of types unknown to this version), newer_format (their line format
    if it is newer, else 0) and findings (kind, severity, offset, length, seq, lost,
    detail); with --all an array of them.
    """
    where = open_journals(ctx, project, directory)
    if every and ctx.get_parameter_source("session_id") != (
        click.core.ParameterSource.DEFAULT
    ):
        message = "--all checks every session: give it without an ID."
        raise click.UsageError(message, ctx)
    checked: list[tuple[str, Verification]] = []
    refused = 0
    if not every:
        chosen = choose(where, session_id)
        checked.append((chosen.session_id, verify_file(chosen.file)))
    for one in where.ids() if every else ():
        try:
            checked.append((one, verify_file(where.file(one))))
        except (JournalError, OSError) as error:
            refused += 1
            say(f"kedro-journal: {one}: not readable: {error}")
    _print(where, checked, every=every, refused=refused, as_json=as_json)
    if refused or not all(found.ok for _, found in checked):
        ctx.exit(EXIT_DAMAGED)
    if any(_is_unread(found) for _, found in checked):
        ctx.exit(NewerJournal.exit_code)


def _is_unread(found: Verification) -> bool:
    all_unknown = 0 < found.records == found.unknown
    return bool(found.newer_format) or all_unknown


def _print(
    where: JournalDirectory,
    checked: list[tuple[str, Verification]],
    *,
    every: bool,
    refused: int,
    as_json: bool,
) -> None:
    if as_json:
        data = [_data(session_id, found) for session_id, found in checked]
        click.echo(json_text(data if every else data[0]), nl=False)
        return
    for session_id, found in checked:
        click.echo(verification_view(session_id, found, screen()), nl=False)
    if every:
        damaged = sum(not found.ok for _, found in checked)
        more = f", {refused} not readable" if refused else ""
        click.echo(f"{len(checked)} checked in {where.path}, {damaged} damaged{more}")


def _data(session_id: str, found: Verification) -> dict[str, Any]:
    plain = msgspec.structs.asdict(found)
    return {"session_id": session_id, "ok": found.ok, **plain}
