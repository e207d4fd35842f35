"""A node of a recorded session, with the inputs that it had, to be called again.

For debugging: nothing is journaled, and nothing is saved in the catalog. Hooks of the
project are not called for the node; what a hook changed in its inputs is not repeated.
"""

from __future__ import annotations

import difflib
import inspect
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_journal._outside import let_through
from kedro_journal.analysis import Known, Stored, collect, find_drift
from kedro_journal.analysis.evidence import bare
from kedro_journal.capture import compat
from kedro_journal.capture.conf_source import conf_source_of
from kedro_journal.errors import NodeNotFound, NotResumable
from kedro_journal.hooks.run_plan import forget_edited_sources, planned
from kedro_journal.state import DatasetOperation, NodeState

from .resume.chain import Chain, find_chain
from .resume.planning import run_filters, runtime_params, unjournaled_context
from .resume.present import pipeline_now, project_now, redactor_now, stored_now
from .session import KedroSession

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

__all__ = ["RecordedNode", "open_node"]

_CLOSE_MAX = 5


class RecordedNode:
    """A node as a session ran it, in the project as it is now.

    Made by `open_node`. To be used from one thread.

    Attributes:
        session_id: The session.
        state: What the session recorded of the node.
        node: Kedro's node, as the project declares it now.
        others: Further nodes that broke in the session.
        versions: Versions that are loaded, by dataset.
        to_run: Nodes that have to run first, in order, because their outputs lived in
            memory. Their outputs are kept in memory, and nothing is saved.
        differences: What is not as it was, in words: inputs, code, parameters.
    """

    def __init__(self, chain: Chain, context: Any, name: str) -> None:
        filters = run_filters(
            chain, chain.links[0].state.session_id, chain.links[0].run
        )
        self._pipeline = pipeline_now(chain, filters)
        nodes = {node.name: node for node in self._pipeline.nodes}
        known = collect(chain.links)
        evidence = known.nodes.get(name)
        if name not in nodes or evidence is None:
            _refuse(chain, name, declared=nodes, recorded=known.nodes)
        assert evidence is not None  # noqa: S101 - `_refuse` raises
        self.session_id = chain.last.session_id
        self._session = KedroSession._restore(chain.folder)  # noqa: SLF001
        self.state: NodeState = evidence.node
        self.node: Node = nodes[name]
        self.others = tuple(
            one.name for one in chain.run.broken if one.name != self.state.name
        )
        self._makers = {
            bare(output): node for node in nodes.values() for output in node.outputs
        }
        self.versions = self._versions(chain, known)
        self._catalog = compat.catalog_with(context, self.versions)
        self.to_run = self._to_run()
        self.differences = tuple(self._differences(chain, context, known))

    @property
    def function(self) -> Callable[..., Any]:
        """The function of the node."""
        return self.node.func

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs by dataset, in the order of the node; loaded at first use.

        Runs the nodes of `to_run`.

        Raises:
            Exception: Whatever a dataset raises, or a node of `to_run`.
        """
        memory: dict[str, Any] = {}
        nodes = {node.name: node for node in self._pipeline.nodes}
        with self._session:
            for node in map(nodes.__getitem__, self.to_run):
                made = node.run(self._load(node, memory))
                for output, value in _last_values(node, made).items():
                    memory[bare(output)] = compat.memory_dataset(value)
            return self._load(self.node, memory)

    @property
    def arguments(self) -> dict[str, Any]:
        """The inputs by the parameters of the function; empty if it has no names."""
        positional, named = self._given()
        try:
            signature = inspect.signature(self.function)
            return dict(signature.bind(*positional, **named).arguments)
        except (TypeError, ValueError) as error:
            let_through(error)
            return named  # a builtin, or other parameters by now

    def call(self) -> Any:
        """Call the function with the inputs, and return what it returns.

        A generator is consumed, and what it yielded last is returned.

        Raises:
            Exception: Whatever the function raises.
        """
        positional, named = self._given()
        with self._session:  # `get_current_session()` is that of the node
            found = self.function(*positional, **named)
            if not inspect.isgenerator(found):
                return found
            last = deque(found, maxlen=1)
            return last[0] if last else None

    def _given(self) -> tuple[list[Any], dict[str, Any]]:
        names, inputs = compat.node_inputs(self.node), self.inputs
        if isinstance(names, Mapping):
            return [], {argument: inputs[name] for argument, name in names.items()}
        return [inputs[name] for name in names], {}

    def _load(self, node: Node, memory: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: memory[bare(name)].load()
            if bare(name) in memory
            else self._catalog.load(name)
            for name in node.inputs
        }

    def _versions(self, chain: Chain, known: Known) -> dict[str, str]:
        """Return the version of each dataset that the session loaded or saved."""
        found = dict(chain.run.load_versions)
        for node in self._pipeline.nodes:
            for name in node.inputs:
                maker = self._makers.get(bare(name))
                version = known.version_of(name, maker.name if maker else None)
                if version is not None:
                    found[name] = version
        mine = self.state.loads.items()
        return found | {name: load.version for name, load in mine if load.version}

    def _to_run(self) -> tuple[str, ...]:
        """Return the nodes that make what lived in memory, in the pipeline's order."""
        wanted, todo = set[str](), [self.node]
        while todo:
            for name in todo.pop().inputs:
                maker = self._makers.get(bare(name))
                if maker is None or maker.name in wanted or self._is_stored(name):
                    continue
                wanted.add(maker.name)
                todo.append(maker)
        return tuple(one.name for one in self._pipeline.nodes if one.name in wanted)

    def _is_stored(self, name: str) -> bool:
        dataset = compat.catalog_dataset(self._catalog, name)
        return dataset is not None and compat.is_persistent(dataset)

    def _differences(self, chain: Chain, context: Any, known: Known) -> Iterable[str]:
        redactor = redactor_now(chain, context)
        all_nodes = self._pipeline.nodes
        forget_edited_sources(all_nodes)
        nodes = tuple(planned(node, redactor.plain) for node in all_nodes)
        stored = stored_now(context, nodes, known, redactor)
        for name in self.node.inputs:
            load = self.state.loads.get(name)
            here = stored.get(name)
            if load is None or here is None or not here.persistent:
                continue
            if text := _difference(load, here):
                yield f"{name} {text}"
        involved = {self.node.name, *self.to_run}
        now = project_now(chain, context, nodes, stored, redactor)
        for drift in find_drift(chain.links, now):
            if drift.kind not in ("input", "output") and involved & {*drift.nodes}:
                yield f"{drift.kind} {drift.subject}: {drift.detail}"


