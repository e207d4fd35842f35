"""Durability level `group`: a thread that brings appends to the disk in groups."""

from __future__ import annotations

import threading
import weakref
from typing import Final, Protocol

from kedro_journal._outside import suppress
from kedro_journal.errors import JournalUnwritable

__all__ = ["GroupSyncer"]

_GROUP_WINDOW_S: Final = 0.05


class _Syncs(Protocol):
    """What can bring what it wrote to the disk."""

    def sync(self) -> None:
        """Do so."""


class GroupSyncer:
    """Syncs in the background, at most one window after an append."""

    def __init__(self, writer: _Syncs) -> None:
        self._writer = weakref.ref(writer)
        self._dirty = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="kedro-journal-sync", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Something was appended."""
        self._dirty.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._dirty.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._dirty.wait()
            self._stopped.wait(_GROUP_WINDOW_S)
            self._dirty.clear()
            writer = self._writer()
            if writer is None:
                return
            with suppress(JournalUnwritable):
                writer.sync()
            del writer
