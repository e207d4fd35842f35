"""The story that the demo tells: what was done, and what the journals say of it.

Every statement about a run is read back from its journal and checked. If one does not
hold, the story ends there with an error.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import kedro_journal
from kedro_journal.config import load_config
from kedro_journal.errors import JournalError
from kedro_journal.events import (
    NodeCompleted,
    NodeFailed,
    NodeStarted,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
)
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import SessionState
from kedro_journal.views.derive import failures, places, progress
from kedro_journal.views.failure import failure_lines
from kedro_journal.views.health import verification_view
from kedro_journal.views.sessions import Listed, sessions_view
from kedro_journal.views.table import pairs
from kedro_journal.views.terminal import Span, clip, line, pad, text_lines
from kedro_journal.views.timeline import Timeline, describe
from kedro_journal.views.verdict import title, verdict_lines
from kedro_journal.views.words import count, duration

from .common import moments_of
from .demo_process import Child, as_typed, await_session, left_out, start_kedro
from .demo_project import NEW_PROJECT, place
from .demo_voice import Step, Voice, facts_of, work_of

__all__ = ["Story"]

_GATE_NODE: Final = "check_quality"
_GATE: Final = "evaluation.minimum_r2=0.999"
_LONG_NODE: Final = "train_model"
_LONG: Final = "model.epochs=20000"
_WATCH: Final = "model.epochs=8000"

_Shown = (
    NodeCompleted | NodeFailed | RunStarted | RunCompleted | RunFailed | RunInterrupted
)
"""Events of a run that are printed as they come."""


class Story:
    """The five steps.

    Args:
        folder: Where the project goes; absolute.
        voice: Prints.

    Attributes:
        steps: Those that were begun.
    """

    def __init__(self, folder: Path, voice: Voice) -> None:
        self.folder = folder
        self.steps: list[Step] = []
        self._voice = voice

    @property
    def where(self) -> JournalDirectory:
        """The project's journal directory."""
        config = load_config(self.folder, environ={})
        return JournalDirectory(config.journal_directory(self.folder))

    def tell(self) -> None:
        """Go through all the steps.

        Raises:
            JournalError: A step did not show what it claims.
            KeyboardInterrupt: Somebody stopped it; nothing that it started is left.
        """
        self._introduce()
        self._create()
        whole = self._run_whole()
        failed = self._run_into_error()
        crashed = self._run_and_kill()
        self._look_back(crashed, {whole: "completed", failed: "failed"})
        self._say_goodbye(failed, crashed)

    def _introduce(self) -> None:
        self._voice.say(
            f"A small Kedro project is made in {self.folder} and run three times: to "
            "its end, into an error, and until it is killed. All that is said of the "
            "runs is read back from the journals that they wrote, and what follows a $ "
            "can be typed as well."
        )
        unheeded = left_out()
        if unheeded:
            names = ", ".join(unheeded)
            self._voice.say(f"The runs do not get these variables of yours: {names}.")

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[Step]:
        step = Step(step=len(self.steps) + 1, title=name)
        self.steps.append(step)
        self._voice.heading(f"{step.step}. {name}")
        began = time.monotonic()
        try:
            yield step
            step.ok = True
        finally:
            step.duration_s = round(time.monotonic() - began, 3)

    def _command(
        self, step: Step, program: str, *arguments: str, remark: str = ""
    ) -> None:
        typed = as_typed(program, *arguments)
        step.commands.append(typed)
        self._voice.command(typed, remark)

    def _claim(self, is_so: bool, otherwise: str, child: Child | None = None) -> None:
        """Go on only if what comes next is true.

        Raises:
            JournalError: It is not. What the child printed was shown before.
        """
        if is_so:
            return
        if child is not None:
            self._voice.show([(), line(Span("Kedro printed:", "strong"))])
            self._voice.show(text_lines(child.output().rstrip()))
        message = f"Step {self.steps[-1].step} of the demo: {otherwise}."
        raise JournalError(message)

    def _create(self) -> None:
        with self._step("A project") as step:
            self._command(step, "kedro", *NEW_PROJECT)
            with (
                place(self.folder) as workshop,
                start_kedro(NEW_PROJECT, workshop.path, workshop.environ) as child,
            ):
                step.exit_code = child.wait()
                made = step.exit_code == 0
                self._claim(made, "Kedro could not make the project", child)
            inside = ", ".join(sorted(path.name for path in self.folder.iterdir()))
            self._voice.say(f"{self.folder} now has {inside}.")

    def _run_whole(self) -> str:
        with self._step("A run") as step:
            with self._kedro_run(step) as child:
                session_id = self._watch(child)
                step.exit_code = child.wait()
                state = self._state(step, session_id)
                done, planned = progress(state)
                well = step.exit_code == 0 and state.verdict == "completed"
                self._claim(
                    well and done == planned > 0,
                    f"the run was expected to complete, but it {state.verdict}, "
                    f"{done} of {count(planned, 'node')} completed",
                    child,
                )
            self._command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self._show_verdict(state)
            path = self.where.file(session_id).relative_to(self.folder)
            self._voice.say(f"Its journal is {path}: {count(state.seq, 'record')}.")
            return session_id

    def _run_into_error(self) -> str:
        with self._step("A run that fails") as step:
            self._voice.say(
                "The project checks its forecast against a limit. Here the limit is "
                "higher than the forecast can reach."
            )
            with self._kedro_run(step, "--params", _GATE) as child:
                session_id = self._watch(child)
                step.exit_code = child.wait()
                state = self._state(step, session_id)
                failed = state.verdict == "failed" and step.broke_in == [_GATE_NODE]
                self._claim(
                    step.exit_code != 0 and failed,
                    f"{_GATE_NODE} was expected to fail, but the run {state.verdict}"
                    f" ({', '.join(step.broke_in) or 'no node broke'})",
                    child,
                )
            found = failures(state)
            self._claim(bool(found), "the journal has no error")
            self._command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self._show_verdict(state, first_only=True)
            self._voice.show(
                [(), *pairs(facts_of(state), self._voice.screen.width), ()]
            )
            self._voice.show(failure_lines(found[0], state.project_path))
            error = found[0].error
            step.facts["error"] = error.summary()
            self._claim(bool(error.snippet), "the error has no source lines")
            return session_id

    def _run_and_kill(self) -> str:
        with self._step("A run that is killed") as step:
            self._voice.say(
                f"This run trains much longer. As soon as its journal says that "
                f"{_LONG_NODE} has started, the process is killed: it gets no chance "
                "to write a last word."
            )
            with self._kedro_run(step, "--params", _LONG) as child:
                session_id = self._watch(child, until_started=_LONG_NODE)
                self._claim(
                    not child.ends_within(0),
                    "the run ended before it was killed",
                    child,
                )
                kill = f"kill -9 {child.pid}"
                step.commands.append(kill)
                self._voice.command(kill)
                began = time.monotonic()
                step.exit_code = child.kill()
                state = self._state(step, session_id)
                known_after_s = time.monotonic() - began
            run = state.last_run
            in_node = run is not None and _LONG_NODE in step.broke_in
            self._claim(
                run is not None and state.verdict == "crashed" and in_node,
                f"the session was killed in {_LONG_NODE}, but its journal says "
                f"{state.verdict} ({', '.join(step.broke_in) or 'in no node'})",
            )
            assert run is not None  # noqa: S101 - claimed above
            step.facts["known_after_s"] = round(known_after_s, 3)
            self._voice.say(f"{duration(known_after_s)} later:")
            self._list(step)
            self._command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self._show_verdict(state)
            step.facts["being_saved"] = [
                dataset for found in places(run) for dataset in found.datasets
            ]
            self._voice.show([(), *pairs(work_of(run), self._voice.screen.width)])
            return session_id

    def _look_back(self, crashed: str, others: dict[str, str]) -> None:
        with self._step("Looking back") as step:
            self._voice.say(
                "A journal has every change in its order, so the state at any record "
                "can be had again, also of a session that died."
            )
            record = self._halfway(crashed)
            past = kedro_journal.replay(
                crashed, until_seq=record.seq, directory=self.where.path
            )
            now = kedro_journal.replay(crashed, directory=self.where.path)
            self._claim(
                past.seq == record.seq < now.seq
                and 0 < progress(past)[0] < progress(now)[0],
                f"the state at record {record.seq} is not that of its time",
            )
            at = str(record.seq)
            self._command(
                step, "kedro-journal", "replay", crashed, "--at", at, remark="(in part)"
            )
            here = self._voice.screen
            lines = [Timeline(here).line(record), (), title(past, as_of=True)]
            self._voice.show([*lines, *verdict_lines(past, here, {})])
            step.learn(now)
            step.facts["past"] = {
                "seq": past.seq, "nodes_completed": progress(past)[0],
            }  # fmt: skip
            self._verify(step)
            self._list(step)
            verdicts = {
                state.session_id: state.verdict
                for state in kedro_journal.sessions(directory=self.where.path)
            }
            step.facts["sessions"] = verdicts
            self._claim(
                verdicts == {**others, crashed: "crashed"},
                f"the list does not say what was shown before: {verdicts}",
            )

    def _halfway(self, session_id: str) -> Record:
        """Find the record by which half of a session's completed nodes were."""
        done = [
            record
            for record in kedro_journal.events(session_id, directory=self.where.path)
            if isinstance(record.event, NodeCompleted)
        ]
        self._claim(len(done) > 1, "too few nodes were completed before the kill")
        return done[(len(done) - 1) // 2]

    def _verify(self, step: Step) -> None:
        self._command(step, "kedro-journal", "verify", "--all")
        checked: dict[str, bool] = {}
        for session_id in self.where.journaled_ids():
            found = kedro_journal.verify(session_id, directory=self.where.path)
            checked[session_id] = found.ok
            self._voice.text(verification_view(session_id, found, self._voice.screen))
        step.facts["verified"] = checked
        self._claim(all(checked.values()), "a journal is damaged")

    def _list(self, step: Step) -> None:
        self._command(step, "kedro-journal", "list")
        rows = [
            Listed(state) for state in kedro_journal.sessions(directory=self.where.path)
        ]
        self._voice.text(sessions_view(rows, self._voice.screen))

    @contextlib.contextmanager
    def _kedro_run(self, step: Step, *arguments: str) -> Iterator[Child]:
        self._command(step, "kedro", "run", *arguments)
        with start_kedro(("run", *arguments), self.folder) as child:
            yield child

    def _watch(self, child: Child, until_started: str = "") -> str:
        """Print a run's progress from its journal, to its end or to a node's start."""
        where = self.where
        known = [step.session_id for step in self.steps if step.session_id]
        try:
            session_id = await_session(where, known, child)
        except JournalError as error:
            self._claim(False, str(error).rstrip("."), child)
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
                self._voice.show([clip(shown, self._voice.width)])
            if reached:
                break
        return session_id

    def _state(self, step: Step, session_id: str) -> SessionState:
        state = kedro_journal.replay(session_id, directory=self.where.path)
        step.learn(state)
        return state

    def _show_verdict(self, state: SessionState, *, first_only: bool = False) -> None:
        moments = moments_of(self.where.file(state.session_id), state)
        lines = verdict_lines(state, self._voice.screen, moments)
        self._voice.show([title(state), *(lines[:1] if first_only else lines)])

    def _say_goodbye(self, failed: str, crashed: str) -> None:
        steps = (
            (
                ("kedro-journal", "show", failed, "--nodes"),
                "what each node read, wrote",
            ),
            (("kedro-journal", "replay", crashed, "--step"), "record by record"),
            (("kedro-journal", "list", "--json"), "for your scripts"),
            (
                ("kedro", "run", "--params", _WATCH),
                "a longer run; meanwhile, elsewhere:",
            ),
            (("kedro-journal", "tail", "-f"), "every record as it is written"),
        )
        self._voice.heading("Go on from here")
        typed = [(as_typed(*words), line(Span(what, "dim"))) for words, what in steps]
        self._voice.show([line(_cd(self.folder)), *pairs(typed, None)])


def _cd(folder: Path) -> str:
    with contextlib.suppress(ValueError):
        folder = folder.relative_to(Path.cwd())
    return f"cd {shlex.quote(str(folder))}"
