"""`pack`: a session as one file."""

from __future__ import annotations

from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals, session_argument
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.replaying.packing import pack as pack_session
from kedro_journal.replaying.packs import SUFFIX
from kedro_journal.views.data import json_text
from kedro_journal.views.terminal import escape
from kedro_journal.views.words import bytes_size, count

__all__ = ["pack"]


@click.command("pack")
@session_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write.  [default: the ID with .tar.gz]",
)
@directory_options
@json_option
@click.pass_context
def pack(
    ctx: click.Context,
    *,
    session_id: str,
    output: Path | None,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Write a session into one file that every reading command opens.

    The archive has the session and those that it resumes: their journals byte for byte,
    and the files beside them, each with its hash. Give its path instead of an ID, as in
    `show ID.tar.gz`, or as --directory. It is checked whenever it is opened; exit code
    4 if it is damaged. A session that runs is refused.

    Whether the process of a session lived is packed as well, because that is not known
    on another machine.

    With --json: one object with path, session_ids, files and size_bytes.
    """
    chosen = choose(open_journals(ctx, project, directory), session_id)
    path = output or Path(chosen.session_id + SUFFIX)
    done = pack_session(chosen, path)
    if as_json:
        click.echo(json_text({**done._asdict(), "path": str(done.path)}), nl=False)
        return
    sessions = count(len(done.session_ids), "session")
    size = bytes_size(done.size_bytes)
    click.echo(f"Wrote {escape(str(done.path))}: {sessions}, {size}.")
