"""Differences between two sessions, such as a session and the one it resumes.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from kedro_journal.state.flat import flatten
from kedro_journal.state.model import NodeState, SessionState

from .masked import digests_of, masked_change

__all__ = ["Comparison", "Difference", "compare"]

DifferenceKind = Literal[
    "parameter", "env", "git", "version", "flag", "run", "code", "configuration"
]

# Flags that another kind of difference restates.
_RESTATED: Final = frozenset(
    {"params", "env", "runner", "is_async", "pipeline", "pipelines", "session_id"}
)


class Difference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that differs between two sessions.

    Attributes:
        kind: What sort of thing.
        name: Which one.
        was: Its value in the earlier one; unset if it was not there.
        now: Its value in the later one; unset if it is not there.
    """

    kind: DifferenceKind
    name: str
    was: Any | UnsetType = UNSET
    now: Any | UnsetType = UNSET


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A session, compared with what came before it.

    Attributes:
        before, after: The sessions.
        verdict: What became of the later one.
        differences: What was requested or found differently.
        added: Nodes that it completed and no earlier one did.
        anew: Nodes that it completed again.
        kept: Nodes that were completed before and that it, a resume, reused.
        left_out: Nodes that were completed before, and are not in a run that began
            again from the start.
        broken: Nodes that it began and did not complete.
        datasets_added: Datasets that it saved and no earlier one did, with the version,
            null for one without.
        datasets_anew: Datasets that it saved again.
    """

    before: str
    after: str
    verdict: str
    differences: tuple[Difference, ...]
    added: tuple[str, ...]
    anew: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    broken: tuple[str, ...]
    datasets_added: dict[str, str | None]
    datasets_anew: dict[str, str | None]


def compare(
    before: Sequence[SessionState],
    after: SessionState,
    *,
    resumes: Sequence[SessionState] = (),
) -> Comparison:
    """Compare a session with the one before it.

    Args:
        before: Sessions, oldest first, at least one. Settings are compared with the
            last of them; nodes, their code and datasets with all of them.
        after: The later session.
        resumes: The sessions that the later one resumes, oldest first, if it is to be
            compared as a whole with them.
    """
    last = before[-1]
    earlier, nodes = _nodes(before), _nodes((*resumes, after))
    done = {name for name, node in earlier.items() if _is_done(node)}
    saved, saves = _saves(earlier), _saves(nodes)
    mine = [name for name, node in nodes.items() if _is_done(node)]
    rest = tuple(sorted(done - nodes.keys()))
    differences = [*_differences(last, after), *_code_of(earlier, nodes)]
    return Comparison(
        before=last.session_id,
        after=after.session_id,
        verdict=after.verdict,
        differences=tuple(differences),
        added=tuple(name for name in mine if name not in done),
        anew=tuple(name for name in mine if name in done),
        kept=rest if after.resumed is not None else (),
        left_out=() if after.resumed is not None else rest,
        broken=tuple(
            name for name, node in nodes.items() if not _is_done(node) and _begun(node)
        ),
        datasets_added={n: v for n, v in saves.items() if n not in saved},
        datasets_anew={n: v for n, v in saves.items() if n in saved},
    )


def _begun(node: NodeState) -> bool:
    return node.status not in ("pending", "skipped", "not recorded")


def _is_done(node: NodeState) -> bool:
    return node.status == "completed"


def _nodes(states: Sequence[SessionState]) -> dict[str, NodeState]:
    """Return each node as it was last, in any run of the sessions, oldest first."""
    found: dict[str, NodeState] = {}
    for state in states:
        for run in state.runs:
            for name, node in run.nodes.items():
                if _begun(node) or name not in found or not _begun(found[name]):
                    found[name] = node
    return found


def _saves(nodes: Mapping[str, NodeState]) -> dict[str, str | None]:
    return {
        name: save.version
        for node in nodes.values()
        for name, save in node.saves.items()
        if not save.is_open
    }


def _differences(was: SessionState, now: SessionState) -> Iterator[Difference]:
    yield from _of("parameter", _parameters(was, now), _parameters(now, was))
    yield from _masked(was, now)
    yield from _of("env", {"env": _env(was)}, {"env": _env(now)})
    yield from _of("git", _git(was), _git(now))
    yield from _of("version", _versions(was), _versions(now))
    if not (_is_our_command(was) or _is_our_command(now)):
        yield from _of("flag", _flags(was), _flags(now))
    yield from _of("run", _asked(was), _asked(now))
    yield from _of("configuration", _files(was), _files(now))


def _code_of(
    was: Mapping[str, NodeState], now: Mapping[str, NodeState]
) -> Iterator[Difference]:
    theirs, ours = _code(was), _code(now)
    both = theirs.keys() & ours.keys()
    yield from _of("code", {n: theirs[n] for n in both}, {n: ours[n] for n in both})


def _parameters(state: SessionState, other: SessionState) -> dict[str, Any]:
    """Flatten parameters, with the hash of each that is cut in both sessions."""
    found = dict(flatten(state.parameters))
    mine, theirs = _cut(state), _cut(other)
    for name in mine.keys() & theirs.keys():
        if mine[name] != theirs[name]:
            found[f"{name} (sha256)"] = mine[name]
    return found


def _cut(state: SessionState) -> Mapping[str, str]:
    return state.context.parameters_cut if state.context is not None else {}


def _of(
    kind: DifferenceKind, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Difference]:
    for name in sorted(was.keys() | now.keys()):
        one, other = was.get(name, UNSET), now.get(name, UNSET)
        if one != other:
            yield Difference(kind=kind, name=name, was=one, now=other)


def _masked(was: SessionState, now: SessionState) -> Iterator[Difference]:
    """Find parameters that look the same only because they are masked."""
    before, after = dict(flatten(was.parameters)), dict(flatten(now.parameters))
    digests = digests_of(was.context), digests_of(now.context)
    for name in sorted(before.keys() & after.keys()):
        value = before[name]
        if value != after[name]:
            continue
        change = masked_change(name, value, *digests)
        if change is not None:
            words = {"changed": "changed", "unknown": "not known whether changed"}
            masked = f"[redacted] ({words[change]})"
            yield Difference(kind="parameter", name=name, was=value, now=masked)


def _env(state: SessionState) -> str | None:
    run = state.last_run
    loaded = state.context.env if state.context is not None else None
    return (run.env if run is not None else None) or loaded or state.env


def _git(state: SessionState) -> dict[str, Any]:
    if state.git is None:
        return {}
    found = state.git
    return {"commit": found.sha, "branch": found.branch, "dirty": found.dirty}


def _versions(state: SessionState) -> dict[str, str]:
    known = state.versions
    found = {
        "python": known.python,
        "kedro": known.kedro,
        "kedro-journal": known.kedro_journal,
        "project": known.project,
        "packages": known.packages_sha256,
        "source files": known.project_sha256,
    }
    return {name: value for name, value in found.items() if value}


def _is_our_command(state: SessionState) -> bool:
    """Return whether a command of this package started the session.

    Its arguments name sessions and nodes, which is no difference of what was run.
    """
    command = state.command
    return command is not None and command.argv[:1] == ("kedro-journal",)


def _flags(state: SessionState) -> dict[str, Any]:
    command = state.command
    if command is None:
        return {}
    given = [n for n in (*command.given, *command.from_config) if n not in _RESTATED]
    flags = {name: command.flags.get(name) for name in given}
    return {"(command)": command.name, **flags}


def _asked(state: SessionState) -> dict[str, Any]:
    run = state.last_run
    if run is None:
        return {}
    asked: dict[str, Any] = {
        "pipelines": list(run.pipelines),
        "runner": run.runner,
        "is_async": run.is_async,
        "runner_arguments": run.runner_arguments,
    }
    if state.resumed is None:  # else they are what was left
        asked |= run.filters
    return asked


def _files(state: SessionState) -> dict[str, str]:
    context = state.context
    if context is None:
        return {}
    pairs = zip(context.config_sources, context.config_sha256, strict=False)
    return {name: digest for name, digest in pairs if digest}


def _code(nodes: Mapping[str, NodeState]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, node in nodes.items():
        if node.plan is not None and node.plan.source_sha256:
            plan = node.plan
            found[name] = [plan.function, plan.source_sha256, plan.arguments_sha256]
    return found
