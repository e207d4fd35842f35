"""Where a file came from: session, node, parameters and inputs, across sessions. Pure.

A file is known by its location, seen from the root of the project, so that the journals
of a copied project tell of its copies as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.errors import NothingToTrace
from kedro_journal.events import Fingerprint
from kedro_journal.state.model import (
    DatasetOperation,
    NodeState,
    RunState,
    SessionState,
)
from kedro_journal.state.tracing import trace

from .evidence import bare
from .inputs import differing_data
from .lineage import is_parameter
from .places import placed

__all__ = [
    "Bytes",
    "Origin",
    "ParameterUsed",
    "bytes_of",
    "commit_of",
    "from_root",
    "is_at",
    "origin_of",
    "place_of",
]

Bytes = Literal["same", "changed", "gone", "not known"]

_DEPTH_MAX: Final = 100  # a hostile journal may have a long chain of nodes
_TREE_MAX: Final = 2000
_PARAMETERS_MAX: Final = 50


class ParameterUsed(msgspec.Struct, frozen=True):
    """A parameter that a node loaded.

    Attributes:
        name: Its name.
        value: Its value, redacted.
        origin: Where it was set, in words.
    """

    name: str
    value: Any
    origin: str


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dataset, and what made it.

    Attributes:
        dataset: Its name; empty if no session knows the file.
        path: Where it is, from the root of the project; empty if it was in memory.
        version: Its version, if it has versions.
        session_id, run_id, attempt, node: What saved it; empty if no session did.
        record: The record of the save; of what no session saved, that of the load.
        saved_at: When it was saved.
        function, source: The node's function, and its file and line.
        commit: The commit; `with changes` follows if not all was committed.
        parameters: The parameters that the node loaded.
        inputs: What the node loaded, each with its own origin.
        bytes: Whether the file still is what was saved or, of what no session saved,
            what was loaded.
        difference: How it differs, in words.
        repeated: Its inputs stand at its first mention.
    """

    dataset: str = ""
    path: str = ""
    version: str | None = None
    session_id: str = ""
    run_id: str | None = None
    attempt: int = 1
    node: str = ""
    record: int = 0
    saved_at: Instant | None = None
    function: str = ""
    source: str = ""
    commit: str = ""
    parameters: tuple[ParameterUsed, ...] = ()
    inputs: tuple[Origin, ...] = ()
    bytes: Bytes = "not known"
    difference: str = ""
    repeated: bool = False


class _Save(NamedTuple):
    state: SessionState
    run: RunState
    node: NodeState
    save: DatasetOperation


def origin_of(
    path: str,
    sessions: Iterable[SessionState],
    here: Callable[[str, DatasetOperation], Fingerprint | None],
) -> Origin | None:
    """Find what made a file; None if no session saved it.

    A file that several sessions saved is that of the newest whose save is what is
    there; of the newest of all if it is none of them.

    Args:
        path: The file, from the root of the project; or absolute, outside of it.
        sessions: Where to look, newest first; may be iterated several times.
        here: Returns what is at a path now, for a comparison with an operation; None
            if nothing is.
    """
    newest: _Save | None = None
    for one in _saves(sessions, path):
        newest = newest or one
        now = here(path, one.save)
        if now is not None and one.save.fingerprint.same_data(now):
            newest = one
            break
    if newest is None:
        return None
    return _Teller(sessions, here).made(newest, 0)


def _saves(sessions: Iterable[SessionState], path: str) -> Iterator[_Save]:
    """Yield the saves at a path, newest first."""
    for state in sessions:
        for run in reversed(state.runs):
            found = [
                _Save(state, run, node, save)
                for node in run.nodes.values()
                for save in node.saves.values()
                if not save.is_open and is_at(path, state, save)
            ]
            yield from sorted(found, key=lambda one: -one.save.ended_seq)


def is_at(path: str, state: SessionState, operation: DatasetOperation) -> bool:
    """Return whether a path is that of an operation, in its folder, or its versions."""
    where = place_of(state, operation)
    if not where or not path:
        return False
    if where == path:
        return True
    if operation.entries is not None and path.startswith(where.rstrip("/") + "/"):
        return True
    return operation.version is not None and where.startswith(path.rstrip("/") + "/")


def place_of(state: SessionState, operation: DatasetOperation) -> str:
    """Return where data is, from the root of the project; empty if not known."""
    if not operation.path:
        return ""
    return placed(operation.path, project=state.project_path, cwd=state.cwd)


