"""`list`: the sessions of a project, newest first."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final, get_args

import click

from kedro_journal.analysis.filters import Wanted
from kedro_journal.analysis.later import NOTHING_LATER, LaterEntry, later_of
from kedro_journal.cli.common import open_journals, say
from kedro_journal.cli.exit_codes import exit_code_option, worst
from kedro_journal.cli.filters import filter_options
from kedro_journal.cli.options import directory_options, group_option, json_option
from kedro_journal.console import screen
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.roster import Roster, read_roster
from kedro_journal.replaying import find_group
from kedro_journal.replaying.facts import FactsIndex
from kedro_journal.replaying.index import Found, listed
from kedro_journal.replaying.later import later_entries
from kedro_journal.replaying.select import why_empty
from kedro_journal.replaying.usual import LOOK_S, usual_time
from kedro_journal.state import Verdict
from kedro_journal.views.data import json_text, summary_data
from kedro_journal.views.derive import progress, session_seconds
from kedro_journal.views.later import later_data
from kedro_journal.views.sessions import (
    COLUMNS,
    Listed,
    is_in_progress,
    row_usual,
    sessions_view,
)
from kedro_journal.views.terminal import escape
from kedro_journal.views.words import count

__all__ = ["list_"]


def _columns(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...]:
    known = [column.title for column in COLUMNS]
    names = value.split(",") if value is not None else ()
    chosen = tuple(one.strip().replace("-", " ") for one in names)
    for name in chosen:
        if name not in known:
            there = ", ".join(one.replace(" ", "-") for one in known)
            raise click.BadParameter(f"no column {name!r}. There are {there}.")
    return chosen


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
@filter_options
@click.option(
    "--sort",
    type=click.Choice(["started", "took", "nodes"]),
    help="Latest, longest or largest first.  [default: started, families together]",
)
@click.option(
    "--columns",
    metavar="NAMES",
    callback=_columns,
    help="Only these, separated by commas.",
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
    wanted: Wanted,
    sort: str | None,
    columns: tuple[str, ...],
    group_id: str | None,
    by_verdict: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """List sessions, newest first.

    The line of a session that runs says what is left of its run, or whether it is
    overdue, by the median of at least three comparable runs.

    On a terminal the lines are cut at its width; without one, the last column is cut
    at 100 columns. --json has it whole.

    Filters combine: a session has to fit all of them. --label and --param may be given
    again. A parameter that a session does not have fits no condition on it.

    With --group, only those that belong to that group. `show --group` merges them.

    With --exit-code, the worst verdict among the sessions listed is the exit code;
    15 if there are none.

    With --json: an array of objects, one per session, each with its session_id,
    verdict, times, pipelines, nodes completed and planned, and the places it broke;
    tags and later_notes are what `tag` and `note` added, and `usual` has seconds,
    longest, samples, elapsed_s, left_s and overdue; null if that is not known or the
    session does not run.
    """
    where = open_journals(ctx, project, directory)
    roster = read_roster(where)
    _say_copies(roster)
    ids = roster.ids() if group_id is None else find_group(where, group_id)[1]
    ids.reverse()
    with contextlib.closing(listed(where, ids)) as found:
        said = later_entries(where)
        chosen: Iterator[Listed] = (_row(row, said) for row in found)
        if verdicts:
            chosen = (row for row in chosen if _fits(row, verdicts))
        if wanted != Wanted():
            chosen = _wanted(where, chosen, wanted)
        is_sorted = sort is not None
        rows = list(chosen if every or is_sorted else islice(chosen, number))
    if sort is not None:
        rows.sort(key=_SORTS[sort], reverse=True)
        rows = rows if every else rows[:number]
    rows = _with_usual(where, rows)
    if as_json:
        now = datetime.now(UTC)
        data = [
            {
                **summary_data(
                    row.state, now, damaged=row.damaged, unreadable=row.unreadable
                ),
                **later_data(row.later),
                "usual": row_usual(row, now),
            }
            for row in rows
        ]
        click.echo(json_text(data), nl=False)
    elif not rows:
        click.echo(_nothing(where, roster, verdicts, wanted))
    else:
        is_part = every or verdicts or wanted != Wanted()
        more = 0 if is_part else max(len(ids) - len(rows), 0)
        here = screen()
        flat = sort is not None
        text = sessions_view(rows, here, more=more, columns=columns, flat=flat)
        click.echo(text, nl=False)
    if by_verdict:
        ctx.exit(worst(row.state.verdict for row in rows))


def _row(found: Found, said: Mapping[str, list[LaterEntry]]) -> Listed:
    later, state = NOTHING_LATER, found.state
    if said and (entries := said.get(state.session_id)):
        later = later_of(entries, state.session_id, state.uid)
    return Listed(state, found.damaged, found.unreadable, later)


def _with_usual(where: JournalDirectory, rows: list[Listed]) -> list[Listed]:
    """Look up how long the runs in progress usually take, within half a second."""
    until = time.monotonic() + LOOK_S
    found = []
    for row in rows:
        left = until - time.monotonic()
        if is_in_progress(row.state) and left > 0:
            usual = usual_time(where, row.state, seconds=left)
            found.append(row._replace(usual=usual))
        else:
            found.append(row)
    return found


def _say_copies(roster: Roster) -> None:
    if roster.copies:
        number = count(len(roster.copies), "folder")
        first = escape(roster.copies[0]) + (" ..." if roster.copies[1:] else "")
        say(f"({number} with a copy of a session left out: {first})")


def _fits(row: Listed, verdicts: tuple[str, ...]) -> bool:
    return row.state.verdict in verdicts


def _wanted(
    where: JournalDirectory, rows: Iterable[Listed], wanted: Wanted
) -> Iterator[Listed]:
    facts = FactsIndex(where)
    for row in rows:
        one = wanted
        if wanted.tag in row.later.tags:  # one that `tag` set counts as well
            one = wanted._replace(tag=None)
        if one.accepts(row.state) and (
            not one.needs_facts or one.accepts_facts(facts.of(row.state.session_id))
        ):
            yield row
    facts.save()


def _started(row: Listed) -> float:
    at = row.state.created_at
    return at.timestamp() if at is not None else 0.0


_SORTS: Final[dict[str, Callable[[Listed], float]]] = {
    "started": _started,
    "took": lambda row: session_seconds(row.state, datetime.now(UTC)) or 0.0,
    "nodes": lambda row: progress(row.state)[1],
}


def _nothing(
    where: JournalDirectory,
    roster: Roster,
    verdicts: tuple[str, ...],
    wanted: Wanted,
) -> str:
    path = escape(str(where.path))
    if roster.sessions and wanted != Wanted():
        return f"No session in {path} fits the filters."
    if roster.sessions and verdicts:
        return f"No session in {path} is {' or '.join(verdicts)}."
    return escape(
        f"No sessions in {where.path}. {why_empty(where, roster)} --project or "
        "--directory look elsewhere."
    )
