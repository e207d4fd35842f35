"""A storm of writers that are killed with SIGKILL, and its exact accounting.

Writers acknowledge over a pipe, one line after each append. What was acknowledged must
be in the journal once; the live tail must have delivered exactly the journal.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from journals import create, file, join, note

from kedro_journal.errors import JournalError
from kedro_journal.events import JournalRepaired, NoteAdded, Record, SessionClosed
from kedro_journal.journal import JournalWriter, follow_file, read, verify

SIZES = (300, 9_000, 30_000, 60_000)


@dataclass
class Report:
    """What a storm did, and what it found wrong."""

    kills: int = 0
    acknowledged: int = 0
    tears: int = 0
    adopted: int = 0
    delivered: int = 0
    violations: list[str] = field(default_factory=list)


def child(
    folder: Path,
    name: str,
    pipe: int,
    make: Callable[[Path], JournalWriter],
    early: bool,
) -> None:
    """Append until killed; acknowledge each append, before it if *early* (sabotage)."""
    rng = random.Random(name)
    writer = make(folder)
    number = 0
    while True:
        text = f"{name} {number}"
        if early:
            os.write(pipe, f"{text}\n".encode())
        try:
            writer.append(note(text, rng.choice(SIZES)))
        except JournalError:
            os._exit(3)
        if not early:
            os.write(pipe, f"{text}\n".encode())
        number += 1


def storm(
    folder: Path,
    *,
    kills: int,
    writers: int = 4,
    make: Callable[[Path], JournalWriter] = join,
    early: bool = False,
    seed: int = 1,
) -> Report:
    """Run the storm and give the account."""
    rng = random.Random(seed)
    report = Report()
    create(folder).append(note("start"))
    tail: list[str] = []  # checksums only: payloads would fill the memory
    trouble: list[str] = []

    def follow() -> None:
        try:
            for record in follow_file(file(folder), poll_interval_s=0.005):
                tail.append(record.crc)  # noqa: PERF401 - what came before an error stays
        except JournalError as error:
            trouble.append(f"the live tail broke: {error}")

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    acknowledged: list[str] = []
    alive: dict[int, int] = {}
    count = 0
    while report.kills < kills or alive:
        while len(alive) < writers and count < kills:
            reading, writing = os.pipe()
            os.set_blocking(reading, False)
            pid = os.fork()
            if pid == 0:
                try:
                    # With nobody left to read, a write ends the child.
                    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                    for inherited in (reading, *alive.values()):
                        os.close(inherited)
                    child(folder, f"c{count}", writing, make, early)
                finally:
                    os._exit(4)
            os.close(writing)
            alive[pid] = reading
            count += 1
        time.sleep(rng.uniform(0.001, 0.006))
        victim = rng.choice(list(alive))
        os.kill(victim, signal.SIGKILL)
        report.kills += 1
        os.waitpid(victim, 0)
        acknowledged += _drain(alive.pop(victim))
        for pid, reading in alive.items():
            acknowledged += _drain(reading, pid)
    closer = join(folder)
    closer.append(SessionClosed())
    follower.join(60)
    report.acknowledged = len(acknowledged)
    report.delivered = len(tail)
    report.violations += trouble
    if follower.is_alive():
        report.violations.append("the live tail never saw session.closed")
    _account(folder, acknowledged, tail, report)
    return report


_partial: dict[int, bytes] = {}


def _drain(reading: int, pid: int = 0) -> list[str]:
    data = _partial.pop(reading, b"")
    while True:
        try:
            more = os.read(reading, 1 << 16)
        except BlockingIOError:
            break
        if not more:
            break
        data += more
    *lines, rest = data.split(b"\n")
    if pid:
        _partial[reading] = rest
    else:
        os.close(reading)
    return [line.decode() for line in lines]


def _account(
    folder: Path, acknowledged: list[str], tail: list[str], report: Report
) -> None:
    found = [_brief(record) for record in read(file(folder), mode="salvage")]
    for finding in verify(file(folder)).findings:
        if finding.severity != "info":
            report.violations.append(f"{finding.kind}: {finding.detail}")
    texts = [brief.text for brief in found if brief.text]
    times = Counter(texts)
    lost = [text for text in acknowledged if not times[text]]
    if lost:
        report.violations.append(f"{len(lost)} acknowledged lost, first {lost[0]}")
    doubled = [text for text, n in times.items() if n > 1]
    if doubled:
        report.violations.append(f"{len(doubled)} duplicates, first {doubled[0]}")
    numbers = [brief.seq for brief in found]
    if numbers != list(range(1, len(found) + 1)):
        report.violations.append("the numbers have gaps or repetitions")
    for name, mine in _by_writer(texts).items():
        if mine != list(range(len(mine))):
            report.violations.append(f"{name}: out of its order or with a gap")
    if tail != [brief.crc for brief in found]:
        report.violations.append("the live tail delivered something else")
    report.tears = sum(brief.action == "cut" for brief in found)
    report.adopted = sum(brief.action == "adopted" for brief in found)


class _Brief(NamedTuple):
    """What the account needs of a record, without its payload."""

    seq: int
    crc: str
    text: str
    action: str


def _brief(record: Record) -> _Brief:
    event = record.event
    text = event.text if isinstance(event, NoteAdded) else ""
    action = event.action if isinstance(event, JournalRepaired) else ""
    return _Brief(record.seq, record.crc, text, action)


def _by_writer(texts: Iterable[str]) -> dict[str, list[int]]:
    mine: dict[str, list[int]] = {}
    for text in texts:
        name, _, number = text.partition(" ")
        if number:
            mine.setdefault(name, []).append(int(number))
    return mine
