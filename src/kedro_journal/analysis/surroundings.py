"""What differs around the nodes: parameters, configuration, packages, machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from kedro_journal.errors import NothingToTrace
from kedro_journal.state.model import RunState, SessionState
from kedro_journal.state.tracing import trace

from .answer import Change, ChangeKind
from .comparison import Difference, compare
from .lineage import Lineage, Step, uses_parameter

__all__ = ["UNKNOWN", "differences", "parameter_changes", "session_changes"]

_VALUE_MAX: Final = 120
UNKNOWN: Final = "[redacted] (not known whether changed)"
"""What `compare` says of a masked value without a digest that can be compared."""
_HASHED: Final = " (sha256)"


def differences(
    was: tuple[SessionState, RunState | None],
    now: tuple[SessionState, RunState | None],
) -> tuple[Difference, ...]:
    """Compare two sessions, each as it was for one of its runs."""
    return compare([_narrowed(*was)], _narrowed(*now)).differences


def _narrowed(state: SessionState, run: RunState | None) -> SessionState:
    """Return a session with one run alone, and the parameters of that run."""
    if run is None:
        return replace(state, runs=())
    context = state.context
    if context is not None and run.runtime_params != state.runtime_params:
        values = _overlaid(context.parameters, run.runtime_params)
        context = replace(context, parameters=values)
    return replace(state, runs=(run,), context=context)


def _overlaid(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in given.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _overlaid(old, value)
        else:
            merged[key] = value
    return merged


def parameter_changes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield parameters that differ, those first that a node loads.

    Each node is compared with the session in which it ran, for a resumed session has
    parameters of its own.
    """
    pairs = _Pairs()
    found: dict[str, Change] = {}
    for name, step in now.steps.items():
        before = was.steps.get(name)
        here = step.ran or now
        then = (before.ran if before is not None else None) or was
        for one in pairs.parameters(then.state, then.run, here.state, here.run):
            plain = one.name.removesuffix(_HASHED)
            if one.now == UNKNOWN or not uses_parameter(step.plan, plain):
                continue
            known = found.get(plain)
            if known is not None:
                found[plain] = replace(known, nodes=(*known.nodes, name))
                continue
            change = _parameter(one, then.state, here.state)
            found[plain] = replace(change, nodes=(name,), distance=step.distance)
    yield from found.values()
    for one in pairs.parameters(was.state, was.run, now.state, now.run):
        plain = one.name.removesuffix(_HASHED)
        if plain not in found and one.now != UNKNOWN:
            change = _parameter(one, was.state, now.state)
            # Without a node anything may matter.
            yield replace(change, related=not now.steps)


