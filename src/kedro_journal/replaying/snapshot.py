"""The state of a long journal as it was once folded, beside the journal.

It saves folding the same records again. It is never the truth: whoever deletes it loses
a second, and one that does not fit its journal is passed over.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec

from kedro_journal._building import building
from kedro_journal._outside import suppress
from kedro_journal.errors import JournalError
from kedro_journal.events import Cursor
from kedro_journal.journal.kept import is_settled, read_kept, write_kept
from kedro_journal.journal.port import REAL_OS, read_between
from kedro_journal.state import SessionState

__all__ = ["SNAPSHOT_NAME", "Facts", "facts_of", "load", "save"]

SNAPSHOT_NAME: Final = "snapshot"
_FORM: Final = "snapshot 2"
_SPOTS: Final = 16
_SPOT_BYTES: Final = 4096
_UNREADABLE: Final = (
    *(OSError, JournalError, msgspec.MsgspecError),
    *(ValueError, RecursionError),
)


class Facts(NamedTuple):
    """By what a file is known again: every change of it changes the last one.

    Attributes:
        inode: Its identity.
        size: Its length in bytes.
        changed_ns: When it was changed last, by the clock of the system.
    """

    inode: int
    size: int
    changed_ns: int


class _Snapshot(msgspec.Struct, array_like=True):
    inode: int
    size: int
    changed_ns: int
    seq: int
    offset: int
    crc: str
    spots: tuple[int, ...]
    state: SessionState


@cache
def _decoder() -> msgspec.msgpack.Decoder[_Snapshot]:
    with building():
        return msgspec.msgpack.Decoder(_Snapshot)


def facts_of(file: int | Path) -> Facts:
    """Look at a file, open or not.

    Raises:
        OSError: As the system says.
    """
    found = os.stat(file)  # noqa: PTH116 - or a descriptor
    return Facts(found.st_ino, found.st_size, found.st_ctime_ns)


def load(journal: Path) -> tuple[SessionState, Cursor] | None:
    """Give the state that was kept for a journal, and the place to go on from.

    The journal was not changed since, by what its system says, or has grown; and at
    sixteen places, the last record among them, it is what it was. One that was changed
    otherwise does not fit.

    Returns:
        None if nothing was kept, or it does not fit.
    """
    with suppress(*_UNREADABLE):
        content = read_kept(journal.with_name(SNAPSHOT_NAME), _FORM)
        if content is None:
            return None
        kept = _decoder().decode(content)
        fd = REAL_OS.open_read(journal)
        try:
            now = facts_of(fd)
            unchanged = now == (kept.inode, kept.size, kept.changed_ns)
            grown = kept.inode == now.inode and max(kept.size, kept.offset) < now.size
            fits = (unchanged or grown) and kept.seq == kept.state.seq
            if fits and _spots(fd, kept.offset) == kept.spots:
                return kept.state, Cursor(kept.seq, kept.offset, kept.crc)
        finally:
            REAL_OS.close(fd)
    return None


def save(journal: Path, before: Facts, state: SessionState, cursor: Cursor) -> None:
    """Keep a state, if that is possible; nobody depends on it.

    Args:
        journal: The journal.
        before: What it was when the reading began.
        state: What its records add up to.
        cursor: The place after them.
    """
    with suppress(OSError, JournalError, OverflowError, ValueError):
        fd = REAL_OS.open_read(journal)
        try:
            spots = _spots(fd, cursor.offset)
        finally:
            REAL_OS.close(fd)
        if not is_settled(before.changed_ns):
            before = before._replace(changed_ns=-1)  # it counts only once it has grown
        content = msgspec.msgpack.encode(_Snapshot(*before, *cursor, spots, state))
        write_kept(journal.with_name(SNAPSHOT_NAME), _FORM, content)


def _spots(fd: int, end: int) -> tuple[int, ...]:
    """Give the checksums of places spread over a file, up to the very end."""
    step: Any = max(end - _SPOT_BYTES, 0) / (_SPOTS - 1)
    starts = {round(number * step) for number in range(_SPOTS)}
    ends = ((start, min(start + _SPOT_BYTES, end)) for start in sorted(starts))
    return tuple(crc32(read_between(REAL_OS, fd, start, last)) for start, last in ends)
