"""A session that goes on from another one: claim it, plan, put on record, run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from kedro_journal.errors import JournalError, NotResumable
from kedro_journal.events import SessionResumed
from kedro_journal.journal import OwnerLock
from kedro_journal.state import ResumePlan

from .resume import Chain, OnDrift, make_plan

if TYPE_CHECKING:
    from .session import KedroSession

__all__ = ["Resumption", "claim", "go_on", "run_arguments"]

RESUME_LOCK_NAME: Final = "resume.lock"


class Resumption(NamedTuple):
    """What a session that resumes another carries out.

    Attributes:
        plan: What is left to run.
        lock: Held until the session is closed: nobody else resumes the same one.
    """

    plan: ResumePlan
    lock: OwnerLock


def claim(chain: Chain) -> OwnerLock:
    """Be the only one to go on from a session, until the lock is released.

    Raises:
        NotResumable: Somebody else is at it.
    """
    lock = OwnerLock(chain.folder / RESUME_LOCK_NAME)
    try:
        lock.acquire(timeout_s=0.2)
    except JournalError as error:
        reason = "another process resumes it at this moment"
        advice = "`kedro-journal list` shows the session that does."
        raise NotResumable(chain.last.session_id, reason, advice) from error
    return lock


def go_on(
    session: KedroSession,
    chain: Chain,
    lock: OwnerLock,
    from_nodes: Iterable[str],
    on_drift: OnDrift,
) -> None:
    """Plan in a new session, and put on record what it goes on from.

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
    session.goes_on(Resumption(plan, lock))


def run_arguments(plan: ResumePlan, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give the arguments of `KedroSession.run` that carry out a plan.

    Args:
        plan: The plan.
        given: Arguments of the caller, which win; a runner, above all.
    """
    arguments: dict[str, Any] = {
        "pipeline_names": list(plan.pipelines),
        "node_names": list(plan.to_run),
        "load_versions": dict(plan.load_versions) or None,
        **{name: value for name, value in given.items() if value is not None},
    }
    if arguments.get("runner") is None:
        arguments["runner"] = _runner(plan)
    return arguments


def _runner(plan: ResumePlan) -> Any:
    """Make a runner of the class on record."""
    from kedro.utils import load_obj

    cls = load_obj(plan.runner or "SequentialRunner", "kedro.runner")
    return cls(is_async=True) if plan.is_async else cls()
