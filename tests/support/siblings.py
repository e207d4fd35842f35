"""States of sibling sessions, told in one line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from kedro_journal.events import (
    CommandLine,
    ErrorInfo,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    Record,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionFailed,
    WriterOpened,
)
from kedro_journal.state import SessionState, fold

BEGIN = datetime(2026, 11, 22, 5, tzinfo=UTC)
GROUP = "scheduled__2026-11-22"
BOOM = ErrorInfo(type="ValueError", message="boom")


def sibling_events(
    number: int,
    *nodes: str,
    ends: str = "completed",
    host: str = "mill",
    run_id: str = "",
    params: dict[str, Any] | None = None,
    labels: dict[str, str] | None = None,
    argv: tuple[str, ...] = (),
) -> list[Event]:
    """Give the events of a session that was asked for some nodes.

    Args:
        number: Which it is; also the hour of its start.
        nodes: Their names; the one with `!` at its end is where it breaks.
        ends: completed, failed, open (not closed), or early (failed before a run).
    """
    session_id = f"s{number:02}"
    run: dict[str, Any] = {"run_id": run_id or session_id}
    events: list[Event] = [
        SessionCreated(
            session_id=session_id,
            host=host,
            group_id=GROUP,
            runtime_params=params or {},
            labels=labels or {},
            command=CommandLine(argv=argv) if argv else None,
        )
    ]
    if ends == "early":
        failed = SessionFailed(error=BOOM, phase="context")
        return [*events, failed, SessionClosed(exit_code=1)]
    names = [name.rstrip("!") for name in nodes]
    plan = tuple(PlannedNode(name) for name in names)
    events.append(RunStarted(**run, nodes=plan, runtime_params=params or {}))
    for node in nodes:
        name = node.rstrip("!")
        events.append(NodeStarted(**run, node=name))
        if node.endswith("!"):
            break
        events.append(NodeComputed(**run, node=name))
        events.append(NodeCompleted(**run, node=name, duration_s=1.0))
    broken = nodes[-1].rstrip("!") if nodes else ""
    if ends == "failed":
        events.append(NodeFailed(**run, node=broken, error=BOOM))
        events += [RunFailed(**run, error=BOOM), SessionClosed(exit_code=1)]
    elif ends == "completed":
        events += [RunCompleted(**run), SessionClosed(exit_code=0)]
    return events


def sibling(
    number: int, *nodes: str, liveness: str | None = None, uid: str = "", **how: Any
) -> SessionState:
    """Give the state of the session of `sibling_events`."""
    header = JournalHeader(
        session_id=f"s{number:02}",
        uid=uid or f"u{number}",
        salt="",
        package_version="0",
    )
    opened = WriterOpened(pid=number, host=how.get("host", "mill"))
    at = BEGIN + timedelta(hours=number)
    records = [
        Record(
            seq=seq,
            at=at + timedelta(minutes=seq - 1),
            writer="w1",
            prev="",
            crc="",
            event=event,
        )
        for seq, event in enumerate(
            [header, opened, *sibling_events(number, *nodes, **how)], 1
        )
    ]
    return replace(fold(records), liveness=liveness)
