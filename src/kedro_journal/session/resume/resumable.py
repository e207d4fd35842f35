"""What a session can do with an earlier one: resume it, or repeat it.

This is a part of the session class that settings.py imports for every command. What
only a resume or a rerun needs is imported by the methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, cast

from kedro.framework.session import KedroSession as _KedroSession

from kedro_journal.capture import compat
from kedro_journal.capture.project import configure_recorded

if TYPE_CHECKING:
    from kedro_journal.analysis import ResumePlan
    from kedro_journal.events import SessionResumed
    from kedro_journal.state import NodeState, RunState, SessionState

    from .chain import Chain
    from .planning import OnDrift
    from .resumption import Resumption, RunnerChoice

__all__ = ["RESUMES", "Resumable"]

RESUMES: Final[ContextVar[SessionResumed | None]] = ContextVar(
    "kedro_journal_resumes", default=None
)
"""The session that the one being created resumes: recorded from its start."""


class Resumable(_KedroSession):
    """A part of our `KedroSession`, the only class that derives from it."""

    _resumption: Resumption | None = None
    _rerun: RunState | None = None
    _repeats: str | None = None
    _choice: RunnerChoice | None = None  # given by all that resumes or repeats

    @classmethod
    def resume(
        cls,
        session_id: str = "latest",
        *,
        project_path: Path | str | None = None,
        run_id: str | None = None,
        env: str | None = None,
        params: Mapping[str, Any] | None = None,
        extra_params: Mapping[str, Any] | None = None,
        from_nodes: Iterable[str] = (),
        on_drift: OnDrift = "report",
        force: bool = False,
        conf_source: Path | str | None = None,
        runner: type[Any] | None = None,
        runner_params: Mapping[str, Any] | None = None,
    ) -> Self:
        """Create a session that runs what an earlier one did not complete.

        Its `run()`, without arguments, runs what `plan` says is left, with the
        pipelines, filters, runner, environment and runtime parameters of the original.
        That one stays as it is. If it was resumed before, the last of the chain is gone
        on from.

        Args:
            session_id: As for `replay`; `latest` passes over sessions without a run.
            project_path: Root of the project; None for the one around the working
                directory.
            run_id: A run of the session; None for its last.
            env: Another configuration environment.
            params: Runtime parameters over those of the original.
            extra_params: The same under its name of Kedro 0.17; *params* wins.
            from_nodes: Nodes to run again in any case, with all that follows.
            on_drift: What to do where code, parameters or inputs were changed: report
                it in the plan, refuse, or redo what depends on it.
            force: Also resume a session whose process is alive or not known.
            conf_source: Another folder or archive of the configuration.
            runner: Another class of runners; None for the recorded one.
            runner_params: Arguments of its constructor, over the recorded ones. Given,
                if only as an empty mapping, it has the runner checked here instead of
                in `run()`, which also takes a runner.

        Raises:
            NothingLeft: It completed every node, and everything it saved is there.
            NotResumable: It has no run, is alive or being resumed; it belongs to
                another project; its configuration is gone; its runner cannot be made;
                or there is drift, which is refused.
            JournalError: As for `replay`.
        """
        from kedro_journal.capture.conf_source import conf_source_of
        from kedro_journal.capture.runner import runner_maker
        from kedro_journal.events import SessionResumed

        from .chain import find_chain
        from .planning import run_with_runner, runtime_params, unjournaled_context
        from .resumption import RunnerChoice, check_first, claim, go_on

        def find() -> Chain:
            return find_chain(
                session_id, project_path=project_path, run_id=run_id, force=force
            )

        from_nodes = tuple(from_nodes)
        chain, lock = claim(find)
        try:
            given = runtime_params(chain, {**(extra_params or {}), **(params or {})})
            conf_source = conf_source_of(chain, chain.links[0].state, conf_source)
            choice = RunnerChoice(runner, runner_params)
            if runner_params is not None:
                runner_maker(chain.last.session_id, run_with_runner(chain), *choice)
            check_first(
                chain,
                lambda: unjournaled_context(chain, env, given, conf_source),
                from_nodes,
                on_drift,
            )
            resumes = SessionResumed(
                parent_session_id=chain.last.session_id,
                parent_run_id=chain.run.run_id,
            )
            token = RESUMES.set(resumes)
            try:
                state = chain.links[0].state
                session = _create(cls, chain, state, env, given, conf_source)
            finally:
                RESUMES.reset(token)
            session.uses(choice)
            go_on(session, chain, lock, from_nodes, on_drift)
        except BaseException:
            lock.release()
            raise
        return cast("Self", session)

    @classmethod
    def rerun(
        cls,
        session_id: str = "latest",
        *,
        project_path: Path | str | None = None,
        run_id: str | None = None,
        env: str | None = None,
        params: Mapping[str, Any] | None = None,
        extra_params: Mapping[str, Any] | None = None,
        conf_source: Path | str | None = None,
        runner: type[Any] | None = None,
        runner_params: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a new session whose `run()` does what an earlier one was asked for.

        From the start, with the same pipelines, filters, runner, environment and
        runtime parameters; nothing of what was completed is used. A session that
        resumes others stands for the first of them (`repeats`): its filters and
        versions count, with the runtime parameters, environment and runner of the
        last.

        Args:
            session_id, project_path, run_id, env, params, extra_params, conf_source,
                runner, runner_params: As for `resume`.

        Raises:
            NotResumable: It has no run, belongs to another project, or was given what
                is not recorded exactly; its configuration is gone; or its runner cannot
                be made.
            JournalError: As for `replay`.
        """
        from kedro_journal.capture.conf_source import conf_source_of
        from kedro_journal.capture.runner import runner_maker
        from kedro_journal.errors import NotResumable

        from .chain import find_chain
        from .planning import run_filters, run_with_runner, runtime_params
        from .resumption import RunnerChoice

        try:
            chain = find_chain(
                session_id,
                project_path=project_path,
                run_id=run_id,
                force=True,
                follow=False,
            )
        except NotResumable as no:
            raise NotResumable(no.session_id, no.reason, no.advice, "run again") from no
        given = runtime_params(chain, {**(extra_params or {}), **(params or {})})
        source = conf_source_of(chain, chain.last, conf_source)
        choice = RunnerChoice(runner, runner_params)
        if runner_params is not None:
            runner_maker(chain.last.session_id, run_with_runner(chain), *choice)
        first = chain.links[0]
        run_filters(chain, first.state.session_id, first.run)  # refuses before it runs
        session = _create(cls, chain, chain.last, env, given, source)
        session.uses(choice)
        session.runs_again(chain)
        return cast("Self", session)

    def runs_again(self, chain: Chain) -> None:
        """Take what an earlier run was asked for; called once, by `rerun`."""
        from msgspec.structs import replace

        from .planning import run_filters, run_with_runner

        first, last = chain.links[0], run_with_runner(chain)
        self._rerun = replace(
            first.run,
            runner=last.runner,
            is_async=last.is_async,
            runner_arguments=last.runner_arguments,
            runner_arguments_unknown=last.runner_arguments_unknown,
            filters=run_filters(chain, first.state.session_id, first.run),
        )
        self._repeats = first.state.session_id

    def uses(self, choice: RunnerChoice) -> None:
        """Take the runner that the caller wants; called once."""
        self._choice = choice

    def goes_on(self, resumption: Resumption) -> None:
        """Take what is left to run; called once, by `resume`."""
        self._resumption = resumption

    @property
    def resumes(self) -> bool:
        """Its `run()` has arguments of an earlier one."""
        return self._resumption is not None or self._rerun is not None

    @property
    def repeats(self) -> str | None:
        """The session whose run it does again, if it was made by `rerun`."""
        return self._repeats

    @property
    def has_nothing_left(self) -> bool:
        """It resumes another session, and nothing is left to run."""
        return self._resumption is not None and not self._resumption.plan.to_run

    @property
    def plan(self) -> ResumePlan | None:
        """What is left to run, of a session that resumes another; else None."""
        return self._resumption.plan if self._resumption is not None else None

    def load_inputs(
        self, node: NodeState | str, *, run_id: str | None = None, partial: bool = False
    ) -> dict[str, Any]:
        """Load the inputs of a recorded node of this session again.

        Args:
            node, run_id, partial: As for `kedro_journal.load_inputs`.

        Raises:
            KeyError, NotRecorded, Exception: As for `kedro_journal.load_inputs`.
        """
        from .inputs import inputs_of

        session = cast("Any", self)  # our `KedroSession`
        return inputs_of(session, node, run_id=run_id, partial=partial)

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of a `run()` that was called with these by name."""
        if not self.resumes:
            return dict(given)
        from .resumption import RunnerChoice, rerun_arguments, run_arguments

        choice = self._choice or RunnerChoice()
        if self._rerun is not None:
            repeats = str(self._repeats)
            return rerun_arguments(self._rerun, repeats, given, choice)
        if self._resumption is not None:
            session_id = self.store["session_id"]  # Kedro's, the version it saves
            found = run_arguments(self._resumption, session_id, given, choice)
            if not compat.has_run(self):  # else Kedro refuses
                self._resumption.set_back()
            return found
        return dict(given)

    def let_go(self) -> None:
        """Let others resume the session that this one resumed."""
        if self._resumption is not None:
            self._resumption.lock.release()


def _create(
    cls: Any,
    chain: Chain,
    like: SessionState,
    env: str | None,
    params: Mapping[str, Any],
    conf_source: str | None,
) -> Any:
    """Make a session that names the last of a chain, and is set up as *like* was."""
    from kedro_journal.capture.identity import group_carried

    configure_recorded(like, chain.project)
    return cls.create(
        project_path=chain.project,
        env=env or chain.run.env or like.env,
        runtime_params=params or None,
        conf_source=conf_source,
        labels=like.labels,
        parent_session_id=chain.last.session_id,
        group_id=group_carried(chain.last.group_id),
    )
