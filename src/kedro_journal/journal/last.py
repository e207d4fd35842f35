"""The last records of a journal, at a cost that does not grow with the journal."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Final

from kedro_journal.events import Cursor, Record

from .codec import decode
from .port import REAL_OS, Os, read_between
from .reader import read
from .scan import Finding

__all__ = ["last_records"]

_WINDOW_MIN_BYTES: Final = 64 * 1024
_WINDOW_MAX_BYTES: Final = 16 * 1024 * 1024


def last_records(path: Path, number: int, port: Os = REAL_OS) -> list[Record] | None:
    """Return the last records of a journal file, from its end alone.

    They are those that `read` yields last. Damage before them is not looked for, nor
    whether lines of the file's beginning were appended to it once more.

    Args:
        path: The journal file.
        number: How many, >= 1.
        port: The operating system.

    Returns:
        None if `read` has to be asked: the file is short, or its end is damaged.

    Raises:
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    window = _WINDOW_MIN_BYTES
    while window <= _WINDOW_MAX_BYTES:
        start = _record_within(path, window, port)
        if start is not None:
            found: list[Finding] = []
            records = read(
                path, start=start, mode="salvage", on_finding=found.append, port=port
            )
            last = deque(records, maxlen=number)
            if any(finding.severity != "info" for finding in found):
                return None
            if len(last) == number:
                return list(last)
        window *= 4
    return None


def _record_within(path: Path, window: int, port: Os) -> Cursor | None:
    """Return the place after the first record that begins in the last bytes of a file.

    Returns:
        None if the file is not longer than that, or its first whole line there is no
        record.
    """
    fd = port.open_read(path)
    try:
        size = port.stat(fd).size
        if size <= window:
            return None
        data = read_between(port, fd, size - window, size)
    finally:
        port.close(fd)
    begin = data.find(b"\n") + 1
    end = data.find(b"\n", begin)
    if not begin or end < 0:
        return None
    base = size - window
    record = decode(data[begin:end], base + begin, base + end + 1)
    return record.cursor if isinstance(record, Record) else None
