"""What a state implies and people ask first: where it broke, how long it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from kedro_journal.events import ErrorInfo, LogLine
from kedro_journal.state import NodeState, RunState, SessionState
from kedro_journal.state.unread import hides_nodes

from .words import duration

__all__ = [
    "Failure",
    "Place",
    "decisive_run",
    "is_at_least",
    "is_incomplete",
    "took",
    "env_in_force",
    "failures",
    "has_lost_worker",
    "last_attempts",
    "places",
    "progress",
    "reason",
    "run_seconds",
    "run_verdict",
    "session_seconds",
    "started_by",
    "telling_parameters",
    "where_it_is",
]

_LOG_SHOWN = 20
_VIA = {"session": "Python code", "hooks": "Kedro session", "command": "command line"}


class Place(NamedTuple):
    """Where a run is, or where it broke.

    Attributes:
        run: The run.
        node: The node.
        doing: loading, running, saving or confirming.
        datasets: What it was loading, saving or confirming; empty if it was running.
        since_seq: The record that says it began to; 0 if none does.
    """

    run: RunState
    node: NodeState
    doing: str
    datasets: tuple[str, ...]
    since_seq: int


class Failure(NamedTuple):
    """An error that was recorded, with where it struck.

    Attributes:
        where: In words.
        error: The error.
        log: The last log records of its node, oldest first.
    """

    where: str
    error: ErrorInfo
    log: tuple[LogLine, ...] = ()


def last_attempts(state: SessionState) -> tuple[RunState, ...]:
    """Return the last attempt at each run, in order of start."""
    last = {run.run_id: run for run in state.runs}
    return tuple(run for run in state.runs if last[run.run_id] is run)


def decisive_run(state: SessionState) -> RunState | None:
    """Return the run that the verdict is about: the last broken one, else the last."""
    runs = last_attempts(state)
    broken = [r for r in runs if r.status != "completed" or r.went_on_without]
    return broken[-1] if broken else (runs[-1] if runs else None)


def places(run: RunState | None) -> tuple[Place, ...]:
    """Return the nodes that a run is in, or broke in; failed ones first.

    Of a run that completed only those that it went on without.
    """
    if run is None:
        return ()
    failed = [_place(run, node) for node in run.with_status("failed")]
    if run.status == "completed":
        return tuple(failed)
    others = [_place(run, node) for node in run.broken if node.status != "failed"]
    return (*failed, *others)


def _place(run: RunState, node: NodeState) -> Place:
    doing = node.phase or node.status
    operations = node.open_operations
    since = max((operation.started_seq for operation in operations), default=0)
    if not since and doing == "loading":
        since = max((load.ended_seq for load in node.loads.values()), default=0)
    elif not since:
        after = node.computed_seq if doing in ("saving", "confirming") else 0
        since = after or node.started_seq
    datasets = tuple(operation.dataset for operation in operations)
    return Place(run, node, doing, datasets, since)


def where_it_is(state: SessionState) -> tuple[Place, ...]:
    """Return the nodes that a session is in, or broke in; none if it completed."""
    return places(decisive_run(state))


def session_seconds(state: SessionState, now: datetime) -> float | None:
    """Return how long a session took by the wall clock, in seconds.

    A session that runs has taken the time up to now, one that was left the time up to
    its last record. One that is neither closed nor known to run took at least that
    time; see `is_at_least`.

    Returns:
        None if it never began, or if its command failed before a session existed.
    """
    if state.created_at is None or (state.via == "command" and not state.runs):
        return None
    if state.status == "closed":
        end = state.closed_at
    elif state.verdict == "running":
        end = now
    else:
        end = state.updated_at
    return max(((end or now) - state.created_at).total_seconds(), 0.0)


def is_at_least(state: SessionState) -> bool:
    """Return whether a session may have lived longer than its last record."""
    return state.status != "closed" and state.liveness in ("crashed", "unknown")


def took(seconds: float | None, *, at_least: bool) -> str:
    """Return a duration in words: `at least 759 ms` where its end is not recorded."""
    text = duration(seconds)
    return f"at least {text}" if at_least and seconds is not None else text


def is_incomplete(state: SessionState) -> bool:
    """Return whether records about nodes may be missing from the journal."""
    return bool(state.dropped_events or any(map(hides_nodes, state.unknown_types)))


def run_seconds(run: RunState, state: SessionState, now: datetime) -> float | None:
    """Return how long a run took, or has taken so far, in seconds."""
    if run.duration_s is not None or run.started_at is None:
        return run.duration_s
    end = run.ended_at or (now if state.liveness == "running" else state.updated_at)
    return max(((end or now) - run.started_at).total_seconds(), 0.0)


def run_verdict(run: RunState, state: SessionState) -> str:
    """Return what became of a run, also when its process did not live to record it."""
    if run.status != "running":
        return run.status
    if state.status == "closed":
        return "unknown" if state.is_left_to_others else "interrupted"
    if state.liveness in ("crashed", "unknown"):
        return state.liveness
    return "running"


def progress(state: SessionState) -> tuple[int, int]:
    """Return how many nodes are completed and planned, over the last attempts."""
    runs = last_attempts(state)
    done = sum(len(run.with_status("completed")) for run in runs)
    return done, sum(len(run.nodes) for run in runs)


def env_in_force(state: SessionState) -> str | None:
    """Return the environment that its context was made for, else the one asked for."""
    return (state.context.env if state.context is not None else None) or state.env


def started_by(state: SessionState) -> str:
    """Return how the session was started: `kedro run`, `Python code`...

    Of a command of another program only that program is named.
    """
    command = state.command
    program = command.argv[0] if command is not None and command.argv else "kedro"
    if command is not None and command.name and program in ("kedro", "kedro-journal"):
        return f"{program} {command.name}"
    if command is not None and command.argv:
        return command.argv[0].rpartition("/")[2]
    return _VIA.get(state.via, state.via)


def reason(error: ErrorInfo) -> ErrorInfo:
    """Return the error that says why: a `DatasetError` only wraps the one before it."""
    while error.cause is not None and error.is_dataset_error:
        error = error.cause
    return error


def has_lost_worker(run: RunState) -> bool:
    """Return whether a run ended because one of its worker processes died.

    A pool also breaks if a result cannot be unpickled. Then no worker died. The same
    holds if every node that broke raised an error of its own.
    """
    error = run.error
    if error is None or not error.is_broken_pool or error.is_unread_result:
        return False
    broken = run.broken
    return not broken or any(node.error is None for node in broken)


def failures(state: SessionState) -> list[Failure]:
    """Return every error once: of nodes, then of runs, then of the session."""
    found: list[Failure] = []
    attempts = Counter(run.run_id for run in state.runs)
    for run in state.runs:
        suffix = _which_run(run, attempts) if len(state.runs) > 1 else ""
        for node in run.nodes.values():
            if node.error is not None:
                doing = node.phase or "running"
                if node.dataset and doing != "running":
                    doing += f" {node.dataset}"
                where = f"in node {node.name}, while {doing}{suffix}"
                log = _last_log(state, run, node)
                found.append(Failure(where, node.error, log))
        if run.error is not None:
            found.append(Failure(_of_run(run) + suffix, run.error))
    if state.error is not None:
        found.append(Failure(_of_session(state), state.error))
    kept: dict[tuple[str, str], Failure] = {}
    for failure in found:
        key = (failure.error.type, failure.error.message)
        before = kept.get(key)
        if before is None:
            kept[key] = failure
        elif _richness(failure.error) > _richness(before.error):
            kept[key] = before._replace(error=failure.error)
    return list(kept.values())


def _last_log(
    state: SessionState, run: RunState, node: NodeState
) -> tuple[LogLine, ...]:
    """Return the last log records of a node: those kept for its failure, and notes."""
    noted = (
        LogLine(
            text=note.text,
            level=note.level,
            logger=note.logger,
            at_us=round(note.at.timestamp() * 1e6),
        )
        for note in state.notes
        if note.logger
        and (note.run_id, note.attempt, note.node)
        == (run.run_id, run.attempt, node.name)
    )
    known = {(one.logger, one.text) for one in node.log}
    more = [one for one in noted if (one.logger, one.text) not in known]
    every = sorted((*node.log, *more), key=lambda one: one.at_us)
    return tuple(every[-_LOG_SHOWN:])


def _richness(error: ErrorInfo) -> tuple[bool, int, int]:
    return bool(error.snippet), len(error.frames), len(error.remote)


def _which_run(run: RunState, attempts: Mapping[str | None, int]) -> str:
    if run.attempt > 1 or attempts[run.run_id] > 1:
        return f" (attempt {run.attempt})"
    return f" (run {run.run_id})"


def _of_run(run: RunState) -> str:
    found = places(run)
    if not found:
        return "in the run"
    place = found[0]
    what = f" {', '.join(place.datasets)}" if place.datasets else ""
    return f"in node {place.node.name}, while {place.doing}{what}"


def _of_session(state: SessionState) -> str:
    return {
        "create": "while the session was created",
        "context": "while the project's configuration was read",
        "run": "before the run started",
        "body": "in the session's block",
        "command": "in the command, outside any run",
        "after the run": "after the run, which ended well",
    }.get(state.error_phase, "in the session")


def telling_parameters(state: SessionState) -> Callable[[str], bool]:
    """Return what chooses the parameters that may explain a failure.

    They are those that a broken node loads, and those that override another value.
    """
    run = decisive_run(state)
    nodes = run.broken if run is not None and state.verdict != "running" else ()
    loaded = {
        name.removeprefix("params:")
        for node in nodes
        for name in (node.plan.inputs if node.plan is not None else ())
        if name.startswith("params:")
    }
    sources = state.context.parameter_sources if state.context is not None else ()
    loaded |= {
        one.name
        for one in sources
        if one.overrides or one.source in ("runtime_params", "--params")
    }
    groups = tuple(f"{name}." for name in loaded)
    return lambda name: name in loaded or name.startswith(groups)
