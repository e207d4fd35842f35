"""Every call of the port and of the lock fails, comes short, or is the last one.

A point is one or two faults at certain calls of a scenario at one level. First all
single faults: each kind that the call knows, once and until mended, at every call until
the scenario is through. Then pairs: a second fault while the first is dealt with, in
the same process or in the one that comes after a death. And all faults of readers.
"""

from __future__ import annotations

import errno
import itertools
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from faulty import ERRORS, KILLS, Fault, Strike, faults_of
from scenarios import SCENARIOS, Scenario

from kedro_journal.journal import Durability

from .account import Account, Say, Suite
from .play import HONEST, Means, Point, play
from .readers import ReaderPoint, reader_points

__all__ = ["SUITE", "storm"]

LEVELS: Final[tuple[Durability, ...]] = get_args(Durability)
_LASTING: Final[frozenset[Fault]] = frozenset({*ERRORS, "short", "busy"})
_SHARE: Final = 4  # of a small dose: pairs, and readers


@dataclass(frozen=True)
class _Clean:
    """A scenario at one level when nothing fails."""

    scenario: Scenario
    level: Durability
    calls: tuple[str, ...]
    refusals: int


class _Storm:
    """Plays points and keeps the account."""

    def __init__(self, folder: Path, say: Say, means: Means) -> None:
        self.account = Account()
        self._folder = folder
        self._say = say
        self._means = means
        self._number = 0
        self._told = time.monotonic()

    def clean(self, scenario: Scenario, level: Durability) -> _Clean:
        """Play a scenario with nothing failing."""
        played = play(Point(scenario, level), self._next(), refusals=1_000)
        assert played.broken == [], played.broken
        return _Clean(scenario, level, tuple(played.calls), played.refusals)

    def probe(self, clean: _Clean, first: Strike) -> list[str]:
        """Give the calls of the process that meets a fault, or comes after a death."""
        lives = ((first,), ()) if first.fault in KILLS else ((first,),)
        folder = self._next()
        played = play(Point(clean.scenario, clean.level, lives), folder)
        shutil.rmtree(folder.parent)
        return played.calls

    def strike(self, clean: _Clean, *lives: tuple[Strike, ...]) -> None:
        """Play a point, and put on the account what came of it."""
        point = Point(clean.scenario, clean.level, lives)
        folder = self._next()
        played = play(point, folder, refusals=clean.refusals, means=self._means)
        account = self.account
        strikes = list(itertools.chain(*lives))
        if played.struck >= len(strikes):
            account.count += 1
            account.add("pairs" if len(strikes) > 1 else "single faults")
            account.add("deaths", played.killed)
        elif len(strikes) == 1:
            account.violations.append(f"{point}: it did not strike")
        account.violations += [f"{point}: {what}" for what in played.broken]
        shutil.rmtree(folder.parent)
        if time.monotonic() - self._told > 10:
            self._told = time.monotonic()
            self._say(f"{account.count:,}, {len(account.violations)} promises broken")

    def read(self, point: ReaderPoint) -> None:
        """Read a journal while a call fails."""
        struck, broken = point.play()
        self.account.violations += broken
        if struck:
            self.account.count += 1
            self.account.add("of readers")
        else:
            self.account.violations.append(f"{point}: it did not strike")

    def _next(self) -> Path:
        self._number += 1
        return self._folder / str(self._number) / "s"


def _singles(clean: _Clean) -> Iterator[tuple[_Clean, Strike]]:
    for at, call in enumerate(clean.calls, 1):
        for fault in faults_of(call):
            yield clean, Strike(at, fault)
            if fault in _LASTING:
                yield clean, Strike(at, fault, lasting=True)


def _pair_first(call: str) -> list[Fault]:
    """Give the faults of a call that differ in what they leave."""
    alike = {errno.ENOSPC, errno.EDQUOT, errno.EINTR}
    return [fault for fault in faults_of(call) if fault not in alike]


def storm(
    count: int,
    folder: Path,
    seed: int,
    say: Say,
    *,
    means: Means = HONEST,
    scenarios: Sequence[Scenario] = SCENARIOS,
    strikes: Sequence[Strike] = (),
) -> Account:
    """Strike at least *count* times.

    A large count has every fault of a reader and every single fault of a writer, and
    then as many pairs as it takes; a small one has a sample of each.

    Args:
        count: How often.
        folder: An empty folder.
        seed: Chooses what is struck.
        say: Takes progress.
        means: What the writers work with.
        scenarios: What is played.
        strikes: These single faults, and nothing else.
    """
    rng = random.Random(seed)
    here = _Storm(folder, say, means)
    cleans = [here.clean(s, level) for level in LEVELS for s in scenarios]
    for clean, strike in itertools.product(cleans, strikes):
        here.strike(clean, (strike,))
    if strikes:
        return here.account
    singles = [single for clean in cleans for single in _singles(clean)]
    rng.shuffle(singles)
    account = here.account
    points = list(reader_points(folder))
    rng.shuffle(points)
    small = count < len(singles)
    if small:
        points = points[: count // _SHARE]
    for point in points:
        here.read(point)
    wanted = count - 2 * (count // _SHARE) if small else len(singles)
    for clean, strike in singles[:wanted]:
        here.strike(clean, (strike,))
    firsts = [
        (clean, Strike(at, fault))
        for clean in cleans
        for at, call in enumerate(clean.calls, 1)
        for fault in _pair_first(call)
    ]
    rng.shuffle(firsts)
    for clean, first in firsts:
        if account.count >= count:
            break
        _pairs(here, clean, first, rng, 1 if small else 8)
    return account


def _pairs(
    here: _Storm, clean: _Clean, first: Strike, rng: random.Random, width: int
) -> None:
    """Strike once more, anywhere after a first fault."""
    died = first.fault in KILLS
    # What is called after it is known only by trying.
    calls = here.probe(clean, first)
    places = [
        (at, fault)
        for at, call in enumerate(calls, 1)
        if died or at > first.at
        for fault in _pair_first(call)
    ]
    for at, fault in rng.sample(places, min(width, len(places))):
        second = Strike(at, fault)
        lives = ((first,), (second,)) if died else ((first, second),)
        here.strike(clean, *lives)


SUITE: Final = Suite(
    name="calls",
    fault="the n-th call of the port or the lock fails, comes short, or is the last",
    unit="faults",
    full=40_000,
    small=200,
    run=storm,
)