class _Pairs:
    """Comparisons of two sessions, each made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int], tuple[Difference, ...]] = {}

    def parameters(
        self,
        was: SessionState,
        run_was: RunState | None,
        now: SessionState,
        run_now: RunState | None,
    ) -> tuple[Difference, ...]:
        key = id(was), id(run_was), id(now), id(run_now)
        if key not in self._known:
            same = was is now and run_was is run_now
            found = () if same else differences((was, run_was), (now, run_now))
            self._known[key] = tuple(d for d in found if d.kind == "parameter")
        return self._known[key]


def _parameter(one: Difference, was: SessionState, now: SessionState) -> Change:
    name = one.name.removesuffix(_HASHED)
    if one.name != name:
        detail = "changed beyond the part of it that is recorded"
    elif one.now == "[redacted] (changed)":
        detail = "its value, which is masked, changed"
    else:
        detail = _values(one.was, one.now)
    return Change(
        kind="parameter",
        subject=name,
        detail=detail,
        was=one.was,
        now=one.now,
        source=_origin(was if one.now is UNSET else now, name),
    )


def _origin(state: SessionState, name: str) -> str:
    try:
        found = trace(state, f"params:{name}")
    except NothingToTrace:
        return ""
    return found[0].origin if found else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}..."


def session_changes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield what differs between the two sessions as such."""
    old, new = was.state, now.state
    if old is new and was.run is now.run:
        return
    for one in differences((old, was.run), (new, now.run)):
        change = _session_change(one)
        if change is not None:
            yield change
    yield from _packages(old, new)
    yield from _sources(was, now)
    kinds: tuple[tuple[ChangeKind, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("variable", _variables(old), _variables(new)),
        ("host", _machine(old), _machine(new)),
        ("run", _pins(old), _pins(new)),
    )
    for kind, before, here in kinds:
        for name in sorted(before.keys() | here.keys()):
            values = before.get(name, UNSET), here.get(name, UNSET)
            if values[0] != values[1]:
                yield _valued(kind, name, *values)


def _valued(kind: ChangeKind, name: str, was: Any, now: Any) -> Change:
    detail = _values(was, now)
    return Change(kind=kind, subject=name, detail=detail, was=was, now=now)


def _values(was: Any, now: Any) -> str:
    if was is UNSET:
        return f"{_short(now)}, was not set"
    if now is UNSET:
        return f"not set, was {_short(was)}"
    return f"{_short(now)}, was {_short(was)}"


def _session_change(one: Difference) -> Change | None:  # noqa: PLR0911 - a table
    """Word a difference of the sessions; None for what is reported elsewhere."""
    match one.kind:
        case "parameter" | "code":
            return None
        case "version" if one.name in ("packages", "source files"):
            return None
        case "version":
            return _valued("packages", one.name, one.was, one.now)
        case "configuration":
            detail = "edited"
            if one.was is UNSET:
                detail = "new"
            elif one.now is UNSET:
                detail = "gone"
            return Change(kind="configuration", subject=one.name, detail=detail)
        case "git" if one.name == "dirty":
            return None  # edits are listed by file
        case "git":
            return _valued("git", one.name, one.was, one.now)
        case "env":
            return _valued("env", "environment", one.was, one.now)
        case "run" if one.name in ("runner", "is_async", "runner_arguments"):
            return _valued("runner", one.name, one.was, one.now)
        case _:
            name = one.name if one.kind == "run" else f"--{one.name}".replace("_", "-")
            name = "command" if one.name == "(command)" else name
            return _valued("run", name, one.was, one.now)


def _packages(was: SessionState, now: SessionState) -> Iterator[Change]:
    old, new = was.versions, now.versions
    if not old.packages_sha256 or not new.packages_sha256:
        return
    if old.packages_sha256 == new.packages_sha256:
        return
    if not old.packages or not new.packages:
        detail = (
            'other ones, or other versions; the setting `packages = "list"` records '
            "which"
        )
        yield Change(kind="packages", subject="installed packages", detail=detail)
        return
    before, here = _by_name(old.packages), _by_name(new.packages)
    for name in sorted(before.keys() | here.keys()):
        if before.get(name) != here.get(name):
            yield _valued(
                "packages", name, before.get(name, UNSET), here.get(name, UNSET)
            )


def _by_name(packages: tuple[str, ...]) -> dict[str, Any]:
    pairs = (one.rpartition("-") for one in packages)
    return {name: version for name, _, version in pairs}


def _sources(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield the files of the project's package that differ."""
    old, new = _files(was.state), _files(now.state)
    if not old or not new:
        sums = {was.state.versions.project_sha256, now.state.versions.project_sha256}
        if len(sums) == 2 and "" not in sums:
            yield Change(
                kind="source file",
                subject=now.state.package_name or "the package",
                detail="some of its source files differ; which ones is not recorded",
            )
        return
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        detail = "edited"
        if name not in old:
            detail = "new"
        elif name not in new:
            detail = "gone"
        here = [step for step in now.steps.values() if is_in_file(step, name)]
        yield Change(
            kind="source file",
            subject=name,
            detail=detail,
            nodes=tuple(step.name for step in here),
            distance=min((step.distance for step in here), default=None),
        )


def is_in_file(step: Step, name: str) -> bool:
    """Return whether a node's function is in a file of the package."""
    file = step.plan.source.rpartition(":")[0].replace("\\", "/")
    return bool(file) and f"/{file}".endswith(f"/{name}")


@lru_cache(maxsize=8)
def _paired(names: tuple[str, ...], sums: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(names, sums, strict=False))


def _files(state: SessionState) -> dict[str, str]:
    known = state.versions
    return _paired(known.project_files, known.project_files_sha256)


def _variables(state: SessionState) -> dict[str, Any]:
    found: dict[str, Any] = dict(state.environment)
    if state.context is not None:
        found |= state.context.environment
    return found


def _machine(state: SessionState) -> dict[str, Any]:
    found = {
        "host": state.host,
        "user": state.user or "",
        "container": state.container or "",
        "working directory": _in_project(state),
        "configuration source": state.conf_source or "",
    }
    return {name: value for name, value in found.items() if value}


def _pins(state: SessionState) -> dict[str, Any]:
    run = state.last_run
    versions = () if run is None else run.load_versions
    return {f"version of {name} to load": version for name, version in versions}


def _in_project(state: SessionState) -> str:
    root = state.project_path.rstrip("/")
    return "(project)" if state.cwd == root else state.cwd
