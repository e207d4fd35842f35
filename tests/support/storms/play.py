"""Play a scenario while calls fail or processes die, let it be mended, and judge."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from faulty import KILLS, Fault, Faults, FaultyLock, FaultyOs, Strike
from journals import file
from scenarios import Scenario
from stage import Batch, Hand, NotingOs, Stage

from kedro_journal.events import Record
from kedro_journal.journal import Durability, decode

from .verdict import Case, broken_promises

__all__ = ["HONEST", "Means", "Played", "Point", "be_the_last", "play"]

_FOLLOW_ON: Final = 10  # writers of the process that comes next are numbered from here


@dataclass(frozen=True)
class Means:
    """What writers work with. Sabotage exchanges a part."""

    port: Callable[[Faults], FaultyOs] = FaultyOs
    lock: Callable[[Faults], FaultyLock] = FaultyLock
    early: bool = False


HONEST: Final = Means()


@dataclass(frozen=True)
class Point:
    """Where something fails.

    Attributes:
        scenario: What is played.
        level: The durability.
        lives: The faults that each process meets: the one that plays the scenario, and
            if that is killed, each one that comes after it.
    """

    scenario: Scenario
    level: Durability
    lives: tuple[tuple[Strike, ...], ...] = ((),)

    def __str__(self) -> str:
        lives = [", ".join(map(_words, life)) for life in self.lives]
        return f"{self.scenario.name}, {self.level}, {', then '.join(lives)}"


def _words(strike: Strike) -> str:
    fault: Fault | str = strike.fault
    if isinstance(fault, int):
        fault = errno.errorcode[fault]
    lasting = " and on" if strike.lasting else ""
    return f"{fault} at {strike.call or 'call'} {strike.at}{lasting}"


@dataclass
class Played:
    """What came of a point.

    Attributes:
        calls: Names of the calls of the last life with a fault, in order.
        struck: How many of its faults came.
        killed: How many processes were killed.
        refusals: How many batches were refused.
        broken: Promises that were broken.
    """

    calls: list[str] = field(default_factory=list)
    struck: int = 0
    killed: int = 0
    refusals: int = 0
    broken: list[str] = field(default_factory=list)


def play(
    point: Point, folder: Path, *, refusals: int = 0, means: Means = HONEST
) -> Played:
    """Play a scenario with its faults, let it be mended, and judge.

    Args:
        point: What is played, and what fails.
        folder: The session folder; it must not exist.
        refusals: How many batches are refused when nothing fails.
        means: What the writers work with.
    """
    played = Played()
    strikes = [strike for life in point.lives for strike in life]
    case = Case(point.scenario, folder, [], point.level, refusals=refusals)
    case.strikes = 1_000 if any(s.lasting for s in strikes) else len(strikes)
    case.strikes *= 1 + point.scenario.forks  # a fault comes in parent and child
    descriptors = _descriptors()
    point.scenario.prepare(folder)
    for number in range(len(point.lives)):
        _live(point, number, case, played, means)
    be_the_last(case, len(point.lives))
    if _descriptors() > descriptors:
        played.broken.append("a descriptor was left open")
    played.refusals = sum(batch.outcome == "refused" for batch in case.batches)
    case.killed = played.killed > 0
    played.broken += broken_promises(case)
    return played


def _descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - it is asked very often


def _live(point: Point, number: int, case: Case, played: Played, means: Means) -> None:
    """Let one process live, and perhaps die."""
    strikes = point.lives[number]
    faults = Faults(*strikes)
    held_up = any(strike.fault == "busy" and strike.lasting for strike in strikes)
    stage = Stage(
        case.folder,
        port=lambda: means.port(faults),
        backend=means.lock(faults),
        durability=point.level,
        deadline_s=0.002 if held_up else 5.0,
        early=means.early,
        first=number * _FOLLOW_ON,
    )
    stage.watch = _watch(faults, case)
    stage.closing = _closing(faults, played)
    story = _come_after if number else point.scenario.play
    if number and not _has_header(case.folder):
        story = _begin_again
    fatal = any(strike.fault in KILLS for strike in strikes)
    if fatal or (point.scenario.forks and not number):
        _apart(stage, faults, story, case, played)
    else:
        _act(stage, faults, story)
        played.calls = faults.calls
        played.struck += len({(s.number, s.fault) for s in faults.struck})
        case.cut_failed |= any(struck.call == "truncate" for struck in faults.struck)
    case.batches = [*case.batches, *stage.batches]


def _act(stage: Stage, faults: Faults, story: Callable[[Stage], None]) -> None:
    """Play, then go on with nothing failing any more."""
    story(stage)
    faults.mend()
    for hand in list(stage.hands):
        hand.append(f"last {hand.number}")
    stage.close()


def _come_after(stage: Stage) -> None:
    """What a process does that finds what a dead one left."""
    hand = stage.join()
    hand.append(f"next {hand.number}")
    hand.append(f"then {hand.number}", f"at once {hand.number}")


def _begin_again(stage: Stage) -> None:
    """The creator died before the header: nobody but a creator may begin."""
    stage.join().append("too early")
    stage.folder.mkdir(mode=0o700, exist_ok=True)
    hand = stage.create()
    hand.append(f"next {hand.number}")


def _has_header(folder: Path) -> bool:
    if not file(folder).exists():
        return False
    first, newline, _ = file(folder).read_bytes().partition(b"\n")
    return bool(newline) and isinstance(decode(first), Record)


def _apart(
    stage: Stage,
    faults: Faults,
    story: Callable[[Stage], None],
    case: Case,
    played: Played,
) -> None:
    """Let it happen in a forked child that may be killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            stage.pipe = writing
            stage.leave = lambda: _report(writing, faults, case, played, stage)
            _act(stage, faults, story)
            stage.leave()
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a descriptor
        told = pipe.read()
    killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    lines = told.splitlines(keepends=True)
    stage.listen(b"".join(line for line in lines if not line.startswith(b'{"report')))
    case.seen = []  # the child's
    struck = killed
    for line in lines:
        if line.startswith(b'{"report'):
            report = json.loads(line)["report"]
            struck |= report["struck"] > 0 or report["killed"]
            killed |= report["killed"]
            case.cut_failed |= report["cut_failed"]
            played.calls = max(played.calls, report["calls"], key=len)
            played.broken += report["broken"]
    played.struck += struck
    played.killed += killed


