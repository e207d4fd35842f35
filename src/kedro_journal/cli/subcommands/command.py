"""`command`: how a session was started."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals, say, session_argument
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.journal.values import read_value
from kedro_journal.replaying import replay_folder
from kedro_journal.views.command import arguments_of, command_text
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import escape

__all__ = ["command"]


@click.command("command")
@session_argument
@directory_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    session_id: str,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Print the command or call that started a session.

    Secrets are left out: the journal never had them. Of a session that resumes
    another one it is how that was asked for, which stderr says as well; the command
    of the first of them is how the run began.

    With --json: one object with session_id, text, argv, null for a Python call, and
    resumes, the session it resumes, null if there is none.
    """
    where = open_journals(ctx, project, directory)
    folder = choose(where, session_id).folder
    state = replay_folder(folder, salvage=True)

    def fetch(name: str) -> bytes | None:
        return read_value(folder, name)

    text = command_text(state, fetch)
    resumes = state.resumed.parent_session_id if state.resumed is not None else None
    if as_json:
        argv = arguments_of(state, fetch)
        data = {"session_id": state.session_id, "text": text, "argv": argv}
        data["resumes"] = resumes
        click.echo(json_text(data), nl=False)
        return
    if resumes is not None:
        say(f"session {state.session_id} resumes session {resumes}.")
    for line in text.splitlines():
        click.echo(escape(line))
