"""`list`: the sessions of a project, newest first."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import get_args

import click

from kedro_journal.journal import JournalDirectory
from kedro_journal.replay import find_group
from kedro_journal.replay.index import listed
from kedro_journal.state import Verdict
from kedro_journal.views.data import json_text, summary_data
from kedro_journal.views.sessions import Listed, sessions_view
from kedro_journal.views.terminal import escape

from .common import open_journals, screen
from .exit_codes import exit_code_option, worst
from .options import directory_options, group_option, json_option

__all__ = ["list_"]


@click.command("list")
@click.option(
    "-n",
    "number",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="How many sessions.",
)
@click.option("every", "--all", is_flag=True, help="Every session.")
@click.option(
    "verdicts",
    "--verdict",
    multiple=True,
    type=click.Choice(get_args(Verdict)),
    help="Only sessions with this verdict; give it again for more.",
)
@group_option
@exit_code_option
@directory_options
@json_option
@click.pass_context
def list_(
    ctx: click.Context,
    *,
    number: int,
    every: bool,
    verdicts: tuple[str, ...],
    group_id: str | None,
    by_verdict: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """List sessions, newest first.

    On a terminal the lines are cut at its width; without one, the last column is cut
    at 100 columns. --json has it whole.

    With --group, only those that belong to that group. `show --group` merges them.

    With --exit-code, the worst verdict among the sessions listed is the exit code;
    15 if there are none.

    With --json: an array of objects, one per session, each with its session_id,
    verdict, times, pipelines, nodes completed and planned, and the places it broke.
    """
    where = open_journals(ctx, project, directory)
    ids = None if group_id is None else find_group(where, group_id)[1][::-1]
    with contextlib.closing(listed(where, ids)) as found:
        every_row = (Listed(row.state, row.damaged) for row in found)
        chosen = (row for row in every_row if not verdicts or _fits(row, verdicts))
        rows = list(chosen if every else islice(chosen, number))
    if as_json:
        now = datetime.now(UTC)
        data = [summary_data(row.state, now, damaged=row.damaged) for row in rows]
        click.echo(json_text(data), nl=False)
    elif not rows:
        click.echo(_nothing(where, verdicts, found=_count(where, ids) > 0))
    else:
        more = 0 if every or verdicts else max(_count(where, ids) - len(rows), 0)
        click.echo(sessions_view(rows, screen(), more=more), nl=False)
    if by_verdict:
        ctx.exit(worst(row.state.verdict for row in rows))


def _count(where: JournalDirectory, ids: Sequence[str] | None) -> int:
    return where.count() if ids is None else len(ids)


def _fits(row: Listed, verdicts: tuple[str, ...]) -> bool:
    return row.state.verdict in verdicts


def _nothing(where: JournalDirectory, verdicts: tuple[str, ...], *, found: bool) -> str:
    path = escape(str(where.path))
    if found and verdicts:
        return f"No session in {path} is {' or '.join(verdicts)}."
    return (
        f"No sessions in {path} yet. `kedro run` in the project makes one; "
        "--project or --directory look elsewhere."
    )
