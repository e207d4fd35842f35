"""What must hold on every disk that a power failure leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from journals import HEADER, note

from kedro_journal.errors import CorruptJournal, JournalClosed, JournalUnwritable
from kedro_journal.events import JournalRepaired, Record, SessionClosed, WriterOpened
from kedro_journal.journal import JournalWriter, Scanner, read
from kedro_journal.journal.codec import NO_PREV, decode
from kedro_journal.journal.lines import LineBuffer
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.repair import TORN_NAME

from .power_disk import State
from .power_port import MemoryOs, NoOthers

__all__ = ["Seen", "Vows", "check", "check_reader", "check_reopen", "look"]

FOLDER: Final = Path("/in/memory/s")
JOURNAL: Final = FOLDER / JOURNAL_NAME
WORKER: Final = WriterOpened(pid=4243, host="testhost", role="worker")
OWNER: Final = WriterOpened(pid=4244, host="testhost")
AFTER: Final = (note("after 1"), note("after 2", 700))


@dataclass(frozen=True)
class Vows:
    """What was promised when the power failed.

    Attributes:
        lines: Records that were synced, as the durability level says, in order.
        given: All that was ever to be written; nothing else may be delivered.
        aside: Bytes that were cut off the tail, and where they stood: they must still
            be there, or be kept in `torn/`.
    """

    lines: tuple[bytes, ...] = ()
    given: Collection[bytes] = ()
    aside: tuple[tuple[int, bytes], ...] = ()


@dataclass
class Seen:
    """What a reader makes of a journal's bytes.

    Attributes:
        lines: The records delivered in salvage mode, without newlines.
        strict: How many of them a strict reader delivers.
        corrupt: A strict reader raises after those.
        rescued: The last one was delivered though its newline is damaged.
        kinds: The kinds of findings.
        hashes: Of the bytes that repairs say they kept aside.
        last: The last record delivered.
        wrong: What no reader may do, in words.
    """

    lines: list[bytes] = field(default_factory=list)
    strict: int = 0
    corrupt: bool = False
    rescued: bool = False
    kinds: set[str] = field(default_factory=set)
    hashes: list[str] = field(default_factory=list)
    last: Record | None = None
    wrong: list[str] = field(default_factory=list)


def look(image: bytes) -> Seen:
    """Read a journal's bytes as `read` does, and watch the reader."""
    seen = Seen()
    scanner, buffer = Scanner(), LineBuffer()
    told = False  # of damage, since the last record
    seq, crc = 0, NO_PREV
    whole = buffer.feed(image)
    for line in whole:
        record = scanner.take(line)
        if scanner.findings:
            told = _hear(seen, scanner) or told
        if record is not None:
            if not told and (record.seq != seq + 1 or record.prev != crc):
                seen.wrong.append(f"a silent hole: {seq} and then {record.seq}")
            if record.seq <= seq:
                seen.wrong.append(f"number {record.seq} is delivered after {seq}")
            told = False
            seq, crc = record.seq, record.crc
            _deliver(seen, record, image[record.offset : record.end - 1])
    rescued = scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length)
    _hear(seen, scanner)
    if rescued is not None:
        seen.rescued = True
        _deliver(seen, rescued, image[rescued.offset : rescued.end - 1])
    if len(whole) > len(seen.lines) - seen.rescued and not seen.kinds:
        seen.wrong.append("whole lines were passed over without a word")
    if not seen.corrupt:
        seen.strict = len(seen.lines)
    return seen


def _hear(seen: Seen, scanner: Scanner) -> bool:
    """Take the findings over; tell whether they raise in a strict reader."""
    error = False
    for finding in scanner.findings:
        seen.kinds.add(finding.kind)
        error = error or finding.severity == "error"
    scanner.findings = []
    if error and not seen.corrupt:
        seen.corrupt, seen.strict = True, len(seen.lines)
    return error


def _deliver(seen: Seen, record: Record, line: bytes) -> None:
    seen.lines.append(line)
    seen.last = record
    event = record.event
    if isinstance(event, JournalRepaired) and event.kept_as:
        seen.hashes.append(event.sha256)


def check(state: State, vows: Vows, seen: Seen) -> list[str]:
    """Give the promises that this disk breaks."""
    wrong = list(seen.wrong)
    image = state.image
    if image is None:
        if vows.lines:
            wrong.append(f"the journal is gone, with {len(vows.lines)} synced records")
        return wrong
    kept = list(vows.lines)
    if seen.lines[: len(kept)] != kept:
        lost = [line for line in kept if line not in seen.lines]
        what = f"{len(lost)} synced records lost" if lost else "synced records moved"
        wrong.append(f"{what} of {len(kept)}")
    invented = [line for line in seen.lines if line not in vows.given]
    if invented:
        wrong.append(f"{len(invented)} records invented, first {invented[0][:40]!r}")
    for start, fragment in vows.aside:
        there = image[start : start + len(fragment)] == fragment
        if not there and fragment not in state.kept:
            wrong.append(f"{len(fragment)} bytes that were cut off are nowhere")
    if seen.hashes:
        known = {hashlib.sha256(each).hexdigest() for each in state.kept}
        if not known.issuperset(seen.hashes):
            wrong.append("a repair is on record, and the bytes it kept are gone")
    return wrong


