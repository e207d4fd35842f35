"""Were the promises kept? A journal set against what its writers said.

The answer does not depend on what failed, but for three things that no writer can
help: a process that was killed in the middle of an append, a sync that failed after the
bytes were written, and a roll-back that the system refused while another writer came.
"""

from __future__ import annotations

import errno
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from journals import file, parse, salvage
from scenarios import Scenario
from stage import CLOSE, Batch, label

from kedro_journal.events import JournalRepaired, Record
from kedro_journal.journal import Finding, decode

__all__ = ["Case", "broken_promises"]


@dataclass
class Case:
    """A scenario that was played, and what is known of how.

    Attributes:
        scenario: What was played.
        folder: Where.
        batches: What the writers said, in the order in which they were asked.
        durability: The level.
        killed: A process was killed.
        unmended: What failed did so until the process ended.
        strikes: How many faults came.
        refusals: How many batches are refused when nothing fails.
        cut_failed: A call that shortens the file failed.
        seen: What a reader saw in between, each time.
        goes_on: Somebody appended at the end, with nothing failing any more.
    """

    scenario: Scenario
    folder: Path
    batches: Sequence[Batch]
    durability: str = "flush"
    killed: bool = False
    unmended: bool = False
    strikes: int = 0
    refusals: int = 0
    cut_failed: bool = False
    seen: list[bytes] = field(default_factory=list)
    goes_on: bool = True


def broken_promises(case: Case) -> list[str]:
    """Give every promise that was broken, one line each."""
    path = file(case.folder)
    raw = path.read_bytes() if path.exists() else b""
    records, findings = salvage(case.folder) if raw else ([], [])
    return [
        *_answers(case),
        *_bytes_before(case, raw),
        *_numbers(case, records, findings),
        *_visible(case, records),
        *_repairs(case, records, raw),
        *_readers(case, raw),
    ]


def _answers(case: Case) -> list[str]:
    """What left the API, and what may be said when."""
    found: list[str] = []
    refused, poisoned, closed = 0, set[int](), bool(_closed_before(case))
    begun = bool(case.scenario.before)
    for batch in case.batches:
        begun = begun or batch.outcome == "acknowledged"
        if batch.outcome == "refused" and not begun and _too_early(batch):
            continue  # the creator failed: nobody may begin the journal for it
        if not batch.ours:
            found.append(f"{batch.error} left the API: {batch.reason}")
        if batch.outcome == "acknowledged":
            if batch.names[0].startswith("held"):
                found.append(f"{batch.names} acknowledged while another had the lock")
            closed = closed or CLOSE in batch.names
            durable = case.durability == "sync" or _lifecycle(batch)
            if batch.unsynced and durable:
                found.append(f"{batch.names} acknowledged before it was on the disk")
            if batch.poisoned:
                found.append(f"{batch.names} acknowledged after a sync had failed")
        elif batch.outcome == "refused" and batch.hand not in poisoned:
            refused += 1
            if batch.error == "JournalUnwritable" and batch.errno is None:
                found.append(f"{batch.names} refused without the system's number")
        if batch.poisoned:
            poisoned.add(batch.hand)
    if refused > case.strikes + case.refusals and not closed:
        found.append(f"{refused} batches refused after {case.strikes} faults")
    return found


def _too_early(batch: Batch) -> bool:
    return "no header" in batch.reason or batch.errno == errno.ENOENT


def _lifecycle(batch: Batch) -> bool:
    return any(name == CLOSE or name.startswith("failed") for name in batch.names)


def _sync_failed(batch: Batch) -> bool:
    return batch.reason.startswith("a sync failed")


def _closed_before(case: Case) -> bool:
    lines = parse(case.scenario.before)
    return bool(lines) and label(lines[-1]) == CLOSE


def _bytes_before(case: Case, raw: bytes) -> list[str]:
    """What was committed before anybody came is there to the byte."""
    tail, fragment = case.scenario.tail, case.scenario.fragment
    kept = case.scenario.before + tail[: len(tail) - len(fragment)]
    return [] if raw.startswith(kept) else ["bytes of committed records changed"]


def _numbers(
    case: Case, records: Sequence[Record], findings: Sequence[Finding]
) -> list[str]:
    """No gap but where lines were damaged, nothing a reader could stumble over."""
    found: list[str] = []
    before = len(parse(case.scenario.before))
    lost = case.scenario.skipped
    expected = list(range(1, len(records) + 1))
    if lost:
        expected = [seq if seq <= before else seq + lost for seq in expected]
    numbers = [record.seq for record in records]
    if numbers != expected:
        found.append(f"the numbers are {numbers}")
    for finding in findings:
        ours = finding.kind in ("records lost", "damaged end") and finding.lost == lost
        closed = finding.kind == "torn tail" and not case.goes_on
        if not ours and not closed:
            found.append(f"{finding.kind}: {finding.detail}")
    names = [r.writer for r in records if r.type == "writer.opened"]
    if len(set(names)) != len(names):
        found.append(f"two writers of one name: {names}")
    return found


