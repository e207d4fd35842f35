"""`tail`: the last records of a session, and those to come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import click

from kedro_journal.cli.common import (
    choose,
    open_journals,
    say,
    session_argument,
    wait_for_first,
    write,
)
from kedro_journal.cli.exit_codes import code_of, exit_code_option
from kedro_journal.cli.options import directory_options, json_option, salvage_option
from kedro_journal.cli.pace import Pace
from kedro_journal.cli.tail_all import follow_all
from kedro_journal.console import screen
from kedro_journal.errors import CorruptJournal, NewerJournal
from kedro_journal.events import Cursor, Record, UnknownEvent, closes
from kedro_journal.journal import JournalDirectory, read
from kedro_journal.journal.last import last_records
from kedro_journal.replaying import follow as follow_session
from kedro_journal.replaying import replay_folder
from kedro_journal.state.unread import unread_text
from kedro_journal.views.data import json_line, record_data
from kedro_journal.views.terminal import escape, render
from kedro_journal.views.timeline import Timeline

__all__ = ["tail"]

EXIT_CRASHED = 1


@click.command("tail")
@session_argument
@click.option(
    "-n",
    "number",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many of the last records.",
)
@click.option("-f", "--follow", is_flag=True, help="Go on as records are appended.")
@click.option("every", "--all", is_flag=True, help="With -f: of every session.")
@salvage_option
@exit_code_option
@directory_options
@json_option
@click.pass_context
def tail(
    ctx: click.Context,
    *,
    session_id: str,
    number: int,
    follow: bool,
    every: bool,
    salvage: bool,
    by_verdict: bool,
    project: Path | None,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Print the last records of a session, or follow it.

    With -f, goes on until the session is closed (exit code 0) or its process is found
    to be gone (exit code 1), and says so on stderr. Without any session yet, `latest`
    waits for the first one. With -f --all, prints what is appended to any session from
    now on, new sessions included, until Ctrl-C.

    Of a session that runs, stderr says how long its run and the nodes in progress
    usually take, as the median of at least three comparable runs, and whether they are
    overdue; with -f also each node that took unusually long. --json leaves that out.

    Of a journal longer than 64 KiB only the end is read: `verify` looks for damage
    before it. --exit-code exits by the session's verdict. Exits with 5 if a newer
    version wrote these records, so that none can be read.

    With --json: JSON Lines, each with the names of the journal file: seq, at, w (the
    writer), type and data; `writer` is the same as `w`. With --all also session_id.
    """
    where = open_journals(ctx, project, directory, may_be_missing=follow)
    if every:
        _check_all(ctx, follow=follow)
        _follow_all(where, as_json=as_json)
    if follow and session_id == "latest":
        chosen = wait_for_first(where)
    else:
        chosen = choose(where, session_id)
    where, session_id = chosen.where, chosen.session_id
    to_text = _writer_of_lines(as_json=as_json)
    last = deque[Record](maxlen=max(number, 1))
    try:
        last.extend(
            last_records(chosen.file, max(number, 1))
            or read(chosen.file, mode="salvage" if salvage else "strict")
        )
    except CorruptJournal:
        write(to_text.lines(last))  # what is good is shown before the error
        raise
    write(to_text.lines(last if number else ()))
    pace = None if as_json else Pace(where, session_id)
    if pace is not None and last and not closes(last[-1].event):
        pace.begin()  # it replays the session, which one that is closed is spared
    if not follow:
        _say_unread(ctx, where, session_id, last)
        ctx.exit(_code(where, session_id) if by_verdict else 0)
    newest = last[-1] if last else None
    for record in _to_come(where, session_id, newest):
        newest = record
        click.echo(to_text.line(record), nl=False)
        if pace is not None:
            pace.saw(record)
    code = _say_how_it_ended(where, session_id, newest)
    ctx.exit(_code(where, session_id) if by_verdict else code)


def _code(where: JournalDirectory, session_id: str) -> int:
    return code_of(replay_folder(where.folder(session_id), salvage=True).verdict)


def _check_all(ctx: click.Context, *, follow: bool) -> None:
    """Refuse what has no meaning with --all, rather than ignore it."""
    if not follow:
        message = "--all needs -f. `kedro-journal list` shows what there is already."
        raise click.UsageError(message, ctx)
    for name in ("session_id", "number", "by_verdict"):
        source = ctx.get_parameter_source(name)
        if source is not None and source.name not in ("DEFAULT", "DEFAULT_MAP"):
            message = "--all follows every session: give no ID, -n or --exit-code."
            raise click.UsageError(message, ctx)


def _follow_all(where: JournalDirectory, *, as_json: bool) -> None:
    say(f"kedro-journal: following every session in {where.path}")
    lines: dict[str, _Lines] = {}
    before = ""
    for session_id, record in follow_all(where):
        if as_json:
            click.echo(json_line(record_data(record, session_id)), nl=False)
            continue
        if session_id != before:
            click.echo(f"==> {escape(session_id)} <==")
            before = session_id
        to_text = lines.setdefault(session_id, _writer_of_lines(as_json=False))
        click.echo(to_text.line(record), nl=False)
        if closes(record.event):
            del lines[session_id]


def _say_unread(
    ctx: click.Context, where: JournalDirectory, session_id: str, last: deque[Record]
) -> None:
    """Report on stderr that records cannot be read; exit with 5 if none can."""
    unknown = [one for one in last if isinstance(one.event, UnknownEvent)]
    if not unknown:
        return
    state = replay_folder(where.folder(session_id), salvage=True)
    say(f"kedro-journal: {session_id}: {escape(unread_text(state))}")
    if len(unknown) == len(last):
        ctx.exit(NewerJournal.exit_code)


class _Lines:
    """Records as lines of text or of JSON."""

    def __init__(
        self, line: Callable[[Record], str], learn: Callable[[Record], None]
    ) -> None:
        self.line = line
        self._learn = learn

    def lines(self, records: Collection[Record]) -> Iterator[str]:
        """Return the lines of some records, aligned with each other."""
        for record in records:
            self._learn(record)
        return map(self.line, records)


def _writer_of_lines(*, as_json: bool) -> _Lines:
    if as_json:
        return _Lines(lambda record: json_line(record_data(record)), lambda _: None)
    here = screen()
    timeline = Timeline(here)
    return _Lines(
        lambda record: render([timeline.line(record)], here.paint), timeline.learn
    )


def _to_come(
    where: JournalDirectory, session_id: str, newest: Record | None
) -> Iterator[Record]:
    if newest is not None and closes(newest.event):
        return iter(())
    start: Cursor | None = newest.cursor if newest is not None else None
    return follow_session(session_id, start=start, directory=where.path)


def _say_how_it_ended(
    where: JournalDirectory, session_id: str, newest: Record | None
) -> int:
    if newest is not None and closes(newest.event):
        say(f"kedro-journal: {session_id} is closed")
        return 0
    verdict = replay_folder(where.folder(session_id), salvage=True).verdict
    say(
        f"kedro-journal: {session_id} {verdict}: its process is gone; "
        f"`kedro-journal show {session_id}` says where it was"
    )
    return EXIT_CRASHED
