"""What was made from a file, across sessions. Pure.

It is the way of `origin` in the other direction, by the same rules: a load loaded what
its own session had saved last, else the newest earlier save at its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.events import Fingerprint
from kedro_journal.state.model import (
    DatasetOperation,
    NodeState,
    RunState,
    SessionState,
)

from .evidence import bare
from .lineage import is_parameter
from .origin import Bytes, bytes_of, commit_of, from_root, is_at, place_of

__all__ = ["Descendant", "Descent", "descent_of"]

_Here = Callable[[str, DatasetOperation], Fingerprint | None]
_Key = tuple[str, str | None, int, str]
_WORST_FIRST: Final[tuple[Bytes, ...]] = ("changed", "gone", "not known", "same")


class Descendant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A dataset that was made from a file, as it was made last.

    Attributes:
        dataset: Its name.
        path: Where it was saved, from the root of the project; empty if in memory.
        version: Its version, if it has versions.
        session_id, run_id, attempt, node: What saved it.
        record: The record of the save.
        saved_at: When it was saved.
        function, source: The node's function, and its file and line.
        commit: The commit; `with changes` follows if not all was committed.
        loaded: The datasets with data of the file that the node loaded.
        distance: Number of nodes between the file and it; 1 is a node that loaded the
            file itself.
        sessions: How many of the sessions that were read made it from the file.
        made_from: Whether the file still is what it was made from.
        bytes: Whether it still is what was saved.
        difference: How it differs from what was saved, in words.
    """

    dataset: str
    path: str = ""
    version: str | None = None
    session_id: str
    run_id: str | None = None
    attempt: int = 1
    node: str
    record: int = 0
    saved_at: Instant | None = None
    function: str = ""
    source: str = ""
    commit: str = ""
    loaded: tuple[str, ...] = ()
    distance: int = 1
    sessions: int = 1
    made_from: Bytes = "not known"
    bytes: Bytes = "not known"
    difference: str = ""


class Descent(msgspec.Struct, frozen=True, kw_only=True):
    """What was made from a file.

    Attributes:
        path: The file, from the root of the project; absolute outside of it.
        datasets: The names by which it was loaded.
        sessions: How many of the sessions that were read loaded it.
        made: What was made from it, nearest first.
    """

    path: str
    datasets: tuple[str, ...]
    sessions: int
    made: tuple[Descendant, ...]


class _Node(NamedTuple):
    """A node as it ran in a run of a session."""

    state: SessionState
    run: RunState
    node: NodeState

    @property
    def key(self) -> _Key:
        run = self.run
        return self.state.session_id, run.run_id, run.attempt, self.node.name


class _Save(NamedTuple):
    """A save that ended, and what saved it."""

    by: _Node
    save: DatasetOperation


def descent_of(
    path: str, sessions: Iterable[SessionState], here: _Here
) -> Descent | None:
    """Find what was made from a file; None if no session loaded it.

    Args:
        path: The file, from the root of the project; or absolute, outside of it.
        sessions: Where to look, newest first.
        here: As for `origin_of`.
    """
    states = list(sessions)[::-1]
    graph = _Graph(states)
    roots: dict[Bytes, dict[_Key, None]] = {}
    datasets: dict[str, None] = {}
    for one in graph.nodes.values():
        for load, maker in graph.loads_of(one):
            known = _of_load(path, one, load, maker)
            if known is None:
                continue
            state, operation = known
            same, _ = bytes_of(state, operation, here)
            roots.setdefault(same, {})[one.key] = None
            datasets[load.dataset] = None
    if not roots:
        return None
    loaded = {key for some in roots.values() for key in some}
    return Descent(
        path=path,
        datasets=tuple(sorted(datasets)),
        sessions=len({key[0] for key in loaded}),
        made=tuple(_made(graph, roots, here)),
    )


def _of_load(
    path: str, one: _Node, load: DatasetOperation, maker: _Save | None
) -> tuple[SessionState, DatasetOperation] | None:
    """Return the operation that knows what a load of the file loaded.

    Returns:
        None if the load is not of the file.
    """
    known = _located(one, load)
    if known.path:
        return (one.state, known) if is_at(path, one.state, known) else None
    if maker is not None and is_at(path, maker.by.state, maker.save):
        return maker.by.state, maker.save
    return None


def _located(one: _Node, load: DatasetOperation) -> DatasetOperation:
    """Return a load with its path: a run has it at the first load of a dataset."""
    return load if load.path else one.run.first_loads.get(load.dataset, load)