class _Teller:
    """Tells of saves, and of what they were made from."""

    def __init__(
        self,
        sessions: Iterable[SessionState],
        here: Callable[[str, DatasetOperation], Fingerprint | None],
    ) -> None:
        self._sessions = sessions
        self._here = here
        self._told: set[tuple[str, str | None, int, str]] = set()
        self._left = _TREE_MAX

    def made(self, one: _Save, depth: int) -> Origin:
        """Return where the data of one save came from, down to a bounded depth."""
        state, run, node, save = one
        key = state.session_id, run.run_id, run.attempt, node.name
        repeated = key in self._told or depth > _DEPTH_MAX or self._left <= 0
        self._told.add(key)
        self._left -= 1
        inputs = () if repeated else tuple(self._inputs(one, depth + 1))
        plan = node.plan
        same, difference = bytes_of(state, save, self._here)
        source = plan.source if plan is not None else ""
        return Origin(
            dataset=save.dataset,
            path=place_of(state, save),
            version=save.version,
            session_id=state.session_id,
            run_id=run.run_id,
            attempt=run.attempt,
            node=node.name,
            record=save.ended_seq,
            saved_at=save.ended_at,
            function=plan.function if plan is not None else "",
            source=from_root(source, state),
            commit=commit_of(state),
            parameters=() if repeated else tuple(_parameters(state, run, node)),
            inputs=inputs,
            bytes=same,
            difference=difference,
            repeated=repeated,
        )

    def _inputs(self, one: _Save, depth: int) -> Iterator[Origin]:
        for load in one.node.loads.values():
            if is_parameter(load.dataset):
                continue
            maker = self._maker(one, load)
            if maker is not None:
                yield self.made(maker, depth)
            else:
                yield self._raw(one, load)

    def _maker(self, one: _Save, load: DatasetOperation) -> _Save | None:
        """Find the save that a load loaded: of its run, else at its path before it."""
        earlier = [
            _Save(one.state, run, node, save)
            for run in one.state.runs
            for node in run.nodes.values()
            for save in node.saves.values()
            if bare(save.dataset) == bare(load.dataset)
            and 0 < save.ended_seq < (load.ended_seq or load.started_seq)
        ]
        if earlier:
            return max(earlier, key=lambda found: found.save.ended_seq)
        known = load if load.path else one.run.first_loads.get(load.dataset, load)
        path = place_of(one.state, known)
        at = load.ended_at
        for found in _saves(self._sessions, path):
            when = found.save.ended_at
            if found.state.session_id == one.state.session_id:
                continue
            if at is None or when is None or when <= at:
                return found
        return None

    def _raw(self, one: _Save, load: DatasetOperation) -> Origin:
        known = load if load.path else one.run.first_loads.get(load.dataset, load)
        same, difference = bytes_of(one.state, known, self._here)
        return Origin(
            dataset=load.dataset,
            path=place_of(one.state, known),
            version=load.version,
            record=load.ended_seq or load.started_seq,
            bytes=same,
            difference=difference,
        )


def bytes_of(
    state: SessionState,
    done: DatasetOperation,
    here: Callable[[str, DatasetOperation], Fingerprint | None],
) -> tuple[Bytes, str]:
    """Return whether what was loaded or saved is still there, and how it differs.

    Args:
        state: The session.
        done: The load or save.
        here: As for `origin_of`.
    """
    path = place_of(state, done)
    if not path or "://" in path:
        return "not known", ""
    now = here(path, done)
    if now is None:
        return "gone", ""
    match done.fingerprint.same_data(now):
        case True:
            return "same", ""
        case None:
            return "not known", ""
        case _:
            is_now = DatasetOperation(
                done.dataset, done.kind, 0,
                size_bytes=now.size_bytes, modified_us=now.modified_us,
                entries=now.entries, content_sha256=now.content_sha256,
            )  # fmt: skip
            return "changed", "; ".join(differing_data(done, is_now))


def from_root(path: str, state: SessionState) -> str:
    """Return a path as seen from the root of the project, if it is in there."""
    if not path:
        return ""
    return placed(path, project=state.project_path, cwd=state.project_path) or path


def commit_of(state: SessionState) -> str:
    """Return the commit of a session in words; empty if it is not known."""
    git = state.git
    if git is None or not git.sha:
        return ""
    return f"{git.sha[:12]}{' with changes' if git.dirty else ''}"


def _parameters(
    state: SessionState, run: RunState, node: NodeState
) -> Iterator[ParameterUsed]:
    names = node.plan.inputs if node.plan is not None else tuple(node.loads)
    left = _PARAMETERS_MAX
    for name in filter(is_parameter, names):
        try:
            found = trace(state, name, run_id=run.run_id)
        except NothingToTrace:
            continue
        for one in found[:left]:
            yield ParameterUsed(one.name, one.value, one.origin)
        left -= min(len(found), left)
