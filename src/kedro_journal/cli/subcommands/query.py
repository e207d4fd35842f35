"""`query`: SQL over all sessions."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from kedro_journal.analysis.later import later_of
from kedro_journal.cli.common import open_journals
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.roster import read_roster
from kedro_journal.replaying.index import listed
from kedro_journal.replaying.later import later_entries
from kedro_journal.replaying.query import answer
from kedro_journal.views.data import json_text, summary_data
from kedro_journal.views.table import Column, table
from kedro_journal.views.terminal import line, render

__all__ = ["query"]


@click.command("query")
@click.argument("sql", metavar="SQL")
@directory_options
@json_option
@click.pass_context
def query(
    ctx: click.Context,
    *,
    sql: str,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Ask all sessions a question in SQL, with DuckDB.

    SQL is one SELECT over the views sessions, runs, nodes, datasets, parameters and
    records; `select * from nodes limit 0` prints the columns of one. Times are in UTC.
    The journals are read where they are: nothing is indexed, and nothing can be
    changed. Needs the extra: pip install 'kedro-journal[query]'.

    The checksums of records are not compared: `sessions.damaged` says where some are
    wrong. A line that is no JSON is left out.

    With --json: an array of objects, one for each row.
    """
    where = open_journals(ctx, project, directory)
    roster = read_roster(where)
    ids = [one.session_id for one in roster.sessions if one.is_readable]
    found = answer(where, ids, _sessions(where, roster.ids()), sql)
    if as_json:
        rows = [
            dict(zip(found.columns, map(_plain, r), strict=False)) for r in found.rows
        ]
        click.echo(json_text(rows), nl=False)
        return
    here = screen()
    columns = [Column(name) for name in found.columns]
    cells = [[line(_text(value)) for value in row] for row in found.rows]
    if not cells:
        click.echo(f"No rows. Columns: {', '.join(found.columns)}")
        return
    click.echo(render(table(columns, cells, here.width), here.paint), nl=False)


def _sessions(where: JournalDirectory, ids: list[str]) -> list[dict[str, Any]]:
    """Return the rows of the view `sessions`."""
    now, said = datetime.now(UTC), later_entries(where)
    rows = []
    with contextlib.closing(listed(where, ids)) as found:
        for one in found:
            state = one.state
            row = summary_data(state, now, damaged=one.damaged)
            entries = said.get(state.session_id, ())
            row["tags"] = list(later_of(entries, state.session_id, state.uid).tags)
            rows.append(row)
    return rows


def _plain(value: object) -> object:
    """Return a value of DuckDB as one of JSON."""
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return msgspec.to_builtins(value, enc_hook=str)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(" ", "milliseconds")
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return str(value)
