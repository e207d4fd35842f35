"""What is not as it was: code, pipeline, parameters, configuration, inputs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from kedro_journal.events import Git, PlannedNode, Versions

from .flat import flatten
from .model import RunState, SessionState

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
        changed_inputs: Free inputs that were written since the session began.
        git: The commit.
        versions: The versions.
    """

    nodes: tuple[PlannedNode, ...]
    parameters: dict[str, Any]
    config_sha256: dict[str, str]
    changed_inputs: tuple[str, ...]
    git: Git | None
    versions: Versions


def find_drift(state: SessionState, run: RunState, now: Now) -> tuple[Drift, ...]:
    """Compare a session with the project as it is now."""
    return (
        *_pipeline(run, now.nodes),
        *_parameters(state, now),
        *_configuration(state, now),
        *_inputs(now),
        *_code_base(state, now),
    )


def _pipeline(run: RunState, nodes: Sequence[PlannedNode]) -> Iterator[Drift]:
    before = {name: node.plan for name, node in run.nodes.items() if node.plan}
    names = {node.name for node in nodes}
    for name in before:
        if name not in names:
            yield Drift(kind="pipeline", subject=name, detail="the node is gone")
    for node in nodes:
        was = before.get(node.name)
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


def _parameters(state: SessionState, now: Now) -> Iterator[Drift]:
    if state.context is None or not state.context.parameters_sha256:
        return
    was, values = dict(flatten(state.parameters)), dict(flatten(now.parameters))
    for name in sorted(was.keys() | values.keys()):
        if name in was and name in values and was[name] == values[name]:
            continue
        if name not in was:
            detail = f"it is {values[name]!r}, and was not there"
        elif name not in values:
            detail = f"it is gone, and was {was[name]!r}"
        else:
            detail = f"it is {values[name]!r}, and was {was[name]!r}"
        using = tuple(node.name for node in now.nodes if _uses(node, name))
        yield Drift(
            kind="parameter", subject=f"params:{name}", detail=detail, nodes=using
        )


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


def _inputs(now: Now) -> Iterator[Drift]:
    for name in now.changed_inputs:
        using = tuple(node.name for node in now.nodes if name in node.inputs)
        detail = "it was written since the session began"
        yield Drift(kind="input", subject=name, detail=detail, nodes=using)


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
