"""Records from a journal file, from a cursor to its end as it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, Literal, NamedTuple

from kedro_journal.errors import CorruptJournal
from kedro_journal.events import Cursor, Record, closes

from .descriptor import Held
from .lines import Cut, LineBuffer
from .plain import PlainLine, record_of
from .port import REAL_OS, Os, read_between
from .scan import Finding, Scanner
from .tail import examine

__all__ = ["Mode", "Run", "is_closed", "raise_damage", "read", "read_runs"]

Mode = Literal["strict", "salvage"]
_CHUNK_MIN_BYTES: Final = 1024  # each damage is looked at twice: from here on again
_CHUNK_MAX_BYTES: Final = 64 * 1024  # not more than the data of an event
_TOLD_MAX: Final = 10_000  # findings since a record; after that no second look
_TAIL_BYTES: Final = 4096  # `session.closed` is short, and the last record


class Run(NamedTuple):
    """Records that stand one behind the other.

    Attributes:
        entries: What they say, one or more.
        end: The place after them.
        lines: Lines of which these are some, where they are no records yet.
        first: Number of the first of them.
        offset: Where that one begins.
    """

    entries: Sequence[PlainLine | Record]
    end: Cursor
    lines: Sequence[bytes] = ()
    first: int = 0
    offset: int = 0

    def records(self) -> Iterator[Record]:
        """Return the records, with their places."""
        start = self.offset
        for number, entry in enumerate(self.entries, self.first):
            if isinstance(entry, Record):
                yield entry
            else:
                end = start + len(self.lines[number]) + 1
                yield record_of(entry, start, end)
                start = end


def read(
    path: Path,
    *,
    start: Cursor | None = None,
    mode: Mode = "strict",
    on_finding: Callable[[Finding], None] | None = None,
    port: Os = REAL_OS,
) -> Iterator[Record]:
    """Yield the records of a journal file, in order, from *start* to its end.

    Takes no lock and never writes. Memory is bounded, whatever the file holds.

    Args:
        path: The journal file.
        start: Where to go on; None means the first record.
        mode: strict raises at the first damage that lost something; salvage goes on
            and reports it.
        on_finding: Called with everything that is not a plain record.
        port: The operating system.

    Raises:
        CorruptJournal: Records are damaged, missing or foreign (strict only). All
            records before the damage were yielded.
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    for run in read_runs(
        path, start=start, mode=mode, on_finding=on_finding, port=port
    ):
        yield from run.records()


def read_runs(
    path: Path,
    *,
    start: Cursor | None = None,
    mode: Mode = "strict",
    on_finding: Callable[[Finding], None] | None = None,
    port: Os = REAL_OS,
) -> Iterator[Run]:
    """Yield the records of a journal file as `read` does, many at a time.

    For folding: what a fold reads is there at half the price of a record.

    Raises:
        CorruptJournal, UnsafeJournal, FileNotFoundError: As for `read`.
    """
    scanner = Scanner(start)
    held = Held(port, port.open_read(path))
    try:
        doubted: int | None = None
        told: set[Finding] = set()  # since the last record
        while True:
            for run in _pass(scanner, held, path, port):
                sure = scanner.sure.offset == doubted or len(told) >= _TOLD_MAX
                if scanner.findings and _is_damage(scanner.findings) and not sure:
                    break
                new = _report(scanner, path, mode, on_finding, told)
                if run is not None:
                    told = set()
                    yield run
                elif len(told) < _TOLD_MAX:
                    told.update(new)
            else:
                return
            # A repair at this very moment shows a mixture once: look again.
            doubted = scanner.sure.offset
            scanner.go_back()
    finally:
        held.close()


def _pass(scanner: Scanner, held: Held, path: Path, port: Os) -> Iterator[Run | None]:
    """Feed the scanner what is there now; pause whenever it has something to tell.

    Between two reads other code runs, which may close the descriptor.
    """

    def fd() -> int:
        held.renew(lambda: port.open_read(path))
        return held.fd

    offset, size = scanner.last.offset, port.stat(fd()).size
    if size < offset:
        scanner.cut(size)
        yield None
        return
    buffer = LineBuffer(offset)
    wanted = _CHUNK_MIN_BYTES
    # No further than now: a repair may cut and rewrite what comes after.
    while chunk := port.read_at(fd(), min(wanted, size - offset), offset):
        offset += len(chunk)
        wanted = min(wanted * 2, _CHUNK_MAX_BYTES)
        yield from _judge(scanner, buffer, buffer.cut(chunk))
        if not chunk.strip(b"\0"):
            offset += buffer.skip(port.hole_at(path, held.identity, offset, size))
    record = scanner.finish(buffer.tail, buffer.tail_offset, buffer.tail_length)
    yield _run_of(scanner, record)


def _judge(scanner: Scanner, buffer: LineBuffer, cut: Cut) -> Iterator[Run | None]:
    line, offset, pieces, lists = cut
    number = 0
    while True:
        if line is not None:
            record = scanner.take(line)
            if record is not None or scanner.findings:
                yield _run_of(scanner, record)
        if number == len(pieces):
            return
        if plain := scanner.take_plain(pieces, number, offset, lists=lists):
            yield Run(plain, scanner.last, pieces, number, offset)
            number += len(plain)
            offset = scanner.last.offset
        line = None
        short, offset = scanner.take_short(pieces, number, offset)
        number += short
        if number < len(pieces):
            line = buffer.line(offset, pieces[number])
            number += 1
            offset = line.end


def _run_of(scanner: Scanner, record: Record | None) -> Run | None:
    return None if record is None else Run((record,), scanner.last)


def _is_damage(findings: list[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _report(
    scanner: Scanner,
    path: Path,
    mode: Mode,
    on_finding: Callable[[Finding], None] | None,
    told: AbstractSet[Finding],
) -> list[Finding]:
    if not scanner.findings:
        return []
    found = [finding for finding in scanner.findings if finding not in told]
    scanner.findings = []
    for finding in found:
        if on_finding is not None:
            on_finding(finding)
        if mode != "salvage":
            raise_damage(finding, path)
    return found


def is_closed(path: Path, port: Os = REAL_OS) -> bool:
    """Return whether a journal's last record is the one that closed its session.

    Most often its last bytes show it. Where they do not, it is read.

    Raises:
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    fd = port.open_read(path)
    try:
        size = port.stat(fd).size
        start = max(0, size - _TAIL_BYTES)
        tail = examine(read_between(port, fd, start, size), whole=start == 0)
    finally:
        port.close(fd)
    last = tail.record
    if last is None or tail.repair == "terminator":
        for record in read(path, mode="salvage", port=port):
            last = record
    return last is not None and closes(last.event)


def raise_damage(finding: Finding, path: Path) -> None:
    """Raise what was found if it lost something.

    Raises:
        CorruptJournal: The finding is an error.
    """
    if finding.severity == "error":
        raise CorruptJournal(
            path,
            finding.kind,
            finding.detail,
            finding.offset,
            finding.seq,
            finding.lost,
        )