def check_reader(image: bytes, seen: Seen) -> list[str]:
    """Read a disk with the real reader, in both modes, and compare."""
    port = MemoryOs()
    port.files[JOURNAL] = bytearray(image)
    wrong = []
    if _cut_out(image, read(JOURNAL, mode="salvage", port=port)) != seen.lines:
        wrong.append("the salvaging reader delivers something else")
    strict: list[Record] = []
    raised = False
    try:
        for record in read(JOURNAL, port=port):
            strict.append(record)  # noqa: PERF402 - what came before an error stays
    except CorruptJournal:
        raised = True
    if raised != seen.corrupt:
        wrong.append("the strict reader raises, or does not, where it must not")
    if _cut_out(image, strict) != seen.lines[: seen.strict]:
        wrong.append("the strict reader delivers something else")
    return wrong


def _cut_out(image: bytes, records: Iterable[Record]) -> list[bytes]:
    return [image[record.offset : record.end - 1] for record in records]


def check_reopen(
    state: State, vows: Vows, seen: Seen, port: MemoryOs | None = None
) -> list[str]:
    """Let a real writer go on with a disk, and compare before and after.

    A journal whose header is lost is refused to a worker, and begun again by its
    creator; one that is closed is refused to everybody.
    """
    port = port or MemoryOs()
    before = state.image
    if before is not None:
        port.files[JOURNAL] = bytearray(before)
    for number, data in enumerate(state.kept):
        port.files[FOLDER / TORN_NAME / f"{number}.bin"] = bytearray(data)
    begun = len(seen.lines) > seen.rescued
    wrong: list[str] = []
    try:
        added = _append_two(JournalWriter(FOLDER, WORKER, **_options(port)))
        if not begun or _is_closed(before or b""):
            wrong.append("a worker wrote where it must not")
    except JournalClosed:
        if not _is_closed(before or b""):
            wrong.append("it is refused as closed, and is not")
        return wrong + _unharmed(before, port)
    except JournalUnwritable as error:
        if begun:
            return [f"it cannot be written: {error}"]
        wrong += _unharmed(before, port)
        added = _append_two(
            JournalWriter(FOLDER, OWNER, header=HEADER, **_options(port))
        )
    return wrong + _compare(before or b"", seen, added, vows, port)


def _options(port: MemoryOs) -> dict[str, Any]:
    return {"port": port, "durability": "sync", "backend": NoOthers()}


def _append_two(writer: JournalWriter) -> list[Record]:
    added = [record for event in AFTER for record in writer.append(event)]
    writer.close()
    return added


def _is_closed(image: bytes) -> bool:
    """Tell whether the last whole record, or one without newline, closes it."""
    *lines, tail = image.split(b"\n")
    for line in (tail, tail[:-1], *reversed(lines)):
        found = decode(line)
        if isinstance(found, Record):
            return isinstance(found.event, SessionClosed)
    return False


def _unharmed(before: bytes | None, port: MemoryOs) -> list[str]:
    """Check that a refused append left the bytes; a record may have been adopted."""
    if before is None:
        return ["a refused append made a journal"] if JOURNAL in port.files else []
    if port.files[JOURNAL] in (before, before + b"\n", before[:-1] + b"\n"):
        return []
    return ["a refused append changed the journal"]


def _compare(
    before: bytes, seen: Seen, added: list[Record], vows: Vows, port: MemoryOs
) -> list[str]:
    now = bytes(port.files[JOURNAL])
    after = look(now)
    wrong = [f"reopened: {each}" for each in after.wrong]
    count = len(seen.lines)
    if after.lines[:count] != seen.lines:
        lost = [line for line in seen.lines if line not in after.lines]
        wrong.append(f"reopened: {len(lost)} of {count} records delivered before lost")
    if after.lines[-2:] != _cut_out(now, added):
        wrong.append("reopened: what was appended is not delivered")
    if unseen := port.given - {b""} - set(after.lines):
        wrong.append(f"reopened: {len(unseen)} of the new lines are not delivered")
    new = [line for line in after.lines[count:] if line not in port.given]
    if any(line not in vows.given for line in new):
        wrong.append("reopened: records invented")
    if after.corrupt != seen.corrupt:
        what = "is hidden" if seen.corrupt else "is reported that was none"
        wrong.append(f"reopened: damage {what}: {after.kinds} after {seen.kinds}")
    end = before.rfind(b"\n") + 1
    if now[:end] != before[:end]:
        wrong.append("reopened: bytes before the last newline were changed")
    tail = before[end:]
    aside = [bytes(data) for path, data in port.files.items() if path != JOURNAL]
    mended = (tail, tail[:-1] + b"\n")
    if not now[end:].startswith(mended) and tail not in aside:
        wrong.append(f"reopened: {len(tail)} bytes of the tail are nowhere")
    return wrong
