"""`why`: what changed since a node, or a run, last worked."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from kedro_journal.cli.common import choose, open_journals, told
from kedro_journal.cli.complete import complete_node
from kedro_journal.cli.options import directory_options, json_option
from kedro_journal.console import screen
from kedro_journal.errors import InvalidSessionId, JournalNotFound, NodeNotFound
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.inquiry import (
    LOOK_BACK,
    last_broken,
    node_named,
    why_state,
)
from kedro_journal.replaying.select import Chosen
from kedro_journal.state import RunState, SessionState
from kedro_journal.views.data import json_text
from kedro_journal.views.why import why_data, why_view

__all__ = ["why"]


@click.command("why")
@click.argument("words", metavar="[ID] [NODE]", nargs=-1, shell_complete=complete_node)
@click.option("every", "--all", is_flag=True, help="Every change, likely or not.")
@click.option(
    "--look-back",
    type=click.IntRange(min=1),
    default=LOOK_BACK,
    show_default=True,
    help="How many earlier sessions to read at most.",
)
@directory_options
@json_option
@click.pass_context
def why(
    ctx: click.Context,
    *,
    words: tuple[str, ...],
    every: bool,
    look_back: int,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Find what changed since this last worked.

    ID is a session. By default it is the latest; if that completed, it is the newest
    that failed, and stderr names the newer ones. NODE is a node of it, by default the
    one that broke; without ID, a node that did not break there is one of the latest.

    It is compared with the newest earlier run in which that node completed: the code
    of every node before it, parameters, inputs, the catalog, configuration, packages,
    commit, host and runner. The likeliest cause comes first, with the records that
    prove it. What nothing before the node depends on is counted, and shown with --all.
    What the journal cannot see is listed.

    With --json: one object with the node, its error, the run that it is compared with,
    changes and unrelated (arrays of kind, subject, detail, was, now, nodes, distance,
    reasons, source, records), and unseen.
    """
    if len(words) > 2:
        raise click.UsageError("give the ID of a session and a NODE, or less.", ctx)
    where = open_journals(ctx, project, directory)
    chosen, state, node = _meant(where, words)
    answer = why_state(chosen.where, state, node=node, look_back=look_back)
    if as_json:
        click.echo(json_text(why_data(answer)), nl=False)
        return
    click.echo(why_view(answer, screen(), every=every), nl=False)


def _meant(
    where: JournalDirectory, words: tuple[str, ...]
) -> tuple[Chosen, SessionState, str | None]:
    """Find the session and the node: a single word may be either."""
    if not words:
        chosen = told(last_broken(where))
        return chosen, _replayed(chosen), None
    wanted, node = (*words, "")[:2]
    try:
        chosen = choose(where, wanted)
    except (JournalNotFound, InvalidSessionId):
        if node:
            raise
        found = _with_node(where, wanted)
        if found is None:
            raise
        return found
    state = _replayed(chosen)
    return chosen, state, node_named(state, node) if node else None


def _with_node(
    where: JournalDirectory, wanted: str
) -> tuple[Chosen, SessionState, str] | None:
    """Find a node in the last session that failed if it broke there, else the latest.

    Returns:
        None if the latest has no node of a similar name.

    Raises:
        NodeNotFound: The latest has none of that name, but some of similar ones.
    """
    broken = last_broken(where)
    if broken.skipped:
        state = _replayed(broken)
        with contextlib.suppress(NodeNotFound):
            node = node_named(state, wanted)
            if state.last_run is not None and node in _broken(state.last_run):
                return told(broken), state, node
        broken = choose(where, "latest")
    state = _replayed(broken)
    try:
        return broken, state, node_named(state, wanted)
    except NodeNotFound as error:
        if error.close:
            raise
    return None


def _broken(run: RunState) -> set[str]:
    return {node.name for node in run.broken}


def _replayed(chosen: Chosen) -> SessionState:
    from msgspec.structs import replace

    state = replay_folder(chosen.folder, salvage=True)
    if state.session_id:
        return state
    return replace(state, session_id=chosen.session_id)
