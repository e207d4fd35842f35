"""Events in the life of a node."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import (
    NAME,
    PLAIN,
    Attempt,
    DurationS,
    ErrorInfo,
    Event,
    LogLine,
    NodeName,
    RunId,
)

__all__ = ["NodeCompleted", "NodeComputed", "NodeFailed", "NodeStarted"]


class NodeStarted(Event, frozen=True, kw_only=True):
    """The inputs are loaded; the node's function is about to be called."""

    TYPE: ClassVar[str] = "node.started"

    run_id: RunId
    node: NodeName
    attempt: Attempt = 1
    input_versions: Annotated[
        tuple[tuple[str, str], ...],
        Meta(
            extra=NAME,
            description="Pairs of versioned dataset and version that was loaded.",
        ),
    ] = ()


class NodeComputed(Event, frozen=True, kw_only=True):
    """The function returned. Its outputs are not saved yet."""

    TYPE: ClassVar[str] = "node.computed"

    run_id: RunId
    node: NodeName
    attempt: Attempt = 1
    duration_s: DurationS = None


class NodeCompleted(Event, frozen=True, kw_only=True):
    """Every output of the node is saved, and every dataset that it confirms is
    confirmed. Only this makes it done.
    """

    TYPE: ClassVar[str] = "node.completed"

    run_id: RunId
    node: NodeName
    attempt: Attempt = 1
    duration_s: Annotated[
        float | None,
        Meta(
            description="Seconds from the call of the function to the last save or "
            "confirmation."
        ),
    ] = None


class NodeFailed(Event, frozen=True, kw_only=True):
    """The node broke: its function raised, or a load, save or confirmation did."""

    TYPE: ClassVar[str] = "node.failed"

    run_id: RunId
    node: NodeName
    attempt: Attempt = 1
    duration_s: DurationS = None
    error: Annotated[ErrorInfo, Meta(description="What was raised.")]
    phase: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="loading, running, saving or confirming: what it was doing.",
        ),
    ] = "running"
    dataset: Annotated[
        str | None,
        Meta(
            extra=NAME, description="Dataset that was being loaded, saved or confirmed."
        ),
    ] = None
    log: Annotated[
        tuple[LogLine, ...],
        Meta(
            description="Its last log records that are not notes of their own, oldest "
            "first; see the setting `log_tail`."
        ),
    ] = ()