def _report(
    pipe: int, faults: Faults, case: Case, played: Played, stage: Stage
) -> None:
    facts = {
        "calls": faults.calls,
        "struck": len(faults.struck),
        "killed": stage.killed,
        "cut_failed": any(struck.call == "truncate" for struck in faults.struck),
        "broken": played.broken,
    }
    os.write(pipe, json.dumps({"report": facts}).encode() + b"\n")


def be_the_last(case: Case, lives: int) -> None:
    """Come to the journal after so many processes; nothing fails any more."""
    first = lives * _FOLLOW_ON
    stage = Stage(case.folder, port=lambda: FaultyOs(Faults()), first=first)
    if _has_header(case.folder):
        stage.join().append("after")
    else:
        _begin_again(stage)
    stage.close()
    case.batches = [*case.batches, *stage.batches]
    case.goes_on = case.batches[-1].outcome == "acknowledged"


def _watch(faults: Faults, case: Case) -> Callable[[Hand, Batch], None]:
    def watch(hand: Hand, batch: Batch) -> None:
        batch.unsynced = faults.unsynced
        batch.poisoned = _failed_syncs(hand) > 0
        if batch.outcome == "acknowledged":
            hand.owes = faults.syncs if faults.unsynced else -1
        if hand.stage.pipe < 0 and file(case.folder).exists():
            case.seen.append(_committed(case.folder))

    return watch


def _committed(folder: Path) -> bytes:
    """Give what a reader of this moment would deliver: the whole lines."""
    data = file(folder).read_bytes()
    return data[: data.rfind(b"\n") + 1]


def _closing(faults: Faults, played: Played) -> Callable[[Hand], None]:
    def closing(hand: Hand) -> None:
        owes = hand.owes == faults.syncs and not _failed_syncs(hand)
        if owes and hand.stage.durability == "group":
            played.broken.append("acknowledged at level group, closed, never synced")

    return closing


def _failed_syncs(hand: Hand) -> int:
    return hand.port.failed_syncs if isinstance(hand.port, NotingOs) else 0
