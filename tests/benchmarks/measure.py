"""Rounds in which subjects take turns, and what they add up to.

A machine has moods: only what was measured alternately, in the same run, compares. So a
ratio is taken within each round, and its median counts.
"""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = [
    "Dose",
    "Group",
    "Subject",
    "Summary",
    "Target",
    "Verdict",
    "distribution",
    "output_of",
    "peer",
    "per_call_us",
    "run_group",
]

Figures = float | Mapping[str, float]


@dataclass(frozen=True)
class Dose:
    """How much of everything.

    Attributes:
        rounds: How often each subject is measured.
        quick: Small sizes: what takes minutes is left out.
    """

    rounds: int = 7
    quick: bool = False

    def size(self, full: int, quick: int) -> int:
        """Give the size that this dose asks for."""
        return quick if self.quick else full


@dataclass(frozen=True)
class Subject:
    """Something that is measured.

    Attributes:
        name: What it is.
        measure: Does it once and gives a figure, or several by name; None if it
            cannot be measured here.
        missing: Why not.
    """

    name: str
    measure: Callable[[], Figures] | None = None
    missing: str = ""


@dataclass(frozen=True)
class Target:
    """What a figure, or the ratio of two, has to be.

    Attributes:
        what: In words.
        over: Name of a figure.
        limit: The bound.
        under: The figure that it is divided by, within each round; none if empty.
        at_least: The bound is the least, not the most.
        unit: Of the figure, where nothing divides it.
    """

    what: str
    over: str
    limit: float
    under: str = ""
    at_least: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Group:
    """Subjects that take turns.

    Attributes:
        name: What is measured.
        unit: Of the figures.
        subjects: Who takes turns.
        targets: What is asked of them.
        rounds: Another number of rounds than the dose's, for what is slow.
    """

    name: str
    unit: str
    subjects: tuple[Subject, ...]
    targets: tuple[Target, ...] = ()
    rounds: int = 0


@dataclass
class Summary:
    """The figures of one subject, one for each round."""

    values: list[float] = field(default_factory=list)
    missing: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured; no values if somebody was missing."""

    target: Target
    values: tuple[float, ...]

    @property
    def met(self) -> bool | None:
        if not self.values:
            return None
        median = statistics.median(self.values)
        limit = self.target.limit
        return median >= limit if self.target.at_least else median <= limit


def run_group(
    group: Group, rounds: int, say: Callable[[str], None]
) -> tuple[dict[str, Summary], list[Verdict]]:
    """Measure every subject in turn, round by round; every other round backwards."""
    found: dict[str, Summary] = {}
    for subject in group.subjects:
        if subject.measure is None:
            found[subject.name] = Summary(missing=subject.missing)
    for number in range(rounds):
        say(f"{group.name}: round {number + 1} of {rounds}")
        order = group.subjects if number % 2 == 0 else group.subjects[::-1]
        for subject in order:
            if subject.measure is None:
                continue
            gc.collect()
            for name, value in _named(subject, subject.measure()):
                found.setdefault(name, Summary()).values.append(value)
    return found, [_judge(target, found) for target in group.targets]


def _named(subject: Subject, figures: Figures) -> Iterator[tuple[str, float]]:
    if isinstance(figures, Mapping):
        for name, value in figures.items():
            yield f"{subject.name}: {name}", value
    else:
        yield subject.name, figures


def _judge(target: Target, found: Mapping[str, Summary]) -> Verdict:
    over = found[target.over].values if target.over in found else []
    if not target.under:
        return Verdict(target, tuple(over))
    under = found[target.under].values if target.under in found else []
    if len(over) != len(under):
        return Verdict(target, ())
    return Verdict(target, tuple(o / u for o, u in zip(over, under, strict=True)))


def peer(
    name: str, modules: Iterable[str], make: Callable[[], Callable[[], Figures]]
) -> Subject:
    """Give a peer as a subject; as a missing one if it does not import or begin."""
    try:
        for module in modules:
            importlib.import_module(module)
        return Subject(name, make())
    except Exception as error:  # whatever a peer does at its import
        return Subject(name, missing=f"{type(error).__name__}: {error}"[:200])


def per_call_us(call: Callable[[], object], count: int) -> float:
    """Give the microseconds that a call takes, in a hot loop.

    The median of slices of twenty calls: what the machine does in between, on behalf of
    others, falls into few of them. A longer slice of a slower call would hold more of it.
    """
    each = min(20, count)
    slices = []
    for _ in range(count // each):
        started = time.perf_counter()
        for _ in range(each):
            call()
        slices.append(time.perf_counter() - started)
    return statistics.median(slices) / each * 1e6


def output_of(command: list[str], environ: Mapping[str, str] | None = None) -> str:
    """Give what a process prints.

    Raises:
        RuntimeError: It failed; with the end of what it says of that.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environ
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def distribution(name: str) -> str:
    """Give the version of a distribution, or say that it is missing."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"
