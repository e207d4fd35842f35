"""Files that save readers work: read whole as they were written, or passed over.

They are optional. One that is damaged, too large, a link, or of another version of
this package is ignored; one that cannot be written is left out.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from kedro_journal._clock import wall_ns
from kedro_journal._outside import suppress
from kedro_journal._version import __version__
from kedro_journal.errors import JournalError
from kedro_journal.journal.port import REAL_OS, read_between

__all__ = ["MAX_BYTES", "SETTLED_NS", "is_settled", "read_kept", "write_kept"]

MAX_BYTES: Final = 64 * 1024 * 1024
SETTLED_NS: Final = 2 * 10**9
_NEW: Final = re.compile(r"\..+-[0-9a-f]{16}\Z", re.ASCII)
_ABANDONED_S: Final = 3600.0


def is_settled(changed_ns: int) -> bool:
    """Return whether a file's time of change is so long ago that a later change surely
    has another: clocks of file systems may tick every two seconds.
    """
    return wall_ns() - changed_ns > SETTLED_NS


def read_kept(path: Path, form: str) -> memoryview | None:
    """Return what was written to a file in that form, None if it is invalid.

    Args:
        path: The file.
        form: What is in it, in a few words, with the version of that.
    """
    with suppress(OSError, JournalError):
        fd = REAL_OS.open_read(path)
        try:
            size = REAL_OS.stat(fd).size
            data = read_between(REAL_OS, fd, 0, size) if size <= MAX_BYTES else b""
        finally:
            REAL_OS.close(fd)
        end = data.find(b"\n")
        content = memoryview(data)[end + 1 :]  # a copy would take as long as all else
        if data[: max(end, 0)] == _head(form, content):
            return content
    return None


def write_kept(path: Path, form: str, content: bytes) -> None:
    """Write a file, all of it or nothing, if that is possible.

    Args:
        path: The file; its folder is there. In another user's folder nothing is left:
            who reads as root might be led anywhere.
        form: As for `read_kept`.
        content: What is in it.
    """
    data = b"%b\n%b" % (_head(form, content), content)
    if len(data) > MAX_BYTES:
        return
    new = path.with_name(f".{path.name}-{os.urandom(8).hex()}")
    with suppress(OSError, JournalError), _removed_after(new):
        if not _is_ours(path.parent):
            return
        REAL_OS.write_new(new, data)
        new.replace(path)
        _clear(path.parent)


def _head(form: str, content: bytes | memoryview) -> bytes:
    return f"kedro-journal {__version__}, {form}, {crc32(content):08x}".encode()


def _is_ours(folder: Path) -> bool:
    return not hasattr(os, "geteuid") or folder.lstat().st_uid == os.geteuid()


@contextlib.contextmanager
def _removed_after(path: Path) -> Iterator[None]:
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _clear(folder: Path) -> None:
    """Remove what others began to write long ago, and died over."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if _NEW.match(entry.name) and entry.is_file(follow_symlinks=False):
                age_s = wall_ns() / 1e9 - entry.stat(follow_symlinks=False).st_mtime
                if age_s > _ABANDONED_S:
                    os.unlink(entry.path)  # noqa: PTH108 - no more than a name
