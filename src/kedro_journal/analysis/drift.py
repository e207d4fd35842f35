"""What is not as it was: code, pipeline, parameters, configuration, data. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from msgspec.structs import replace

from kedro_journal.events import Git, PlannedNode
from kedro_journal.state.flat import flatten
from kedro_journal.state.model import SessionState

from .changes import Drift, DriftKind, Now
from .evidence import Evidence, Known, Link, bare, collect
from .loads import FirstLoads
from .masked import MASKED_WORDS, Digests, digests_of, masked_change
from .places import is_elsewhere, same_place, saved_at
from .sharing import Sharing
from .stored import Stored

__all__ = ["Drift", "DriftKind", "Now", "affected", "find_drift"]

_SHOWN_MAX: Final = 500  # characters of a value in a detail


def find_drift(chain: Sequence[Link], now: Now) -> tuple[Drift, ...]:
    """Compare the sessions of a chain, oldest first, with the project as it is now.

    A node is compared with the session that it last did something in, else with the
    last that planned it; configuration, commit and packages with the first session.
    """
    known = collect(chain)
    places = _Places(chain, known, now)
    return (
        *places.environment(),
        *_pipeline(chain, known, now),
        *_parameters(chain, known, now),
        *_configuration(chain[0].state, now),
        *places.inputs(),
        *_inputs(chain, known, now),
        *places.outputs(),
        *_sources(chain, known, now),
        *_code_base(chain[0].state, now),
    )


def _same_python(chain: Sequence[Link], known: Known, now: Now, name: str) -> bool:
    """Return whether compiled code of a node can be compared."""
    done = known.nodes.get(name)
    link = done.link if done is not None else known.planned[name][0]
    was = chain[link].state.versions.python
    return bool(was) and was == now.versions.python


def _pipeline(chain: Sequence[Link], known: Known, now: Now) -> Iterator[Drift]:
    nodes = now.nodes
    names = {node.name for node in nodes}
    for name in known.planned:
        if name not in names:
            yield Drift(kind="pipeline", subject=name, detail="the node was removed")
    for node in nodes:
        done = known.nodes.get(node.name)
        was = done.node.plan if done is not None else None
        if was is None and node.name in known.planned:
            was = known.planned[node.name][1]
        here = (node.name,)
        if was is None:
            detail = "the node is new"
            yield Drift(kind="pipeline", subject=node.name, detail=detail, nodes=here)
        elif (was.inputs, was.outputs) != (node.inputs, node.outputs):
            detail = "it loads or saves different datasets"
            yield Drift(kind="pipeline", subject=node.name, detail=detail, nodes=here)
        elif was.function != node.function:
            detail = f"its function is {node.function}, and was {was.function}"
            yield Drift(kind="code", subject=node.name, detail=detail, nodes=here)
        elif was.source_sha256 and was.source_sha256 != node.source_sha256:
            detail = f"the source of {node.function} was changed ({node.source})"
            yield Drift(kind="code", subject=node.name, detail=detail, nodes=here)
        elif (
            was.code_sha256
            and _same_python(chain, known, now, node.name)
            and (was.code_sha256 != node.code_sha256)
        ):
            detail = (
                f"the code of {node.function} that ran is not that of {node.source}"
            )
            yield Drift(kind="code", subject=node.name, detail=detail, nodes=here)
        elif was.arguments_sha256 != node.arguments_sha256:
            detail = f"the arguments that a partial gives {node.function} were changed"
            yield Drift(kind="code", subject=node.name, detail=detail, nodes=here)


def _parameters(chain: Sequence[Link], known: Known, now: Now) -> Iterator[Drift]:
    """Compare each node with the parameters it had; the rest with the last ones."""
    last = len(chain) - 1
    by_link: dict[int, list[PlannedNode]] = {last: []}
    for node in now.nodes:
        done = known.nodes.get(node.name)
        link = done.link if done else known.planned.get(node.name, (last, None))[0]
        by_link.setdefault(link, []).append(node)
    found: dict[str, Drift] = {}
    for link, nodes in sorted(by_link.items()):
        for name, detail in _differences(chain[link].state, now):
            using = tuple(node.name for node in nodes if _uses(node, name))
            before = found.get(name)
            if before is not None:
                found[name] = replace(before, nodes=before.nodes + using)
            elif using or link == last:
                subject = f"params:{name}"
                found[name] = Drift(
                    kind="parameter", subject=subject, detail=detail, nodes=using
                )
    yield from (found[name] for name in sorted(found))


def _differences(state: SessionState, now: Now) -> Iterator[tuple[str, str]]:
    """Yield the parameters that differ; of those that are cut, by their hashes."""
    context = state.context
    if context is None or not context.parameters_sha256:
        return
    cut, cut_now = context.parameters_cut, now.parameters_cut
    same = {name for name in cut if cut[name] == cut_now.get(name)}
    was = dict(flatten(_without(state.parameters, same)))
    values = dict(flatten(_without(now.parameters, same)))
    shown: set[str] = set()
    digests = digests_of(state.context), Digests(now.masked_key, now.masked)
    for name in sorted(was.keys() | values.keys()):
        if name not in was:
            yield name, f"it is {_short(values[name])}, and was not there"
        elif name not in values:
            yield name, f"it is gone, and was {_short(was[name])}"
        elif was[name] != values[name]:
            yield name, f"it is {_short(values[name])}, and was {_short(was[name])}"
        elif (changed := masked_change(name, was[name], *digests)) is not None:
            yield name, MASKED_WORDS[changed]
        else:
            continue
        shown.add(name)
    for name in sorted((cut.keys() & cut_now.keys()) - same):
        if not any(f"{one}.".startswith(f"{name}.") for one in shown):
            yield name, "it was changed beyond the part of it that is recorded"


def _without(values: Mapping[str, Any], names: AbstractSet[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def _uses(node: PlannedNode, parameter: str) -> bool:
    for dataset in node.inputs:
        if dataset == "parameters":
            return True
        if dataset.startswith("params:"):
            used = dataset.removeprefix("params:")
            if f"{parameter}.".startswith(f"{used}.") or f"{used}.".startswith(
                f"{parameter}."
            ):
                return True
    return False


def _configuration(state: SessionState, now: Now) -> Iterator[Drift]:
    if state.context is None:
        return
    pairs = zip(state.context.config_sources, state.context.config_sha256, strict=False)
    for path, digest in pairs:
        if "parameters" in path or not digest:
            continue  # told value by value; or not told at all
        current = now.config_sha256.get(path)
        if current != digest:
            detail = "it was changed" if current is not None else "it is gone"
            yield Drift(kind="configuration", subject=path, detail=detail)


def _inputs(chain: Sequence[Link], known: Known, now: Now) -> Iterator[Drift]:
    """Find free inputs that are gone, or are not what was loaded.

    An update of a file in place by a node is no change. Fingerprints decide where
    there are any: an older file than the one that was loaded is another one as well.
    Where there are none, times decide.
    """
    made = {bare(output) for node in now.nodes for output in node.outputs}
    first_loads, sharing = FirstLoads(chain), Sharing(chain, now.nodes, now.stored)
    for name, here in sorted(now.stored.items()):
        if bare(name) in made or not here.persistent:
            continue
        using = [node.name for node in now.nodes if name in node.inputs]
        done = {n: e for n in using if (e := known.nodes.get(n)) and e.is_complete}
        last = sharing.last_save(name)
        if last is not None and here.exists is not False:
            # The pipeline itself wrote there after it had loaded it.
            if last.save.fingerprint.same_data(here.fingerprint) is False:
                detail = f"it was changed after node {last.node} saved it"
                yield Drift(
                    kind="input", subject=name, detail=detail, nodes=tuple(using)
                )
            continue
        if here.exists is False:
            waiting = tuple(node for node in using if node not in done)
            if waiting:
                detail = "it is gone"
                yield Drift(kind="input", subject=name, detail=detail, nodes=waiting)
            continue
        yield from _changed_input(chain, known, first_loads, name, here, using)


def _changed_input(
    chain: Sequence[Link],
    known: Known,
    first_loads: FirstLoads,
    name: str,
    here: Stored,
    using: Sequence[str],
) -> Iterator[Drift]:
    """Compare a free input with what completed nodes loaded."""
    done = {n: e for n in using if (e := known.nodes.get(n)) and e.is_complete}
    at, old, other = here.modified_at, list[str](), list[str]()
    for node, evidence in done.items():
        same = first_loads.same(evidence, name, here)
        if same is not None:
            other += [] if same else [node]
            continue
        load = evidence.node.loads.get(name)
        loaded_at = load.ended_at if load is not None else evidence.node.ended_at
        if at is not None and loaded_at is not None and loaded_at < at:
            old.append(node)
    if other:
        detail = "it is not what was loaded: it was changed or replaced"
        nodes = tuple(node for node in using if node in other or node in old)
        yield Drift(kind="input", subject=name, detail=detail, nodes=nodes)
        return
    began = chain[0].run.started_at
    since = at is not None and began is not None and at > began
    if old or (since and not done):
        nodes = tuple(old or using)
        detail = "it was written after it was loaded"
        if not old:
            detail = "it was written since the session began"
        yield Drift(kind="input", subject=name, detail=detail, nodes=nodes)


class _Places:
    """Where the datasets of completed nodes were, and where they are."""

    def __init__(self, chain: Sequence[Link], known: Known, now: Now) -> None:
        self.chain, self.known, self.now = chain, known, now
        self.made = {bare(output) for node in now.nodes for output in node.outputs}

    def _done(self) -> Iterator[tuple[PlannedNode, Evidence]]:
        for node in self.now.nodes:
            evidence = self.known.nodes.get(node.name)
            if evidence is not None and evidence.is_complete:
                yield node, evidence

    def _is_kept(self, dataset: str) -> bool:
        here = self.now.stored.get(dataset)
        return here is not None and here.persistent

    def _entries(self, link: int, dataset: str) -> tuple[str, str]:
        """Return the place that the catalog had for a dataset, and the one it has."""
        before = self.now.entries_before
        was = before[link].get(dataset, "") if link < len(before) else ""
        return was, self.now.entries.get(dataset, "")

    def _saved(self, evidence: Evidence, dataset: str) -> tuple[str, str, bool]:
        """Return where an output was saved, where it is, and whether that differs."""
        state = self.chain[evidence.link].state
        save, here = evidence.node.saves.get(dataset), self.now.stored[dataset]
        if save is not None and (was := saved_at(state, save)) and here.path:
            return was, here.path, is_elsewhere(state, save, here)
        was, is_now = self._entries(evidence.link, dataset)
        return was, is_now, bool(was and is_now) and not same_place(was, is_now)

    def outputs(self) -> Iterator[Drift]:
        """Find what a completed node saved at another place."""
        for node, evidence in self._done():
            for dataset in filter(self._is_kept, node.outputs):
                was, is_now, differs = self._saved(evidence, dataset)
                if differs:
                    detail = f"it is now at {is_now}, and was saved at {was}"
                    yield Drift(
                        kind="output",
                        subject=dataset,
                        detail=detail,
                        nodes=(node.name,),
                    )

    def inputs(self) -> Iterator[Drift]:
        """Find free inputs that are at another place than those that were loaded."""
        done = {node.name: evidence.link for node, evidence in self._done()}
        for name in sorted(self.now.stored):
            if bare(name) in self.made or not self._is_kept(name):
                continue
            using = [node.name for node in self.now.nodes if name in node.inputs]
            had = [node for node in using if node in done] or using
            found: dict[str, list[str]] = {}
            for node in had:
                link = done.get(node, len(self.chain) - 1)
                was, is_now = self._entries(link, name)
                if was and is_now and not same_place(was, is_now):
                    detail = f"it is now at {is_now}, and was at {was}"
                    found.setdefault(detail, []).append(node)
            for detail, nodes in found.items():
                yield Drift(
                    kind="input", subject=name, detail=detail, nodes=tuple(nodes)
                )

    def environment(self) -> Iterator[Drift]:
        """Report another environment, with the nodes whose data cannot be compared."""
        found: dict[str, list[str]] = {}
        for state, run in self.chain:
            loaded = state.context.env if state.context is not None else None
            was = run.env or loaded or state.env
            if was and self.now.env and was != self.now.env:
                found[was] = []
        for node, evidence in self._done():
            state, run = self.chain[evidence.link]
            loaded = state.context.env if state.context is not None else None
            was = run.env or loaded or state.env or ""
            if was in found and self._is_unsure(node, evidence):
                found[was].append(node.name)
        for was, nodes in found.items():
            detail = f"it is {self.now.env}, and was {was}"
            if nodes:
                detail += "; data of these nodes cannot be compared"
            yield Drift(
                kind="env", subject="environment", detail=detail, nodes=tuple(nodes)
            )

    def _is_unsure(self, node: PlannedNode, evidence: Evidence) -> bool:
        for dataset in filter(self._is_kept, node.outputs):
            was, is_now, _ = self._saved(evidence, dataset)
            if not (was and is_now):
                return True
        free = (name for name in node.inputs if bare(name) not in self.made)
        return any(
            not all(self._entries(evidence.link, name))
            for name in filter(self._is_kept, free)
        )


def _sources(chain: Sequence[Link], known: Known, now: Now) -> Iterator[Drift]:
    """Compare the project's files with those that completed nodes ran with."""
    links = {one.link for one in known.nodes.values() if one.is_complete}
    states = [chain[link].state for link in sorted(links)] or [chain[-1].state]
    hashes = {state.versions.project_sha256 for state in states} - {""}
    is_now = now.versions.project_sha256
    if is_now and hashes - {is_now}:
        yield Drift(
            kind="project",
            subject=states[0].package_name or "package",
            detail="its source files are not all what completed nodes ran with",
        )


