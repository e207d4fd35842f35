"""The story that the demo tells: what was done, and what the journals say of it.

Every statement about a run is read back from its journal and checked. If one does not
hold, the story ends there with an error.
"""

from __future__ import annotations

import contextlib
import shlex
import time
from pathlib import Path
from typing import Final

import msgspec

import kedro_journal
from kedro_journal.analysis import ResumePlan
from kedro_journal.events import NodeCompleted, Record
from kedro_journal.views.derive import failures, places, progress
from kedro_journal.views.failure import failure_lines
from kedro_journal.views.health import verification_view
from kedro_journal.views.resume import plan_view
from kedro_journal.views.table import pairs
from kedro_journal.views.terminal import Span, line
from kedro_journal.views.timeline import Timeline
from kedro_journal.views.verdict import title, verdict_lines
from kedro_journal.views.words import count, duration

from .process import as_typed, left_out, start_kedro
from .project import NEW_PROJECT, place
from .teller import Teller
from .voice import Step, facts_of, work_of

__all__ = ["Story"]

_GATE_NODE: Final = "check_quality"
_GATE: Final = "evaluation.minimum_r2=0.999"
_LONG_NODE: Final = "train_model"
_LONG: Final = "model.epochs=20000"
_SHORT: Final = "model.epochs=80"  # as the project has it
_WATCH: Final = "model.epochs=8000"
_REPORT: Final = "data/08_reporting/demand_report.html"
_REPORT_NODE: Final = "write_report"


