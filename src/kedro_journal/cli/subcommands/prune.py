"""`prune`: remove old sessions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, get_args

import click

from kedro_journal.analysis.retention import Policy, parse_age, parse_size
from kedro_journal.cli.common import open_journals
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.replaying.pruning import prune as prune_sessions
from kedro_journal.state import Verdict
from kedro_journal.views.data import json_text
from kedro_journal.views.prune import prune_data, prune_view

__all__ = ["prune"]

_NEVER: Final = ("running", "unknown")


class _Parsed(click.ParamType):  # type: ignore[type-arg]
    """A text that a function parses."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except (ValueError, OverflowError) as error:
            self.fail(str(error), param, ctx)


@click.command("prune")
@click.option(
    "--older",
    type=_Parsed("age", parse_age),
    help="Remove what ended longer ago: 90d, 36h, 12w.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    help="Keep the newest sessions, so many; alone: remove all others.",
)
@click.option(
    "--max-size",
    "max_bytes",
    type=_Parsed("size", parse_size),
    help="Remove the oldest until all take no more: 500M, 2G.",
)
@click.option(
    "verdicts",
    "--verdict",
    multiple=True,
    type=click.Choice([one for one in get_args(Verdict) if one not in _NEVER]),
    help="Remove only sessions with this verdict; repeat it for more.",
)
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would go.")
@directory_options
@json_option
@click.pass_context
def prune(
    ctx: click.Context,
    *,
    older: timedelta | None,
    keep: int | None,
    max_bytes: int | None,
    verdicts: tuple[str, ...],
    dry_run: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Remove old sessions.

    A session is removed if it exceeds --older or --max-size, and is not among the
    newest of --keep. Sessions that resume each other are removed together or not at
    all, by the end of the last of them and by its verdict.

    Never removed: a session whose process or worker process is alive, one of which
    that is not known (it ran on another host and was not closed), one that is being
    resumed, and one whose journal may not be read.

    A session disappears at once for every reader, and is deleted then. If this command
    is killed, the next one finishes or undoes what it began.

    With --json: one object with dry_run, removed and kept (arrays of session_ids,
    verdict, ended_at, size_bytes and reason), freed_bytes, left (sessions), left_bytes,
    and restored and deleted: ids of sessions that an earlier prune left halfway.
    """
    if older is None and keep is None and max_bytes is None:
        message = "say what to remove: --older, --keep or --max-size."
        raise click.UsageError(message, ctx)
    where = open_journals(ctx, project, directory, is_changed=True)
    policy = Policy(older=older, keep=keep, max_bytes=max_bytes, verdicts=verdicts)
    here = screen()
    done = prune_sessions(where, policy, now=here.now, dry_run=dry_run)
    if as_json:
        click.echo(json_text(prune_data(done, dry_run=dry_run)), nl=False)
    else:
        text = prune_view(done, here, str(where.path), dry_run=dry_run)
        click.echo(text, nl=False)
