"""Which process may speak for a session: its owner, or the child that inherits it.

The owner is the process that created the session. It holds the owner lock, closes the
journal and appends what is said of the session itself. A forked child has all the
objects of the session, and only appends events of its own.

A daemon is the exception. It is a forked child that goes on with the session, whose
parent ended right after the fork. It takes the lock over and becomes the owner. The
proof that it is a daemon, and not a worker that survived a crash of the owner: it
begins something in the session, and the owner appended nothing after the fork.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kedro_journal._outside import let_through
from kedro_journal.capture.process import Origin
from kedro_journal.events import SessionClosed
from kedro_journal.journal import OwnerLock
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.names import JOURNAL_NAME

from .say import say

if TYPE_CHECKING:
    from .progress import RunBook
    from .recorder import Recorder

__all__ = ["Inheritable", "Ownership"]


class Inheritable(Protocol):
    """What a daemon inherits: the link of a session to its hooks."""

    def books(self) -> Iterable[RunBook]:
        """Return the books of the session's runs."""
        ...

    def taken_over(self) -> None:
        """Do what only the owner does: this process has become the owner."""


class Ownership:
    """The right of a process to speak for a session.

    Args:
        recorder: The session's recorder.
        lock: The owner lock, held by this process; None for a journal in memory.
        of: The session's link; held weakly.
        prune: The setting of that name.
    """

    def __init__(
        self,
        recorder: Recorder,
        lock: OwnerLock | None,
        of: Inheritable,
        *,
        prune: str = "",
    ) -> None:
        self._prune = prune
        self._recorder = recorder
        self._lock = lock
        self._of = weakref.ref(of)
        self._origin = Origin().remember()
        self._refused = False

    @property
    def is_here(self) -> bool:
        """Whether the calling process is the owner."""
        return self._origin.is_here

    def go_on(self) -> bool:
        """Become the owner, if this process is a daemon that goes on with the session.

        For the beginning of something: a block, a run, a node. Quick where the owner
        lives. A process that was forked inside a node is no daemon: its parent waits
        for it, or has another one to do so.

        Returns:
            Whether the calling process is the owner now.
        """
        if self._origin.is_here:
            return True
        folder, link = self._recorder.folder, self._of()
        if folder is None or link is None or self._refused:
            return False
        if any(book.is_forked_in_node for book in link.books()):
            return False
        try:
            return self._origin.is_gone and self._take_over(folder, link)
        except Exception as error:  # the session stays without an owner
            let_through(error)
            say(logging.DEBUG, "%s", error)
            return False

    def _take_over(self, folder: Path, link: Inheritable) -> bool:
        path = folder / OWNER_LOCK_NAME
        if not path.exists():
            return False  # a new file would be another lock
        lock = OwnerLock(path)
        lock.acquire(timeout_s=0)
        self._refused = True  # unless nothing contradicts or fails
        try:
            self._refused = self._went_on(folder)
        finally:
            if self._refused:
                lock.release()
        if self._refused:
            return False
        self._lock, self._origin = lock, Origin().remember()
        self._recorder.become_owner()
        for book in link.books():
            book.take_over()
        link.taken_over()
        return True

    def _went_on(self, folder: Path) -> bool:
        """Return whether the owner appended anything after the fork, or closed."""
        # Imported here: a run that is not taken over reads no journal.
        from kedro_journal.journal import read

        seq, owner = self._recorder.at_fork
        return any(
            record.writer == owner or isinstance(record.event, SessionClosed)
            for record in read(folder / JOURNAL_NAME, mode="salvage")
            if record.seq > seq
        )

    def release(self) -> None:
        """Release the owner lock, if this process holds it: the session is over.

        Then the setting `prune` is applied.
        """
        if self._lock is not None:
            self._lock.release()
        prune, self._prune = self._prune, ""
        if prune and self.is_here and self._recorder.folder is not None:
            from .retention import prune_later

            prune_later(prune, self._recorder.folder)
