"""How likely a change is the cause of a failure. Pure.

A change has a number: the lower, the likelier. It adds up from the kind of the change,
its distance to the node that broke, and what the failure itself says. The numbers only
order the changes, and are not shown; the reasons are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from .answer import Change, ChangeKind
from .failure import Failure
from .lineage import Lineage
from .surroundings import is_in_file

__all__ = ["ranked"]

_BASE: Final[Mapping[ChangeKind, int]] = {
    "parameter": 8,
    "input": 8,
    "dataset": 9,
    "code": 10,
    "pipeline": 11,
    "source file": 18,
    "env": 24,
    "configuration": 26,
    "runner": 28,
    "variable": 30,
    "packages": 32,
    "output": 34,
    "run": 36,
    "host": 38,
    "git": 60,
}
_STEP: Final = 3
_STEPS_MAX: Final = 6
_NOT_TIED: Final = 6  # added to what no node is tied to, of kinds that mostly are

_GREW: Final = 1.3

_Clue = tuple[int, str]


def ranked(
    changes: Iterable[Change], failure: Failure | None, now: Lineage, was: Lineage
) -> list[Change]:
    """Order changes, the likeliest cause first, each with its reasons.

    Args:
        changes: What changed.
        failure: What the run broke of; None if it did not.
        now, was: What the nodes were made from.
    """
    every = list(changes)
    found: list[tuple[int, int, Change]] = []
    for number, change in enumerate(every):
        score = _BASE[change.kind]
        if change.distance is not None:
            score += _STEP * min(change.distance, _STEPS_MAX)
        elif change.kind in ("parameter", "input", "dataset", "code", "source file"):
            score += _NOT_TIED
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
    """Yield what other changes, and the data that was made, say."""
    if change.kind == "source file" and change.nodes:
        edited = {one.subject for one in every if one.kind == "code"}
        in_file = edited & set(change.nodes)
        if in_file:
            # The nodes' own functions are told one by one.
            yield 14, f"the file of {', '.join(sorted(in_file))}"
    elif change.kind == "source file" and not change.nodes:
        planned = now.run.nodes.values() if now.run is not None else ()
        beside = [
            node.name
            for node in planned
            if node.plan is not None
            and node.name not in now.steps
            and _in_file(node.plan.source, change.subject)
        ]
        if beside:
            yield 20, "has nodes that this one does not depend on"
    if change.kind == "configuration":
        if any(one.kind in ("dataset", "env") for one in every):
            yield 8, ""
        if "catalog" not in change.subject:
            yield 4, ""
    elif change.kind == "git":
        yield 0, ""
    step = now.steps.get(change.nodes[0]) if change.nodes else None
    before = was.steps.get(change.nodes[0]) if change.nodes else None
    if change.kind in ("code", "parameter", "input") and step and before:
        if step.ran is None or before.ran is None or not change.distance:
            return
        for dataset, save in step.ran.node.saves.items():
            old = before.ran.node.saves.get(dataset)
            if old is None or None in (old.size_bytes, save.size_bytes):
                continue
            if old.size_bytes != save.size_bytes:
                yield -2, f"{dataset}, made from it, has another size"
                return
        if step.ran.node.saves:
            yield 0, ""


def _in_file(source: str, name: str) -> bool:
    file = source.rpartition(":")[0].replace("\\", "/")
    return bool(file) and f"/{file}".endswith(f"/{name}")


def _phase(change: Change, failure: Failure, now: Lineage) -> Iterable[_Clue]:
    """Yield what the node was doing says: a function that was not called is innocent."""
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
            yield (-2 if own else -14), "the error was raised in it"
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
    if failure.is_of_memory:
        if change.kind == "input" and _grew(change):
            yield -8, "it grew, and the process ended for want of memory or was killed"
        elif change.kind in ("host", "runner"):
            yield -18, "how much memory there is depends on it"
    if failure.is_of_files and change.kind in ("configuration", "env", "variable"):
        yield -6, "the error is of something outside that could not be reached"
    elif failure.is_of_files and change.kind == "host":
        yield -14, "the error is of something outside that could not be reached"


def _grew(change: Change) -> bool:
    one, other = change.was, change.now
    return isinstance(one, int) and isinstance(other, int) and other > one * _GREW
