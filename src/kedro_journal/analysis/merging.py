"""Sibling sessions -> the group that they are. Pure and total.

The order in which the states come does not matter: they are put in the order of their
start by the clocks of their hosts, then by id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from kedro_journal.state.model import NodeState, RunState, SessionState, Verdict

from .group import GroupFailure, GroupNode, GroupState, NodeTry, moment

__all__ = ["TASK_LABEL", "merge"]

TASK_LABEL: Final = "task"
"""Label by which an orchestrator's task is known: retries of one carry the same."""

_TROUBLE: Final[tuple[Verdict, ...]] = ("failed", "crashed", "interrupted", "unknown")
_DONE: Final = frozenset({"completed", "skipped"})
_LIVENESS: Final = (None, "unknown", "running", "crashed", "closed")  # better known
_TELLING_MAX_CHARS: Final = 40


def merge(group_id: str, states: Iterable[SessionState]) -> GroupState:
    """Merge the states of sibling sessions.

    Args:
        group_id: What they share; not compared with what the states say.
        states: In any order. Of several states of one session, the one that was folded
            furthest counts.
    """
    sessions = _in_order(states)
    good = _made_good(sessions)
    standing = [
        state
        for state, is_good in zip(sessions, good, strict=True)
        if state.verdict in _TROUBLE and not is_good
    ]
    began = [at for state in sessions if (at := _began(state)) is not None]
    ended = [at for s in sessions if (at := s.closed_at or s.updated_at) is not None]
    return GroupState(
        group_id=group_id,
        sessions=sessions,
        nodes=_nodes(sessions),
        verdict=_verdict(sessions, standing),
        made_good=tuple(
            state.session_id
            for state, is_good in zip(sessions, good, strict=True)
            if is_good
        ),
        first_failure=_first_failure(standing),
        started_at=min(began, key=moment, default=None),
        ended_at=max(ended, key=moment, default=None),
    )


def _in_order(states: Iterable[SessionState]) -> tuple[SessionState, ...]:
    found: dict[tuple[str, str], SessionState] = {}
    for state in states:
        key = (state.session_id, state.uid)
        known = found.get(key)
        if known is None or _knowledge(known) < _knowledge(state):
            found[key] = state
    return tuple(
        sorted(found.values(), key=lambda s: (moment(_began(s)), s.session_id, s.uid))
    )


def _knowledge(state: SessionState) -> tuple[int, int, str]:
    return state.seq, _LIVENESS.index(state.liveness), _text(state)


def _began(state: SessionState) -> datetime | None:
    return state.created_at or state.updated_at


class _Asked(NamedTuple):
    """What a run was asked for, besides its nodes: tries that agree in it are retries.

    Attributes:
        env: Configuration environment.
        task: The label `task`.
        params: Runtime parameters, sorted, as texts.
    """

    env: str
    task: str
    params: tuple[tuple[str, str], ...]


def _asked(state: SessionState, run: RunState) -> _Asked:
    params = run.runtime_params or state.runtime_params
    texts = sorted((str(name), _text(value)) for name, value in params.items())
    task = state.labels.get(TASK_LABEL, "")
    return _Asked(run.env or state.env or "", task, tuple(texts))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value, order="deterministic").decode()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr(value)


def _last_attempts(state: SessionState) -> tuple[RunState, ...]:
    last = {run.run_id: run for run in state.runs}
    return tuple(run for run in state.runs if last[run.run_id] is run)


def _made_good(sessions: Sequence[SessionState]) -> list[bool]:
    """Return for each session whether it broke and later ones did what it left."""
    good = [False] * len(sessions)
    planned: set[tuple[_Asked, str]] = set()  # by later sessions
    begun: set[object] = set()
    for number in range(len(sessions) - 1, -1, -1):
        state = sessions[number]
        every: set[tuple[_Asked, str]] = set()
        left: set[tuple[_Asked, str]] = set()
        for run in _last_attempts(state):
            asked = _asked(state, run)
            every |= {(asked, name) for name in run.nodes}
            if run.status != "completed" or run.went_on_without:
                nodes = run.nodes.items()
                left |= {(asked, n) for n, node in nodes if node.status not in _DONE}
        if state.verdict in _TROUBLE:
            needed = left or every
            same = _beginning(state)
            good[number] = needed <= planned if needed else same in begun
        planned |= every
        if (same := _beginning(state)) is not None:
            begun.add(same)
    return good


