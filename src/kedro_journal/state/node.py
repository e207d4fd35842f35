"""What one record does to one node. Pure; called by `evolve` alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, assert_never

from msgspec.structs import replace

from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
)

from .model import DatasetOperation, NodeState, NodeStatus

__all__ = ["NodeEvent", "RunEnd", "evolve_node", "status_at_end"]

NodeEvent = (
    NodeStarted
    | NodeComputed
    | NodeCompleted
    | NodeFailed
    | DatasetLoading
    | DatasetLoaded
    | DatasetSaving
    | DatasetSaved
)
RunEnd = RunCompleted | RunFailed | RunInterrupted


def status_at_end(node: NodeState, event: RunEnd) -> NodeStatus:
    """Say what the end of its run makes of a node.

    Kedro tells nothing of a failing load or save but the open interval it leaves.
    """
    if node.status == "pending":
        return "skipped" if isinstance(event, RunCompleted) else "pending"
    if node.status not in ("loading", "running", "saving"):
        return node.status
    if isinstance(event, RunFailed) and node.open_operations:
        return "failed"
    return "interrupted"


def evolve_node(  # noqa: PLR0911 - one for each event
    node: NodeState, status: NodeStatus, record: Record, event: NodeEvent
) -> NodeState:
    seq, at = record.seq, record.at
    match event:
        case DatasetLoading() | DatasetSaving():
            operations = node.loads if isinstance(event, DatasetLoading) else node.saves
            before = operations.get(event.dataset)
            operation = DatasetOperation(
                dataset=event.dataset,
                kind="load" if isinstance(event, DatasetLoading) else "save",
                started_seq=seq,
                count=before.count + 1 if before else 1,
            )
            changed = {**operations, event.dataset: operation}
            if isinstance(event, DatasetLoading):
                return replace(node, status=status, loads=changed, writer=record.writer)
            return replace(node, status=status, saves=changed)
        case DatasetLoaded():
            loads = _ended(node.loads, "load", event, seq)
            return replace(node, status=status, loads=loads)
        case DatasetSaved():
            saves = _ended(node.saves, "save", event, seq)
            saved = replace(
                saves[event.dataset], path=event.path, size_bytes=event.size_bytes
            )
            return replace(node, status=status, saves={**saves, event.dataset: saved})
        case NodeStarted():
            loads = dict(node.loads)
            for dataset, version in event.input_versions:
                if dataset in loads:
                    loads[dataset] = replace(loads[dataset], version=version)
            return replace(
                node,
                loads=loads,
                status=status,
                writer=record.writer,
                started_seq=seq,
                started_at=at,
            )
        case NodeComputed():
            return replace(
                node, status=status, computed_seq=seq, compute_s=event.duration_s
            )
        case NodeCompleted():
            return replace(
                node,
                status=status,
                ended_seq=seq,
                ended_at=at,
                duration_s=event.duration_s,
            )
        case NodeFailed():
            return replace(
                node,
                status=status,
                ended_seq=seq,
                ended_at=at,
                duration_s=event.duration_s,
                error=event.error,
                phase=event.phase,
            )
        case _:
            assert_never(event)


def _ended(
    operations: Mapping[str, DatasetOperation],
    kind: Literal["load", "save"],
    event: DatasetLoaded | DatasetSaved,
    seq: int,
) -> dict[str, DatasetOperation]:
    """Close the interval of a dataset; one that was never opened stands for itself."""
    name = event.dataset
    begun = operations.get(name) or DatasetOperation(name, kind, seq)
    ended = replace(
        begun, ended_seq=seq, duration_s=event.duration_s, version=event.version
    )
    return {**operations, name: ended}
