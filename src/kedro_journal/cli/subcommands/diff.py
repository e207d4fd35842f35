"""`diff`: what differs between sessions, and what each of a chain added."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.analysis import Comparison, compare
from kedro_journal.cli.ancestors import ancestors
from kedro_journal.cli.common import choose, open_journals, session_argument
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying import replay_folder
from kedro_journal.state import SessionState
from kedro_journal.views.compare import comparison_view
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import escape

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

    ID is compared with OTHER, from the earlier to the later one in either order. A
    resumed session is compared as a whole with those that it resumes. Without OTHER,
    ID is compared with the session that it resumes or repeats, that one with what it
    resumes itself, and so on: one step for each attempt. Reports differences in
    parameters, environment, git, versions, flags, configuration and code, which nodes
    and datasets are new, and how many ran again.

    With --json: one object with steps, an array (empty for the same session) of before,
    after, verdict, differences (kind, name, was and now, left out where there is none),
    added, anew, kept, broken, datasets_added and datasets_anew (version by name).
    """
    where = open_journals(ctx, project, directory)
    chosen = choose(where, session_id, "run")
    later = replay_folder(chosen.folder, salvage=True)
    if other:
        second = replay_folder(choose(where, other, "run").folder, salvage=True)
        if second.session_id == later.session_id:
            if as_json:
                click.echo(json_text({"steps": []}), nl=False)
            else:
                click.echo(f"{escape(later.session_id)}: the same session")
            return
        steps = [_between(where, later, second)]
    else:
        steps = _chain(chosen.where, later)
    if not steps:
        message = (
            f"session {later.session_id} does not resume another one. Name the session "
            f"to compare it with: `kedro-journal diff OTHER {later.session_id}`."
        )
        raise click.UsageError(message, ctx)
    if as_json:
        click.echo(json_text({"steps": steps}), nl=False)
        return
    click.echo(comparison_view(steps, screen()), nl=False)


def _between(
    where: JournalDirectory, one: SessionState, other: SessionState
) -> Comparison:
    """Compare two sessions, each with those that it resumes, the earlier one first."""
    earlier, later = sorted((one, other), key=_created)
    before = [*ancestors(where, earlier), earlier]
    resumes = list(ancestors(where, later))
    ids = [state.session_id for state in resumes]
    if earlier.session_id in ids:  # the later one resumes it: only what came after
        resumes = resumes[ids.index(earlier.session_id) + 1 :]
    return compare(before, later, resumes=resumes)


def _created(state: SessionState) -> float:
    return state.created_at.timestamp() if state.created_at is not None else 0.0


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