def _beginning(state: SessionState) -> object:
    """Return what identifies a retry where nothing was planned; None if nothing
    tells.
    """
    task = state.labels.get(TASK_LABEL)
    if task:
        return task
    return state.command.argv if state.command and state.command.argv else None


def _verdict(
    sessions: Sequence[SessionState], standing: Sequence[SessionState]
) -> Verdict:
    found = {state.verdict for state in sessions}
    stands = {state.verdict for state in standing}
    if "running" in found:
        return "running"
    for verdict in _TROUBLE:
        if verdict in stands:
            return verdict
    if "completed" in found:
        return "completed"
    return "no run" if "no run" in found else "empty"


def _nodes(sessions: Sequence[SessionState]) -> dict[str, GroupNode]:
    tries: dict[str, dict[_Asked, list[NodeTry]]] = {}
    for state in sessions:
        for run in state.runs:
            asked = _asked(state, run)
            for name, node in run.nodes.items():
                at = NodeTry(
                    state.session_id, state.host, run.run_id, run.attempt, node
                )
                tries.setdefault(name, {}).setdefault(asked, []).append(at)
    nodes: dict[str, GroupNode] = {}
    for name, by_asked in tries.items():
        telling = _telling(list(by_asked))
        for asked, made in by_asked.items():
            text = telling[asked]
            key = f"{name} [{text}]" if text else name
            number = 1
            while key in nodes:
                number += 1
                key = f"{name} [{text}, {number}]"
            nodes[key] = GroupNode(name, text, _begun(made))
    return nodes


def _begun(made: Sequence[NodeTry]) -> tuple[NodeTry, ...]:
    """Leave out plans that came to nothing; being skipped is one if it was done."""
    kept: list[NodeTry] = []
    for one in made:
        done = bool(kept) and kept[-1].status in _DONE
        if one.status == "pending" or (one.status == "skipped" and done):
            continue
        kept.append(one)
    return tuple(kept) or (made[-1],)


def _telling(every: Sequence[_Asked]) -> dict[_Asked, str]:
    """Return, in few words, how each of several differs from the others."""
    if len(every) == 1:
        return {every[0]: ""}
    pairs = {asked: dict(_pairs(asked)) for asked in every}
    names = dict.fromkeys(name for asked in every for name in sorted(pairs[asked]))
    differing = [
        name for name in names if len({pairs[asked].get(name) for asked in every}) > 1
    ]
    return {
        asked: ", ".join(
            f"{name}={pairs[asked][name][:_TELLING_MAX_CHARS]}"
            for name in sorted(differing)
            if name in pairs[asked]
        )
        for asked in every
    }


def _pairs(asked: _Asked) -> Iterator[tuple[str, str]]:
    yield from asked.params
    if asked.env:
        yield "env", asked.env
    if asked.task:
        yield "task", asked.task


def _first_failure(standing: Sequence[SessionState]) -> GroupFailure | None:
    return min(map(_failure, standing), key=lambda f: moment(f.at), default=None)


def _failure(state: SessionState) -> GroupFailure:
    runs = [
        run
        for run in _last_attempts(state)
        if run.status != "completed" or run.went_on_without
    ]
    run = runs[0] if runs else None
    broken: tuple[NodeState, ...] = ()
    if run is not None:
        broken = (*run.with_status("failed"), *run.broken)
    node = broken[0] if broken else None
    error = (node.error if node else None) or (run.error if run else None)
    ended = (node.ended_at if node else None) or (run.ended_at if run else None)
    doing, datasets = "", tuple[str, ...]()
    if node is not None:
        doing = node.phase or node.status
        datasets = tuple(one.dataset for one in node.open_operations)
    return GroupFailure(
        verdict=state.verdict,
        session_id=state.session_id,
        host=state.host,
        run_id=run.run_id if run else None,
        attempt=run.attempt if run else 1,
        node=node.name if node else None,
        doing=doing,
        datasets=datasets,
        error=error or state.error,
        at=ended or state.closed_at or state.updated_at,
    )
