"""States and records as plain data, for `--json`.

The keys of every object are stable: all fields are there, with their defaults, and
fields are only ever added. Times are RFC 3339 in UTC. Besides the fields of
`SessionState`, `RunState` and `NodeState` there are a few derived ones, marked below.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from kedro_journal.analysis import GroupNode, GroupState, NodeTry
from kedro_journal.analysis.unused import unused_params
from kedro_journal.events import Record, UnknownEvent
from kedro_journal.journal.codec import is_deep, timestamp
from kedro_journal.state import NodeState, RunState, SessionState
from kedro_journal.state.unread import unread_text

from .derive import (
    decisive_run,
    env_in_force,
    is_at_least,
    last_attempts,
    progress,
    run_verdict,
    session_seconds,
    started_by,
    where_it_is,
)

__all__ = [
    "group_data",
    "json_line",
    "json_text",
    "record_data",
    "state_data",
    "summary_data",
]

# What JSON leaves as it is and a terminal might obey: DEL, C1, bidirectional controls.
_UNSAFE: Final = re.compile(
    "[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

_BLANKS: Final = bytes.maketrans(b"\t\r", b"  ")
_LONG_BYTES: Final = 64 * 1024
_DEEP: Final = 16


def json_text(data: object) -> str:
    """Write data as indented JSON, safe on a terminal; it ends with a newline.

    What is both long and deep stays on one line: the blanks alone could take a hundred
    times its room.
    """
    encoded = msgspec.json.encode(data)
    if len(encoded) <= _LONG_BYTES or not is_deep(encoded, _DEEP):
        encoded = msgspec.json.format(encoded, indent=2)
    return _safe(encoded) + "\n"


def json_line(data: object) -> str:
    """Write data as one line of JSON, safe on a terminal; it ends with a newline."""
    return _safe(msgspec.json.encode(data)) + "\n"


def _safe(encoded: bytes) -> str:
    # Between tokens stands what stood there in an unknown event: blanks do as well.
    text = encoded.translate(_BLANKS).decode()
    return _UNSAFE.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def summary_data(
    state: SessionState,
    now: datetime,
    *,
    damaged: bool = False,
    unreadable: str = "",
) -> dict[str, Any]:
    """Return one session of `list --json`.

    Keys: session_id, uid, verdict, outcome, status, liveness, damaged (records are
    damaged or lost), unreadable (why the journal may not be read, or empty),
    created_at, updated_at, closed_at, duration_s (null if its end
    is not recorded: then duration_at_least_s, which is null otherwise, is the time to
    its last record; both are null for a command that failed before its session),
    pipelines, runs
    (how many, attempts counted), nodes_completed, nodes_planned, places (a list of
    run_id, attempt, node, doing, datasets: where it is or broke, empty if it
    completed), error (type and message in one line, or null), env, started_by, user,
    host, pid, exit_code, parent_session_id, group_id, labels, records, unknown_events
    (records that this version cannot read), newer_format (the newest format among
    them, 0 for none), unread (a sentence on them, empty for none).
    """
    run = decisive_run(state)
    done, planned = progress(state)
    error = (run.error if run is not None else None) or state.error
    return {
        "session_id": state.session_id,
        "uid": state.uid,
        "verdict": state.verdict,
        "outcome": state.outcome,
        "status": state.status,
        "liveness": state.liveness,
        "damaged": damaged,
        "unreadable": unreadable,
        "created_at": _value(state.created_at),
        "updated_at": _value(state.updated_at),
        "closed_at": _value(state.closed_at),
        **_durations(state, now),
        "pipelines": _pipelines(state),
        "runs": len(state.runs),
        "nodes_completed": done,
        "nodes_planned": planned,
        "places": [
            {
                "run_id": place.run.run_id,
                "attempt": place.run.attempt,
                "node": place.node.name,
                "doing": place.doing,
                "datasets": list(place.datasets),
            }
            for place in where_it_is(state)
        ],
        "error": error.summary() if error is not None else None,
        "env": env_in_force(state),
        "started_by": started_by(state),
        "user": state.user,
        "host": state.host,
        "pid": state.pid,
        "exit_code": state.exit_code,
        "parent_session_id": state.parent_session_id,
        "group_id": state.group_id,
        "labels": state.labels,
        "records": state.seq,
        "unknown_events": state.unknown_events,
        "newer_format": state.newer_format,
        "unread": unread_text(state),
    }


_NO_DURATIONS: Final = {"duration_s": None, "duration_at_least_s": None}


def _durations(state: SessionState, now: datetime) -> dict[str, float | None]:
    seconds = session_seconds(state, now)
    name = "duration_at_least_s" if is_at_least(state) else "duration_s"
    return _NO_DURATIONS | {name: seconds}


def _pipelines(state: SessionState) -> list[str]:
    return list(dict.fromkeys(p for run in last_attempts(state) for p in run.pipelines))


def state_data(state: SessionState) -> dict[str, Any]:
    """Return a session of `show --json`: every field of `SessionState`.

    Derived: `verdict`, `outcome`, `unread` (a sentence on the records that this version
    cannot read, empty for none), `unused_params` (runtime parameters that match nothing
    and that no node loads), `duration_s` and `duration_at_least_s` of the session
    (as in `list --json`; that of a session which runs is to its last record);
    `verdict` and `broken` (names) of a run; `dataset` of a node. `runs` is a list,
    their `nodes` an object by name in execution order.
    """
    data = _struct(state)
    data["verdict"] = state.verdict
    data["outcome"] = state.outcome
    end = state.updated_at or state.created_at
    data["unread"] = unread_text(state)
    data["unused_params"] = list(unused_params(state))
    data |= _durations(state, end) if end is not None else _NO_DURATIONS
    data["runs"] = [_run(run, state) for run in state.runs]
    return data


def group_data(group: GroupState, now: datetime) -> dict[str, Any]:
    """Return a group of `show --group --json`.

    Keys: group_id, verdict, started_at, ended_at, duration_s (wall clock), busy_s (of
    all sessions together), hosts, nodes_completed, nodes_planned, first_failure (an
    object, or null if none stands), made_good (ids of sessions that later ones made
    good), sessions (in order of start, each as in `list --json`), nodes (an object by
    name, each with name, asked, status, session_id, host, run_id, attempt, duration_s,
    phase, error, and earlier: the tries before, with the same keys).
    """
    failure = group.first_failure
    return {
        "group_id": group.group_id,
        "verdict": group.verdict,
        "started_at": _value(group.started_at),
        "ended_at": _value(group.ended_at),
        "duration_s": group.duration_s,
        "busy_s": group.busy_s,
        "hosts": list(group.hosts),
        "nodes_completed": len(group.with_status("completed")),
        "nodes_planned": len(group.nodes),
        "first_failure": _struct(failure) if failure is not None else None,
        "made_good": list(group.made_good),
        "sessions": [summary_data(state, now) for state in group.sessions],
        "nodes": {key: _group_node(node) for key, node in group.nodes.items()},
    }


def _group_node(node: GroupNode) -> dict[str, Any]:
    return {
        "name": node.name,
        "asked": node.asked,
        **_try(node.last),
        "earlier": [_try(one) for one in node.earlier],
    }


def _try(one: NodeTry) -> dict[str, Any]:
    return {
        "status": one.status,
        "session_id": one.session_id,
        "host": one.host,
        "run_id": one.run_id,
        "attempt": one.attempt,
        "duration_s": one.node.duration_s,
        "phase": one.node.phase,
        "error": one.node.error.summary() if one.node.error is not None else None,
    }


def _run(run: RunState, state: SessionState) -> dict[str, Any]:
    data = _struct(run)
    data["verdict"] = run_verdict(run, state)
    data["broken"] = [node.name for node in run.broken]
    data["nodes"] = {name: _node(node) for name, node in run.nodes.items()}
    return data


def _node(node: NodeState) -> dict[str, Any]:
    return {**_struct(node), "dataset": node.dataset}


def record_data(record: Record, session_id: str = "") -> dict[str, Any]:
    """Return one line of `tail --json`.

    Keys, named as in the journal file: seq, at, w (the writer), type, data (as on the
    wire). `writer` is the same as `w`: it is the name of the attribute in Python.
    session_id comes first if it is given.
    """
    event = record.event
    data = msgspec.Raw(event.raw) if isinstance(event, UnknownEvent) else event
    known = {"session_id": session_id} if session_id else {}
    return {
        **known,
        "seq": record.seq,
        "at": _value(record.at),
        "w": record.writer,
        "writer": record.writer,
        "type": record.type,
        "data": data,
    }


def _struct(value: msgspec.Struct) -> dict[str, Any]:
    return {name: _value(getattr(value, name)) for name in value.__struct_fields__}


def _value(value: object) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    if isinstance(value, Mapping):
        return {str(key): _value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return value
