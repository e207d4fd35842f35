"""How likely a change is the cause of a failure. Pure.

A change has a number: the lower, the likelier. It adds up from the kind of the change,
its distance to the node that broke, and what the failure itself says. The numbers only
order the changes, and are not shown; the reasons are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import UNSET
from msgspec.structs import replace

from .answer import Change, ChangeKind
from .failure import Failure
from .lineage import Lineage, begun
from .surroundings import is_in_file

__all__ = ["ranked"]

_BASE: Final[Mapping[ChangeKind, int]] = {
    "parameter": 8,
    "input": 8,
    "dataset": 6,
    "code": 10,
    "pipeline": 11,
    "source file": 18,
    "env": 24,
    "configuration": 26,
    "runner": 22,
    "variable": 34,
    "packages": 32,
    "output": 35,
    "run": 36,
    "host": 38,
    "git": 60,
}
_STEP: Final = 3
_STEPS_MAX: Final = 6
_NOT_TIED: Final = 6  # added to what no node is tied to, of kinds that mostly are

_GREW: Final = 1.3
_EVERYWHERE: Final = ("source file", "variable", "packages", "runner", "host")
_SET_UP: Final = frozenset(
    {"pipeline_registry.py", "pipeline.py", "settings.py", "hooks.py", "__init__.py"}
)

_Clue = tuple[int, str]


def ranked(
    changes: Iterable[Change],
    failure: Failure | None,
    now: Lineage,
    was: Lineage,
    *,
    imported: frozenset[str] | None = None,
) -> list[Change]:
    """Order changes, the likeliest cause first, each with its reasons.

    Args:
        changes: What changed.
        failure: What the run broke of; None if it did not.
        now, was: What the nodes were made from.
        imported: The files of the package that those of the nodes import; None if that
            is not known.
    """
    every = list(changes)
    found: list[tuple[int, int, Change]] = []
    for number, change in enumerate(every):
        score = _BASE[change.kind]
        if change.distance is not None:
            score += _STEP * min(change.distance, _STEPS_MAX)
        elif change.kind in ("parameter", "input", "dataset", "code", "source file"):
            score += _NOT_TIED
        if imported is not None and _is_apart(change, failure, imported):
            clues = [(24, "no file of these nodes imports it, as the code is now")]
        else:
            clues = [*_structure(change, every, now, was)]
        if failure is not None:
            for find in (_phase, _text, _frames, _type):
                clues += find(change, failure, now)
        score += sum(points for points, _ in clues)
        reasons = tuple(dict.fromkeys(words for _, words in clues if words))
        found.append((score, number, replace(change, reasons=change.reasons + reasons)))
    found.sort(key=lambda one: one[:2])
    return [change for _, _, change in found]


def _structure(
    change: Change, every: list[Change], now: Lineage, was: Lineage
) -> Iterable[_Clue]:
    """Yield what the other changes, and the data that was made, say."""
    if change.kind == "source file":
        yield from _of_file(change, every, now)
    elif change.kind == "configuration":
        if any(one.kind in ("dataset", "env") for one in every):
            yield 8, ""
        if "catalog" not in change.subject:
            yield 10, ""
    elif change.kind == "parameter":
        yield from _of_value(change, every)
    elif change.kind == "input" and len(change.records) == 1:
        yield -6, ""  # something other than a run changed the data
    elif change.kind == "variable" and change.subject in _referred(now):
        yield -6, "the configuration refers to it"
    if change.kind in ("code", "parameter", "input") and change.distance:
        yield from _of_outputs(change, now, was)
    if change.kind in _EVERYWHERE and not change.nodes:
        first = next((one for one in every if one.kind == "output"), None)
        if first is not None:
            yield -10, f"nothing else explains that {first.subject} has another size"


def _of_file(change: Change, every: list[Change], now: Lineage) -> Iterable[_Clue]:
    """Yield whether other changes explain that a file was edited."""
    edited = sorted(
        one.subject
        for one in every
        if one.kind == "code" and _in_file(one.source, change.subject)
    )
    if edited:  # the nodes' own functions are told one by one
        yield 14, f"the file of {', '.join(edited)}"
    if change.nodes:
        if not edited:
            yield 4, "but not in the functions of these nodes"
        return
    planned = now.run.nodes.values() if now.run is not None else ()
    plans = (one.plan for one in planned if one.name not in now.steps)
    if any(one is not None and _in_file(one.source, change.subject) for one in plans):
        yield 20, "it has nodes that this one does not depend on"
    if change.subject.rpartition("/")[2] in _SET_UP and not _is_in_node(now):
        yield -8, "pipelines, hooks or settings are made in it"


def _is_apart(
    change: Change, failure: Failure | None, imported: frozenset[str]
) -> bool:
    """Return whether a change is of a file that the nodes cannot have called."""
    if change.kind != "source file" or change.nodes or change.subject in imported:
        return False
    if change.subject.rpartition("/")[2] in _SET_UP:
        return False
    return failure is None or not failure.goes_through(change.subject)


def _is_in_node(now: Lineage) -> bool:
    """Return whether any node of the run was begun."""
    return now.run is not None and any(map(begun, now.run.nodes.values()))


def _of_value(change: Change, every: list[Change]) -> Iterable[_Clue]:
    """Yield whether a value is of another type, or of another environment."""
    if _type_of(change.was) != _type_of(change.now):
        gone = UNSET in (change.was, change.now)
        yield -5, "" if gone else "its type changed"
    for one in every:
        if one.kind == "env" and f"/{one.now}/" in f"/{change.source}":
            yield -4, f"it comes from the environment {one.now}"


def _type_of(value: object) -> type:
    """Return the type of a value; numbers are of one type."""
    return float if type(value) is int else type(value)


def _referred(now: Lineage) -> Mapping[str, str]:
    context = now.state.context
    return context.environment if context is not None else {}


def _of_outputs(change: Change, now: Lineage, was: Lineage) -> Iterable[_Clue]:
    """Yield what the outputs of the nodes say that depend on a change directly."""
    same = True
    for name in change.nodes:
        step, before = (lineage.steps.get(name) for lineage in (now, was))
        if step is None or before is None or step.ran is None or before.ran is None:
            return
        outputs = step.plan.outputs
        for dataset in outputs:
            save = step.ran.node.saves.get(dataset)
            old = before.ran.node.saves.get(dataset)
            if save is None or old is None:
                same = False
            elif save.content_sha256 and old.content_sha256:
                if save.content_sha256 != old.content_sha256:
                    yield -2, f"{dataset}, made from it, has other content"
                    return
            elif None not in (old.size_bytes, save.size_bytes) and (
                old.size_bytes != save.size_bytes
            ):
                yield -2, f"{dataset}, made from it, has another size"
                return
            else:
                same = False
        same = same and bool(outputs)
    if same:
        yield 25, "what was made from it has the same content as then"


def _in_file(source: str, name: str) -> bool:
    file = source.rpartition(":")[0].replace("\\", "/")
    return bool(file) and f"/{file}".endswith(f"/{name}")


def _phase(change: Change, failure: Failure, now: Lineage) -> Iterable[_Clue]:
    """Yield what the node was doing says: what was not called did not fail."""
    step = now.steps.get(change.nodes[0]) if change.nodes else None
    waits = step is not None and step.ran is None
    if waits and change.kind == "code":
        yield 30, "its function was not called"
    elif waits and change.kind == "parameter" and UNSET not in (change.was, change.now):
        yield 20, "no node had loaded it"
    if failure.phase not in ("loading", "saving"):
        return
    if change.subject in failure.datasets:
        yield -14, f"the node broke {failure.phase} it"
    elif change.kind in ("configuration", "env") and failure.datasets:
        yield -12, f"the node broke {failure.phase} {', '.join(failure.datasets)}"
    elif failure.phase == "loading" and change.distance == 0:
        if change.kind in ("code", "parameter"):
            yield 30, "the node's function had not been called"
        elif change.kind == "source file":
            yield 6, ""


def _text(change: Change, failure: Failure, now: Lineage) -> Iterable[_Clue]:
    """Yield whether the error names the change, or a value of it."""
    last = change.subject.rpartition(".")[2]
    subject = change.subject
    names = {subject, last, subject.rpartition("/")[2]}
    if change.kind == "packages":
        names |= {subject.replace("-", "_"), subject.partition("-")[0]}
    if change.kind in ("input", "dataset", "output") and change.source:
        names.add(change.source)
    if change.kind == "code":
        names = set()  # a traceback names every function
    if any(map(failure.names, names - {""})):
        yield -10, "the error names it"
        return
    for value, words in ((change.now, "its value"), (change.was, "its former value")):
        text = value if isinstance(value, str) else repr(value)
        told = isinstance(value, (str, int, float)) and not isinstance(value, bool)
        if told and len(text) >= 2 and failure.names(text):
            yield -6, f"the error has {words} in it"
            return


def _frames(change: Change, failure: Failure, now: Lineage) -> Iterable[_Clue]:
    """Yield whether the traceback goes through it."""
    if change.kind == "source file":
        if failure.is_raised_in(change.subject):
            own = any(is_in_file(step, change.subject) for step in now.steps.values())
            yield (-2 if own else -18), "the error was raised in it"
        elif failure.goes_through(change.subject):
            yield (0 if change.nodes else -8), "the traceback goes through it"
    elif change.kind == "code" and change.distance == 0:
        plan = now.steps[change.nodes[0]].plan
        if failure.calls(plan.function):
            yield -4, "the error was raised in it"


def _type(change: Change, failure: Failure, now: Lineage) -> Iterable[_Clue]:
    """Yield what the class of the error says."""
    if failure.is_of_imports and change.kind == "packages":
        yield -28, f"{failure.types[-1]} is what another version leads to"
    elif failure.is_of_imports and change.kind == "source file":
        yield -10, f"{failure.types[-1]} is what moved code leads to"
    elif failure.is_of_interfaces and change.kind == "packages":
        yield -12, "the error is one that another version leads to"
        own = now.state.package_name or ""
        if failure.module and failure.module.partition(".")[0] != own:
            yield -10, f"{failure.module} is not of the project"
    elif failure.is_of_processes and change.kind == "runner":
        yield -14, "the error is of processes or threads"
    if failure.is_of_memory:
        if change.kind == "input" and _grew(change):
            yield -8, "it grew, and the process ended for want of memory or was killed"
        elif change.kind in ("host", "runner"):
            yield -18, "how much memory there is depends on it"
    if failure.is_of_files and change.kind in ("configuration", "env", "variable"):
        yield -6, "the error is of something outside that could not be reached"
    elif failure.is_of_files and change.kind == "host":
        yield -22, "the error is of something outside that could not be reached"


def _grew(change: Change) -> bool:
    one, other = change.was, change.now
    return isinstance(one, int) and isinstance(other, int) and other > one * _GREW
