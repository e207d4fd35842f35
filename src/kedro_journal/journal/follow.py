"""Records as they are appended: the live tail of a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalUnwritable
from kedro_journal.events import Cursor, Record, closes

from .codec import LINE_MAX_BYTES
from .descriptor import Held
from .lines import LineBuffer
from .port import REAL_OS, Os, read_between
from .reader import raise_damage
from .scan import Finding, Scanner
from .tail import examine
from .watch import watch as watch_file

__all__ = ["follow_file"]

_DELETED: Final = "it was deleted while it was followed"
_CHUNK_BYTES: Final = 64 * 1024


def follow_file(
    path: Path,
    *,
    start: Cursor | None = None,
    poll_interval_s: float = 0.05,
    stop: Callable[[], bool] | None = None,
    watch: bool = True,
    port: Os = REAL_OS,
) -> Iterator[Record]:
    """Yield records as they are appended, until the session is closed.

    Only whole records are delivered: a torn tail is waited for, not reported. Takes no
    lock and never writes, so a writer never waits for a follower.

    Args:
        path: The journal file.
        start: Where to go on; None means the first record.
        poll_interval_s: Longest time between two looks at the file, in seconds, > 0,
            where the system does not tell of changes. While records arrive it looks
            much sooner.
        stop: Asked when nothing is left to read; True ends the following, after one
            last look.
        watch: Let the system tell of changes, where it can: on Linux.
        port: The operating system.

    Raises:
        CorruptJournal: Records are damaged, missing or foreign; those before it were
            yielded.
        JournalUnwritable: The journal was deleted or cut while it was followed.
        FileNotFoundError: There is no such file.
        ValueError: *poll_interval_s* is not positive.
    """
    if not poll_interval_s > 0:  # nor is nan
        message = f"poll_interval_s must be positive, not {poll_interval_s}"
        raise ValueError(message)
    scanner = Scanner(start)
    held = Held(port, port.open_read(path))
    watched = None
    try:
        if _ended_before(held.fd, scanner.last, port):
            return
        watched = watch_file(path, poll_interval_s, told=watch)
        last_look = False
        while True:
            try:  # other code ran, which may have closed the descriptor
                held.renew(lambda: port.open_read(path))
            except FileNotFoundError as error:
                let_through(error, system=True)
                raise JournalUnwritable(path, None, _DELETED) from error
            records, damage = _look(scanner, path, held, port)
            for record in records:
                yield record
                if closes(record.event):
                    return
            if damage is not None:
                raise_damage(damage, path)
            if records:
                watched.changed()
                last_look = False
                continue
            if last_look:
                return
            last_look = stop is not None and stop()
            if not last_look:
                _check_still_there(path, held.fd, scanner.last.offset, port)
                watched.wait()
    finally:
        if watched is not None:
            watched.close()
        held.close()


def _look(
    scanner: Scanner, path: Path, held: Held, port: Os
) -> tuple[list[Record], Finding | None]:
    """Read the whole lines that are there now, always from the last good record.

    Bytes after the last newline are never kept: a repair may cut them and write others
    in their place. A read that ran into a repair sees a mixture once; so damage counts
    only when a second look shows it too.
    """
    records, damage = _take(scanner, path, held, port)
    return (records, None) if damage is None else _take(scanner, path, held, port)


def _take(
    scanner: Scanner, path: Path, held: Held, port: Os
) -> tuple[list[Record], Finding | None]:
    """Read on until there are records, or damage, or no more whole lines.

    Damage after records is left to the next look.
    """
    scanner.retry()
    records: list[Record] = []
    offset = scanner.last.offset
    buffer = LineBuffer(offset)
    while not records and (data := port.read_at(held.fd, _CHUNK_BYTES, offset)):
        offset += len(data)
        lines = buffer.feed(data)
        if not data.strip(b"\0"):
            size = port.stat(held.fd).size
            offset += buffer.skip(port.hole_at(path, held.identity, offset, size))
        for line in lines:
            record = scanner.take(line)
            found, scanner.findings = scanner.findings, []
            for finding in found:
                if finding.severity == "error":
                    scanner.go_back()
                    return records, None if records else finding
            if record is not None:
                records.append(record)
    return records, None


def _ended_before(fd: int, start: Cursor, port: Os) -> bool:
    """Return whether the session was closed by the record before *start*."""
    first = max(0, start.offset - LINE_MAX_BYTES)
    data = read_between(port, fd, first, start.offset)
    last = examine(data, whole=first == 0).record
    return last is not None and closes(last.event)


def _check_still_there(path: Path, fd: int, committed: int, port: Os) -> None:
    found = port.stat(fd)
    if not found.links:
        raise JournalUnwritable(path, None, _DELETED)
    if found.size < committed:
        raise JournalUnwritable(
            path, None, f"it was cut to {found.size} bytes, into committed records"
        )
