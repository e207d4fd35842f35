"""What `note` and `tag` share."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from kedro_journal.config import load_config
from kedro_journal.errors import JournalError
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.annotating import add_later
from kedro_journal.replaying.later import later_for
from kedro_journal.replaying.packs import is_unpacked
from kedro_journal.views.terminal import escape

from .common import choose, open_journals, project_of

__all__ = ["annotate"]


def annotate(
    ctx: click.Context,
    project: Path | None,
    directory: Path | None,
    wanted: str,
    kind: Literal["note", "tag", "untag"],
    texts: tuple[str, ...],
) -> None:
    """Write notes or tags of a session, and say so.

    Raises:
        JournalError: The session or its directory cannot be used, or a text is
            invalid. Wrong settings are refused: they may name secrets.
    """
    where = open_journals(ctx, project, directory, is_changed=True)
    config = load_config(project_of(ctx, project))
    chosen = choose(where, wanted)
    if is_unpacked(chosen.folder):
        message = f"{wanted}: an archive is only read, never changed."
        raise JournalError(message, exit_code=2)
    state = replay_folder(chosen.folder, salvage=True)
    if kind == "untag":
        tags = later_for(chosen.where, chosen.session_id, state.uid).tags
        if unknown := [one for one in texts if one not in tags]:
            message = f"{chosen.session_id} has no tag {', '.join(unknown)}."
            raise JournalError(message, exit_code=2)
    add_later(chosen.where, config, chosen.session_id, state.uid, kind, texts)
    what = {"note": "Added a note to", "tag": "Tagged", "untag": "Removed tags of"}
    click.echo(f"{what[kind]} {escape(chosen.session_id)}.", err=True)
