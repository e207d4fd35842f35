"""The one place where state changes: `evolve(state, record) -> state`.

Pure and total: a recorded fact that does not fit becomes an `Anomaly`, never an
exception, so that a dead session's journal always opens. `fold` goes through the same
steps in a private builder that copies nothing per record: nodes that events are added
to are changed in place, and frozen when the state is asked for. That keeps it linear,
however many nodes a run has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, assert_never

from msgspec.structs import replace

from kedro_journal.events import (
    EVENT_TYPES,
    AnyEvent,
    ContextLoaded,
    DatasetConfirmed,
    DatasetConfirming,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    DatasetValidated,
    Entry,
    JournalGap,
    JournalHeader,
    JournalRepaired,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    SessionResumed,
    UnknownEvent,
    WriterOpened,
    type_name,
)

from .model import (
    Anomaly,
    NodeState,
    Note,
    RunState,
    SessionState,
    SessionStatus,
    ValidationWarning,
    Writer,
)
from .node import MOVES, Here, NodeBuilder, NodeEvent, RunEnd, status_at_end
from .parts import with_part
from .transitions import RUN_TRANSITIONS, SESSION_TRANSITIONS
from .unread import hides_nodes, unread_facts

__all__ = ["StateBuilder", "evolve", "fold"]

_ANOMALIES_MAX: Final = 1000
_LEFT_OUT_MAX: Final = 100
_WARNINGS_MAX: Final = 1000
_COUNT_MAX: Final = 2**53 - 1  # sums of hostile numbers could get too long to print
_ENDED: Final = frozenset({"completed", "failed", "interrupted", "skipped"})
_STEPS: Final = {event: move.step for event, move in MOVES.items()}

_SessionEvent = (
    SessionCreated
    | SessionActivated
    | SessionDeactivated
    | ContextLoaded
    | SessionFailed
    | SessionClosed
    | SessionResumed
)


def evolve(state: SessionState, record: Entry) -> SessionState:
    """Return the state after one more record."""
    builder = StateBuilder(state)
    builder.add(record)
    return builder.state()


def fold(records: Iterable[Entry], initial: SessionState | None = None) -> SessionState:
    """Return the state that records add up to, after *initial*.

    `fold(a + b) == fold(b, initial=fold(a))`, for any cut.
    """
    builder = StateBuilder(initial)
    builder.add_all(records)
    return builder.state()


class StateBuilder:
    """A state under construction. Private to this package and the recorder.

    Args:
        initial: Where to begin; None is the empty state.
    """

    def __init__(self, initial: SessionState | None = None) -> None:
        state = initial or SessionState()
        self._state = state
        self._fields: dict[str, Any] = {}
        self._last: Entry | None = None
        self._runs = list(state.runs)
        self._nodes = [dict(run.nodes) for run in state.runs]
        # Nodes that events were added to, by run: those above lag behind.
        self._changed: dict[int, dict[str, NodeBuilder]] = {}
        # Runs whose nodes lost records may be about; see `_nodes_may_be_hidden`.
        self._hidden: set[int] = set()
        self._here = Here()
        self._index = {
            (run.run_id, run.attempt): number for number, run in enumerate(state.runs)
        }
        self._writers = dict(state.writers)
        self._anomalies = list(state.anomalies)
        self._notes = list(state.notes)
        self.status: SessionStatus = state.status

    def state(self) -> SessionState:
        """Freeze what was built so far."""
        for number in list(self._changed):
            self._settle(number)
        if self._last is not None:
            self._fields["seq"] = self._last.seq
            self._fields["updated_at"] = self._last.at
        runs = tuple(
            replace(run, nodes=dict(nodes))
            for run, nodes in zip(self._runs, self._nodes, strict=True)
        )
        self._state = replace(
            self._state,
            **self._fields,
            status=self.status,
            runs=runs,
            writers=dict(self._writers),
            anomalies=tuple(self._anomalies),
            notes=tuple(self._notes),
        )
        self._fields = {}
        return self._state

    def _settle(self, number: int) -> None:
        """Freeze the nodes of a run that were changed."""
        self._here.leave()
        nodes = self._nodes[number]
        changed = self._changed.pop(number, {})
        if changed:
            self._hidden.discard(number)  # a later gap may be about them again
        for name, node in changed.items():
            nodes[name] = node.freeze()

    def add(self, record: Entry) -> None:
        """Take one more record."""
        self.add_all((record,))

    def add_all(self, records: Iterable[Entry]) -> None:
        """Take more records."""
        record, here = self._last, self._here
        steps = _STEPS.get
        for record in records:
            event: Any = record.event
            step = steps(type(event))
            if step is None:
                self._other(record, event)
            elif not step(here, record, event):
                self._node(record, event)
        self._last = record

    def _gap(self, event: JournalGap) -> None:
        self._count("dropped_events", event.dropped)
        if event.dropped:
            self._nodes_may_be_hidden()

    def _other(self, record: Entry, event: AnyEvent) -> None:
        fields = self._fields
        match event:
            case RunStarted():
                self._run_started(record, event)
            case RunCompleted() | RunFailed() | RunInterrupted():
                self._run_ended(record, event)
            case JournalHeader():
                fields["session_id"] = event.session_id
                fields["uid"] = event.uid
            case WriterOpened():
                self._writers[record.writer] = Writer(
                    name=record.writer,
                    pid=event.pid,
                    role=event.role,
                    host=event.host,
                    boot_id=event.boot_id,
                    started_at_ticks=event.started_at_ticks,
                    pid_namespace=event.pid_namespace,
                )
            case (
                SessionCreated()
                | SessionActivated()
                | SessionDeactivated()
                | ContextLoaded()
                | SessionFailed()
                | SessionClosed()
                | SessionResumed()
            ):
                self._session(record, event)
            case NoteAdded():
                self._notes.append(_note_of(record, event))
            case DatasetValidated():
                self._validated(record, event)
            case JournalGap():
                self._gap(event)
            case JournalRepaired():
                self._count("repairs", 1)
            case UnknownEvent():
                self._unknown(record, event)
            case (
                NodeStarted()
                | NodeComputed()
                | NodeCompleted()
                | NodeFailed()
                | DatasetLoading()
                | DatasetLoaded()
                | DatasetSaving()
                | DatasetSaved()
                | DatasetConfirming()
                | DatasetConfirmed()
            ):  # pragma: no cover - `MOVES` has them all
                raise AssertionError(event)
            case _:
                assert_never(event)

    def _validated(self, record: Entry, event: DatasetValidated) -> None:
        """Keep a warning. It moves nothing: the load or save it belongs to goes on."""
        known = self._now("validation_warnings")
        if len(known) < _WARNINGS_MAX:
            one = ValidationWarning(
                seq=record.seq,
                at=record.at,
                dataset=event.dataset,
                run_id=event.run_id,
                attempt=event.attempt,
                node=event.node,
                outcome=event.outcome,
                failure=event.failure,
            )
            self._fields = {**self._fields, "validation_warnings": (*known, one)}

    def _count(self, name: str, more: int) -> None:
        self._fields[name] = min(self._now(name) + max(more, 0), _COUNT_MAX)

    def _now(self, name: str) -> Any:
        return self._fields.get(name, getattr(self._state, name))

    def _unknown(self, record: Entry, event: UnknownEvent) -> None:
        """Count a record that cannot be read; its type still moves the session."""
        self._count("unknown_events", 1)
        types, newer = self._now("unknown_types"), self._now("newer_format")
        fields = self._fields = self._fields | unread_facts(record, event, types, newer)
        if hides_nodes(event.type):
            self._nodes_may_be_hidden()
        cls = EVENT_TYPES.get(event.type)
        status = SESSION_TRANSITIONS.get((self.status, cls)) if cls else None
        if cls is SessionClosed:
            status, fields["closed_at"] = "closed", record.at
        elif cls is SessionCreated:
            fields["created_at"] = record.at
        self.status = status or self.status

    def _nodes_may_be_hidden(self) -> None:
        """Mark the nodes of unfinished runs that lost records may be about.

        A later record about such a node says again where it stands.
        """
        for number, run in enumerate(self._runs):
            if run.status != "running":
                continue
            self._settle(number)
            if number in self._hidden:
                continue
            self._hidden.add(number)
            nodes = self._nodes[number]
            for name, node in nodes.items():
                if node.status not in _ENDED and node.status != "not recorded":
                    nodes[name] = replace(node, status="not recorded")

    @property
    def _has_gap(self) -> bool:
        """Events were dropped, or cannot be read: what is there may not fit."""
        return bool(self._now("dropped_events") or self._now("unknown_events"))

    @property
    def _misses_runs(self) -> bool:
        """The beginning of a run cannot be read."""
        return RunStarted.TYPE in self._now("unknown_types")

    def _anomaly(self, record: Entry, subject: str, status: str) -> None:
        if len(self._anomalies) < _ANOMALIES_MAX:
            self._anomalies.append(
                Anomaly(record.seq, type_name(record.event), subject, status)
            )

    def _session(self, record: Entry, event: _SessionEvent) -> None:
        status = SESSION_TRANSITIONS.get((self.status, type(event)))
        if status is None:
            self._anomaly(record, "session", self.status)
            return
        fields = self._fields
        match event:
            case SessionCreated():
                for name in set(event.__struct_fields__) - {"left_out"}:
                    fields[name] = getattr(event, name)
                fields["created_at"] = record.at
                self._left_out(event)
            case SessionDeactivated():
                if event.depth > 0:
                    status = "active"
            case ContextLoaded():
                before = fields.get("context", self._state.context)
                fields["context"] = with_part(before, event)
                if fields.get("env", self._state.env) is None:
                    fields["env"] = event.env  # no other one was asked for
                self._left_out(event)
            case SessionFailed():
                fields["error"] = event.error
                fields["error_phase"] = event.phase
                fields["error_seq"] = record.seq
            case SessionClosed():
                fields["closed_at"] = record.at
                fields["close_reason"] = event.reason
                fields["exit_code"] = event.exit_code
            case SessionResumed():
                fields["parent_session_id"] = event.parent_session_id
                fields["resumed"] = event
                self._left_out(event)
            case SessionActivated():
                pass
            case _:
                assert_never(event)
        self.status = status

    def _left_out(self, event: AnyEvent) -> None:
        more = getattr(event, "left_out", ())
        if more:  # could not be recorded whole
            now = self._fields.get("left_out", self._state.left_out)
            named = (f"{type_name(event)}: {one}" for one in more)
            self._fields["left_out"] = (*now, *named)[:_LEFT_OUT_MAX]

    def _run_started(self, record: Entry, event: RunStarted) -> None:
        key = (event.run_id, event.attempt)
        if (self.status, RunStarted) not in SESSION_TRANSITIONS:
            self._anomaly(record, "session", self.status)
        number = self._index.get(key)
        if number is None or event.part > 1:
            self._left_out(event)
        if number is not None and event.part > 1:
            self._settle(number)
            run = self._runs[number]
            self._runs[number] = replace(
                run,
                load_versions=run.load_versions + event.load_versions,
                free_inputs=run.free_inputs + event.free_inputs,
                left_out=run.left_out + event.left_out,
            )
            nodes = self._nodes[number]
            for plan in event.nodes:
                nodes.setdefault(plan.name, NodeState(plan.name, plan=plan))
            return
        if number is not None:
            status = self._runs[number].status
            self._anomaly(record, f"run {event.run_id}", status)
            return
        self._index[key] = len(self._runs)
        self._runs.append(
            RunState(
                run_id=event.run_id,
                attempt=event.attempt,
                pipelines=event.pipelines,
                filters=event.filters,
                runner=event.runner,
                is_async=event.is_async,
                runner_arguments=event.runner_arguments,
                runner_arguments_unknown=event.runner_arguments_unknown,
                env=event.env,
                runtime_params=event.runtime_params,
                load_versions=event.load_versions,
                save_version=event.save_version,
                free_inputs=event.free_inputs,
                left_out=event.left_out,
                started_seq=record.seq,
                started_at=record.at,
            )
        )
        self._nodes.append({p.name: NodeState(p.name, plan=p) for p in event.nodes})

    def _run_ended(self, record: Entry, event: RunEnd) -> None:
        number = self._index.get((event.run_id, event.attempt))
        if number is None:
            if not self._misses_runs:
                self._anomaly(record, f"run {event.run_id}", "not started")
            return
        run = self._runs[number]
        status = RUN_TRANSITIONS.get((run.status, type(event)))
        if status is None:
            self._anomaly(record, f"run {event.run_id}", run.status)
            return
        error = None if isinstance(event, RunCompleted) else event.error
        self._left_out(event)
        stopped = event if isinstance(event, RunInterrupted) else None
        self._runs[number] = replace(
            run,
            status=status,
            ended_seq=record.seq,
            ended_at=record.at,
            duration_s=event.duration_s,
            error=error,
            reason=stopped.reason if stopped else "",
            signal=stopped.signal if stopped else None,
            exit_code=stopped.exit_code if stopped else None,
            oom_kills=event.oom_kills if isinstance(event, RunFailed) else None,
        )
        self._settle(number)
        nodes = self._nodes[number]
        known = any(node.status == "failed" for node in nodes.values())
        broken: list[str] = []
        for name, node in nodes.items():
            ended = status_at_end(node, event, gap=self._has_gap)
            if ended != node.status:
                phase = node.status if node.status != "pending" else ""
                nodes[name] = replace(node, status=ended, phase=phase)
                broken += [name] if ended == "failed" else []
        if len(broken) == 1 and not known:
            # A load or save in a worker: only its run says that it failed.
            nodes[broken[0]] = replace(nodes[broken[0]], error=error)

    def _node(self, record: Entry, event: NodeEvent) -> None:
        """Take an event of another run or another node than the last, or a misfit."""
        key = event.run_id, event.attempt
        number = self._index.get(key)
        if number is None:
            if event.run_id is None:
                self._count("unattributed_events", 1)
            elif not self._misses_runs:
                self._anomaly(record, f"run {event.run_id}", "not started")
            return
        name, nodes = event.node, self._nodes[number]
        changed = self._changed.setdefault(number, {})
        here, move = self._here, MOVES[type(event)]
        here.go(*key, changed, nodes)
        node = changed.get(name)
        status = (node or nodes.get(name) or NodeState(name)).status
        over = status == "failed" and self._runs[number].status != "running"
        if over or move.after[status] is None:
            if status in _ENDED or not self._has_gap:
                self._anomaly(record, f"node {name}", status)
                return
            status = move.before  # what led to it was dropped
        if node is None:
            frozen = nodes.setdefault(name, NodeState(name))
            node = changed[name] = NodeBuilder(frozen)
        node.status = status
        move.step(here, record, event)


def _note_of(record: Entry, event: NoteAdded) -> Note:
    return Note(
        seq=record.seq,
        at=record.at,
        text=event.text,
        fields=event.fields,
        run_id=event.run_id,
        attempt=event.attempt,
        node=event.node,
        level=event.level,
        logger=event.logger,
    )
