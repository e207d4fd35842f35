"""Runs with times of their own choice, as records, without a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    Frame,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.state import SessionState, fold

__all__ = ["BEGIN", "HOSTILE", "Play", "fan", "hostile", "play", "state_of"]

BEGIN = datetime(2026, 11, 22, 5, tzinfo=UTC)
RUN = "2026-11-22T05.00.00.000Z"
HOSTILE = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    '"><svg onload=window.pwned=1>',
    "{{ 7 * 7 }}{% raw %}",
    "javascript:window.pwned=1",
    "\x1b[2J\x1b]0;owned\x07\x00",
    "\u202egnp.exe",
    "]]><style>*{display:none}</style><!--",
    "مرحبا بالعالم",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "n" * 300,
    "&lt;b&gt; &amp; ' \" `",
    "http://attacker.invalid/x.png",
)


@dataclass(frozen=True)
class Play:
    """A node: what it needs, when it begins, and how long each part takes, in seconds.

    Attributes:
        upto: loading, running, saving or completed; or failed, in its function.
    """

    name: str
    start: float
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    load: float = 0.5
    compute: float = 2.0
    save: float = 0.5
    upto: str = "completed"
    namespace: str = ""
    writer: str = "w1"


def _steps(node: Play, run_id: str) -> Iterable[tuple[float, Event]]:
    of: dict[str, Any] = {"run_id": run_id, "node": node.name}
    at = node.start
    for name in node.inputs:
        yield at, DatasetLoading(dataset=name, **of)
        if node.upto == "loading":
            return
        at += node.load
        yield at, DatasetLoaded(dataset=name, duration_s=node.load, path=name, **of)
    yield at, NodeStarted(**of)
    if node.upto == "running":
        return
    began, at = at, at + node.compute
    if node.upto == "failed":
        error = ErrorInfo(
            type="ValueError",
            message=f"bad: {node.name}",
            frames=(Frame("/p/src/nodes.py", 12, node.name, "raise ValueError"),),
            snippet=("> 12 | raise ValueError",),
        )
        yield at, NodeFailed(duration_s=node.compute, error=error, **of)
        return
    yield at, NodeComputed(duration_s=node.compute, **of)
    for name in node.outputs:
        yield at, DatasetSaving(dataset=name, **of)
        if node.upto == "saving":
            return
        at += node.save
        yield (
            at,
            DatasetSaved(
                dataset=name,
                duration_s=node.save,
                path=f"/p/data/{name}",
                size_bytes=1234,
                **of,
            ),
        )
    yield at, NodeCompleted(duration_s=at - began, **of)


def play(
    *nodes: Play,
    ends: str = "completed",
    end_s: float = 10.0,
    session_id: str = RUN,
    notes: Iterable[str] = (),
    **created: Any,
) -> list[Record]:
    """Return the records of a session with one run.

    Args:
        nodes: Its nodes; the run begins at 0.
        ends: completed, failed, interrupted, or open: nothing ends it.
        end_s: When the run ends.
        notes: Texts of notes, at the end.
        created: Fields of `session.created`.
    """
    plan = tuple(
        PlannedNode(
            node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            namespace=node.namespace,
            source=f"/p/src/nodes.py:{number}",
        )
        for number, node in enumerate(nodes, start=10)
    )
    told: list[tuple[float, str, Event]] = [
        (
            -1.0,
            "w1",
            JournalHeader(
                session_id=session_id, uid="u", salt="s", package_version="0.1"
            ),
        ),
        (-1.0, "w1", WriterOpened(pid=4321, host=created.get("host", "mill"))),
        (
            -1.0,
            "w1",
            SessionCreated(
                **{
                    "session_id": session_id,
                    "project_path": "/p",
                    "host": "mill",
                    "pid": 4321,
                    **created,
                }
            ),
        ),
        (
            0.0,
            "w1",
            RunStarted(run_id=session_id, nodes=plan, runner="kedro.runner.X"),
        ),
    ]
    steps = [
        (at, node.writer, event)
        for node in nodes
        for at, event in _steps(node, session_id)
    ]
    told += sorted(steps, key=lambda step: step[0])
    told += [(end_s, "w1", NoteAdded(text=text)) for text in notes]
    of: dict[str, Any] = {"run_id": session_id, "duration_s": end_s}
    boom = ErrorInfo(type="ValueError", message="boom")
    end: dict[str, Event] = {
        "completed": RunCompleted(**of),
        "failed": RunFailed(error=boom, **of),
        "interrupted": RunInterrupted(reason="KeyboardInterrupt", **of),
    }
    if ends in end:
        told += [(end_s, "w1", end[ends]), (end_s + 1, "w1", SessionClosed())]
    return [
        Record(
            seq=number,
            at=BEGIN + timedelta(seconds=at),
            writer=writer,
            prev="0" * 8,
            crc="0" * 8,
            event=event,
        )
        for number, (at, writer, event) in enumerate(told, start=1)
    ]


def state_of(records: list[Record], liveness: str | None = None) -> SessionState:
    """Return the state of a session, as a reader would find it alive or not."""
    return replace(fold(records), liveness=liveness)


def fan(count: int, *, wide: int = 8, namespaces: int = 0) -> list[Play]:
    """Return a source, *count* nodes of which *wide* run at once, and a sink."""
    nodes = [Play("source", 0.0, outputs=("data",))]
    for number in range(count):
        space = f"part_{number % namespaces}" if namespaces else ""
        name = f"work_{number:03}"
        nodes.append(
            Play(
                f"{space}.{name}" if space else name,
                3.0 + 3 * (number // wide) + 0.1 * (number % wide),
                inputs=("data",),
                outputs=(f"out_{number}",),
                compute=1.0 + 0.1 * (number % 7),
                namespace=space,
                writer=f"w{1 + number % wide}",
            )
        )
    last = 6.0 + 3 * (count // wide)
    made = tuple(f"out_{number}" for number in range(min(count, 20)))
    nodes.append(Play("sink", last, inputs=made, load=0.05))
    return nodes


def hostile() -> list[Record]:
    """Return a session in which every name and text is hostile."""
    nodes = [
        Play(
            text,
            float(number),
            inputs=(HOSTILE[number - 1],) if number else (),
            outputs=(text,),
            load=0.1,
            compute=0.6,
            save=0.1,
            namespace=text,
            upto="failed" if number == len(HOSTILE) - 1 else "completed",
        )
        for number, text in enumerate(HOSTILE)
    ]
    return play(
        *nodes,
        ends="failed",
        end_s=14.0,
        notes=HOSTILE,
        session_id=HOSTILE[0],
        labels={text: text for text in HOSTILE},
        user=HOSTILE[1],
        runtime_params={text: text for text in HOSTILE},
        project_name=HOSTILE[2],
    )
