"""Events in the life of a run."""

# ruff: noqa: RUF012 - msgspec gives every instance a fresh {}

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from .base import NAME, PLAIN, Attempt, DurationS, ErrorInfo, Event, RunId

__all__ = ["PlannedNode", "RunCompleted", "RunFailed", "RunInterrupted", "RunStarted"]


class PlannedNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node that the run set out to run."""

    name: Annotated[str, Meta(extra=NAME, description="Name of the node.")]
    inputs: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Datasets it loads.")
    ] = ()
    outputs: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Datasets it saves.")
    ] = ()
    tags: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Its tags, sorted.")
    ] = ()
    function: Annotated[str, Meta(description="module.qualname of its function.")] = ""
    source: Annotated[
        str, Meta(description="file:line of the function, if it has one.")
    ] = ""
    source_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the function's source text, if it has one: another "
            "hash means that the function was changed.",
        ),
    ] = ""
    arguments_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the arguments that a functools.partial holds, "
            "redacted first: plain values as they are, of others the type; empty for "
            "no partial.",
        ),
    ] = ""


class RunStarted(Event, frozen=True, kw_only=True):
    """A run began. What it was asked for, and what it set out to do."""

    TYPE: ClassVar[str] = "run.started"

    run_id: RunId
    attempt: Attempt = 1
    pipelines: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Names of the pipelines.")
    ] = ("__default__",)
    filters: Annotated[
        dict[str, Any],
        Meta(description="The filters that were given: tags, from_nodes, ..."),
    ] = {}
    runner: Annotated[str, Meta(extra=NAME, description="Class of the runner.")] = ""
    is_async: Annotated[
        bool, Meta(description="Datasets are loaded and saved in threads.")
    ] = False
    env: Annotated[
        str | None, Meta(extra=NAME, description="Configuration environment in force.")
    ] = None
    runtime_params: Annotated[
        dict[str, Any], Meta(description="Runtime parameters of this run.")
    ] = {}
    load_versions: Annotated[
        tuple[tuple[str, str], ...],
        Meta(
            extra=NAME,
            description="Pairs of dataset and version that loading was pinned to.",
        ),
    ] = ()
    save_version: Annotated[
        str | None,
        Meta(extra=NAME, description="Version under which versioned datasets save."),
    ] = None
    nodes: Annotated[
        tuple[PlannedNode, ...],
        Meta(description="The nodes in execution order, as Kedro sorted them."),
    ] = ()
    part: Annotated[
        int,
        Meta(
            ge=1,
            description="A plan of many nodes comes in parts: further records of this "
            "type whose nodes go on the list of the first.",
        ),
    ] = 1
    free_inputs: Annotated[
        tuple[str, ...],
        Meta(extra=NAME, description="Datasets that no node of it makes."),
    ] = ()


class RunCompleted(Event, frozen=True, kw_only=True):
    """Every node ran and every output was saved."""

    TYPE: ClassVar[str] = "run.completed"

    run_id: RunId
    attempt: Attempt = 1
    duration_s: DurationS = None
    outputs: Annotated[
        tuple[str, ...],
        Meta(extra=NAME, description="The free outputs of the pipeline."),
    ] = ()


class RunFailed(Event, frozen=True, kw_only=True):
    """An exception ended the run."""

    TYPE: ClassVar[str] = "run.failed"

    run_id: RunId
    attempt: Attempt = 1
    duration_s: DurationS = None
    error: Annotated[ErrorInfo, Meta(description="What was raised.")]


class RunInterrupted(Event, frozen=True, kw_only=True):
    """Somebody or something stopped the run: Ctrl-C, sys.exit, a signal."""

    TYPE: ClassVar[str] = "run.interrupted"

    run_id: RunId
    attempt: Attempt = 1
    duration_s: DurationS = None
    reason: Annotated[
        str,
        Meta(description="KeyboardInterrupt, SystemExit, SIGTERM, exit or another."),
    ] = ""
    signal: Annotated[
        int | None, Meta(description="Number of the signal, if it was one.")
    ] = None
    exit_code: Annotated[
        int | None, Meta(description="Code of sys.exit(), if it was that.")
    ] = None
    error: Annotated[
        ErrorInfo | None, Meta(description="Where it struck, if that is known.")
    ] = None
