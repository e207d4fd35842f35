"""A session that resumes another one: claim it, plan, record, run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from kedro.framework.session import KedroSession as _KedroSession

from kedro_journal._outside import let_through
from kedro_journal.analysis import ResumePlan, collect
from kedro_journal.capture import compat
from kedro_journal.capture.checkpoints import Checkpoint, resolved
from kedro_journal.capture.runner import runner_maker
from kedro_journal.errors import (
    JournalUnwritable,
    NothingLeft,
    NotResumable,
    UnsafeJournal,
)
from kedro_journal.events import SessionResumed
from kedro_journal.journal import OwnerLock
from kedro_journal.journal.liveness import RESUME_LOCK_NAME
from kedro_journal.state import RunState

from .chain import Chain
from .planning import OnDrift, make_plan, run_with_runner
from .present import pipeline_names

if TYPE_CHECKING:
    from kedro_journal.session.session import KedroSession

__all__ = [
    "ResumeLock",
    "Resumption",
    "RunnerChoice",
    "check_first",
    "claim",
    "go_on",
    "rerun_arguments",
    "run_arguments",
]


class ResumeLock:
    """Held by the session that resumes another one.

    Args:
        path: The lock file.
    """

    _held: ClassVar[dict[Path, int]] = {}  # by this process; a forked child has none

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = OwnerLock(path)
        self._has_it = False

    @property
    def is_ours(self) -> bool:
        """A session of this very process holds it."""
        return self._held.get(self._path) == os.getpid()

    def acquire(self) -> None:
        """Get the lock.

        Raises:
            JournalUnwritable: Another process holds the claim, or it cannot be written.
        """
        self._lock.acquire(timeout_s=0.2)
        self._has_it = True
        self._held[self._path] = os.getpid()

    def release(self) -> None:
        """Let it go; a second time does nothing."""
        if self._has_it:
            self._has_it = False
            self._held.pop(self._path, None)
        self._lock.release()


class RunnerChoice(NamedTuple):
    """The runner that a caller wants instead of the recorded one.

    Attributes:
        kind: Its class; None for the recorded one.
        params: Arguments of its constructor, over the recorded ones.
    """

    kind: type[Any] | None = None
    params: Mapping[str, Any] | None = None


class Resumption(NamedTuple):
    """What a session that resumes another carries out.

    Attributes:
        plan: What is left to run.
        run: The run that it resumes.
        lock: Held until the session is closed; no other process resumes it meanwhile.
        checkpoints: Those that are set back before the run.
    """

    plan: ResumePlan
    run: RunState
    lock: ResumeLock
    checkpoints: tuple[Checkpoint, ...] = ()

    def set_back(self) -> None:
        """Set checkpoints back, so that nodes load again what they have to.

        Raises:
            NotResumable: One cannot be written.
        """
        for one in self.checkpoints:
            try:
                one.set_back()
            except OSError as error:
                let_through(error)
                reason = f"the checkpoint {one.path} cannot be set back ({error})"
                advice = "Make it writable, or start a new run."
                raise NotResumable(self.plan.session_id, reason, advice) from error


def _not_claimed(
    chain: Chain, lock: ResumeLock, error: JournalUnwritable | UnsafeJournal
) -> NotResumable:
    session_id = chain.last.session_id
    if isinstance(error, UnsafeJournal) or error.errno is not None:
        reason = f"it cannot be claimed: {error.path}: {error.reason}"
        advice = "That has to be a file you can write, on a file system with locks."
    elif lock.is_ours:
        reason = f"this very process, {os.getpid()}, resumes it at this moment"
        advice = "Close the session that does."
    else:
        reason = "another process resumes it at this moment"
        advice = "`kedro-journal list` shows the session that does."
    return NotResumable(session_id, reason, advice)


def claim(find: Callable[[], Chain]) -> tuple[Chain, ResumeLock]:
    """Be the only one to resume a session, until the lock is released.

    Args:
        find: Finds it. Called again once it is claimed: another may have resumed it,
            and ended, in between.

    Raises:
        NotResumable: Another process resumes it, or it cannot be claimed.
    """
    chain = find()
    while True:
        lock = ResumeLock(chain.folder / RESUME_LOCK_NAME)
        try:
            lock.acquire()
        except (JournalUnwritable, UnsafeJournal) as error:
            raise _not_claimed(chain, lock, error) from error
        try:
            again = find()
        except BaseException:
            lock.release()
            raise
        if again.folder == chain.folder:
            return again, lock
        lock.release()
        chain = again


def check_first(
    chain: Chain,
    context_of: Callable[[], Any],
    from_nodes: Iterable[str],
    on_drift: OnDrift,
) -> None:
    """Refuse before a session is made, where a refusal can be expected.

    Raises:
        NothingLeft: Every node completed, and every output is there.
        NotResumable: There is drift, which is refused; or a node that is none.
    """
    known = collect(chain.links)
    every = all(
        name in known.nodes and known.nodes[name].is_complete for name in known.planned
    )
    wanted = tuple(from_nodes)
    if not (every or wanted or on_drift == "refuse"):
        return  # without a look at the project: something is left
    plan = make_plan(chain, context_of(), from_nodes=wanted, on_drift=on_drift)
    if not plan.to_run:
        raise NothingLeft(chain.last.session_id, plan)


def go_on(
    session: KedroSession,
    chain: Chain,
    lock: ResumeLock,
    from_nodes: Iterable[str],
    on_drift: OnDrift,
) -> None:
    """Plan in a new session, and record what it resumes.

    Raises:
        NotResumable: There is drift, which is refused; or a node that is none.
        Exception: Whatever Kedro raises for a project that does not load.
    """
    lifecycle = session.lifecycle
    try:
        context = session.load_context()
        plan = make_plan(chain, context, from_nodes=from_nodes, on_drift=on_drift)
    except BaseException as error:
        if lifecycle is not None:
            lifecycle.failed(error, "resume")
        session.close()
        raise
    if lifecycle is not None and lifecycle.recorder is not None:
        lifecycle.recorder.record(
            SessionResumed(
                parent_session_id=chain.last.session_id,
                parent_run_id=chain.run.run_id,
                done=plan.done,
                remaining=plan.to_run,
            )
        )
    began = chain.links[0].run.started_at
    at = began.timestamp() if began is not None else 0.0
    checkpoints = resolved(context.catalog, plan.set_back, at) if plan.set_back else ()
    session.goes_on(Resumption(plan, run_with_runner(chain), lock, checkpoints))


def run_arguments(
    resumption: Resumption,
    session_id: str,
    given: Mapping[str, Any],
    choice: RunnerChoice,
) -> dict[str, Any]:
    """Return the arguments of `KedroSession.run` that carry out a plan.

    Args:
        resumption: The plan, and the run that is resumed.
        session_id: The session that runs it: under this version it saves.
        given: Arguments of the caller, which win; a runner, above all.
        choice: The runner if the caller gives none.

    Raises:
        NotResumable: The runner cannot be made.
    """
    plan = resumption.plan
    asked = {
        **_pipelines(plan.pipelines),
        "node_names": list(plan.to_run),
        "load_versions": {
            **dict.fromkeys(plan.own_versions, session_id),
            **plan.load_versions,
        }
        or None,
    }
    arguments = {**asked, **_told(given)}
    return _with_runner(arguments, plan.session_id, resumption.run, choice)


def rerun_arguments(
    run: RunState, session_id: str, given: Mapping[str, Any], choice: RunnerChoice
) -> dict[str, Any]:
    """Return the arguments of `KedroSession.run` that a run was asked for with.

    Args:
        run: The run, its filters decoded.
        session_id: Its session, named in errors.
        given: Arguments of the caller, which win.
        choice: The runner if the caller gives none.

    Raises:
        NotResumable: The runner cannot be made.
    """
    asked = {
        **_pipelines(run.pipelines),
        "load_versions": dict(run.load_versions) or None,
        **run.filters,
    }
    return _with_runner({**asked, **_told(given)}, session_id, run, choice)


def _pipelines(names: Sequence[str]) -> dict[str, Any]:
    return compat.pipelines_argument(_KedroSession.run, pipeline_names(names))


def _told(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _with_runner(
    arguments: dict[str, Any], session_id: str, run: RunState, choice: RunnerChoice
) -> dict[str, Any]:
    """Add a runner, unless the caller gave one; of a class that was given, make one."""
    given = arguments.get("runner")
    kind, params = choice
    if isinstance(given, type):
        kind, given = given, None
    if given is None:
        arguments["runner"] = runner_maker(session_id, run, kind, params)()
    return arguments