def _made(
    graph: _Graph, roots: Mapping[Bytes, Mapping[_Key, None]], here: _Here
) -> Iterator[Descendant]:
    """Yield what the nodes saved that the file reached, nearest first."""
    every = [key for some in roots.values() for key in some]
    reached = graph.reached(every)
    states: dict[_Key, Bytes] = {}
    for same in _WORST_FIRST:  # it is only the same if all that it was made from is
        for key in graph.reached(list(roots.get(same, ()))):
            states.setdefault(key, same)
    newest: dict[tuple[str, str], _Save] = {}
    counted: dict[tuple[str, str], set[str]] = {}
    for key, one in graph.nodes.items():  # oldest first
        if key not in reached:
            continue
        for save in one.node.saves.values():
            if not save.is_open:
                what = one.node.name, save.dataset
                newest[what] = _Save(one, save)
                counted.setdefault(what, set()).add(one.state.session_id)
    found = [
        _descendant(
            graph,
            one,
            here,
            reached=reached,
            roots=set(every),
            sessions=len(counted[what]),
            made_from=states[one.by.key],
        )
        for what, one in newest.items()
    ]
    yield from sorted(found, key=lambda one: (one.distance, one.node, one.dataset))


def _descendant(
    graph: _Graph,
    one: _Save,
    here: _Here,
    *,
    reached: Mapping[_Key, int],
    roots: set[_Key],
    sessions: int,
    made_from: Bytes,
) -> Descendant:
    (state, run, node), save = one
    same, difference = bytes_of(state, save, here)
    loaded = [
        load.dataset
        for load, maker in graph.loads_of(one.by)
        if maker is not None and maker.by.key in reached
    ]
    plan = node.plan
    return Descendant(
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
        source=from_root(plan.source if plan is not None else "", state),
        commit=commit_of(state),
        loaded=tuple(loaded),
        distance=reached[one.by.key],
        sessions=sessions,
        made_from=made_from,
        bytes=same,
        difference=difference,
    )


class _Graph:
    """Which node loaded what another one had saved, over all sessions.

    Args:
        states: The sessions, oldest first.
    """

    def __init__(self, states: Sequence[SessionState]) -> None:
        self.nodes: dict[_Key, _Node] = {}
        self._in_session: dict[tuple[str, str], list[_Save]] = {}
        self._at: dict[str, list[_Save]] = {}
        for state in states:
            for run in state.runs:
                for node in run.nodes.values():
                    one = _Node(state, run, node)
                    self.nodes[one.key] = one
            self._add_saves(state)
        self._loads: dict[_Key, list[tuple[DatasetOperation, _Save | None]]] = {}
        self._readers: dict[_Key, list[_Key]] = {}
        for key, one in self.nodes.items():
            self._loads[key] = loads = [
                (load, self._maker(one, load))
                for load in one.node.loads.values()
                if not is_parameter(load.dataset)
            ]
            for _, maker in loads:
                if maker is not None and maker.by.key != key:
                    self._readers.setdefault(maker.by.key, []).append(key)

    def _add_saves(self, state: SessionState) -> None:
        found = [
            _Save(_Node(state, run, node), save)
            for run in state.runs
            for node in run.nodes.values()
            for save in node.saves.values()
            if not save.is_open
        ]
        for one in sorted(found, key=lambda one: one.save.ended_seq):
            name = state.session_id, bare(one.save.dataset)
            self._in_session.setdefault(name, []).append(one)
            place = place_of(state, one.save)
            if place:
                self._at.setdefault(place, []).append(one)
                if one.save.version is not None and place.count("/") > 1:
                    base = place.rsplit("/", 2)[0]
                    self._at.setdefault(base, []).append(one)

    def _maker(self, one: _Node, load: DatasetOperation) -> _Save | None:
        """Return the save that a load loaded: of its session, else at its path."""
        name = one.state.session_id, bare(load.dataset)
        until = load.ended_seq or load.started_seq
        for save in reversed(self._in_session.get(name, ())):
            if save.save.ended_seq < until:
                return save
        place = place_of(one.state, _located(one, load))
        at = load.ended_at
        for save in self._saves_at(place):
            when = save.save.ended_at
            if save.by.state.session_id == one.state.session_id:
                continue
            if at is None or when is None or when <= at:
                return save
        return None

    def _saves_at(self, place: str) -> Iterator[_Save]:
        """Yield the saves at a place, then those of folders around it, newest first."""
        yield from reversed(self._at.get(place, ()))
        while "/" in place:
            place = place.rpartition("/")[0]
            for one in reversed(self._at.get(place, ())):
                if one.save.entries is not None:
                    yield one

    def loads_of(self, one: _Node) -> Sequence[tuple[DatasetOperation, _Save | None]]:
        """Return the loads of a node, each with the save that it loaded, if known."""
        return self._loads[one.key]

    def reached(self, roots: Sequence[_Key]) -> dict[_Key, int]:
        """Return nodes and all that loaded what these made, with their distances."""
        found = dict.fromkeys(roots, 1)
        waiting = list(found)
        for key in waiting:  # it grows
            for reader in self._readers.get(key, ()):
                if reader not in found:
                    found[reader] = found[key] + 1
                    waiting.append(reader)
        return found
