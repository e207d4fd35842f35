"""The first records of a journal, at a cost that does not grow with the journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kedro_journal.events import Record

from .codec import decode
from .port import REAL_OS, Os

__all__ = ["HEAD_MAX_BYTES", "read_head"]

HEAD_MAX_BYTES: Final = 512 * 1024
"""Room for a header, a few writers and the largest record that there can be."""

_CHUNK_BYTES: Final = 16 * 1024


def read_head(path: Path, port: Os = REAL_OS) -> Iterator[Record]:
    """Yield the intact records among the first bytes of a journal file, in order.

    Damaged lines are passed over in silence: this is for looking, not for folding. The
    file is read as far as records are asked for, at most 512 KiB.

    Raises:
        UnsafeJournal: *path* is a link or no regular file.
        FileNotFoundError: There is no such file.
    """
    fd = port.open_read(path)
    try:
        data, start = b"", 0
        while len(data) < HEAD_MAX_BYTES:
            chunk = port.read_at(fd, _CHUNK_BYTES, len(data))
            if not chunk:
                return
            data += chunk
            while (end := data.find(b"\n", start)) >= 0:
                found = decode(data[start:end], start, end + 1)
                start = end + 1
                if isinstance(found, Record):
                    yield found
    finally:
        port.close(fd)
