"""What is not as it was: code, pipeline, parameters, configuration, inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from kedro_journal.events import Git, PlannedNode, Versions

from .evidence import Known, Link, bare, collect
from .flat import flatten
from .model import RunState, SessionState
from .stored import Stored

__all__ = ["Drift", "DriftKind", "Now", "affected", "find_drift"]

DriftKind = Literal[
    "code", "pipeline", "parameter", "configuration", "input", "git", "packages"
]


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it was when the session ran.

    Attributes:
        kind: What sort of thing.
        subject: Which one.
        detail: How it differs, in words.
        nodes: Nodes whose outcome depends on it directly; none where that cannot be
            told, as for git.
    """

    kind: DriftKind
    subject: str
    detail: str
    nodes: tuple[str, ...] = ()


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """The project as it is now.

    Attributes:
        nodes: The pipeline, filtered as the run was.
        parameters: The parameters in force, redacted.
        config_sha256: Hashes of the configuration files, by path.
        stored: What is known of each dataset.
        git: The commit.
        versions: The versions.
    """

    nodes: tuple[PlannedNode, ...]
    parameters: dict[str, Any]
    config_sha256: dict[str, str]
    stored: Mapping[str, Stored]
    git: Git | None
    versions: Versions


def find_drift(chain: Sequence[Link], now: Now) -> tuple[Drift, ...]:
    """Compare the sessions of a chain, oldest first, with the project as it is now.

    A node is compared with the session that it last did something in, else with the
    last that planned it; configuration, commit and packages with the first session.
    """
    known = collect(chain)
    return (
        *_pipeline(known, now.nodes),
        *_parameters(chain, known, now),
        *_configuration(chain[0].state, now),
        *_inputs(chain[0].run, known, now),
        *_code_base(chain[0].state, now),
    )


def _pipeline(known: Known, nodes: Sequence[PlannedNode]) -> Iterator[Drift]:
    names = {node.name for node in nodes}
    for name in known.planned:
        if name not in names:
            yield Drift(kind="pipeline", subject=name, detail="the node is gone")
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
            detail = "it loads or saves other datasets"
            yield Drift(kind="pipeline", subject=node.name, detail=detail, nodes=here)
        elif was.function != node.function:
            detail = f"its function is {node.function}, and was {was.function}"
            yield Drift(kind="code", subject=node.name, detail=detail, nodes=here)
        elif was.source_sha256 and was.source_sha256 != node.source_sha256:
            detail = f"the source of {node.function} was changed ({node.source})"
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
        for name, detail in _differences(chain[link].state, now.parameters):
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


def _differences(
    state: SessionState, parameters: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    if state.context is None or not state.context.parameters_sha256:
        return
    was, values = dict(flatten(state.parameters)), dict(flatten(parameters))
    for name in sorted(was.keys() | values.keys()):
        if name not in was:
            yield name, f"it is {values[name]!r}, and was not there"
        elif name not in values:
            yield name, f"it is gone, and was {was[name]!r}"
        elif was[name] != values[name]:
            yield name, f"it is {values[name]!r}, and was {was[name]!r}"


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


def _inputs(first: RunState, known: Known, now: Now) -> Iterator[Drift]:
    """Find free inputs that are gone, or were written after they were loaded."""
    made = {bare(output) for node in now.nodes for output in node.outputs}
    for name, here in sorted(now.stored.items()):
        if bare(name) in made or not here.persistent:
            continue
        using = [node.name for node in now.nodes if name in node.inputs]
        done = {n: e for n in using if (e := known.nodes.get(n)) and e.is_complete}
        if here.exists is False:
            waiting = tuple(node for node in using if node not in done)
            if waiting:
                detail = "it is gone"
                yield Drift(kind="input", subject=name, detail=detail, nodes=waiting)
            continue
        at, old = here.modified_at, list[str]()
        for node, evidence in done.items():
            load = evidence.node.loads.get(name)
            loaded_at = load.ended_at if load is not None else evidence.node.ended_at
            if at is not None and loaded_at is not None and loaded_at < at:
                old.append(node)
        began = first.started_at
        since = at is not None and began is not None and at > began
        if old or (since and not done):
            nodes = tuple(old or using)
            detail = "it was written after it was loaded"
            if not old:
                detail = "it was written since the session began"
            yield Drift(kind="input", subject=name, detail=detail, nodes=nodes)


def _code_base(state: SessionState, now: Now) -> Iterator[Drift]:
    if state.git is not None and now.git is not None and state.git != now.git:
        before, after = _commit(state.git), _commit(now.git)
        if before != after:
            detail = f"it is {after}, and was {before}"
            yield Drift(kind="git", subject="commit", detail=detail)
    was, is_now = state.versions, now.versions
    if was.packages_sha256 and was.packages_sha256 != is_now.packages_sha256:
        detail = "other distributions or versions are installed"
        yield Drift(kind="packages", subject="environment", detail=detail)
    for name in ("python", "kedro"):
        before, after = getattr(was, name), getattr(is_now, name)
        if before and before != after:
            detail = f"it is {after}, and was {before}"
            yield Drift(kind="packages", subject=name, detail=detail)


def _commit(git: Git) -> str:
    return f"{git.sha[:12] or 'no commit'}{' with changes' if git.dirty else ''}"


def affected(drift: Sequence[Drift], nodes: Sequence[PlannedNode]) -> dict[str, str]:
    """Give the nodes that a drift affects directly, each with the reason."""
    names = {node.name for node in nodes}
    found: dict[str, str] = {}
    for one in drift:
        for name in one.nodes:
            if name in names:
                found.setdefault(name, f"{one.kind} {one.subject}: {one.detail}")
    return found
