"""`watch`: sessions while they run."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

import click

from kedro_journal.cli.common import (
    choose,
    open_journals,
    say,
    session_argument,
    wait_for_first,
)
from kedro_journal.cli.exit_codes import code_of
from kedro_journal.cli.options import directory_options
from kedro_journal.console import screen
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying.usual import usual_times
from kedro_journal.replaying.watching import LOOK_S, Names, Watcher
from kedro_journal.state import SessionState
from kedro_journal.views.progressing import progress_lines
from kedro_journal.views.terminal import Line, Span, escape, line, render
from kedro_journal.views.watching import Expected, Watched, watch_lines

__all__ = ["watch"]

_DRAW_S: Final = 1.0  # seconds between two drawings while nothing is recorded
_ENDED_SHOWN: Final = 5  # sessions of --all that ended while they were watched
_KINDS: Final = ("failed", "crashed", "interrupted", "completed", "overdue")
_MARGIN: Final = 1  # lines; some terminals scroll once the last cell is written


def _kinds(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...]:
    chosen = tuple(one.strip() for one in value.split(",")) if value else ()
    for kind in chosen:
        if kind not in _KINDS:
            raise click.BadParameter(
                f"no event {kind!r}. There are {', '.join(_KINDS)}."
            )
    return chosen


@click.command("watch")
@session_argument
@click.option("every", "--all", is_flag=True, help="Every session that runs.")
@click.option("--plain", is_flag=True, help="Print lines, on a terminal too.")
@click.option(
    "kinds",
    "--on",
    metavar="EVENTS",
    callback=_kinds,
    help="Deliver events instead: of failed, crashed, interrupted, completed, overdue.",
)
@click.option("--run", "shell", metavar="CMD", help="With --on: run a shell command.")
@click.option("--webhook", metavar="URL", help="With --on: send a CloudEvent by POST.")
@click.option("--once", is_flag=True, help="With --on: end when all is delivered.")
@directory_options
@click.pass_context
def watch(
    ctx: click.Context,
    *,
    session_id: str,
    every: bool,
    plain: bool,
    kinds: tuple[str, ...],
    shell: str | None,
    webhook: str | None,
    once: bool,
    project: Path | None,
    directory: Path | None,
) -> None:
    """Watch a session while it runs.

    Shows each node with its status, how long it takes and usually takes, and what it
    loads or saves; the progress of the run and the time that is left; notes, warnings
    and failures. The usual duration is the median of at least three comparable runs
    among the 20 sessions before. What does not fit on the screen is folded by namespace
    or counted; nodes that failed are folded last. Where stdout is not a terminal, or
    with --plain, prints one line for each thing that happens.

    Ends with the session. The exit code is the verdict: 0 completed, 10 failed,
    11 crashed, 12 interrupted, 13 unknown, 15 no run. `latest` waits for a first
    session.

    With --all: every session that runs, new ones included, until Ctrl-C. On the screen,
    the last five that ended meanwhile remain.

    With --on: nothing is shown. Each event is given to --run, as JSON on its stdin, or
    to --webhook: of the session, or of every session if no ID is given. What happened
    while no `watch` with the same --run or --webhook was running is delivered when one
    starts; sessions that ended before the first one started are left out. Each event is
    delivered once. If `watch` is killed right after a delivery, that event is delivered
    again, with the same id. With --once, for cron, exits with 1 if some could not be.
    """
    where = open_journals(ctx, project, directory, may_be_missing=True)
    if kinds or shell or webhook or once:
        given = ctx.get_parameter_source("session_id")
        is_given = given is not None and given.name not in ("DEFAULT", "DEFAULT_MAP")
        only = choose(where, session_id).session_id if is_given and not every else None
        ctx.exit(_notify(where, kinds, shell, webhook, only, once=once))
    if every:
        given = ctx.get_parameter_source("session_id")
        if given is not None and given.name not in ("DEFAULT", "DEFAULT_MAP"):
            raise click.UsageError("--all watches every session: give no ID.")
        shown: _One | _Every = _Every(where)
    else:
        chosen = (
            wait_for_first(where)
            if session_id == "latest"
            else choose(where, session_id)
        )
        shown = _One(chosen.where, chosen.session_id)
    if plain or not _on_screen(shown):
        _print(shown)
    if isinstance(shown, _One):
        state = shown.watched.state
        say(f"kedro-journal: {state.session_id} {state.verdict}")
        ctx.exit(code_of(state.verdict))


def _notify(
    where: JournalDirectory,
    kinds: tuple[str, ...],
    shell: str | None,
    webhook: str | None,
    only: str | None,
    *,
    once: bool,
) -> int:
    """Deliver events; return the exit code."""
    from kedro_journal.cli.delivery import Cursor, Notifier, to_command, to_webhook

    if not kinds or (shell is None) == (webhook is None):
        raise click.UsageError("Give --on, and either --run or --webhook.")
    try:
        deliver = to_command(shell) if shell is not None else to_webhook(webhook or "")
    except ValueError as error:
        raise click.UsageError(f"--webhook: {error}.") from error
    action = f"run {shell}" if shell is not None else f"webhook {webhook}"
    if only is not None:
        action += f" of {only}"
    with Cursor(where, action) as cursor:
        told = Notifier(where, cursor, kinds, deliver, _say_delivered, only)
        if once:
            return 0 if told.until_idle() else 1
        told.go_on()
    return 0


def _say_delivered(text: str) -> None:
    say(f"kedro-journal: {escape(text)}")


class _One:
    """A session, with what is known of how long its runs usually take."""

    def __init__(self, where: JournalDirectory, session_id: str) -> None:
        self._where = where
        self._watcher = Watcher(where, session_id)
        self._expected: dict[int, Expected] = {}

    @property
    def watched(self) -> Watched:
        """The session at the last look."""
        watcher = self._watcher
        return Watched(watcher.state, self._expected, watcher.is_gone)

    @property
    def all(self) -> list[Watched]:
        """The sessions to be shown."""
        return [self.watched]

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come."""
        return self._watcher.has_ended

    def look(self) -> bool:
        """Read on; return whether there is anything new."""
        is_new = self._watcher.look()
        run = self._watcher.state.last_run
        if is_new and run is not None and run.started_seq not in self._expected:
            state = self._watcher.state
            usual = usual_times(self._where, state.session_id, run)
            self._expected[run.started_seq] = Expected(*usual)
        return is_new


