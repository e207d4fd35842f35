"""What happened to a session between two looks at it, as plain lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kedro_journal.state import NodeState, RunState, SessionState

from .derive import last_attempts, reason, run_seconds, run_verdict, session_seconds
from .sessions import VERDICT_ROLES
from .terminal import Line, Screen, Span, line
from .watching import Watched, at_text, node_seconds, remaining
from .words import clock, count, duration

__all__ = ["progress_lines"]

_STARTED = ("loading", "running", "saving", "confirming")
_ENDED = ("completed", "failed", "interrupted")


def progress_lines(
    before: SessionState | None, watched: Watched, screen: Screen
) -> list[Line]:
    """Return one line for each thing that happened between two looks.

    That are the start and the end of runs and nodes, notes and log records, and the
    verdict. A node that began and ended in between has the line of its end alone.

    Args:
        before: The state at the look before; None for none.
        watched: The session at this look.
        screen: Where the lines are shown.
    """
    state = watched.state
    known = {run.started_seq: run for run in before.runs} if before is not None else {}
    lines: list[Line] = []
    for run in state.runs:
        lines += _run(known.get(run.started_seq), run, watched, screen)
    seen = before.notes[-1].seq if before is not None and before.notes else 0
    for note in state.notes:
        if note.seq > seen:
            level = f"{note.level.lower()}: " if note.level else "note: "
            role = "warn" if note.level in ("WARNING", "ERROR", "CRITICAL") else ""
            text = " ".join(note.text.split())
            at = Span(clock(note.at, screen), "dim")
            where = f"{note.node}: " if note.node else ""
            lines.append(line(at, "  ", Span(level, role), where, text))
    verdict = state.verdict
    if verdict not in ("running", "empty") and (
        before is None or before.verdict != verdict
    ):
        took = duration(session_seconds(state, screen.now))
        role = VERDICT_ROLES.get(verdict, "")
        at = Span(clock(state.updated_at or screen.now, screen), "dim")
        said = Span(f"{verdict} after {took}", role)
        lines.append(line(at, "  ", f"session {state.session_id} ", said))
    return lines


def _run(
    was: RunState | None, run: RunState, watched: Watched, screen: Screen
) -> Iterator[Line]:
    if was is run:
        return
    if was is None:
        at = Span(clock(run.started_at or screen.now, screen), "dim")
        what = ", ".join(run.pipelines) or "run"
        left = remaining(run, watched.of(run), 0.0)
        more = f": {left}" if left and run.status == "running" else ""
        again = f", attempt {run.attempt}" if run.attempt > 1 else ""
        nodes = count(len(run.nodes), "node")
        yield line(
            at, "  ", Span(f"{what} started", "strong"), f", {nodes}{again}{more}"
        )
    changed = [
        node
        for name, node in run.nodes.items()
        if was is None or was.nodes.get(name) is not node
    ]
    old = was.nodes if was is not None else {}
    for node in sorted(changed, key=lambda one: one.ended_seq or one.started_seq):
        yield from _node(old.get(node.name), node, run, watched, screen)
    if run.status != "running" and (was is None or was.status == "running"):
        at = Span(clock(run.ended_at or screen.now, screen), "dim")
        verdict = run_verdict(run, watched.state)
        took = duration(run_seconds(run, watched.state, screen.now))
        what = ", ".join(run.pipelines) or "run"
        said = Span(f"{verdict} after {took}", VERDICT_ROLES.get(verdict, ""))
        why = f": {reason(run.error).summary()}" if run.error is not None else ""
        yield line(at, "  ", f"{what} ", said, why)


def _node(
    was: NodeState | None,
    node: NodeState,
    run: RunState,
    watched: Watched,
    screen: Screen,
) -> Iterator[Line]:
    before = was.status if was is not None else "pending"
    ended = node.status in _ENDED and before not in _ENDED
    again = was is not None and node.tries > was.tries
    began = node.status in _STARTED and (before not in _STARTED or again)
    if not ended and not began:
        return
    moment = node.ended_at if ended else node.started_at
    at = Span(clock(moment or watched.state.updated_at or screen.now, screen), "dim")
    done, planned = len(run.with_status("completed")), len(run.nodes)
    is_last = run in last_attempts(watched.state)
    share = Span(f"[{done}/{planned}] " if is_last else "", "dim")
    status = Span(node.status, VERDICT_ROLES.get(node.status, ""))
    text = at_text(node)
    if not ended:
        usual = watched.of(run).nodes.get(node.name)
        often = f", usually {duration(usual.seconds)}" if usual is not None else ""
        yield line(at, "  ", share, f"{node.name} ", status, often)
        return
    end = run.ended_at or watched.state.updated_at or screen.now
    seconds = node_seconds(node, end)
    took = f" after {duration(seconds)}" if seconds is not None else ""
    yield line(
        at, "  ", share, f"{node.name} ", status, took, f": {text}" if text else ""
    )
