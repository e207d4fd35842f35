"""The kernel refuses the n-th system call of a real process, or kills it there.

strace injects the fault, on the files of the journal only. One run of strace has many
children, each with a case of its own, and strikes each at its own n-th call.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import random
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, get_args

from stage import Stage

from kedro_journal.journal import Durability
from kedro_journal.journal.names import JOURNAL_NAME

from . import strace
from .account import Account, Say, Suite
from .play import be_the_last
from .strace import Seen, Shot
from .traced import CLAIM, SHUT_OUT, TALES, Sabotage, TracedCase, account_of, write_plan
from .verdict import Case, broken_promises

__all__ = ["SUITE", "cases", "run", "storm"]

_SAMPLE: Final = 5  # of a small dose: how many cases are struck at once

PROGRAM: Final = Path(__file__).with_name("traced.py")
AFTER_FULL: Final = ("unlink", "ftruncate")
"""Calls that are made, or made most often, after a write that failed."""
LEVELS: Final[tuple[Durability, ...]] = get_args(Durability)
_TOLD: Final = (
    "create and append",
    "one event at a time",
    "failures are synced",
    "endings get the reserve",
    "large batches",
    "two writers in turn",
    "close the session",
    "cut a torn tail",
    "adopt a whole tail",
    "mend a terminator",
    "skip a line and cut a tail",
    "a child is forked",
    CLAIM.name,
    SHUT_OUT.name,
)


def cases(sabotage: Sabotage = "") -> list[TracedCase]:
    """Give what the children do."""
    found = [
        TracedCase(name, level, held=name == SHUT_OUT.name)
        for level in LEVELS
        for name in _TOLD
    ]
    found += [
        TracedCase("another writer comes between", level, short=2) for level in LEVELS
    ]
    found += [
        replace(case, backend="filelock") for case in found if case.level == "flush"
    ]
    return [replace(case, sabotage=sabotage) for case in found]


class _Range:
    """Shoots, and keeps the account."""

    def __init__(self, folder: Path, say: Say) -> None:
        self.account = Account()
        self._folder = folder
        self._say = say
        self._number = 0
        self._told = time.monotonic()
        self._refusals: dict[TracedCase, int] = {}

    def look(
        self, chosen: Sequence[TracedCase], full: int = 0
    ) -> dict[TracedCase, Seen]:
        """Give the calls that cases make when nothing fails but perhaps one write."""
        options = [*strace.fast(), "-e", f"trace={strace.names(*strace.CALLS)}"]
        options += strace.full(full)
        seen = {}
        for case, folder, what in self._run(chosen, options):
            told = _Told(folder)
            broken = told.judge(case, what, None, 1_000)
            if not full:
                assert case.sabotage or broken == [], (case, broken)
                self._refusals[case] = told.refused
            seen[case] = what
        return seen

    def shoot(self, shot: Shot, chosen: Sequence[TracedCase]) -> None:
        """Strike each of some cases, and judge."""
        account = self.account
        # A signal is lost where strace stops by a filter.
        fast = () if shot.fault == "KILL" else strace.fast()
        for case, folder, seen in self._run(chosen, [*fast, *shot.options]):
            told = _Told(folder)
            broken = told.judge(case, seen, shot, self._refusals[case])
            account.violations += [f"{case}, {shot}: {what}" for what in broken]
            struck = told.killed or seen.struck(shot.call) > 0
            account.count += struck
            account.add(f"at {shot.call}", int(struck))
            account.add("deaths", int(told.killed))
        account.add("runs of strace")
        if time.monotonic() - self._told > 10:
            self._told = time.monotonic()
            self._say(f"{account.count:,}, {len(account.violations)} promises broken")

    def _run(
        self, chosen: Sequence[TracedCase], options: Sequence[str]
    ) -> Iterator[tuple[TracedCase, Path, Seen]]:
        """Run the children under strace; give each case, its folder, what was seen."""
        self._number += 1
        base = self._folder / str(self._number)
        base.mkdir()
        plan = []
        with contextlib.ExitStack() as held:
            for number, case in enumerate(chosen):
                folder = base / str(number) / "s"
                tale = TALES[case.scenario]
                tale.prepare(folder)
                if tale is CLAIM:
                    folder.rmdir()
                if case.held:
                    held.enter_context(_lock(folder))
                plan.append((case, folder))
            write_plan(base / "plan", plan)
            log = base / "log"
            paths = [f"-P{p}" for case, folder in plan for p in _paths(case, folder)]
            command = ["strace", "-f", "-y", "-s", "0", "-o", str(log), *options]
            program = [sys.executable, str(PROGRAM), str(base / "plan")]
            if not strace.wait([*command, *paths, *program]):
                self.account.violations.append(f"{options}: it hung")
        seen = strace.read_log(log, base, len(plan))
        yield from (
            (case, folder, what)
            for (case, folder), what in zip(plan, seen, strict=True)
        )
        shutil.rmtree(base)


@contextlib.contextmanager
def _lock(folder: Path) -> Iterator[None]:
    with (folder / JOURNAL_NAME).open("ab") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        yield


def _paths(case: TracedCase, folder: Path) -> list[Path]:
    """Give the paths that a case touches, with those of what a repair keeps."""
    tale = TALES[case.scenario]
    start = len(tale.before) + len(tale.tail) - len(tale.fragment)
    names = [JOURNAL_NAME, "owner.lock", "torn"]
    names += [f"torn/{start}-{number}.bin" for number in range(1, 4)]
    above = [folder.parent / name for name in (".gitignore", ".reserve")]
    return [folder.parent, *above, folder, *(folder / name for name in names)]


class _Told:
    """What the processes of one case said, and what is to be said of it.

    Attributes:
        killed: One of them was killed.
        refused: How many batches were refused.
    """

    def __init__(self, folder: Path) -> None:
        account = account_of(folder)
        lines = account.read_bytes().splitlines(True) if account.exists() else []
        self._folder = folder
        self._batches = Stage(folder)
        reports = [line for line in lines if line.startswith(b'{"report"')]
        self._batches.listen(b"".join(line for line in lines if line not in reports))
        self._reports = [json.loads(line)["report"] for line in reports]
        self.killed = any(facts.get("killed") for facts in self._reports)
        batches = self._batches.batches
        self.refused = sum(batch.outcome == "refused" for batch in batches)

    def judge(
        self, traced: TracedCase, seen: Seen, shot: Shot | None, refusals: int
    ) -> list[str]:
        """Give the promises that were broken."""
        broken = list(self._ends())
        batches = self._batches.batches
        case = Case(TALES[traced.scenario], self._folder, batches, traced.level)
        case.killed, case.refusals = self.killed, refusals
        case.unmended = shot is not None and shot.lasting
        case.strikes = len(batches) if case.unmended else seen.hits.total()
        case.cut_failed = seen.struck("ftruncate") > 0
        be_the_last(case, 1)
        return broken + broken_promises(case)

    def _ends(self) -> Iterator[str]:
        """Say how the processes should not have ended."""
        for facts in self._reports:
            if facts.get("left_open", 0) > 0:
                yield f"{facts['left_open']} descriptors were left open"
            if "raised" in facts:
                yield f"the child raised {facts['raised']}"
        if not self.killed and not any("left_open" in f for f in self._reports):
            yield "the child ended without a word"


def storm(
    count: int,
    folder: Path,
    seed: int,
    say: Say,
    *,
    chosen: Sequence[TracedCase] = (),
    shots: Sequence[Shot] = (),
) -> Account:
    """Strike at least *count* times.

    Args:
        count: How often. From the full dose on it is everything.
        folder: An empty folder.
        seed: Chooses what is struck, where that is not everything.
        say: Takes progress.
        chosen: The cases; else all of them, or a sample for a small dose.
        shots: The faults; else all of them, or a sample.
    """
    here = _Range(folder, say)
    if why := strace.why_not():
        here.account.skipped.append(f"system calls: {why}")
        return here.account
    rng = random.Random(seed)
    whole = count >= SUITE.full
    sample = 1_000 if whole or chosen else _SAMPLE
    chosen = chosen or rng.sample(cases(), len(cases()) if whole else 3 * _SAMPLE)
    seen = {0: here.look(chosen)}
    todo = list(shots) or list(_everything(here, chosen, seen))
    for shot in todo if whole or shots else _spread(todo, rng):
        if not whole and here.account.count >= count:
            break
        counted = seen[shot.full]
        reached = [case for case in chosen if counted[case].most(shot.call) >= shot.at]
        here.shoot(shot, rng.sample(reached, min(sample, len(reached))))
    return here.account


def _everything(
    here: _Range, chosen: Sequence[TracedCase], seen: dict[int, dict[TracedCase, Seen]]
) -> Iterator[Shot]:
    """Give every shot that strikes anything, also after a write that failed."""
    yield from strace.shots(_most(seen[0], strace.CALLS))
    for full in range(1, _most(seen[0], ["write"])["write"] + 1):
        seen[full] = here.look(chosen, full)
        yield from strace.shots(_most(seen[full], AFTER_FULL), full)


def _most(seen: Mapping[TracedCase, Seen], calls: Iterable[str]) -> dict[str, int]:
    """Give how often a process makes each call, the one that makes the most."""
    return {call: max(what.most(call) for what in seen.values()) for call in calls}


def _spread(shots: list[Shot], rng: random.Random) -> list[Shot]:
    """Shuffle, with each kind of call in its turn."""
    rng.shuffle(shots)
    turn: dict[str, int] = {}
    order: list[tuple[int, int, Shot]] = []
    for shot in shots:
        turn[shot.call] = turn.get(shot.call, 0) + 1
        order.append((turn[shot.call], len(order), shot))
    return [shot for *_, shot in sorted(order, key=lambda item: item[:2])]


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Do the storm on every scenario."""
    return storm(count, folder, seed, say)


SUITE: Final = Suite(
    name="syscalls",
    fault="the kernel refuses the n-th system call, or kills the process there",
    unit="system calls",
    full=20_000,
    small=40,
    run=run,
)
