"""How a run ended: the events that say so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kedro_journal.capture import compat
from kedro_journal.capture import fields as capture
from kedro_journal.capture.memory_kills import oom_kills
from kedro_journal.events import (
    ErrorInfo,
    Event,
    NodeCompleted,
    NodeFailed,
    RunCompleted,
    RunFailed,
    RunInterrupted,
)
from kedro_journal.recording.progress import ActiveRun, NodeProgress
from kedro_journal.recording.recorder import Recorder

__all__ = ["node_failed", "run_completed", "run_failed", "run_interrupted"]


def run_completed(run: ActiveRun, nodes: Iterable[Any]) -> list[Event]:
    """Return the events of a run that ended well, and of its nodes that save in chunks.

    A runner of Kedro's ends well only if every node does. Another one may go on without
    a node, and Kedro does not tell of a chunk that failed: such a node stays open.
    """
    ended = [
        NodeCompleted(**run.key, node=node.name)
        for node in nodes
        if run.stops_at_failure
        and node.name not in run.completed | run.failed
        and not compat.node_confirms(node)  # complete with its last confirmation
        and (node.name in run.chunked or compat.is_generator_node(node))
    ]
    completed = RunCompleted(**run.key, duration_s=run.elapsed_s(), outputs=run.outputs)
    return [*run.gaps(), *ended, completed]


def node_failed(
    run: ActiveRun,
    name: str,
    progress: NodeProgress,
    error: ErrorInfo,
    recorder: Recorder,
) -> NodeFailed:
    """It broke where it was, outside its function: at a dataset, in a hook."""
    return NodeFailed(
        **run.key,
        node=name,
        duration_s=progress.elapsed_s(),
        error=error,
        phase=progress.phase,
        dataset=progress.open_dataset,
        log=recorder.tails.take(recorder.session_id, run.run_id, run.attempt, name),
    )


def run_failed(
    run: ActiveRun,
    error: BaseException,
    project_path: Path | None,
    recorder: Recorder,
) -> list[Event]:
    """An exception ended it: perhaps that of a load or save, told by no other hook."""
    info = capture.error_info(error, project_path)
    events = run.gaps()
    at = [(n, p) for n, p in run.nodes.items() if run.sequential or p.is_at_dataset]
    seen = any(error is known for known in run.raised)  # of another node, told
    if len(at) == 1 and not seen:
        events.append(node_failed(run, *at[0], info, recorder))
    failed = RunFailed(
        **run.key,
        duration_s=run.elapsed_s(),
        error=info,
        oom_kills=_oom_kills(run) if info.is_broken_pool else None,
    )
    return [*events, failed]


def _oom_kills(run: ActiveRun) -> int | None:
    """Return the out-of-memory kills since the run began, None if they are unknown."""
    now = oom_kills()
    return None if now is None or run.oom_kills is None else now - run.oom_kills


def run_interrupted(
    run: ActiveRun,
    reason: str,
    error: BaseException | None,
    project_path: Path | None,
    *,
    signal: int | None,
) -> list[Event]:
    """It was stopped from outside."""
    interrupted = RunInterrupted(
        **run.key,
        duration_s=run.elapsed_s(),
        reason=reason,
        signal=signal,
        exit_code=_exit_code(error) if isinstance(error, SystemExit) else None,
        error=None if error is None else capture.error_info(error, project_path),
    )
    return [*run.gaps(), interrupted]


def _exit_code(error: SystemExit) -> int:
    """Return the code that a process ends with, as Python makes it of `sys.exit()`."""
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1
