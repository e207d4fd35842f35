"""`diff`: what differs between sessions, and what each of a chain added."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.journal import JournalDirectory
from kedro_journal.replay import replay_folder
from kedro_journal.state import Comparison, SessionState, compare
from kedro_journal.views.compare import comparison_view
from kedro_journal.views.data import json_text

from .ancestors import ancestors
from .common import choose, open_journals, screen, session_argument
from .options import directory_options, json_option

__all__ = ["diff"]


@click.command("diff")
@session_argument
@click.argument("other", metavar="[OTHER]", default="")
@directory_options
@json_option
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    session_id: str,
    other: str,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Compare two sessions.

    ID is compared with OTHER. Without OTHER it is the later one, and compared with the
    session that it goes on from or does again; that one with what it goes on from
    itself, and so on: a step for each attempt. Told are parameters, environment, git,
    versions, flags, configuration and code, and which nodes and datasets were added or
    made anew.

    With --json: one object with steps, an array of before, after, verdict, differences
    (kind, name, was and now, left out where there is none), added, anew, kept, broken,
    datasets_added and datasets_anew (version by name).
    """
    where = open_journals(ctx, project, directory)
    chosen = choose(where, session_id, "run")
    later = replay_folder(chosen.folder, salvage=True)
    if other:
        second = replay_folder(choose(where, other, "run").folder, salvage=True)
        steps = [compare([later], second)]
    else:
        steps = _chain(chosen.where, later)
    if not steps:
        message = (
            f"session {later.session_id} goes on from no other one: give OTHER, the "
            "session to compare it with."
        )
        raise click.UsageError(message, ctx)
    if as_json:
        click.echo(json_text({"steps": steps}), nl=False)
        return
    click.echo(comparison_view(steps, screen()), nl=False)


def _chain(where: JournalDirectory, last: SessionState) -> list[Comparison]:
    """Compare each session of a chain with those before it, oldest first."""
    states = [*ancestors(where, last, repeated=True), last]
    return [
        compare(_before(states[: number + 1]), state)
        for number, state in enumerate(states[1:])
    ]


def _before(states: list[SessionState]) -> list[SessionState]:
    """Leave out what was done before a session that began from the start."""
    first = len(states) - 1
    while first and states[first].resumed is not None:
        first -= 1
    return states[first:]
