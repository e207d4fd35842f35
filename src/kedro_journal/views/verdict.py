"""What happened to a session, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from kedro_journal.events import ErrorInfo
from kedro_journal.state import RunState, SessionState, Writer
from kedro_journal.state.unread import is_unreadable, unread_text

from .derive import (
    Place,
    decisive_run,
    failures,
    has_lost_worker,
    is_incomplete,
    places,
    progress,
    reason,
    run_seconds,
    session_seconds,
)
from .sessions import VERDICT_ROLES
from .terminal import Line, Screen, Span, line
from .words import clock, count, duration

__all__ = ["Moments", "alive_lines", "title", "verdict_lines"]

Moments = Mapping[int, datetime]
"""Wall clock of some records by sequence number: a state has not kept them all."""

_PLACES_MAX: Final = 8
_TYPES_SHOWN: Final = 5
_INTERRUPTS: Final = {
    "KeyboardInterrupt": "Ctrl-C (KeyboardInterrupt)",
    "SIGINT": "Ctrl-C (SIGINT)",
    "SystemExit": "sys.exit() (SystemExit)",
}
_CLOSINGS: Final = {
    "exit": "its process ended",
    "signal": "a signal ended it",
    "collected": "the session object was garbage-collected",
    "command": "its command ended",
}


def title(state: SessionState, *, as_of: bool = False) -> Line:
    """Return the first line: the id and the verdict, now or at an earlier record."""
    verdict = state.verdict
    role = VERDICT_ROLES.get(verdict, "")
    when = f", at record {state.seq}" if as_of else ""
    named = Span(state.session_id or "(no id)", "strong")
    return line(named, "  ", Span(verdict, role), when)


def verdict_lines(  # noqa: PLR0911 - one per verdict
    state: SessionState, screen: Screen, moments: Moments, *, damaged: bool = False
) -> list[Line]:
    """Return what happened to the session: where, in which node, and since when.

    Args:
        state: The session.
        screen: Where it is shown.
        moments: The wall clock of records that the lines may refer to.
        damaged: Records of the journal are damaged: nodes may be missing from it.
    """
    run = decisive_run(state)
    if state.verdict == "unknown" and is_unreadable(state):
        return _unread(state)
    match state.verdict:
        case "empty":
            return [line("The journal has no records of a session yet.")]
        case "no run":
            return [line(f"The session was closed; nothing was run.{_in_vain(state)}")]
        case "completed":
            return [line(_completed(state, screen, damaged=damaged))]
        case "failed":
            return _failed(state, run, screen, moments)
        case "interrupted":
            return _interrupted(state, run, screen, moments)
        case "crashed":
            return _crashed(state, run, screen, moments)
        case "unknown" if state.status == "closed":
            return [line(_left_to_others(state))]
        case "unknown":
            where = f" on {state.host}" if state.host else ""
            first = (
                f"Not closed. It ran{where}. Whether it is still running cannot be "
                "determined from here."
            )
            return [line(first), *_at(run, state, screen, moments)]
        case _:
            return _running(state, run, screen, moments)


def _left_to_others(state: SessionState) -> str:
    if state.is_left_to_others:
        return (
            "Its process ended before a node of its run started there. Other processes "
            "may have run the nodes: how the run ended is not recorded here."
        )
    return (
        f"{count(state.unattributed_events, 'event')} of nodes that a run of another "
        "process sent here. How that run ended is not recorded here."
    )


def _unread(state: SessionState) -> list[Line]:
    text = unread_text(state)
    lines = [line(f"{text[0].upper()}{text[1:]}.")]
    ended = "is closed" if state.status == "closed" else "is not closed"
    return [*lines, line(f"The session {ended}; its outcome is not known.")]


def _in_vain(state: SessionState) -> str:
    if state.resumed is None:
        return ""
    return f" It was started to resume {state.resumed.parent_session_id}."


def alive_lines(state: SessionState, alive: Sequence[Writer]) -> list[Line]:
    """Return which worker processes are alive although the session is not."""
    run = decisive_run(state)
    lines: list[Line] = []
    for writer in alive[:_PLACES_MAX]:
        at = [n for n in (run.broken if run else ()) if n.writer == writer.name]
        node: list[str | Span] = []
        if at:
            node = [", with node ", Span(at[0].name, "strong")]
        who = Span(f"Worker process {writer.pid} is still alive", "warn")
        lines.append(line(who, *node, "."))
    if len(alive) > _PLACES_MAX:
        lines.append(line(f"and {len(alive) - _PLACES_MAX} more worker processes."))
    return lines


def _completed(state: SessionState, screen: Screen, *, damaged: bool) -> str:
    done, planned = progress(state)
    seconds = session_seconds(state, screen.now)
    runs = len({run.run_id for run in state.runs})
    tries = f" in {count(runs, 'run')}" if runs > 1 else ""
    if len(state.runs) > runs:
        tries += f", {count(len(state.runs), 'attempt')}"
    missing = _missing(state, damaged=damaged)
    if missing:
        return (
            f"The run completed{tries}, {duration(seconds)}, but {missing}: "
            f"{done} of {count(planned, 'node')} known to be saved."
        )
    if planned > done:
        what = count(done, "node")
        ran = f"{what} ran and {'was' if done == 1 else 'were'} saved"
        return (
            f"Completed: {ran}, {planned - done} not run{tries}, {duration(seconds)}."
        )
    nodes = count(done, "node")
    return f"Everything ran and was saved: {nodes}{tries}, {duration(seconds)}."


def _missing(state: SessionState, *, damaged: bool) -> str:
    """Return what is missing from the journal; empty for nothing about nodes."""
    parts = []
    if state.dropped_events:
        parts.append(f"{count(state.dropped_events, 'record')} could not be written")
    if state.unknown_events and is_incomplete(state):
        some = count(state.unknown_events, "record")
        names = ", ".join(state.unknown_types[:_TYPES_SHOWN])
        parts.append(f"{some} cannot be read by this version ({names})")
    if damaged:
        parts.append("records are damaged")
    return " and ".join(parts)


def _failed(
    state: SessionState, run: RunState | None, screen: Screen, moments: Moments
) -> list[Line]:
    found = places(run)
    if run is not None and run.went_on_without:
        return _went_on(state, run, screen, moments)
    if run is None or run.status != "failed":
        failure = failures(state)[-1]
        first = f"Failed {failure.where}: {reason(failure.error).summary()}"
        return [line(Span(first))]
    if has_lost_worker(run):
        return _worker_killed(state, run, screen, moments)
    lines = [_place_line(place, state, screen, moments) for place in found[:1]]
    if not lines:
        where = "The run failed outside its nodes."
        if is_incomplete(state):
            where = "The run failed. In which node is not recorded."
        lines = [line(where)]
    own = next((p.node.error for p in found if p.node.error), None)
    error = run.error or own
    if own is not None and error is not None and error.is_broken_pool:
        error = own
    if error is not None and not error.is_unread_result:
        lines += _reason_lines(error)
    if run.error is not None and run.error.is_unread_result:
        lines.append(line(Span(_unread_result(run.error), "bad")))
    lines += [_place_line(p, state, screen, moments) for p in found[1:_PLACES_MAX]]
    return lines


def _unread_result(error: ErrorInfo) -> str:
    """Return what the process that runs the pipeline could not read from a worker."""
    said = [text for text in error.remote.splitlines() if text.strip(" '\"")]
    why = f": {said[-1].strip()}" if said else ""
    return (
        "The pool ended all workers, because what one of them sent back could not be "
        f"unpickled{why}"
    )


def _reason_lines(error: ErrorInfo) -> list[Line]:
    """Return what was raised, and its root cause if that is another error."""
    shown = reason(error)
    lines = [line(Span(shown.summary(), "bad"))]
    if shown.root is not shown:
        lines.append(line(f"  first cause: {shown.root.summary()}"))
    return lines


def _went_on(
    state: SessionState, run: RunState, screen: Screen, moments: Moments
) -> list[Line]:
    """Return the lines of a run whose runner went on without a node that failed."""
    found = places(run)
    lines = [_place_line(place, state, screen, moments) for place in found[:1]]
    error = found[0].node.error
    if error is not None:
        lines += _reason_lines(error)
    lines += [_place_line(p, state, screen, moments) for p in found[1:_PLACES_MAX]]
    done, left = len(run.with_status("completed")), len(run.with_status("skipped"))
    lost = len(run.with_status("not recorded"))
    rest = f", {left} not run" if left else ""
    rest += f", {lost} not recorded" if lost else ""
    failed = count(len(found), "node")
    first = (
        f"The run completed, but {failed} failed: {count(done, 'node')} saved{rest}."
    )
    return [line(first), *lines]


def _worker_killed(
    state: SessionState, run: RunState, screen: Screen, moments: Moments
) -> list[Line]:
    """Return the lines of a run that ended because a worker process died.

    Which of several workers died first is not known: the pool ends the others.
    """
    writers = dict.fromkeys(node.writer for node in run.broken)
    pids = [state.writers[name].pid for name in writers if name in state.writers]
    why = "out of memory?"
    if run.oom_kills:
        killed = count(run.oom_kills, "process", "processes")
        why = f"out of memory: the kernel killed {killed}"
    elif run.oom_kills == 0:
        why = "the kernel counted no out-of-memory kill in this cgroup"
    who = f"Worker process {pids[0]}" if len(pids) == 1 else "A worker process"
    # A process that ends itself, by os._exit() or a fault, looks the same.
    rest = "" if run.oom_kills else ", or it ended itself"
    lines = [line(Span(f"{who} was killed ({why}){rest}.", "bad"))]
    if len(pids) > 1:
        listed = ", ".join(map(str, pids[:_PLACES_MAX]))
        lines.append(
            line(f"Worker processes {listed} were at work; the pool ended all.")
        )
    return [*lines, *_at(run, state, screen, moments)]


def _interrupted(
    state: SessionState, run: RunState | None, screen: Screen, moments: Moments
) -> list[Line]:
    reason = run.reason if run is not None else ""
    if not reason and state.error is not None:
        reason = state.error.type
    by = _INTERRUPTS.get(reason, reason) or _CLOSINGS.get(state.close_reason, "")
    after = ""
    if run is not None:
        after = f" after {duration(run_seconds(run, state, screen.now))}"
    cause = f" by {by}" if reason else (f": {by}" if by else " before its end")
    return [line(f"Interrupted{after}{cause}."), *_at(run, state, screen, moments)]


def _crashed(
    state: SessionState, run: RunState | None, screen: Screen, moments: Moments
) -> list[Line]:
    host = f" on {state.host}" if state.host else ""
    who = f"Process {state.pid}{host}" if state.pid else "Its process"
    last = ""
    if state.updated_at is not None:
        at = clock(state.updated_at, screen)
        last = f" Its last record is number {state.seq}, {at}."
    lines = [line(f"{who} died without closing the session.{last}")]
    if run is None:
        return [*lines, line("No run had started.")]
    if run.status != "running":
        return [*lines, line(f"Its last run had {_run_ended(run)} before.")]
    where = _at(run, state, screen, moments)
    nowhere = "No node was running."
    if is_incomplete(state):
        nowhere = "It is not recorded in which node."
    return [*lines, *(where or [line(nowhere)])]


def _run_ended(run: RunState) -> str:
    if run.went_on_without:
        without = count(len(run.went_on_without), "failed node")
        return f"completed with {without}"
    return f"been {run.status}" if run.status == "interrupted" else run.status


def _running(
    state: SessionState, run: RunState | None, screen: Screen, moments: Moments
) -> list[Line]:
    done, planned = progress(state)
    so_far = duration(session_seconds(state, screen.now))
    if run is None:
        return [line(f"Running for {so_far}; no run has started yet.")]
    if run.status != "running":
        ended = _run_ended(run).replace("been ", "was ")
        return [line(f"Running for {so_far}; its last run {ended}.")]
    first = f"Running for {so_far}: {done} of {count(planned, 'node')} completed."
    return [line(first), *_at(run, state, screen, moments)]


def _at(
    run: RunState | None, state: SessionState, screen: Screen, moments: Moments
) -> list[Line]:
    found = places(run)
    lines = [_place_line(p, state, screen, moments) for p in found[:_PLACES_MAX]]
    if len(found) > _PLACES_MAX:
        lines.append(line(f"and {count(len(found) - _PLACES_MAX, 'more node')}."))
    return lines


def _place_line(
    place: Place, state: SessionState, screen: Screen, moments: Moments
) -> Line:
    node = place.node
    ongoing = state.verdict == "running" and node.status not in (
        "failed",
        "interrupted",
    )
    doing = f"{'is' if ongoing else 'was'} {place.doing}"
    if node.status == "failed":
        doing = f"failed while {place.doing}"
    parts: list[str | Span] = ["Node ", Span(node.name, "strong"), f" {doing}"]
    if place.datasets:
        parts += [" ", Span(", ".join(place.datasets), "strong")]
    elif place.doing in ("loading", "saving"):
        parts.append(" its inputs" if place.doing == "loading" else " its outputs")
    writer = state.writers.get(node.writer)
    if writer is not None:
        role = "worker process" if writer.role == "worker" else "process"
        parts.append(f", in {role} {writer.pid}")
    return line(*parts, f"{_since(place, screen, moments)}.")


def _since(place: Place, screen: Screen, moments: Moments) -> str:
    node = place.node
    if node.status == "failed" and node.ended_at is not None:
        after = f", after {duration(node.duration_s)}" if node.duration_s else ""
        return f"{after}, at {clock(node.ended_at, screen)} (record {node.ended_seq})"
    if not place.since_seq:
        return ""
    at = moments.get(place.since_seq)
    if at is None and place.since_seq == place.node.started_seq:
        at = place.node.started_at
    if at is None:
        return f", since record {place.since_seq}"
    return f", since {clock(at, screen)} (record {place.since_seq})"
