"""`replay`: the state as of any record, or record by record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from kedro_journal.cli.common import (
    choose,
    exit_if_unread,
    open_journals,
    session_argument,
)
from kedro_journal.cli.options import directory_options, json_option, salvage_option
from kedro_journal.console import moments_of, screen
from kedro_journal.errors import JournalError
from kedro_journal.events import Record
from kedro_journal.journal import read
from kedro_journal.replaying.folder import replay_with_last
from kedro_journal.state import SessionState, evolve
from kedro_journal.views.change import changes
from kedro_journal.views.data import json_line, json_text, record_data, state_data
from kedro_journal.views.session import Detail, session_lines
from kedro_journal.views.terminal import Screen, render
from kedro_journal.views.timeline import Timeline

__all__ = ["replay"]


@click.command("replay")
@session_argument
@click.option(
    "at_seq",
    "--at",
    type=click.IntRange(min=1),
    metavar="SEQ",
    help="The state as of this record.  [default: the last one]",
)
@click.option(
    "--step",
    is_flag=True,
    help="Walk record by record; on a terminal Enter goes on, q ends.",
)
@click.option("--parameters", is_flag=True, help="All parameters and variables.")
@click.option("--all-nodes", is_flag=True, help="Every node, of every attempt.")
@salvage_option
@directory_options
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    session_id: str,
    at_seq: int | None,
    step: bool,
    parameters: bool,
    all_nodes: bool,
    salvage: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Rebuild the state of a session at any record.

    Runs nothing and writes nothing. With --step, prints every record and what it
    changed, up to --at.

    With --json: the object of `show --json` with the key `record` (seq, at, writer,
    type, data); with --step JSON Lines, each a record with `changes`.
    """
    where = open_journals(ctx, project, directory)
    chosen = choose(where, session_id)
    found_id, path = chosen.session_id, chosen.file
    if step:
        records = _until(read(path, mode="salvage" if salvage else "strict"), at_seq)
        _step(records, screen(), as_json=as_json)
        return
    state, record = replay_with_last(chosen.folder, until_seq=at_seq, salvage=salvage)
    if state.unknown_events and not state.session_id:
        state = msgspec.structs.replace(state, session_id=found_id)
    if record is None:
        message = f"{path}: no records yet. `kedro-journal list` shows other sessions."
        raise JournalError(message, exit_code=3)
    if at_seq is not None and at_seq > record.seq:
        message = (
            f"{path}: no record {at_seq}: it has records 1-{record.seq}. "
            f"`kedro-journal replay {found_id} --at {record.seq}` shows the last."
        )
        raise JournalError(message, exit_code=2)
    if as_json:
        click.echo(
            json_text({**state_data(state), "record": record_data(record)}), nl=False
        )
        exit_if_unread(ctx, state)
        return
    detail = Detail(parameters=parameters, all_nodes=all_nodes)
    click.echo(_as_of(state, record, path, detail, screen()), nl=False)
    exit_if_unread(ctx, state)


def _until(records: Iterator[Record], at_seq: int | None) -> Iterator[Record]:
    for record in records:
        if at_seq is not None and record.seq > at_seq:
            return  # salvaged: the record itself is lost
        yield record
        if record.seq == at_seq:
            return


def _as_of(
    state: SessionState, record: Record, path: Path, detail: Detail, here: Screen
) -> str:
    timeline = Timeline(here)
    lines = [timeline.line(record), ()]
    lines += session_lines(
        state,
        here,
        detail=detail,
        moments=moments_of(path, state),
        journal=str(path),
        as_of=state.liveness is None,
    )
    return render(lines, here.paint)


def _step(records: Iterator[Record], here: Screen, *, as_json: bool) -> None:
    timeline = Timeline(here)
    before = SessionState()
    asks = sys.stdin.isatty() and sys.stdout.isatty() and not as_json
    for record in records:
        after = evolve(before, record)
        moved = changes(before, record, after)
        before = after
        if as_json:
            click.echo(json_line({**record_data(record), "changes": moved}), nl=False)
            continue
        click.echo(render([timeline.line(record, moved)], here.paint), nl=False)
        if asks and click.getchar() in ("q", "Q", "\x1b", "\x04", ""):
            return
