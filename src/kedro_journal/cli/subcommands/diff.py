"""`diff`: what differs between sessions, and what each of a chain added."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals, session_argument
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.replaying.lineage import Located, between, steps
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
    one = Located.of(choose(where, session_id, "run"))
    name = one.state.session_id
    if other:
        second = Located.of(choose(where, other, "run"))
        same = second.state.session_id == name
        found = [] if same else [between(one, second)]
        if same and not as_json:
            click.echo(f"{escape(name)}: the same session")
            return
    else:
        found = steps(one)
        if not found:
            message = (
                f"session {name} does not resume another one. Name the session to "
                f"compare it with: `kedro-journal diff OTHER {name}`."
            )
            raise click.UsageError(message, ctx)
    if as_json:
        click.echo(json_text({"steps": found}), nl=False)
        return
    click.echo(comparison_view(found, screen()), nl=False)
