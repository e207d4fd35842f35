"""`diff`: what differs between sessions, and what each of a chain added."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from kedro_journal.analysis.side_by_side import side_by_side
from kedro_journal.cli.common import (
    choose,
    complete_id,
    open_journals,
    session_argument,
)
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.replaying.lineage import (
    Located,
    ancestors,
    between,
    created_s,
    steps,
)
from kedro_journal.views.compare import comparison_view
from kedro_journal.views.data import json_text
from kedro_journal.views.side_by_side import durations_view, side_by_side_view
from kedro_journal.views.terminal import escape

__all__ = ["diff"]


@click.command("diff")
@session_argument
@click.argument("others", metavar="[OTHER]...", nargs=-1, shell_complete=complete_id)
@click.option(
    "every", "--all", is_flag=True, help="Also what is the same, and every node."
)
@directory_options
@json_option
@click.pass_context
def diff(
    ctx: click.Context,
    *,
    session_id: str,
    others: tuple[str, ...],
    every: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Compare sessions.

    ID is compared with OTHER, from the earlier to the later one in either order. A
    resumed session is compared as a whole with those that it resumes. Without OTHER,
    ID is compared with the session that it resumes or repeats, that one with what it
    resumes itself, and so on: one step for each attempt. Reports differences in
    parameters, environment, git, versions, flags, configuration and code, which nodes
    and datasets are new, how many ran again, and how long each node took. With several
    OTHER, one table has a column for each session, in the order given.

    With --json: one object with steps, an array (empty for the same session) of before,
    after, verdict, differences (kind, name, was and now, left out where there is none),
    added, anew, kept, broken, datasets_added and datasets_anew (version by name); and,
    where sessions were named, sessions, verdicts, settings (kind, name, values by
    session, differs) and durations (node, statuses and durations_s by session).
    """
    where = open_journals(ctx, project, directory)
    one = Located.of(choose(where, session_id, "run"))
    name = one.state.session_id
    if not others:
        found = steps(one)
        if not found:
            message = (
                f"session {name} does not resume another one. Name the session to "
                f"compare it with: `kedro-journal diff OTHER {name}`."
            )
            raise click.UsageError(message, ctx)
        if as_json:
            click.echo(json_text({"steps": found}), nl=False)
        else:
            click.echo(comparison_view(found, screen()), nl=False)
        return
    named = [one, *(Located.of(choose(where, other, "run")) for other in others)]
    several = list({each.state.session_id: each for each in named}.values())
    found = [between(one, each) for each in several[1:]]
    if len(several) == 2:
        several = sorted(several, key=created_s)
    chains = [(*ancestors(*each), each.state) for each in several]
    table = side_by_side(chains, every=every)
    if as_json:
        data = {"steps": found} | (msgspec.structs.asdict(table) if found else {})
        click.echo(json_text(data), nl=False)
    elif not found:
        click.echo(f"{escape(name)}: the same session")
    elif len(several) == 2 and not every:
        text = comparison_view(found, screen())
        click.echo(text + durations_view(table, screen(), every=False), nl=False)
    else:
        click.echo(side_by_side_view(table, screen(), every=every), nl=False)
