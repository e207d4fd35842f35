"""`tail -f --all`: the records of every session, as they are appended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kedro_journal.errors import JournalError
from kedro_journal.events import Cursor, Record, closes
from kedro_journal.journal import JournalDirectory, is_closed, read

__all__ = ["follow_all"]

_POLL_S: Final = 0.1


def follow_all(where: JournalDirectory) -> Iterator[tuple[str, Record]]:
    """Yield the records of all sessions of a directory from now on, for ever.

    Sessions that begin later are included, from their first record. Of those that are
    there already, records that are there already are left out. Records of one session
    come in order.

    Args:
        where: The journal directory; it need not exist yet.

    Returns:
        Pairs of a session's id and a record. "Now" is the time of this call.
    """
    followed: dict[str, _Followed] = {}
    for session_id in where.ids():
        followed[session_id] = one = _Followed(where.path / session_id)
        one.skip()
    return _appended(where, followed)


def _appended(
    where: JournalDirectory, followed: dict[str, _Followed]
) -> Iterator[tuple[str, Record]]:
    while True:
        yield from _look(where, followed)
        time.sleep(_POLL_S)


def _look(
    where: JournalDirectory, followed: dict[str, _Followed]
) -> Iterator[tuple[str, Record]]:
    for session_id in where.ids():
        one = followed.get(session_id)
        if one is None:
            followed[session_id] = one = _Followed(where.path / session_id)
        for record in one.new_records():
            yield session_id, record


class _Followed:
    """One session: how far it was read."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "journal.jsonl"
        self._size = -1
        self._cursor = Cursor()
        self._closed = False

    def skip(self) -> None:
        """Leave out what is there now."""
        try:
            self._closed = is_closed(self._path)
        except (OSError, JournalError):
            return  # not begun, or not readable yet
        if not self._closed:
            for _ in self.new_records():
                pass

    def new_records(self) -> Iterator[Record]:
        """Yield what was appended since the last look."""
        if self._closed:
            return
        try:
            size = self._path.stat().st_size
            if size == self._size:
                return  # as most of them at most looks
            for record in read(self._path, start=self._cursor, mode="salvage"):
                self._cursor = record.cursor
                self._closed = closes(record.event)
                yield record
            self._size = size
        except (OSError, JournalError):
            return  # deleted, being made, or of another user
