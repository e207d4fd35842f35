"""What the records of a session add up to. Frozen: only `evolve` makes new ones."""

# ruff: noqa: RUF012 - msgspec gives every instance a fresh {}

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.events import (
    CommandLine,
    ContextLoaded,
    DataFailure,
    ErrorInfo,
    Git,
    LogLine,
    PlannedNode,
    SessionResumed,
    Versions,
)

from .operation import DatasetOperation
from .outcome import is_left_to_others, outcome_of, verdict_of
from .short import short_node, short_run, short_session
from .shown import Short, Shown
from .tries import EarlierTry

if TYPE_CHECKING:
    from .tracing import Trace

__all__ = [
    "Anomaly",
    "DatasetOperation",
    "NodeState",
    "NodeStatus",
    "EarlierTry",
    "Note",
    "RunState",
    "RunStatus",
    "SessionState",
    "SessionStatus",
    "ValidationWarning",
    "Verdict",
    "Writer",
]

SessionStatus = Literal["empty", "created", "active", "inactive", "closed"]
RunStatus = Literal["running", "completed", "failed", "interrupted"]
NodeStatus = Literal[
    "pending",
    "loading",
    "running",
    "saving",
    "confirming",
    "completed",
    "failed",
    "interrupted",
    "skipped",
    "not recorded",
]
Verdict = Literal[
    "empty", "no run", "running", "completed", "failed", "interrupted", "crashed",
    "unknown",
]  # fmt: skip


class Anomaly(msgspec.Struct, frozen=True):
    """A recorded fact that does not fit; kept, so that a dead journal always opens.

    Attributes:
        seq: The record.
        type: Its event type.
        subject: What it is about, such as `node train`.
        status: The status that subject had.
    """

    seq: int
    type: str
    subject: str
    status: str


class NodeState(Short, frozen=True, omit_defaults=True):
    """One node in one attempt at a run.

    Attributes:
        name: Its name.
        status: Where it stands. `saving` means computed, but not every output saved:
            only `completed` makes it done. `confirming` means that every output is
            saved, but not every dataset confirmed that the node confirms. `not
            recorded` means that its records may be among those that were lost or
            cannot be read: it may be completed, or have failed, or not have begun.
        plan: What the run said of it; None if it was not planned.
        writer: The process that ran it.
        started_seq, computed_seq, ended_seq: The records that say so; 0 for none.
        started_at, ended_at: Wall clock.
        compute_s: Seconds in its function.
        duration_s: Seconds from the start of its function to its end, saves included.
        loads, saves, confirms: Its datasets, by name.
        error: What it raised, if it failed.
        phase: What it was doing when it broke: loading, running, saving or confirming.
        tries: How often its runner tried it. All other fields are of the last try, but
            for loads, saves and confirms that it did not come to.
        earlier_tries: The tries before, oldest first; the last 20 of them.
        log: Its last log records, if it failed; see `node.failed`.
    """

    name: str
    status: NodeStatus = "pending"
    plan: PlannedNode | None = None
    writer: str = ""
    started_seq: int = 0
    computed_seq: int = 0
    ended_seq: int = 0
    started_at: Instant | None = None
    ended_at: Instant | None = None
    compute_s: float | None = None
    duration_s: float | None = None
    loads: Mapping[str, DatasetOperation] = {}
    saves: Mapping[str, DatasetOperation] = {}
    error: ErrorInfo | None = None
    phase: str = ""
    confirms: Mapping[str, DatasetOperation] = {}
    earlier_tries: tuple[EarlierTry, ...] = ()
    tries: int = 1
    log: tuple[LogLine, ...] = ()

    def __repr__(self) -> str:
        return short_node(self)

    @property
    def open_operations(self) -> tuple[DatasetOperation, ...]:
        """Loads, saves and confirmations that were begun and never ended."""
        every = (*self.loads.values(), *self.saves.values(), *self.confirms.values())
        return tuple(operation for operation in every if operation.is_open)

    @property
    def dataset(self) -> str | None:
        """The dataset it is at, or broke on; None if it is at none or at several."""
        at = self.open_operations
        return at[0].dataset if len(at) == 1 else None

    @property
    def traceback(self) -> str:
        """The error as Python prints it, empty if there is none."""
        return format_traceback(self.error) if self.error else ""


