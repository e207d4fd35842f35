"""`trace`: where a value came from."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals
from kedro_journal.cli.complete import complete_name
from kedro_journal.cli.options import directory_options, json_option, salvage_option
from kedro_journal.console import screen
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.lineage import ancestors
from kedro_journal.state import trace as trace_of
from kedro_journal.views.data import json_text
from kedro_journal.views.trace import trace_view

__all__ = ["trace"]


@click.command("trace", context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="[ID] NAME", nargs=-1, shell_complete=complete_name)
@click.option(
    "--run", "--run-id", "run_id", help="A run of the session.  [default: the last]"
)
@salvage_option
@directory_options
@json_option
@click.pass_context
def trace(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    run_id: str | None,
    salvage: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Find the file, line, flag or call of a value.

    NAME is a parameter (params:model.lr, or `parameters` for all of them), a dataset, a
    flag of the command (--env; after `--` where it is
    one of `trace` as well), or an environment variable
    ($KEDRO_ENV). ID is a session, by default the latest. A dataset that a resumed
    session did not save is looked for in those that it resumes.

    With --json: an array of objects with name, kind, value, origin and steps.
    """
    match words:
        case (name,):
            session_id = "latest"
        case (session_id, name):
            pass
        case _:
            message = "give a NAME, or the ID of a session and a NAME."
            raise click.UsageError(message, ctx)
    where = open_journals(ctx, project, directory)
    chosen = choose(where, session_id)
    state = replay_folder(chosen.folder, salvage=salvage)
    found = trace_of(state, name, run_id=run_id, before=ancestors(chosen.where, state))
    if as_json:
        click.echo(json_text(found), nl=False)
        return
    click.echo(trace_view(state.session_id, found, screen()), nl=False)
