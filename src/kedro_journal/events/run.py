"""Events in the life of a run."""

# ruff: noqa: RUF012 - msgspec gives every instance a fresh {}

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from .base import (
    NAME,
    PLAIN,
    Attempt,
    DurationS,
    ErrorInfo,
    Event,
    LeftOut,
    Part,
    RunId,
)

__all__ = ["PlannedNode", "RunCompleted", "RunFailed", "RunInterrupted", "RunStarted"]


class PlannedNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node that the run set out to run."""

    name: Annotated[str, Meta(extra=NAME, description="Name of the node.")]
    inputs: Annotated[
        tuple[str, ...],
        Meta(extra=NAME, description="Datasets it loads, as declared."),
    ] = ()
    outputs: Annotated[
        tuple[str, ...],
        Meta(extra=NAME, description="Datasets it saves, as declared."),
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
    namespace: Annotated[
        str,
        Meta(
            extra=NAME,
            description="Its namespace, or empty.",
        ),
    ] = ""
    confirms: Annotated[
        tuple[str, ...],
        Meta(
            extra=NAME,
            description="Datasets that Kedro confirms after its saves.",
        ),
    ] = ()
    label: Annotated[
        str,
        Meta(
            extra=NAME,
            description="Kedro's text of the node, `str(node)`; Kedro-Viz makes the "
            "node's id from it. Empty if it follows from the other fields: "
            "`NAME: FUNCTION([INPUT;...]) -> [OUTPUT;...]`, where NAME is the name "
            "without the namespace, FUNCTION is what follows the last dot of the "
            "function, and an empty list is written None.",
        ),
    ] = ""
    code_sha256: Annotated[
        str,
        Meta(
            extra=PLAIN,
            description="Hash of the compiled code of the function that the process "
            "ran, if it has any: its file may have been edited since it was loaded. "
            "Comparable within one version of Python.",
        ),
    ] = ""

    @property
    def text(self) -> str:
        """Kedro's text of the node: the label, or what it follows from."""
        if self.label:
            return self.label
        name = self.name.removeprefix(f"{self.namespace}.") if self.namespace else ""
        inputs = f"[{';'.join(self.inputs)}]" if self.inputs else "None"
        outputs = f"[{';'.join(self.outputs)}]" if self.outputs else "None"
        function = self.function.rpartition(".")[2]
        return f"{name or self.name}: {function}({inputs}) -> {outputs}"


class RunStarted(Event, frozen=True, kw_only=True):
    """A run began. What was requested, and what is planned."""

    TYPE: ClassVar[str] = "run.started"

    run_id: RunId
    attempt: Attempt = 1
    pipelines: Annotated[
        tuple[str, ...], Meta(extra=NAME, description="Names of the pipelines.")
    ] = ("__default__",)
    filters: Annotated[
        dict[str, Any],
        Meta(
            description="The filters that were given: tags, from_nodes, ...; exact, as "
            "runtime_params."
        ),
    ] = {}
    runner: Annotated[str, Meta(extra=NAME, description="Class of the runner.")] = ""
    is_async: Annotated[
        bool, Meta(description="Datasets are loaded and saved in threads.")
    ] = False
    runner_arguments: Annotated[
        dict[str, Any],
        Meta(
            description="Arguments of the runner's constructor that are known, without "
            "is_async."
        ),
    ] = {}
    runner_arguments_unknown: Annotated[
        tuple[str, ...],
        Meta(
            extra=NAME,
            description="Names of its arguments whose value is not known, because code "
            "made the runner and it keeps them in no attribute as plain data.",
        ),
    ] = ()
    env: Annotated[
        str | None, Meta(extra=NAME, description="Configuration environment in force.")
    ] = None
    runtime_params: Annotated[
        dict[str, Any],
        Meta(description="Runtime parameters of this run; as in session.created."),
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
    part: Part = 1
    free_inputs: Annotated[
        tuple[str, ...],
        Meta(extra=NAME, description="Datasets that no node of it makes."),
    ] = ()
    left_out: LeftOut = ()


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
    left_out: LeftOut = ()


class RunFailed(Event, frozen=True, kw_only=True):
    """An exception ended the run."""

    TYPE: ClassVar[str] = "run.failed"

    run_id: RunId
    attempt: Attempt = 1
    duration_s: DurationS = None
    error: Annotated[ErrorInfo, Meta(description="What was raised.")]
    oom_kills: Annotated[
        int | None,
        Meta(
            description="Only if a worker process died: how many processes of this "
            "one's cgroup the kernel killed for want of memory during the run; null "
            "where it does not say."
        ),
    ] = None


class RunInterrupted(Event, frozen=True, kw_only=True):
    """The run was stopped: Ctrl-C, sys.exit, a signal."""

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
