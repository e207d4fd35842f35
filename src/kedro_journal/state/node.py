"""What one record does to one node. Pure; called by `evolve` alone."""

from __future__ import annotations

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
    node: NodeState,
    status: NodeStatus,
    record: Record,
    event: NodeEvent,
    loads: dict[str, DatasetOperation],
    saves: dict[str, DatasetOperation],
) -> NodeState:
    """Give the node after one more record.

    Args:
        node: The node before.
        status: The status that the event moves it to.
        record: The record.
        event: Its event.
        loads, saves: The node's own, changed in place: a copy for each record would
            make a fold quadratic in the datasets of a node.
    """
    seq, at = record.seq, record.at
    match event:
        case DatasetLoading():
            _begin(loads, "load", event, seq)
            return replace(node, status=status, writer=record.writer)
        case DatasetSaving():
            _begin(saves, "save", event, seq)
            return replace(node, status=status)
        case DatasetLoaded():
            _end(loads, "load", event, record)
            return replace(node, status=status)
        case DatasetSaved():
            ended = _end(saves, "save", event, record)
            saves[event.dataset] = replace(
                ended,
                path=event.path,
                size_bytes=event.size_bytes,
                modified_us=event.modified_us,
            )
            return replace(node, status=status)
        case NodeStarted():
            for dataset, version in event.input_versions:
                if dataset in loads:
                    loads[dataset] = replace(loads[dataset], version=version)
            return replace(
                node,
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


def _begin(
    operations: dict[str, DatasetOperation],
    kind: Literal["load", "save"],
    event: DatasetLoading | DatasetSaving,
    seq: int,
) -> None:
    """Open the interval of a dataset, once more if it was open or closed before."""
    before = operations.get(event.dataset)
    operations[event.dataset] = DatasetOperation(
        dataset=event.dataset,
        kind=kind,
        started_seq=seq,
        count=before.count + 1 if before else 1,
    )


def _end(
    operations: dict[str, DatasetOperation],
    kind: Literal["load", "save"],
    event: DatasetLoaded | DatasetSaved,
    record: Record,
) -> DatasetOperation:
    """Close the interval of a dataset; one that was never opened stands for itself."""
    name = event.dataset
    begun = operations.get(name) or DatasetOperation(name, kind, record.seq)
    ended = operations[name] = replace(
        begun,
        ended_seq=record.seq,
        ended_at=record.at,
        duration_s=event.duration_s,
        version=event.version,
    )
    return ended