class RunState(Shown, frozen=True, omit_defaults=True):
    """One attempt at a run.

    Attributes:
        run_id: Kedro's id of the run.
        attempt: Which try at it, from 1.
        status: Where it stands.
        pipelines, filters, runner, is_async, runner_arguments,
            runner_arguments_unknown, env, runtime_params, load_versions, save_version,
            free_inputs, left_out: What was requested; see `run.started`.
        nodes: Its nodes by name, in execution order.
        started_seq, ended_seq: The records that say so; 0 for none.
        started_at, ended_at: Wall clock.
        duration_s: Seconds it took.
        error: What ended it, if it failed or was interrupted.
        reason: What interrupted it.
        signal: Number of the signal that did, if it was one.
        exit_code: Code of the `sys.exit()` that did, if it was that.
        oom_kills: See `run.failed`.
    """

    run_id: str | None
    attempt: int = 1
    status: RunStatus = "running"
    pipelines: tuple[str, ...] = ()
    filters: dict[str, Any] = {}
    runner: str = ""
    is_async: bool = False
    runner_arguments: dict[str, Any] = {}
    runner_arguments_unknown: tuple[str, ...] = ()
    env: str | None = None
    runtime_params: dict[str, Any] = {}
    load_versions: tuple[tuple[str, str], ...] = ()
    save_version: str | None = None
    free_inputs: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    nodes: Mapping[str, NodeState] = {}
    started_seq: int = 0
    ended_seq: int = 0
    started_at: Instant | None = None
    ended_at: Instant | None = None
    duration_s: float | None = None
    error: ErrorInfo | None = None
    reason: str = ""
    signal: int | None = None
    exit_code: int | None = None
    oom_kills: int | None = None

    def __repr__(self) -> str:
        return short_run(self)

    def with_status(self, *statuses: NodeStatus) -> tuple[NodeState, ...]:
        """Return the nodes that have one of these statuses."""
        return tuple(node for node in self.nodes.values() if node.status in statuses)

    @property
    def went_on_without(self) -> tuple[NodeState, ...]:
        """The nodes that failed in a run that completed all the same.

        A runner of the project's own may go on without a node that failed.
        """
        return self.with_status("failed") if self.status == "completed" else ()

    @property
    def in_progress(self) -> tuple[NodeState, ...]:
        """Nodes that began and did not end; at a death, what it died in."""
        return self.with_status("loading", "running", "saving", "confirming")

    @property
    def first_loads(self) -> dict[str, DatasetOperation]:
        """The first recorded load of each dataset whose location is known, by name.

        Its `fingerprint` is what the run loaded. A worker process records the first
        load of its own, so that there may be several; the first of them counts.
        """
        found: dict[str, DatasetOperation] = {}
        for node in self.nodes.values():
            for name, load in node.loads.items():
                known = found.get(name)
                earlier = known is None or load.fingerprint_seq < known.fingerprint_seq
                if load.path is not None and earlier:
                    found[name] = load
        return found

    @property
    def broken(self) -> tuple[NodeState, ...]:
        """Nodes that failed, were interrupted, or are in progress."""
        return self.with_status(
            *("failed", "interrupted"), *("loading", "running", "saving", "confirming")
        )

    @property
    def traceback(self) -> str:
        """The error that ended it as Python prints it, empty if there is none."""
        return format_traceback(self.error) if self.error else ""


