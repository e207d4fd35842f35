"""`stats`: what many sessions say of their nodes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import click
import msgspec

from kedro_journal._outside import let_through
from kedro_journal.analysis.filters import Wanted
from kedro_journal.analysis.trends import trends
from kedro_journal.cli.common import open_journals, say
from kedro_journal.cli.filters import filter_options
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.roster import read_roster
from kedro_journal.replaying.facts import FactsIndex
from kedro_journal.replaying.index import listed, look
from kedro_journal.state import SessionState
from kedro_journal.views.data import json_text
from kedro_journal.views.stats import stats_view
from kedro_journal.views.terminal import escape

__all__ = ["stats"]


@click.command("stats")
@click.argument("wanted_node", metavar="[NODE]", required=False)
@click.option(
    "-n",
    "number",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How many sessions, the newest that fit.",
)
@filter_options
@directory_options
@json_option
@click.pass_context
def stats(
    ctx: click.Context,
    *,
    wanted_node: str | None,
    number: int,
    wanted: Wanted,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Show how often nodes fail and how long they take, across sessions.

    NODE is a node's name, or the end of it after a dot; without it, every node. Each
    of the newest sessions that fit the filters is read.

    A node is flaky if it failed and completed with the same code, parameters and
    inputs; that is stated only where all of these were recorded. It is slower if its
    last three durations are each longer than every one of the ten before, and it is
    said whether code, parameters or inputs differ.

    With --json: one object with sessions, verdicts, since, until and nodes.
    """
    where = open_journals(ctx, project, directory)
    found = trends(_states(where, wanted, number), wanted_node)
    if wanted_node is not None and found.sessions and not found.nodes:
        say(f"kedro-journal: no session planned a node {escape(wanted_node)}.")
        ctx.exit(3)
    if as_json:
        click.echo(json_text(msgspec.to_builtins(found)), nl=False)
    elif not found.sessions:
        click.echo(f"No session in {escape(str(where.path))} fits the filters.")
    else:
        click.echo(stats_view(found, screen(), blocks=_has_blocks()), nl=False)


def _states(
    where: JournalDirectory, wanted: Wanted, number: int
) -> Iterator[SessionState]:
    """Yield the newest sessions that fit, oldest first, each replayed when reached."""
    facts = FactsIndex(where)
    ids = read_roster(where).ids()[::-1]
    with contextlib.closing(listed(where, ids)) as rows:
        fitting = (
            row.state.session_id
            for row in rows
            if wanted.accepts(row.state)
            and (
                not wanted.needs_facts
                or wanted.accepts_facts(facts.of(row.state.session_id))
            )
        )
        chosen = list(islice(fitting, number))
    facts.save()
    for session_id in reversed(chosen):
        try:
            yield look(where, session_id).state
        except (JournalError, OSError) as error:
            let_through(error)  # it was deleted, or may not be read


def _has_blocks() -> bool:
    """Return whether the encoding of stdout has block characters."""
    try:
        "▁█".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError) as error:
        let_through(error)
        return False
    return True
