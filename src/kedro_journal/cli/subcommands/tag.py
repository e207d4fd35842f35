"""`tag`: name a session that was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from kedro_journal.cli.annotate import annotate
from kedro_journal.cli.common import complete_id
from kedro_journal.cli.options import directory_options

__all__ = ["tag"]


@click.command("tag")
@click.argument("session_id", metavar="ID", shell_complete=complete_id)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--remove", is_flag=True, help="Remove the tags.")
@directory_options
@click.pass_context
def tag(
    ctx: click.Context,
    *,
    session_id: str,
    names: tuple[str, ...],
    remove: bool,
    project: Path | None,
    directory: Path | None,
) -> None:
    """Set tags on a session, also on a closed one.

    NAME has letters, digits and _.:/+@=-, at most 64 characters. The journal of the
    session is not touched. `show`, `list` and `report` have the tags.
    """
    kind: Literal["tag", "untag"] = "untag" if remove else "tag"
    annotate(ctx, project, directory, session_id, kind, names)
