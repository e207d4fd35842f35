"""The power fails at every step of real writers, and takes what was not synced.

`power_disk` says what a failure may leave, `power_scripts` what the writers do, and
`power_check` what must hold. Counted are distinct disks: the same bytes under the same
promises count once, however often they come up.
"""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kedro_journal.events import Record
from kedro_journal.journal.codec import decode

from .account import Account, Say, Suite
from .power_check import Seen, Vows, check, check_reader, check_reopen, look
from .power_disk import Disk, State, losses
from .power_play import HONEST, Base, Hands, Script, Tape, record
from .power_scripts import SCRIPTS, recovery

__all__ = ["SUITE", "Storm", "run"]

SECTORS: Final = (512, 4096)
READ_EVERY: Final = 16  # disks that the real reader reads, in both modes
REOPEN_EVERY: Final = 8  # disks that a real writer goes on with, and all rare ones
DRAWS: Final = (240, 40, 20)  # disks per step where not all can be tried, by depth
AGAIN: Final = (2, 1, 0)  # disks of a script on which the power fails again, by depth
SAY_EVERY_S: Final = 10.0
RARE: Final = frozenset({"damaged terminator", "forked journal", "splice"})
HOLES: Final = frozenset({"records lost", "records missing"})


@dataclass
class Storm:
    """One storm.

    Attributes:
        count: How many distinct disks.
        folder: An empty one.
        seed: Of everything that is drawn.
        say: Where progress goes.
        hands: Who does the work.
        scripts: Which are performed, each at least once.
        depth: How often the power fails at most: again in the recovery, and so on.
        enough: Stop at so many broken promises.
    """

    count: int
    folder: Path
    seed: int
    say: Say
    hands: Hands = HONEST
    scripts: Collection[str] = tuple(SCRIPTS)
    depth: int = len(DRAWS)
    enough: int = 1000
    account: Account = field(default_factory=Account)
    _known: set[int] = field(default_factory=set)
    _readings: set[int] = field(default_factory=set)
    _told: float = 0.0

    def run(self) -> Account:
        """Perform every script, and go on until it is enough."""
        self._told = time.monotonic()
        for turn in itertools.count():
            for sector, name in itertools.product(SECTORS, self.scripts):
                rng = random.Random(f"{self.seed}/{turn}/{sector}/{name}")
                tape = self.perform(name, SCRIPTS[name], rng)
                self.strike(tape, sector, rng, depth=1)
                if self._is_over(first=turn == 0):
                    self.account.figures["different readings"] = len(self._readings)
                    return self.account
        raise AssertionError("there is always another turn")

    def _is_over(self, *, first: bool) -> bool:
        if len(self.account.violations) >= self.enough:
            return True
        return self.account.count >= self.count and not first

    def perform(
        self, name: str, script: Script, rng: random.Random, base: Base | None = None
    ) -> Tape:
        """Perform a script, from an empty disk or from what a failure left."""
        self.account.add("scripts")
        top = self.folder / str(self.account.figures["scripts"])
        top.mkdir()
        tape = record(name, script, top / "s", rng, self.hands, base)
        shutil.rmtree(top)
        self.account.violations += [f"{name}: {line}" for line in tape.trouble]
        return tape

    def strike(
        self, tape: Tape, sector: int, rng: random.Random, *, depth: int
    ) -> None:
        """Let the power fail after every step, and again while that is repaired."""
        again: dict[object, Base] = {}
        draws = DRAWS[depth - 1]
        for step, disk, vows in _steps(tape):
            self.account.add("steps")
            tag = _tag(vows)
            for state in losses(disk, tape.journal, sector, rng, draws):
                key = _key(state, tag)
                if key in self._known:
                    continue
                self._known.add(key)
                seen = look(state.image or b"")
                wrong = self._check(state, vows, seen)
                where = f"{tape.name}, step {step}, sectors of {sector}"
                self.account.violations += [f"{where}: {line}" for line in wrong]
                self._count(state, seen, tag, depth)
                if depth < self.depth and rng.random() < 0.1:
                    again[_sort(state, seen)] = _base(state, vows, seen)
            if len(self.account.violations) >= self.enough:
                return
        self._say()
        picked = rng.sample(list(again.values()), min(len(again), AGAIN[depth - 1]))
        for base in picked:
            name = f"{tape.name.removesuffix(', again')}, again"
            next_tape = self.perform(name, recovery, rng, base)
            self.strike(next_tape, sector, rng, depth=depth + 1)

    def _check(self, state: State, vows: Vows, seen: Seen) -> list[str]:
        number = self.account.count
        wrong = check(state, vows, seen)
        if number % READ_EVERY == 0 and state.image is not None:
            self.account.add("read by both readers")
            wrong += check_reader(state.image, seen)
        if number % REOPEN_EVERY == 0 or not seen.kinds.isdisjoint(RARE):
            self.account.add("reopened by a writer")
            wrong += check_reopen(state, vows, seen, self.hands.memory())
        return wrong

    def _count(self, state: State, seen: Seen, tag: bytes, depth: int) -> None:
        account = self.account
        account.count += 1
        if depth > 1:
            account.add("failures of a recovery")
        if len(seen.lines) == seen.rescued:
            account.add("without a header")
        if "torn tail" in seen.kinds:
            account.add("torn tails")
        if not seen.kinds.isdisjoint(HOLES):
            account.add("holes, all told")
        if seen.rescued:
            account.add("damaged newlines")
        crcs = tuple(line[-10:] for line in seen.lines)
        self._readings.add(hash((tag, crcs, frozenset(seen.kinds))))

    def _say(self) -> None:
        if time.monotonic() - self._told > SAY_EVERY_S:
            self._told = time.monotonic()
            broken = len(self.account.violations)
            self.say(f"{self.account.count:,} disks, {broken} promises broken")


