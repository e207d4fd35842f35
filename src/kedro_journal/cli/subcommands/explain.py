"""`explain`: where a file on disk came from, and what was made from it."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.common import open_journals, project_of, say
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.errors import JournalNotFound
from kedro_journal.replaying.inquiry import LOOK_BACK
from kedro_journal.replaying.origins import Explained, explain_in, made_from_in
from kedro_journal.views.data import json_text
from kedro_journal.views.descent import descent_data, descent_view
from kedro_journal.views.origin import origin_data, origin_view
from kedro_journal.views.terminal import escape
from kedro_journal.views.words import count

__all__ = ["explain"]


@click.command("explain")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--forward", is_flag=True, help="What was made from it instead.")
@click.option(
    "--look-back",
    type=click.IntRange(min=1),
    default=LOOK_BACK,
    show_default=True,
    help="How many sessions to read at most, newest first.",
)
@directory_options
@json_option
@click.pass_context
def explain(
    ctx: click.Context,
    *,
    path: Path,
    forward: bool,
    look_back: int,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Find where a file came from.

    PATH is a file or folder that a run saved. Reports the session, node, code and
    commit that made it, the parameters with their origins, and the same of every input,
    down to the files that no session saved. Reports of each file whether it still is
    what was recorded, by size and time, and by content where a hash was recorded. A
    file in a folder of partitions stands for the folder. A path without its version
    stands for the newest version.

    With --forward: every dataset that was made from it, directly or over other nodes
    and sessions, as it was made last, and whether PATH still is what it was made from.
    It follows what the pipelines loaded and saved; a node that opens a file on its own
    is not seen.

    Exits with 3 if no session that was read saved it; with --forward, if none loaded
    it.

    With --json: one object with dataset, path, version, session_id, run_id, attempt,
    node, record, saved_at, function, source, commit, parameters, bytes (same, changed,
    gone or not known), difference, repeated, and inputs, an array of such objects.
    Fields that are empty are left out. With --forward: one object with path, datasets,
    sessions (how many loaded it) and made, an array of objects with dataset, path,
    version, session_id, run_id, attempt, node, record, saved_at, function, source,
    commit, loaded, distance, sessions, made_from (as bytes), bytes and difference.
    """
    where = open_journals(ctx, project, directory)
    root = project_of(ctx, project) if directory is None else None
    find = made_from_in if forward else explain_in
    found = find(where, path, root=root, look_back=look_back)
    if found.origin is None and found.descent is None:
        text = (
            f"{path}: none of the {count(found.searched, 'session')} that were read "
            f"{'loaded' if forward else 'saved'} it."
        )
        if found.left:
            text += f" {count(found.left, 'older one')} not read; see --look-back."
        say(escape(text))
        ctx.exit(JournalNotFound.exit_code)
    click.echo(_text(found, as_json=as_json), nl=False)


def _text(found: Explained, *, as_json: bool) -> str:
    if found.descent is not None:
        if as_json:
            return json_text(descent_data(found.descent))
        return descent_view(found.descent, screen())
    assert found.origin is not None  # noqa: S101 - one of the two was found
    if as_json:
        return json_text(origin_data(found.origin))
    return origin_view(found.origin, screen())