class _Every:
    """Every session that runs, and the last that ended meanwhile."""

    has_ended = False

    def __init__(self, where: JournalDirectory) -> None:
        self._where = where
        self._names = Names(where)
        self._found: dict[str, _One] = {}
        self._ended: list[_One] = []
        self._is_first = True

    @property
    def all(self) -> list[Watched]:
        """The sessions to be shown."""
        both = [*self._found.values(), *reversed(self._ended)]
        return [one.watched for one in both]

    def look(self) -> bool:
        """Read on; return whether there is anything new."""
        names = self._names.new()
        if self._is_first:
            names = _unclosed(self._where, names)
        for name in names:
            self._found[name] = _One(self._where, name)
        is_new = False
        for name, one in list(self._found.items()):
            is_new = one.look() or is_new
            if one.has_ended:
                del self._found[name]
                if not self._is_first:  # else it had ended before
                    self._ended = [*self._ended, one][-_ENDED_SHOWN:]
        self._is_first = False
        return is_new


def _unclosed(where: JournalDirectory, names: list[str]) -> list[str]:
    """Leave out what was closed long ago without reading it."""
    from kedro_journal.replaying.index import listed

    return [
        found.state.session_id
        for found in listed(where, names)
        if found.state.verdict in ("running", "empty")
    ]


def _on_screen(shown: _One | _Every) -> bool:
    """Draw until the end; return False if the terminal cannot do that."""
    if not sys.stdout.isatty():
        return False
    from kedro_journal.cli.live_screen import LiveScreen

    live = LiveScreen()
    if not live.is_able:
        return False
    with live:
        size: tuple[int, int] = (0, 0)

        def draw() -> None:
            width, height = size
            here = screen()._replace(width=width)
            live.draw(watch_lines(shown.all, here, max(height - _MARGIN, 1)))

        drawn_s = 0.0
        while True:
            is_new = shown.look()
            now_s, now = time.monotonic(), live.size
            if is_new or now != size or now_s - drawn_s >= _DRAW_S:
                size, drawn_s = now, now_s
                draw()
            if shown.has_ended:
                break
            time.sleep(LOOK_S)
    here = screen()
    click.echo(render(watch_lines(shown.all, here), here.paint), nl=False)
    return True


def _print(shown: _One | _Every) -> None:
    """Print what happens, line by line, until the end."""
    before: dict[str, SessionState] = {}
    last = ""
    while True:
        if shown.look():
            here = screen()
            for one in shown.all:
                name = one.state.session_id
                if before.get(name) is one.state:
                    continue
                lines: list[Line] = progress_lines(before.get(name), one, here)
                before[name] = one.state
                if lines and name != last:
                    last = name
                    lines.insert(0, line("==> ", Span(name, "strong"), " <=="))
                click.echo(render(lines, here.paint), nl=False)
        if shown.has_ended:
            return
        time.sleep(LOOK_S)