def _steps(tape: Tape) -> Iterator[tuple[int, Disk, Vows]]:
    """Give the disk and what was promised, after every step."""
    disk, base = tape.disk(), tape.base
    lines = base.lines
    for step, op in enumerate(tape.ops, 1):
        disk.do(op)
        if op.kind == "promise":
            lines = op.lines
        if tape.journal in disk.files:
            yield step, disk, Vows(lines, tape.given, base.aside)


def _tag(vows: Vows) -> bytes:
    """Give a short name of what was promised."""
    digest = hashlib.blake2b(digest_size=8)
    for line in vows.lines:
        digest.update(line)
    for _, fragment in vows.aside:
        digest.update(fragment)
    return digest.digest()


def _key(state: State, tag: bytes) -> int:
    digest = hashlib.blake2b(tag, digest_size=8)
    digest.update(b"none" if state.image is None else state.image)
    for kept in state.kept:
        digest.update(b"|" + kept)
    return int.from_bytes(digest.digest())


def _sort(state: State, seen: Seen) -> object:
    """Name the sort of a disk: the power fails again on different ones."""
    if state.image is None or len(seen.lines) == seen.rescued:
        return "without a header"
    torn = not state.image.endswith(b"\n")
    return (seen.rescued, seen.corrupt, torn, bool(state.kept))


def _base(state: State, vows: Vows, seen: Seen) -> Base:
    """Make what the failure left into what the next writer finds."""
    image = state.image or b""
    start = image.rfind(b"\n") + 1
    tail = image[start:]
    whole = any(isinstance(decode(line), Record) for line in (tail, tail[:-1]))
    return Base(
        image=state.image,
        kept=state.kept,
        lines=tuple(seen.lines),
        given=frozenset(vows.given),
        aside=((start, tail),) if tail and not whole else (),
    )


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Let the power fail in at least *count* ways."""
    return Storm(count, folder, seed, say).run()


SUITE: Final = Suite(
    name="power",
    fault="the power fails: what was not synced is lost, old, garbled or out of order",
    unit="distinct disks",
    full=1_000_000,
    small=15_000,
    run=run,
)