def open_node(
    node: str | None = None,
    session_id: str = "last-failed",
    *,
    project_path: Path | str | None = None,
    run_id: str | None = None,
    params: Mapping[str, Any] | None = None,
    force: bool = False,
) -> RecordedNode:
    """Open a node of a recorded session, to call its function with the inputs it had.

    Data is loaded in the versions that the session loaded. Parameters come from the
    configuration as it is now, with the session's environment and runtime parameters.
    Runs nothing, saves nothing and journals nothing.

    Args:
        node: Its name; None for the first node that broke.
        session_id: As for `replay`; by default the last session that failed.
        project_path: Root of the project; None for the one around the working
            directory.
        run_id: A run of the session; None for its last.
        params: Runtime parameters over those of the session. They are needed where the
            journal masked one.
        force: Also open a session whose process may be alive.

    Raises:
        NodeNotFound: The session has no record of that node.
        NotResumable: No node broke and none is named; the node is not in the project
            any more; the session has no run, its process is alive or unknown (without
            *force*); or a runtime parameter is not recorded exactly.
        JournalError: As for `replay`.
        Exception: Whatever Kedro raises for a project that does not load.
    """
    chain = find_chain(
        session_id,
        project_path=project_path,
        run_id=run_id,
        force=force,
        follow=False,
    )
    try:
        if node is None:
            node = _first_broken(chain)
        source = conf_source_of(chain, chain.links[0].state, None)
        context = unjournaled_context(
            chain, None, runtime_params(chain, params), source
        )
        return RecordedNode(chain, context, node)
    except NotResumable as error:
        raise NotResumable(
            error.session_id, error.reason, error.advice, "debugged"
        ) from error


def _first_broken(chain: Chain) -> str:
    run = chain.run
    broken = (*run.with_status("failed"), *run.with_status("interrupted"), *run.broken)
    if not broken:
        reason = "none of its nodes broke"
        advice = "Name a node: `kedro-journal show` lists them."
        raise NotResumable(chain.last.session_id, reason, advice)
    return broken[0].name


def _refuse(
    chain: Chain, name: str, *, declared: Iterable[str], recorded: Iterable[str]
) -> None:
    session_id = chain.last.session_id
    if name in recorded:
        reason = f"its pipeline has no node {name!r} any more"
        raise NotResumable(session_id, reason, "Check out the code that it ran with.")
    if name in declared:
        reason = f"node {name!r} did not begin in it"
        raise NotResumable(session_id, reason, "`kedro-journal show` lists its nodes.")
    close = difflib.get_close_matches(name, list(declared), n=_CLOSE_MAX)
    raise NodeNotFound(name, session_id, close)


def _last_values(node: Node, outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run would leave in memory: of a generator node, the last chunks."""
    if not inspect.isgeneratorfunction(node.func):
        return dict(outputs)
    return {name: deque(chunks, maxlen=1).pop() for name, chunks in outputs.items()}


def _difference(load: DatasetOperation, here: Stored) -> str:
    """Word how stored data differs from what was loaded; empty if it is the same."""
    if here.exists is False:
        return "is gone"
    same = load.fingerprint.same_data(here.fingerprint)
    if same:
        return ""
    if same is None:
        return "has no fingerprint: whether it is what was loaded is not known"
    sizes = load.size_bytes, here.size_bytes
    if None not in sizes and sizes[0] != sizes[1]:
        return f"is not what was loaded: {here.size_bytes} bytes, was {sizes[0]}"
    return "is not what was loaded: it was changed or replaced"