class Writer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process that wrote to the journal."""

    name: str
    pid: int
    role: str = "owner"
    host: str = ""
    boot_id: str | None = None
    started_at_ticks: int | None = None
    pid_namespace: str | None = None


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """A note that was added."""

    seq: int
    at: Instant
    text: str
    fields: dict[str, Any] = {}
    run_id: str | None = None
    attempt: int = 1
    node: str | None = None
    level: str = ""
    logger: str = ""


class ValidationWarning(msgspec.Struct, frozen=True, omit_defaults=True):
    """Data that did not pass its validation while the run went on.

    Attributes:
        seq, at: The record that says so, and its wall clock.
        dataset, node, run_id, attempt, outcome, failure: See `dataset.validated`.
    """

    seq: int
    at: Instant
    dataset: str
    run_id: str | None = None
    attempt: int = 1
    node: str | None = None
    outcome: str = "warned"
    failure: DataFailure | None = None


class SessionState(Shown, frozen=True, omit_defaults=True):
    """Everything that a journal says of its session, up to `seq`.

    Attributes:
        session_id: Its id.
        uid: Its UUID version 7.
        seq: The last record that was folded; 0 is the empty state.
        status: empty, created, active (entered), inactive (left), closed.
        liveness: Whether its owner lives, as the reader found: running, crashed,
            unknown or closed. Never recorded; None where it was not probed.
        project_path, package_name, project_name, distribution, runtime_params,
            save_on_close, conf_source, command, environment, git, user, host, pid, cwd,
            versions, via, kedro_session_id, parent_session_id, group_id, labels,
            container, notebook: See `session.created`.
        env: The environment asked for, else the one that the context was made for.
        resumed: The session it resumes, if any.
        context: The last `context.loaded`: parameters in force, catalog, sources.
        runs: Its runs and their attempts, in order of start.
        error: What left its block, or came before any run.
        error_phase, error_seq: Where that was, and the record that says so.
        created_at, updated_at, closed_at: Wall clock of first, last, closing record.
        close_reason, exit_code: See `session.closed`.
        writers: The processes that wrote, by name.
        notes: Notes that were added.
        validation_warnings: Data that did not pass its validation while the run went
            on, at most 1000.
        anomalies: Facts that do not fit, at most 1000.
        unknown_events: Records that this version cannot read; see `state.unread`.
        unknown_types: Names of their event types, sorted, at most 100.
        unknown_seq: The last of them; 0 for none.
        newer_format: The newest line format or header version among them that is newer
            than this version knows; 0 for none.
        unattributed_events: Events whose run Kedro does not tell.
        dropped_events: Events that could not be written, by `journal.gap`.
        repairs: Torn tails that writers cut or completed.
        left_out: What could not be recorded whole, `type: field` each, at most 100.
    """

    session_id: str = ""
    uid: str = ""
    seq: int = 0
    status: SessionStatus = "empty"
    liveness: Literal["running", "crashed", "unknown", "closed"] | None = None
    project_path: str = ""
    package_name: str | None = None
    project_name: str | None = None
    distribution: str | None = None
    env: str | None = None
    runtime_params: dict[str, Any] = {}
    save_on_close: bool = True
    conf_source: str | None = None
    command: CommandLine | None = None
    environment: dict[str, str] = {}
    git: Git | None = None
    user: str | None = None
    host: str = ""
    pid: int = 0
    cwd: str = ""
    versions: Versions = Versions()
    via: str = ""
    kedro_session_id: str | None = None
    parent_session_id: str | None = None
    group_id: str | None = None
    labels: dict[str, str] = {}
    container: str | None = None
    notebook: str | None = None
    resumed: SessionResumed | None = None
    context: ContextLoaded | None = None
    runs: tuple[RunState, ...] = ()
    error: ErrorInfo | None = None
    error_phase: str = ""
    error_seq: int = 0
    created_at: Instant | None = None
    updated_at: Instant | None = None
    closed_at: Instant | None = None
    close_reason: str = ""
    exit_code: int | None = None
    writers: Mapping[str, Writer] = {}
    notes: tuple[Note, ...] = ()
    validation_warnings: tuple[ValidationWarning, ...] = ()
    anomalies: tuple[Anomaly, ...] = ()
    unknown_events: int = 0
    unknown_types: tuple[str, ...] = ()
    unknown_seq: int = 0
    newer_format: int = 0
    unattributed_events: int = 0
    dropped_events: int = 0
    repairs: int = 0
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short_session(self)

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters in force, or the runtime ones if no context was made."""
        return self.context.parameters if self.context else self.runtime_params

    @property
    def last_run(self) -> RunState | None:
        """The run, and attempt, that started last."""
        return self.runs[-1] if self.runs else None

    def trace(self, name: str, *, run_id: str | None = None) -> tuple[Trace, ...]:
        """Return where a value came from; see `state.trace`.

        Raises:
            NothingToTrace: No such name is recorded.
        """
        from .tracing import trace  # noqa: PLC0415 - it is about this class

        return trace(self, name, run_id=run_id)

    @property
    def outcome(self) -> Verdict:
        """What came of it, by its records alone; see `state.outcome`."""
        return outcome_of(self)

    @property
    def is_left_to_others(self) -> bool:
        """The process ended, and the nodes of its run were left to other processes."""
        return is_left_to_others(self)

    @property
    def verdict(self) -> Verdict:
        """One word for what became of it: the records and the liveness together."""
        return verdict_of(self)


def format_frames(error: ErrorInfo) -> list[str]:
    """Write an error's frames as `traceback.format_tb` does, one text each."""
    return [
        f'  File "{frame.file}", line {frame.line}, in {frame.function}\n'
        + (f"    {frame.source}\n" if frame.source else "")
        for frame in error.frames
    ]


def format_traceback(error: ErrorInfo) -> str:
    """Write an error as Python prints it, its causes first."""
    parts: list[str] = []
    if error.cause is not None:
        parts.append(format_traceback(error.cause))
        parts.append("\nThe above exception led to the following one:\n\n")
    if error.remote:
        parts.append(error.remote.rstrip() + "\n")
    if error.frames:
        parts.append("Traceback (most recent call last):\n")
    parts += format_frames(error)
    parts.append(f"{error.type}: {error.message}\n" if error.message else error.type)
    return "".join(parts)
