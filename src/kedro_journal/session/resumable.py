"""What a session can do with an earlier one: go on from it, or do it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final, Self, cast

from kedro.framework.session import KedroSession as _KedroSession
from msgspec.structs import replace

from kedro_journal.events import SessionResumed
from kedro_journal.state import ResumePlan, RunState, SessionState

from .chain import Chain, find_chain
from .identity import group_carried
from .project import configure
from .resume import OnDrift, run_filters, runtime_params, unjournaled_context
from .resumption import (
    Resumption,
    check_first,
    claim,
    go_on,
    rerun_arguments,
    run_arguments,
)

__all__ = ["RESUMES", "Resumable"]

RESUMES: Final[ContextVar[SessionResumed | None]] = ContextVar(
    "kedro_journal_resumes", default=None
)
"""What the session that is being created goes on from: on record from its start."""


class Resumable(_KedroSession):
    """A part of our `KedroSession`, the only class that derives from it."""

    _resumption: Resumption | None = None
    _rerun: RunState | None = None
    _repeats: str | None = None

    @classmethod
    def resume(
        cls,
        session_id: str = "latest",
        *,
        project_path: Path | str | None = None,
        run_id: str | None = None,
        env: str | None = None,
        extra_params: Mapping[str, Any] | None = None,
        from_nodes: Iterable[str] = (),
        on_drift: OnDrift = "report",
        force: bool = False,
    ) -> Self:
        """Make a new session that goes on from what an earlier one completed.

        Its `run()`, without arguments, runs what `plan` says is left, with the
        pipelines, filters, runner, environment and runtime parameters of the original.
        That one stays as it is. If it was resumed before, the last of the chain is gone
        on from.

        Args:
            session_id: An id, a unique beginning of one, or `latest`.
            project_path: Root of the project; None for the one around the working
                directory.
            run_id: A run of the session; None for its last.
            env: Another configuration environment.
            extra_params: Runtime parameters over those of the original.
            from_nodes: Nodes to run again in any case, with all that follows.
            on_drift: What to do where code, parameters or inputs were changed: report
                it in the plan, refuse, or redo what depends on it.
            force: Also go on from a session whose process is alive, or cannot be told.

        Raises:
            NothingLeft: It completed every node, and everything it saved is there.
            NotResumable: It has no run, is alive or being resumed, or there is drift,
                which is refused.
            JournalError: As for `replay`.
        """

        def find() -> Chain:
            return find_chain(
                session_id, project_path=project_path, run_id=run_id, force=force
            )

        from_nodes = tuple(from_nodes)
        chain, lock = claim(find)
        try:
            params = runtime_params(chain, extra_params)
            check_first(
                chain,
                lambda: unjournaled_context(chain, env, params),
                from_nodes,
                on_drift,
            )
            resumes = SessionResumed(
                parent_session_id=chain.last.session_id,
                parent_run_id=chain.run.run_id,
            )
            token = RESUMES.set(resumes)
            try:
                session = _create(cls, chain, chain.links[0].state, env, params)
            finally:
                RESUMES.reset(token)
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
        extra_params: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make a new session whose `run()` does what an earlier one was asked for.

        From the start, with the same pipelines, filters, runner, environment and
        runtime parameters; nothing of what was completed is used. A session that
        goes on from others stands for the first of them (`repeats`): its filters and
        versions count, with the runtime parameters, environment and runner of the
        last.

        Args:
            session_id, project_path, run_id, env, extra_params: As for `resume`.

        Raises:
            NotResumable: It has no run, or what it was given is not recorded exactly.
            JournalError: As for `replay`.
        """
        chain = find_chain(
            session_id,
            project_path=project_path,
            run_id=run_id,
            force=True,
            follow=False,
        )
        params = runtime_params(chain, extra_params)
        first = chain.links[0]
        run_filters(chain, first.state.session_id, first.run)  # refuses before it runs
        session = _create(cls, chain, chain.last, env, params)
        session.runs_again(chain)
        return cast("Self", session)

    def runs_again(self, chain: Chain) -> None:
        """Take what an earlier run was asked for; called once, by `rerun`."""
        first, last = chain.links[0], chain.run
        self._rerun = replace(
            first.run,
            runner=last.runner,
            is_async=last.is_async,
            filters=run_filters(chain, first.state.session_id, first.run),
        )
        self._repeats = first.state.session_id

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

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give the arguments of a `run()` that was called with these by name."""
        if self._rerun is not None:
            return rerun_arguments(self._rerun, given)
        if self._resumption is not None:
            session_id = self.store["session_id"]  # Kedro's, the version it saves
            return run_arguments(self._resumption.plan, session_id, given)
        return dict(given)

    def let_go(self) -> None:
        """Let others resume what this session went on from."""
        if self._resumption is not None:
            self._resumption.lock.release()


def _create(
    cls: Any,
    chain: Chain,
    like: SessionState,
    env: str | None,
    params: Mapping[str, Any],
) -> Any:
    """Make a session that names the last of a chain, and is set up as *like* was."""
    configure(None, chain.project)
    return cls.create(
        project_path=chain.project,
        env=env or chain.run.env or like.env,
        runtime_params=params or None,
        conf_source=like.conf_source,
        labels=like.labels,
        parent_session_id=chain.last.session_id,
        group_id=group_carried(chain.last.group_id),
    )
