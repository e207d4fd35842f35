"""`wait`: until a session ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from kedro_journal.cli.common import open_journals, say, session_argument
from kedro_journal.cli.exit_codes import EXIT_TIMEOUT, code_of
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.errors import JournalNotFound
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.select import Chosen, select
from kedro_journal.state import SessionState
from kedro_journal.views.data import json_text, summary_data

__all__ = ["wait"]

_FIRST_POLL_S: Final = 0.05
_LAST_POLL_S: Final = 1.0
_NOT_ENDED: Final = ("running", "empty")  # its first records are being written


@click.command("wait")
@session_argument
@click.option(
    "timeout_s",
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Give up after this many seconds, with exit code 124.",
)
@directory_options
@json_option
@click.pass_context
def wait(
    ctx: click.Context,
    *,
    session_id: str,
    timeout_s: float | None,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Wait until a session ends.

    The exit code is the verdict: 0 completed, 10 failed, 11 crashed, 12 interrupted,
    13 unknown (such as a process of another host), 15 no run. It is 124 if the session
    still runs after --timeout. `latest` waits for a first session, and for the same
    time.

    With --json: the object that `list --json` has of the session.
    """
    where = open_journals(ctx, project, directory)
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    state = _ended(where, session_id, deadline)
    if state is None:
        say(f"kedro-journal: no session {session_id} in {where.path} yet: timed out")
        ctx.exit(EXIT_TIMEOUT)
    if as_json:
        click.echo(json_text(summary_data(state, datetime.now(UTC))), nl=False)
    say(f"kedro-journal: {state.session_id} {state.verdict}")
    ended = state.verdict not in _NOT_ENDED
    ctx.exit(code_of(state.verdict) if ended else EXIT_TIMEOUT)


def _ended(
    where: JournalDirectory, wanted: str, deadline: float | None
) -> SessionState | None:
    """Poll until the session does not run, or until the deadline.

    Returns:
        Its last state; None if `latest` named no session until the deadline.
    """
    pause_s = _FIRST_POLL_S
    chosen: Chosen | None = None
    state: SessionState | None = None
    while True:
        try:
            chosen = chosen or select(where, wanted, "show")
        except JournalNotFound:
            if wanted != "latest":
                raise
        if chosen is not None:
            state = replay_folder(chosen.folder, salvage=True)
            if state.verdict not in _NOT_ENDED:
                return state
        left_s = None if deadline is None else deadline - time.monotonic()
        if left_s is not None and left_s <= 0:
            return state
        time.sleep(pause_s if left_s is None else min(pause_s, left_s))
        pause_s = min(pause_s * 1.5, _LAST_POLL_S)
