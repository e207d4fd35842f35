"""Look at sessions again and again while they run. Takes no lock and writes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.state import SessionState

from .ongoing import Ongoing

__all__ = ["LOOK_S", "NOT_ENDED", "Names", "Watcher"]

LOOK_S: Final = 0.25
"""Seconds between two looks."""

NOT_ENDED: Final = ("running", "empty")
"""Verdicts of a session that goes on, or whose first records are being written."""

_PROBE_S: Final = 1.0  # seconds between two probes of a process whose journal is still
_LIST_S: Final = 5.0  # the same of a directory

Clock = Callable[[], float]


class Watcher:
    """One session.

    Args:
        where: The journal directory that it is in.
        session_id: Its id.
        clock: Seconds of a clock that never goes back.

    Attributes:
        session_id: Its id.
        state: Its state at the last look; an empty one before the first record.
        is_gone: Its journal was deleted, or may not be read.
    """

    def __init__(
        self, where: JournalDirectory, session_id: str, clock: Clock = time.monotonic
    ) -> None:
        self.session_id = session_id
        self.state = SessionState(session_id=session_id)
        self.is_gone = False
        self._folder = where.folder(session_id)
        self._ongoing = Ongoing(self._folder)
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self._looked_s = 0.0

    @property
    def has_ended(self) -> bool:
        """Whether nothing more is to come."""
        return self.is_gone or self.state.verdict not in NOT_ENDED

    def look(self) -> bool:
        """Read what is new, and probe the process now and then.

        Returns:
            Whether the state may be another one.
        """
        try:
            now = os.lstat(self._folder / JOURNAL_NAME)
            seen = now.st_ino, now.st_size, now.st_mtime_ns
            at = self._clock()
            if seen == self._seen and at - self._looked_s < _PROBE_S:
                return False
            before = self.state
            state = self._ongoing.state()
        except (FileNotFoundError, NotADirectoryError):
            was = self.is_gone
            self.is_gone = self._seen is not None
            return self.is_gone is not was
        except (JournalError, OSError) as error:
            let_through(error)
            was, self.is_gone = self.is_gone, True
            return not was
        is_new = seen != self._seen or state.verdict != before.verdict
        self._seen, self._looked_s = seen, at
        if state.session_id:
            self.state = state
        return is_new


class Names:
    """The names in a journal directory, read again only where they may have changed.

    Args:
        where: The journal directory; it need not exist yet.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, where: JournalDirectory, clock: Clock = time.monotonic) -> None:
        self._where = where
        self._clock = clock
        self._changed_ns = -1
        self._listed_s = 0.0
        self._known: set[str] = set()

    def new(self) -> list[str]:
        """Return the names of folders with a journal that no call returned, sorted."""
        try:
            changed_ns = self._where.path.stat().st_mtime_ns
        except OSError as error:
            let_through(error)
            return []
        at = self._clock()
        if changed_ns == self._changed_ns and at - self._listed_s < _LIST_S:
            return []
        found = []
        waiting = False
        with os.scandir(self._where.path) as entries:
            names = [one.name for one in entries if one.name[0] != "."]
        for name in sorted(names):
            if name in self._known:
                continue
            if (self._where.path / name / JOURNAL_NAME).is_file():
                self._known.add(name)
                found.append(name)
            else:
                waiting = True  # its journal is made after its folder
        self._changed_ns = -1 if waiting else changed_ns
        self._listed_s = at
        return found
