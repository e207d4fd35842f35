"""What became of a session: its outcome by the records, and its verdict."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from .unread import hides_outcome, is_unreadable

if TYPE_CHECKING:
    from .model import RunState, SessionState, Verdict

__all__ = ["is_left_to_others", "outcome_of", "verdict_of"]

_RUNNING_COMMANDS: Final = frozenset({"run", "resume", "rerun"})


def outcome_of(state: SessionState) -> Verdict:
    """Return what came of a session, by its records alone; liveness is left out.

    "completed" means that no node of its runs failed. A run that completed without a
    node that failed makes the session "failed", whatever its exit code is.
    A session that is not closed, without a run and without an error, is "running". The
    outcome is "unknown" if it may be in a record that this version cannot read.
    """
    if hides_outcome(state):
        return "unknown"
    if state.status == "empty":
        return "empty"
    return _by_runs(state) or _by_error(state) or _without_end(state)


def _by_runs(state: SessionState) -> Verdict | None:
    runs = state.runs
    if len(runs) == 1:  # as nearly always, and there are long lists of sessions
        last: Collection[RunState] = runs
    else:
        last = {run.run_id: run for run in runs}.values()
    found = {run.status for run in last}
    if "running" in found:
        if is_left_to_others(state):
            return "unknown"
        return "interrupted" if state.status == "closed" else "running"
    for status in ("failed", "interrupted"):
        if status in found:
            return status
    # A runner may go on without a node that failed, and Kedro calls that completed.
    return "failed" if any(run.went_on_without for run in last) else None


def _by_error(state: SessionState) -> Verdict | None:
    last = state.last_run
    went_on = last is not None and last.started_seq > state.error_seq
    if state.error is None or went_on:
        return None
    stopped = state.error.type == "KeyboardInterrupt"
    if state.error.type == "SystemExit":  # of a command: its way to say no
        stopped = state.error_phase != "command"
    return "interrupted" if stopped else "failed"


def _without_end(state: SessionState) -> Verdict:
    if state.runs:
        return "completed"
    if state.status not in ("closed", "inactive"):
        return "running"  # it may yet run
    if state.close_reason == "signal" and _was_to_run(state):
        return "interrupted"
    return "unknown" if state.unattributed_events else "no run"


def _was_to_run(state: SessionState) -> bool:
    """Return whether a command started it that runs a pipeline and ends."""
    return state.command is not None and state.command.name in _RUNNING_COMMANDS


def is_left_to_others(state: SessionState) -> bool:
    """Return True if the process ended and left the nodes of its run to others."""
    return state.status == "closed" and state.close_reason == "elsewhere"


def verdict_of(state: SessionState) -> Verdict:
    """Return one word for what became of it: the records and the liveness together.

    Liveness does not matter once the session was left: a command that goes on after its
    block records later that the session is closed, and the next one may be at work.
    """
    if state.status in ("closed", "empty") or state.liveness is None:
        return outcome_of(state)
    if state.liveness == "closed":
        return outcome_of(state)
    if state.liveness == "crashed" and is_unreadable(state):
        return "unknown"
    if state.status == "inactive" and (found := outcome_of(state)) != "running":
        return found
    return state.liveness
