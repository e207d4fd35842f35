"""Journals for tests: made, opened, read and broken in one line each."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from kedro_journal.events import (
    Event,
    JournalHeader,
    NoteAdded,
    Record,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.journal import Finding, JournalWriter, read
from kedro_journal.journal.codec import decode, encode_event, seal
from kedro_journal.journal.names import JOURNAL_NAME

AT = "2026-01-02T03:04:05.678901Z"
HEADER = JournalHeader(
    session_id="2026-01-02T03.04.05.678Z",
    uid="019b7c1e-0000-7000-8000-000000000000",
    salt="00112233445566778899aabbccddeeff",
    package_version="0",
)


def opened(role: str = "owner") -> WriterOpened:
    return WriterOpened(pid=os.getpid(), host="testhost", role=role)


def create(folder: Path, **options: object) -> JournalWriter:
    """Give the writer of a new journal."""
    folder.mkdir(mode=0o700, exist_ok=True)
    return JournalWriter(folder, opened(), header=HEADER, **options)  # type: ignore[arg-type]


def join(folder: Path, **options: object) -> JournalWriter:
    """Give one more writer of a journal that exists."""
    return JournalWriter(folder, opened("worker"), **options)  # type: ignore[arg-type]


def note(text: object = "n", size: int = 0) -> NoteAdded:
    return NoteAdded(text=str(text), fields={"pad": "p" * size} if size else {})


def file(folder: Path) -> Path:
    return folder / JOURNAL_NAME


def texts(records: Sequence[Record]) -> list[str]:
    return [r.event.text for r in records if isinstance(r.event, NoteAdded)]


def salvage(folder: Path) -> tuple[list[Record], list[Finding]]:
    findings: list[Finding] = []
    found = list(read(file(folder), mode="salvage", on_finding=findings.append))
    return found, findings


def seal_all(events: Sequence[Event]) -> list[bytes]:
    """Give the lines of a whole journal, newlines included, without a file."""
    lines: list[bytes] = []
    crc = "00000000"
    for seq, event in enumerate(events, 1):
        line, crc = seal(
            seq=seq, at=AT, writer="w1", prev=crc, event=event, data=encode_event(event)
        )
        lines.append(line)
    return lines


def sample_lines(
    count: int, sizes: tuple[int, int] = (0, 200), seed: int = 1
) -> list[bytes]:
    """Give a journal of that many lines with payloads of mixed size."""
    rng = random.Random(seed)
    header = replace(HEADER, salt=f"{seed:032x}")
    events: list[Event] = [header, opened(), SessionCreated(session_id=f"s{seed}")]
    while len(events) < count:
        events.append(note(f"{seed}.{len(events)}", rng.randint(*sizes)))
    return seal_all(events[:count])


def sized_lines(*sizes: int) -> list[bytes]:
    """Give a journal whose notes carry payloads of these sizes."""
    notes = [note(number, size) for number, size in enumerate(sizes)]
    return seal_all([HEADER, opened(), *notes])


def put(folder: Path, data: bytes) -> Path:
    """Write a journal file as it is."""
    folder.mkdir(mode=0o700, exist_ok=True)
    path = file(folder)
    path.write_bytes(data)
    return path


def parse(data: bytes) -> list[Record]:
    """Read whole lines without a scanner: every line must be a record."""
    found = [decode(line) for line in data.split(b"\n")[:-1]]
    assert all(isinstance(record, Record) for record in found), found
    return found  # type: ignore[return-value]


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def timed(events: Sequence[Event], at: datetime) -> list[bytes]:
    """Give the lines of a whole journal whose records were all made at one time."""
    lines: list[bytes] = []
    crc = "00000000"
    moment = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for seq, event in enumerate(events, 1):
        data = encode_event(event)
        line, crc = seal(
            seq=seq, at=moment, writer="w1", prev=crc, event=event, data=data
        )
        lines.append(line)
    return lines
