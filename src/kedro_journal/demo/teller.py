"""What every step of the demo does: run, watch, read back, check, print."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import kedro_journal
from kedro_journal.config import load_config
from kedro_journal.console import moments_of
from kedro_journal.errors import JournalError
from kedro_journal.events import (
    NodeCompleted,
    NodeFailed,
    NodeStarted,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
)
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import SessionState
from kedro_journal.views.sessions import Listed, sessions_view
from kedro_journal.views.terminal import Span, clip, line, pad, text_lines
from kedro_journal.views.timeline import describe
from kedro_journal.views.verdict import title, verdict_lines

from .process import Child, as_typed, await_session, start_kedro
from .voice import Step, Voice

__all__ = ["Teller"]

_Shown = (
    NodeCompleted | NodeFailed | RunStarted | RunCompleted | RunFailed | RunInterrupted
)
"""Events of a run that are printed as they come."""


class Teller:
    """Goes through steps.

    Args:
        folder: Where the project goes; absolute.
        voice: Prints.

    Attributes:
        steps: Those that were begun.
        voice: Prints.
    """

    def __init__(self, folder: Path, voice: Voice) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self.voice = voice

    @property
    def where(self) -> JournalDirectory:
        """The project's journal directory."""
        config = load_config(self.folder, environ={})
        return JournalDirectory(config.journal_directory(self.folder))

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Begin a step; it is well if nothing is raised in it."""
        step = Step(step=len(self.steps) + 1, title=name)
        self.steps.append(step)
        self.voice.heading(f"{step.step}. {name}")
        began = time.monotonic()
        try:
            yield step
            step.ok = True
        finally:
            step.duration_s = round(time.monotonic() - began, 3)

    def command(
        self, step: Step, program: str, *arguments: str, remark: str = ""
    ) -> None:
        """Print a command."""
        typed = as_typed(program, *arguments)
        step.commands.append(typed)
        self.voice.command(typed, remark)

    def claim(self, is_so: bool, otherwise: str, child: Child | None = None) -> None:
        """Go on only if what comes next is true.

        Raises:
            JournalError: It is not. What the child printed was shown before.
        """
        if is_so:
            return
        if child is not None:
            self.voice.show([(), line(Span("Kedro printed:", "strong"))])
            self.voice.show(text_lines(child.output().rstrip()))
        message = f"Step {self.steps[-1].step} of the demo: {otherwise}."
        raise JournalError(message)

    def list_sessions(self, step: Step) -> None:
        """Print the list of sessions."""
        self.command(step, "kedro-journal", "list")
        rows = [
            Listed(state) for state in kedro_journal.sessions(directory=self.where.path)
        ]
        self.voice.text(sessions_view(rows, self.voice.screen))

    @contextlib.contextmanager
    def child(self, step: Step, program: str, *arguments: str) -> Iterator[Child]:
        """Print a command and start it; see `start_kedro`."""
        self.command(step, program, *arguments)
        with start_kedro(arguments, self.folder, program=program) as child:
            yield child

    def watch(self, child: Child, until_started: str = "") -> str:
        """Print a run's progress from its journal, to its end or to a node's start."""
        where = self.where
        known = [step.session_id for step in self.steps if step.session_id]
        try:
            session_id = await_session(where, known, child)
        except JournalError as error:
            self.claim(False, str(error).rstrip("."), child)
            raise
        width = 0
        for record in kedro_journal.follow(session_id, directory=where.path):
            event = record.event
            if isinstance(event, RunStarted):
                width = max([width, *(len(node.name) for node in event.nodes)])
            reached = isinstance(event, NodeStarted) and event.node == until_started
            if reached or isinstance(event, _Shown):
                said = describe(event)
                subject = pad(line(said.subject), width)
                shown = line(subject, "  ", Span(said.text, said.role))
                self.voice.show([clip(shown, self.voice.width)])
            if reached:
                break
        return session_id

    def state(self, step: Step, session_id: str) -> SessionState:
        """Read a session back from its journal, and keep the facts."""
        state = kedro_journal.replay(session_id, directory=self.where.path)
        step.learn(state)
        return state

    def show_verdict(self, state: SessionState, *, first_only: bool = False) -> None:
        """Print what became of a session."""
        moments = moments_of(self.where.file(state.session_id), state)
        lines = verdict_lines(state, self.voice.screen, moments)
        self.voice.show([title(state), *(lines[:1] if first_only else lines)])
