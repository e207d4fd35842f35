"""Where a value came from: the answer to one question about a session's state. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from kedro_journal.errors import NothingToTrace
from kedro_journal.events import ParameterSource

from .flat import flatten

if TYPE_CHECKING:
    from .model import RunState, SessionState

__all__ = ["Trace", "trace"]

_MAPPINGS_MAX = 100  # a value lies in; a hostile name may have a dot in every place


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """Where one value came from.

    Attributes:
        name: What it is, as the journal names it.
        kind: parameter, flag, variable (of the environment) or dataset.
        value: The recorded value, redacted; of a dataset, its path.
        origin: Where it came from, in words: a file with its line, a flag, a call.
        steps: The rest of the story, nearest first: what it wins over, what stands in
            the file, which node made it.
    """

    name: str
    kind: Literal["parameter", "flag", "variable", "dataset"]
    value: Any
    origin: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.name} = {self.value!r}", f"  from {self.origin}"]
        return "\n".join([*lines, *(f"  {step}" for step in self.steps)])


def trace(
    state: SessionState,
    name: str,
    *,
    run_id: str | None = None,
    before: Sequence[SessionState] = (),
) -> tuple[Trace, ...]:
    """Return where a value came from.

    Args:
        state: The session.
        name: A parameter (`params:model.lr`, `model.lr`, or `parameters` for all), a
            flag (`--env`), a variable (`$KEDRO_ENV`), or a dataset. A name without a
            mark is that of parameters and a dataset; else of a flag or a variable.
        run_id: A run whose own runtime parameters come first; None for the last run.
        before: The sessions that it resumes, oldest first: a dataset that it did
            not save itself is of the last of them that did.

    Returns:
        One trace; of a parameter that is a mapping, one for each value in it.

    Raises:
        NothingToTrace: No such name is recorded; similar ones are in the message.
    """
    run = _run(state, run_id)
    found: tuple[Trace, ...] = ()
    if name.startswith("--"):
        found = _flag(state, name[2:])
    elif name.startswith("$"):
        found = _variable(state, name[1:])
    elif name == "parameters" or name.startswith("params:"):
        found = _parameters(state, name.removeprefix("params:"), run)
    elif name:
        found = (
            _parameters(state, name, run) + _dataset(state, name, before)
            or _flag(state, name)
            or _variable(state, name)
        )
    if not found:
        import difflib  # noqa: PLC0415 - for a typing error only

        known = dict.fromkeys(_names(state))
        for mark in ("--", "$", "params:"):
            if name.startswith(mark):  # then it is clear what was meant
                known = {one: None for one in known if one.startswith(mark)}
        close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
        raise NothingToTrace(name, state.session_id, close)
    return found


def _run(state: SessionState, run_id: str | None) -> RunState | None:
    if run_id is None:
        return state.last_run
    return next((run for run in state.runs[::-1] if run.run_id == run_id), None)


def _parameters(
    state: SessionState, name: str, run: RunState | None
) -> tuple[Trace, ...]:
    if name == "parameters":
        name = ""
    given = dict(flatten(run.runtime_params)) if run is not None else {}
    sources = {source.name: source for source in _sources(state)}
    values = {**dict(flatten(state.parameters)), **given}
    session = dict(flatten(state.runtime_params))
    found = []
    for key, value in sorted(values.items()):
        if name and key != name and not key.startswith(name + "."):
            continue
        source = sources.get(key) or _enclosing(sources, key)
        own = key in given and given.get(key) != session.get(key)
        origin, steps = _told(source)
        if own and run is not None:
            if source is not None and source.source and not _is_runtime(source):
                steps = [f"wins over {_place(source)}", *steps]
            origin = f"runtime parameters of run {run.run_id}"
        found.append(
            Trace(
                name=f"params:{key}",
                kind="parameter",
                value=value,
                origin=origin,
                steps=tuple(steps),
            )
        )
    return tuple(found)


def _sources(state: SessionState) -> tuple[ParameterSource, ...]:
    return state.context.parameter_sources if state.context is not None else ()


def _enclosing(
    sources: Mapping[str, ParameterSource], key: str
) -> ParameterSource | None:
    """Find the source of the mapping that a parameter is in."""
    for _ in range(_MAPPINGS_MAX):
        key, dot, _ = key.rpartition(".")
        if not dot:
            return None
        if key in sources:
            return sources[key]
    return None


def _is_runtime(source: ParameterSource) -> bool:
    return source.source.startswith(("--", "runtime_params"))


def _place(source: ParameterSource) -> str:
    return source.source if source.line is None else f"{source.source}:{source.line}"


def _told(source: ParameterSource | None) -> tuple[str, list[str]]:
    if source is None or not source.source:
        return "not known: no file that was read, flag or call has it", []
    words = {
        "runtime_params": "the call: runtime_params (extra_params)",
        "--params": "the command line: --params",
    }
    steps = []
    if source.expression:
        steps.append(f"by {source.expression}")
    steps += [f"wins over {place}" for place in source.overrides]
    return words.get(source.source, _place(source)), steps


def _flag(state: SessionState, name: str) -> tuple[Trace, ...]:
    command = state.command
    key = name.replace("-", "_")
    if command is None or key not in command.flags:
        return ()
    if key in command.given:
        origin = "the command line: " + " ".join(command.argv)
    elif key in command.from_config:
        origin = f"the file {command.config_file}, given by --config"
    else:
        origin = "its default"
    shown = "--" + key.replace("_", "-")
    value = command.flags[key]
    return (Trace(name=shown, kind="flag", value=value, origin=origin),)


def _variable(state: SessionState, name: str) -> tuple[Trace, ...]:
    context = state.context
    if name in state.environment:
        value, steps = state.environment[name], ["recorded by the allow-list"]
    elif context is not None and name in context.environment:
        value, steps = context.environment[name], ["configuration refers to it"]
    elif context is not None and name in context.credential_environment:
        value, steps = None, ["credentials refer to it: only its name is recorded"]
    else:
        return ()
    return (
        Trace(
            name=f"${name}",
            kind="variable",
            value=value,
            origin="the environment of the process",
            steps=tuple(steps),
        ),
    )


def _dataset(
    state: SessionState, name: str, before: Sequence[SessionState]
) -> tuple[Trace, ...]:
    entries = state.context.catalog if state.context is not None else ()
    entry = next((entry for entry in entries if entry.name == name), None)
    path = entry.path if entry is not None else None
    made, where, steps = _made(state, name)
    for earlier in reversed(before if not made and (entry or steps) else ()):
        made, where, more = _made(earlier, name)
        if made:
            made = f"{made} of session {earlier.session_id}, which this one resumes"
            steps += [step for step in more if step.startswith("saved")]
            break
    if entry is None and not made and not steps:
        return ()
    if entry is not None:
        steps.append(f"the catalog says {entry.type or 'nothing of its type'}")
    origin = made or "outside: no node of this session saved it"
    return (
        Trace(
            name=name,
            kind="dataset",
            value=where or path,
            origin=origin,
            steps=tuple(steps),
        ),
    )


def _made(state: SessionState, name: str) -> tuple[str, str | None, list[str]]:
    """Return which node of a session saved a dataset last, where, and who loaded it."""
    made, path, steps = "", None, list[str]()
    for run in reversed(state.runs):
        for node in run.nodes.values():
            saved, loaded = node.saves.get(name), node.loads.get(name)
            if saved is not None and saved.ended_seq and not made:
                path = saved.path
                made = f"node {node.name}, record {saved.ended_seq}"
                if saved.version:
                    steps.append(f"saved as version {saved.version}")
            if loaded is not None and loaded.ended_seq:
                version = f" in version {loaded.version}" if loaded.version else ""
                steps.append(
                    f"loaded by node {node.name}{version}, record {loaded.ended_seq}"
                )
    return made, path, steps


def _names(state: SessionState) -> Iterator[str]:
    for key, _ in flatten(state.parameters):
        yield key
        yield f"params:{key}"
    if state.command is not None:
        yield from ("--" + flag.replace("_", "-") for flag in state.command.flags)
    yield from (f"${name}" for name in state.environment)
    if state.context is not None:
        yield from (entry.name for entry in state.context.catalog)
        yield from (f"${name}" for name in state.context.environment)
    for run in state.runs:
        for node in run.nodes.values():
            yield from (*node.loads, *node.saves)
