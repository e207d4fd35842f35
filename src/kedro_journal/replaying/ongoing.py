"""The state of a session whose journal grows, asked for again and again."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.state import SessionState

from .folder import Folded, replay_folder, with_liveness

__all__ = ["Ongoing"]


class Ongoing:
    """Folds only the records that came since it was last asked.

    For the session's own process: bytes of the journal that were read once are taken
    to be unchanged, as its writer takes them to be. Everything else is read from the
    first record: another file, a shorter one, one with damage, and the journal in a
    forked process.

    Args:
        folder: The session folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._kept: tuple[int, int, Folded] | None = None

    def state(self) -> SessionState:
        """Return what `replay_folder(folder, salvage=True)` returns.

        Raises:
            FileNotFoundError, JournalError: As for `replay_folder`.
        """
        # Not free: another thread asks, a signal handler, or a thread before a fork.
        if not self._lock.acquire(blocking=False):
            return replay_folder(self._folder, salvage=True)
        try:
            return self._read_on()
        finally:
            self._lock.release()

    def _read_on(self) -> SessionState:
        kept, self._kept = self._kept, None  # gone, if an exception comes midway
        path = self._folder / JOURNAL_NAME
        now = path.lstat()
        here = os.getpid(), now.st_ino
        folded = kept[2] if kept is not None and kept[:2] == here else Folded(path)
        folded.read_on(salvage=True)  # a file that was cut is a finding
        if not folded.is_plain:
            return replay_folder(self._folder, salvage=True)
        state = folded.builder.state()
        state = with_liveness(folded, state, self._folder, salvage=True)
        if folded.is_plain:
            self._kept = *here, folded
        return state
