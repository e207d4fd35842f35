"""What the demo prints, and what it keeps of each step for `--json`."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

import click
import msgspec

from kedro_journal.console import screen
from kedro_journal.state import RunState, SessionState
from kedro_journal.views.derive import progress
from kedro_journal.views.terminal import Line, Screen, Span, line, render
from kedro_journal.views.words import count, flatten, literal

__all__ = ["Step", "Voice", "facts_of", "work_of"]

_INDENT: Final = "  "
_PROSE_WIDTH: Final = 88


class Step(msgspec.Struct, kw_only=True):
    """What one step did and showed, for `--json`.

    Attributes:
        step: Its number.
        title: What it is about.
        ok: Everything it says was found to be so.
        duration_s: Seconds it took.
        commands: What it ran, or did the same as.
        session_id: The session that it made or looked at.
        verdict: What became of that session.
        exit_code: Of its `kedro`.
        nodes_completed, nodes_planned: Of the session.
        broke_in: Nodes that failed or were being worked on.
        facts: More that it found.
    """

    step: int
    title: str
    ok: bool = False
    duration_s: float = 0.0
    commands: list[str] = []
    session_id: str | None = None
    verdict: str | None = None
    exit_code: int | None = None
    nodes_completed: int | None = None
    nodes_planned: int | None = None
    broke_in: list[str] = []
    facts: dict[str, Any] = {}

    def learn(self, state: SessionState) -> None:
        """Take over what a session's state says."""
        self.session_id, self.verdict = state.session_id, state.verdict
        self.nodes_completed, self.nodes_planned = progress(state)
        run = state.last_run
        self.broke_in = [node.name for node in run.broken] if run is not None else []


class Voice:
    """Prints the story: on stdout, or on stderr where stdout is for JSON."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._to_stderr = to_stderr

    @property
    def screen(self) -> Screen:
        """What the story is printed on, as of now, without the indentation."""
        here = screen()
        if self._to_stderr:
            return Screen(here.now)
        width = here.width and here.width - len(_INDENT)
        return here._replace(width=width)

    @property
    def width(self) -> int:
        """Columns for what is wrapped or cut, also where lines may be longer."""
        return min(self.screen.width or _PROSE_WIDTH, _PROSE_WIDTH)

    def heading(self, text: str) -> None:
        """Begin a step."""
        self._print(f"\n{render([line(Span(text, 'strong'))], self.screen.paint)}")

    def say(self, text: str) -> None:
        """Print prose, wrapped."""
        wrapped = textwrap.wrap(
            text, self.width, break_long_words=False, break_on_hyphens=False
        )
        self.show([line(part) for part in wrapped])

    def command(self, text: str, remark: str = "") -> None:
        """Print a command that is run, or whose answer follows."""
        shown = line(Span("$ ", "dim"), Span(text, "strong"))
        self.show([(), line(shown, Span(f"  {remark}", "dim")) if remark else shown])

    def show(self, lines: Sequence[Line]) -> None:
        """Print lines."""
        self.text(render(lines, self.screen.paint))

    def text(self, text: str) -> None:
        """Print what a view gave."""
        self._print(textwrap.indent(text, _INDENT))

    def _print(self, text: str) -> None:
        click.echo(text, nl=False, err=self._to_stderr)


def facts_of(state: SessionState) -> list[tuple[str, Line]]:
    """Return what `show` says of how a session was started."""
    facts: list[tuple[str, str]] = []
    if state.command is not None:
        facts.append(("command", " ".join(state.command.argv)))
    given = "  ".join(f"{k}={literal(v)}" for k, v in flatten(state.runtime_params))
    facts.append(("runtime", given))
    facts.append(("parameters", f"{len(flatten(state.parameters))} in force"))
    return [(name, line(text)) for name, text in facts if text]


def work_of(run: RunState) -> list[tuple[str, Line]]:
    """Return what a run did, was at, and had not begun."""
    done, todo = run.with_status("completed"), run.with_status("pending")
    last = f", the last of them {done[-1].name}" if done else ""
    first = f", the first of them {todo[0].name}" if todo else ""
    being_saved = [
        operation.dataset
        for node in run.broken
        for operation in node.saves.values()
        if operation.is_open
    ]
    facts = [
        ("completed", f"{count(len(done), 'node')}{last}"),
        ("in work", ", ".join(node.name for node in run.broken)),
        ("being saved", ", ".join(being_saved) or "nothing"),
        ("not begun", f"{count(len(todo), 'node')}{first}"),
    ]
    return [(name, line(text)) for name, text in facts]
