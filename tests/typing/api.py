"""Must only type-check: the public API as users call it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, assert_type

import kedro_journal
from kedro_journal import (
    Comparison,
    GroupState,
    Record,
    ResumePlan,
    SessionState,
    Trace,
)
from kedro_journal.events import ErrorInfo, NodeCompleted, NodeFailed, RunFailed
from kedro_journal.state import NodeStatus

state = kedro_journal.replay("latest", until_seq=3)
assert_type(state, SessionState)
assert_type(kedro_journal.records(), Iterator[Record])
assert_type(kedro_journal.follow(), Iterator[Record])
assert_type(kedro_journal.current(), SessionState)
group = kedro_journal.replay_group("latest")
assert_type(group, GroupState)
assert_type(group.nodes["train"].last.status, NodeStatus)
listed: Sequence[SessionState] = kedro_journal.sessions(verdict="failed", env="base")
assert_type(kedro_journal.sessions()[0], SessionState)
assert_type(kedro_journal.sessions()[:3], list[SessionState])
for record in kedro_journal.follow():
    if isinstance(record.event, NodeFailed | RunFailed):
        assert_type(record.event.error, ErrorInfo)
    elif isinstance(record.event, NodeCompleted):
        assert_type(record.event.node, str)
kedro_journal.note("seen", rows=3)
for run in state.runs:
    for node in run.nodes.values():
        assert_type(node.traceback, str)
assert_type(kedro_journal.diff("latest", "last-good"), tuple[Comparison, ...])
assert_type(kedro_journal.trace("params:lr"), tuple[Trace, ...])
assert_type(kedro_journal.resume_plan("latest", params={"lr": 1}), ResumePlan)
assert_type(kedro_journal.load_inputs("train"), dict[str, Any])
for record in kedro_journal.records():
    match record.event:
        case NodeFailed(error=error, node=name):
            assert_type(error, ErrorInfo)
            assert_type(name, str)
        case _:
            pass