def _visible(case: Case, records: Sequence[Record]) -> list[str]:
    """What was acknowledged is there once, in order; what was refused is not."""
    inherited = {label(record) for record in parse(case.scenario.before)}
    adopted = decode(case.scenario.fragment)
    if isinstance(adopted, Record):
        inherited.add(label(adopted))
    mended = decode(case.scenario.fragment[:-1])
    if isinstance(mended, Record):
        inherited.add(label(mended))
    names = [name for name in map(label, records) if name and name not in inherited]
    times = Counter(names)
    found = [f"{name!r} is there {n} times" for name, n in times.items() if n > 1]
    poisoned: set[int] = set()
    place = 0
    for batch in case.batches:
        there = 0
        while names[place : place + 1] == list(batch.names[there : there + 1]):
            if there == len(batch.names):
                break
            there, place = there + 1, place + 1
        found += _judge(case, batch, there, poisoned, times)
        if batch.poisoned:
            poisoned.add(batch.hand)
    if place != len(names) and not found:
        found.append(f"nobody appended {names[place:]} there")
    return found


def _judge(
    case: Case, batch: Batch, there: int, poisoned: set[int], times: Counter[str]
) -> list[str]:
    missing = [name for name in batch.names if not times[name]]
    if batch.outcome == "acknowledged":
        if missing:
            return [f"acknowledged and lost: {missing}"]
        return [] if there == len(batch.names) else [f"out of order: {batch.names}"]
    if batch.outcome == "asked":
        return []  # it died in there: any first part may be there
    if _sync_failed(batch) and batch.hand not in poisoned:
        return []  # it was written; whether it is on the disk nobody knows
    if there and not (case.cut_failed and _others(case, batch)):
        return [f"refused and there: {batch.names[:there]} ({batch.reason})"]
    return []


def _others(case: Case, batch: Batch) -> bool:
    """Tell whether another writer came after a batch."""
    later = case.batches[list(case.batches).index(batch) + 1 :]
    return any(other.hand != batch.hand for other in later)


def _repairs(case: Case, records: Sequence[Record], raw: bytes) -> list[str]:
    """Every repair is on record once, and cut bytes are kept."""
    found: list[str] = []
    scenario = case.scenario
    repairs = [r.event for r in records if isinstance(r.event, JournalRepaired)]
    start = len(scenario.before) + len(scenario.tail) - len(scenario.fragment)
    torn = case.folder / "torn"
    kept = [path.read_bytes() for path in torn.iterdir()] if torn.exists() else []
    mine = [e.action for e in repairs if e.offset == start and e.action != "skipped"]
    expected: list[str] = [scenario.repair] if scenario.repair else []
    if not mine and case.cut_failed:
        mine = expected  # the system cut the tail and then called it a failure
    other = [e for e in repairs if e.offset != start and e.action != "skipped"]
    unsaid = case.killed or case.unmended  # it ended before it could say so
    if case.goes_on and not unsaid and mine != expected and scenario.repair:
        found.append(f"repairs on record: {mine}, not {expected}")
    if len(set(repairs)) != len(repairs) or (len(mine) > 1 and not case.killed):
        found.append(f"a repair is on record twice: {mine}")
    if other and not (case.killed or case.cut_failed):
        found.append(f"repaired what nothing had torn: {other}")
    skips = sum(event.lost for event in repairs if event.action == "skipped")
    if skips > scenario.skipped or (case.goes_on and skips < scenario.skipped):
        found.append(f"{skips} damaged lines on record, not {scenario.skipped}")
    for event in repairs:
        if event.action == "cut":
            path = torn / event.kept_as
            data = path.read_bytes() if event.kept_as and path.exists() else b""
            if hashlib.sha256(data).hexdigest() != event.sha256:
                found.append(f"the {event.length} bytes cut off are not kept")
    cut = scenario.repair == "cut" and raw[start:] != scenario.fragment
    if cut and scenario.fragment not in kept:
        found.append("the torn tail is gone")
    return found


def _readers(case: Case, raw: bytes) -> list[str]:
    """What a reader saw in between is how the journal begins."""
    if case.cut_failed or all(raw.startswith(seen) for seen in case.seen):
        return []
    return ["a reader saw records that are not there any more"]