class Story(Teller):
    """The six steps."""

    def tell(self) -> None:
        """Go through all the steps.

        Raises:
            JournalError: A step did not show what it claims.
            KeyboardInterrupt: The user stopped it; nothing that it started is left.
        """
        self._introduce()
        self._create()
        whole = self._run_whole()
        failed = self._run_into_error()
        crashed = self._run_and_kill()
        resumed = self._resume(crashed)
        known = {whole: "completed", failed: "failed", resumed: "completed"}
        self._look_back(crashed, known)
        self._say_goodbye(failed, crashed)

    def _introduce(self) -> None:
        self.voice.say(
            f"A small Kedro project is made in {self.folder} and run three times: to "
            "its end, into an error, and until it is killed. Then the killed run goes "
            "on. Everything that is printed about the runs is read back "
            "from the journals that "
            "they wrote, and what follows a $ can be typed as well."
        )
        unheeded = left_out()
        if unheeded:
            names = ", ".join(unheeded)
            self.voice.say(f"The runs do not get these variables of yours: {names}.")

    def _create(self) -> None:
        with self.step("A project") as step:
            self.command(step, "kedro", *NEW_PROJECT)
            with (
                place(self.folder) as workshop,
                start_kedro(NEW_PROJECT, workshop.path, workshop.environ) as child,
            ):
                step.exit_code = child.wait()
                made = step.exit_code == 0
                self.claim(made, "Kedro could not make the project", child)
            inside = ", ".join(sorted(path.name for path in self.folder.iterdir()))
            self.voice.say(f"{self.folder} now has {inside}.")

    def _run_whole(self) -> str:
        with self.step("A run") as step:
            with self.child(step, "kedro", "run") as child:
                session_id = self.watch(child)
                step.exit_code = child.wait()
                state = self.state(step, session_id)
                done, planned = progress(state)
                well = step.exit_code == 0 and state.verdict == "completed"
                self.claim(
                    well and done == planned > 0,
                    f"the run was expected to complete, but it {state.verdict}, "
                    f"{done} of {count(planned, 'node')} completed",
                    child,
                )
            self.command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self.show_verdict(state)
            path = self.where.file(session_id).relative_to(self.folder)
            self.voice.say(f"Its journal is {path}: {count(state.seq, 'record')}.")
            return session_id

    def _run_into_error(self) -> str:
        with self.step("A run that fails") as step:
            self.voice.say(
                "The project checks its forecast against a limit. Here the limit is "
                "higher than the forecast can reach."
            )
            with self.child(step, "kedro", "run", "--params", _GATE) as child:
                session_id = self.watch(child)
                step.exit_code = child.wait()
                state = self.state(step, session_id)
                failed = state.verdict == "failed" and step.broke_in == [_GATE_NODE]
                self.claim(
                    step.exit_code != 0 and failed,
                    f"{_GATE_NODE} was expected to fail, but the run {state.verdict}"
                    f" ({', '.join(step.broke_in) or 'no node broke'})",
                    child,
                )
            found = failures(state)
            self.claim(bool(found), "the journal has no error")
            self.command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self.show_verdict(state, first_only=True)
            self.voice.show([(), *pairs(facts_of(state), self.voice.screen.width), ()])
            self.voice.show(failure_lines(found[0], state.project_path))
            error = found[0].error
            step.facts["error"] = error.summary()
            self.claim(bool(error.snippet), "the error has no source lines")
            return session_id

    def _run_and_kill(self) -> str:
        with self.step("A run that is killed") as step:
            self.voice.say(
                f"This run trains much longer. As soon as its journal says that "
                f"{_LONG_NODE} has started, the process is killed: it gets no chance "
                "to write a last word."
            )
            with self.child(step, "kedro", "run", "--params", _LONG) as child:
                session_id = self.watch(child, until_started=_LONG_NODE)
                self.claim(
                    not child.ends_within(0),
                    "the run ended before it was killed",
                    child,
                )
                kill = f"kill -9 {child.pid}"
                step.commands.append(kill)
                self.voice.command(kill)
                began = time.monotonic()
                step.exit_code = child.kill()
                state = self.state(step, session_id)
                known_after_s = time.monotonic() - began
            run = state.last_run
            in_node = run is not None and _LONG_NODE in step.broke_in
            self.claim(
                run is not None and state.verdict == "crashed" and in_node,
                f"the session was killed in {_LONG_NODE}, but its journal says "
                f"{state.verdict} ({', '.join(step.broke_in) or 'in no node'})",
            )
            assert run is not None  # noqa: S101 - claimed above
            step.facts["known_after_s"] = round(known_after_s, 3)
            self.voice.say(f"{duration(known_after_s)} later:")
            self.list_sessions(step)
            self.command(step, "kedro-journal", "show", session_id, remark="(in part)")
            self.show_verdict(state)
            step.facts["being_saved"] = [
                dataset for found in places(run) for dataset in found.datasets
            ]
            self.voice.show([(), *pairs(work_of(run), self.voice.screen.width)])
            return session_id

    def _resume(self, crashed: str) -> str:
        with self.step("The killed run goes on") as step:
            self.voice.say(
                "One command runs what was not completed; here with no more "
                "training than the first run had. Before, what it will do and why:"
            )
            before = (self.folder / _REPORT).read_bytes()
            again = ("resume", crashed, "--params", _SHORT)
            self.command(step, "kedro-journal", *again, "--dry-run")
            with start_kedro(
                (*again, "--dry-run", "--json"),
                self.folder,
                program="kedro-journal",
                answer=True,
            ) as child:
                planned = child.wait() == 0
                self.claim(planned, "the session could not be resumed", child)
                plan = msgspec.json.decode(child.output(), type=ResumePlan)
            self.voice.text(plan_view(plan, self.voice.screen))
            step.facts["done"], step.facts["to_run"] = plan.done, plan.to_run
            with self.child(step, "kedro-journal", *again) as child:
                session_id = self.watch(child)
                step.exit_code = child.wait()
                state = self.state(step, session_id)
                ran = tuple(state.runs[-1].nodes) if state.runs else ()
                well = step.exit_code == 0 and state.verdict == "completed"
                self.claim(
                    well and 0 < len(ran) == len(plan.to_run) and bool(plan.done),
                    f"the resumed run was expected to complete, but it {state.verdict}",
                    child,
                )
            after = (self.folder / _REPORT).read_bytes()
            saved = state.runs[-1].nodes[_REPORT_NODE].status == "completed"
            step.facts["same_report"] = saved and before == after
            self.claim(saved and before == after, "the report is not that of the run")
            self.voice.say(
                f"{count(len(plan.done), 'node')} did not run again. {_REPORT} was "
                "written again, and is byte for byte that of the first run."
            )
            return session_id

    def _look_back(self, crashed: str, others: dict[str, str]) -> None:
        with self.step("Looking back") as step:
            self.voice.say(
                "A journal has every change in its order, so the state at any record "
                "can be had again, also of a session that died."
            )
            record = self._halfway(crashed)
            past = kedro_journal.replay(
                crashed, until_seq=record.seq, directory=self.where.path
            )
            now = kedro_journal.replay(crashed, directory=self.where.path)
            self.claim(
                past.seq == record.seq < now.seq
                and 0 < progress(past)[0] < progress(now)[0],
                f"the state at record {record.seq} is not that of its time",
            )
            at = str(record.seq)
            self.command(
                step, "kedro-journal", "replay", crashed, "--at", at, remark="(in part)"
            )
            here = self.voice.screen
            lines = [Timeline(here).line(record), (), title(past, as_of=True)]
            self.voice.show([*lines, *verdict_lines(past, here, {})])
            step.learn(now)
            step.facts["past"] = {
                "seq": past.seq, "nodes_completed": progress(past)[0],
            }  # fmt: skip
            self._verify(step)
            self.list_sessions(step)
            verdicts = {
                state.session_id: state.verdict
                for state in kedro_journal.sessions(directory=self.where.path)
            }
            step.facts["sessions"] = verdicts
            self.claim(
                verdicts == {**others, crashed: "crashed"},
                f"the list does not say what was shown before: {verdicts}",
            )

    def _halfway(self, session_id: str) -> Record:
        """Find the record by which half of a session's completed nodes were."""
        done = [
            record
            for record in kedro_journal.records(session_id, directory=self.where.path)
            if isinstance(record.event, NodeCompleted)
        ]
        self.claim(len(done) > 1, "too few nodes were completed before the kill")
        return done[(len(done) - 1) // 2]

    def _verify(self, step: Step) -> None:
        self.command(step, "kedro-journal", "verify", "--all")
        checked: dict[str, bool] = {}
        for session_id in self.where.ids():
            found = kedro_journal.verify(session_id, directory=self.where.path)
            checked[session_id] = found.ok
            self.voice.text(verification_view(session_id, found, self.voice.screen))
        step.facts["verified"] = checked
        self.claim(all(checked.values()), "a journal is damaged")

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
        self.voice.heading("Next steps")
        typed = [(as_typed(*words), line(Span(what, "dim"))) for words, what in steps]
        self.voice.show([line(_cd(self.folder)), *pairs(typed, None)])


def _cd(folder: Path) -> str:
    with contextlib.suppress(ValueError):
        folder = folder.relative_to(Path.cwd())
    return f"cd {shlex.quote(str(folder))}"