def _code_base(state: SessionState, now: Now) -> Iterator[Drift]:
    if state.git is not None and now.git is not None and state.git != now.git:
        before, after = _commit(state.git), _commit(now.git)
        if before != after:
            detail = f"it is {after}, and was {before}"
            yield Drift(kind="git", subject="commit", detail=detail)
    was, is_now = state.versions, now.versions
    if was.packages_sha256 and was.packages_sha256 != is_now.packages_sha256:
        detail = "different distributions or versions are installed"
        yield Drift(kind="packages", subject="environment", detail=detail)
    for name in ("python", "kedro"):
        before, after = getattr(was, name), getattr(is_now, name)
        if before and before != after:
            detail = f"it is {after}, and was {before}"
            yield Drift(kind="packages", subject=name, detail=detail)


def _commit(git: Git) -> str:
    return f"{git.sha[:12] or 'no commit'}{' with changes' if git.dirty else ''}"


def affected(drift: Sequence[Drift], nodes: Sequence[PlannedNode]) -> dict[str, str]:
    """Return the nodes that a drift affects directly, each with the reason."""
    names = {node.name for node in nodes}
    found: dict[str, str] = {}
    for one in drift:
        for name in one.nodes:
            if name in names:
                found.setdefault(name, f"{one.kind} {one.subject}: {one.detail}")
    return found
