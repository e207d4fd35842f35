"""One session's way into its journal: check, redact, encode, append, and never break
the run.

The writer is strict: an event that does not fit is refused before anything is written.
The run is not: whatever goes wrong here is said once, what could not be written is held
in memory, and `journal.gap` tells of it when writing works again. Only `strict = true`
lets the run fail.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from kedro_journal._clock import now
from kedro_journal._outside import is_from_outside, let_through
from kedro_journal.errors import (
    IllegalTransition,
    JournalClosed,
    JournalError,
    JournalUnwritable,
)
from kedro_journal.events import Event
from kedro_journal.journal.codec import Encoded
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.blocks import Blocks

from .aside import keep_in
from .backlog import Backlog, is_ending
from .encoding import encode, encode_least
from .error_policy import FULL_TEXT, ErrorPolicy
from .guard import Guard
from .log_limit import LogLimit
from .log_tail import LogTails
from .say import say

if TYPE_CHECKING:
    from kedro_journal.events import Record
    from kedro_journal.journal import Journal
    from kedro_journal.replaying.ongoing import Ongoing
    from kedro_journal.state import SessionState, SessionStatus

    from .ownership import Ownership

__all__ = ["Recorder"]

_LATER_MAX: Final = 1000
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Recorder:
    """Appends a session's events. Safe between threads and in forked children.

    Args:
        journal: Where records go; None if there is none: then events are
            counted, and lost.
        session_id: Id of the session.
        folder: Its folder; None for a journal in memory.
        redactor: Knows the session's secrets.
        strict: Let errors through to the run.
        errors: What may be recorded of exceptions.
        session: Status of the session as far as this process knows; None in a worker,
            which does not move it.
        warned: The user was told already that the journal has trouble.

    Attributes:
        logs: How many log records were journaled, and left out.
        tails: The last log records of the nodes that run.
        ownership: The right to speak for the session itself. None in a worker, which
            has none.
        blocks: Masks private keys that come line by line in notes and log records.
    """

    def __init__(
        self,
        journal: Journal | None,
        *,
        session_id: str,
        folder: Path | None,
        redactor: Redactor,
        strict: bool = False,
        errors: ErrorPolicy = FULL_TEXT,
        session: SessionStatus | None = "empty",
        warned: bool = False,
    ) -> None:
        self.session_id = session_id
        self.folder = folder
        self.redactor = redactor
        self._keep = keep_in(folder)
        self.errors = errors
        self.logs = LogLimit()
        self.tails = LogTails()
        self.blocks = Blocks()
        self._later: deque[tuple[tuple[Event, ...], datetime]] = deque(
            maxlen=_LATER_MAX
        )
        self._waiting: Callable[[], None] | None = None
        self._waiting_thread: int | None = None
        self._ongoing: Ongoing | None = None  # once the state is asked for
        self._journal = journal
        self._strict = strict
        self._guard = Guard(session)
        self._lock = threading.RLock()
        self._backlog = Backlog(self.encode, self.encode_briefly)
        self.warned = warned
        self._busy: int | None = None
        self._pid = os.getpid()  # of the process whose events it has
        self._last = (0, "")
        self._at_fork: tuple[int, str] | None = None
        self.ownership: Ownership | None = None
        self.closed = False

    @property
    def busy_here(self) -> bool:
        """This very thread is in the middle of an append (a signal came)."""
        return self._busy == threading.get_ident()

    @property
    def owned(self) -> bool:
        """Whether this process may speak for the session; see `Ownership`."""
        return self.ownership is not None and self.ownership.is_here

    def go_on(self) -> bool:
        """Become the owner if this process is to be it; see `Ownership.go_on`."""
        return self.ownership is not None and self.ownership.go_on()

    @property
    def is_used_here(self) -> bool:
        """Whether what it holds is of this process, and not of the one that forked."""
        return self._pid == os.getpid()

    @property
    def at_fork(self) -> tuple[int, str]:
        """The last `seq` that the owner appended before the fork, and its writer."""
        return self._at_fork or self._last

    def after_append(self, call: Callable[[], None]) -> None:
        """Call back when this thread is done with the append it is in the middle of."""
        self._waiting, self._waiting_thread = call, threading.get_ident()

    def state(self) -> SessionState:
        """Return the session's state as of now, by replay of the journal.

        What could not be written, so far, counts as dropped.
        """
        state = self._replayed()
        missing = self._backlog.missing
        if not missing:
            return state
        return replace(state, dropped_events=state.dropped_events + missing)

    def _replayed(self) -> SessionState:
        # Imported here: a run need not read its own journal.
        from kedro_journal.journal import MemoryJournal
        from kedro_journal.replaying.ongoing import Ongoing
        from kedro_journal.state import SessionState, fold

        if self.folder is not None:
            if self._ongoing is None:
                self._ongoing = Ongoing(self.folder)
            try:
                return self._ongoing.state()
            except (OSError, JournalError) as error:
                let_through(error)
                # deleted or replaced under us: what is known is below
        if isinstance(self._journal, MemoryJournal):
            return fold(self._journal.read())
        return SessionState(session_id=self.session_id)

    def record(self, *events: Event, at: datetime | None = None) -> None:
        """Append events, together. Never raises unless `strict`.

        What comes in the middle of an append of the same thread (from a `__repr__`, a
        finalizer, a signal handler) is appended after it.

        Raises:
            JournalError: The events do not fit or could not be written (strict only).
        """
        if os.getpid() != self._pid:
            self._reset_in_child()
        me = threading.get_ident()
        if self._busy == me:
            self._later.append((events, at or now()))
            return
        try:
            self._record(events, at, me)
        finally:  # also when something raises: a signal must not get lost
            if self._waiting_thread == me:
                waiting, self._waiting, self._waiting_thread = self._waiting, None, None
                if waiting is not None:
                    waiting()

    def _record(self, events: tuple[Event, ...], at: datetime | None, me: int) -> None:
        if self.logs.came:
            events = self.logs.before(events)
        try:
            with self._lock:
                self._busy = me
                try:
                    self._append(events, at)
                finally:
                    self._busy = None
        except IllegalTransition as error:
            self._complain(error)
            if len(events) > 1:  # those that do fit are not lost with the other
                for event in events:
                    self.record(event, at=at)
        except Exception as error:
            let_through(error)
            self._complain(error)
        if self._later:
            self._record_later()

    def _record_later(self) -> None:
        while self._later:
            try:
                later, came_at = self._later.popleft()
            except IndexError:  # another thread was faster
                break
            self.record(*later, at=came_at)

    def _append(self, events: tuple[Event, ...], at: datetime | None) -> None:
        try:
            self._guard.move_all(events)  # one that does not fit refuses them all
            if self._journal is None:
                self._backlog.drop(len(events), "there is no journal")
                return
            batch = [Encoded(event, self.encode(event), at) for event in events]
        except IllegalTransition:
            raise
        except BaseException as error:
            why = "interrupted by" if _interrupts(error) else "cannot be encoded:"
            self._backlog.drop(len(events), f"{why} {type(error)}")
            raise
        if self._backlog.missing:
            self._write_behind(batch)
        else:
            self._write(batch)

    def _write(self, batch: list[Encoded]) -> None:
        assert self._journal is not None  # noqa: S101 - `_append` looked
        try:
            records = self._journal.append_encoded(*batch, reserve=is_ending(batch))
            self._remember(records)
        except JournalClosed:
            raise  # it is complete without them
        except BaseException as error:
            if _interrupts(error):
                if not self._stands(batch):
                    self._backlog.postpone(batch)
            else:
                self._backlog.hold(batch)
                self._backlog.failed(error)
            raise

    def _stands(self, batch: Sequence[Encoded]) -> bool:
        """Return whether an interrupted append was done before the signal came."""
        assert self._journal is not None  # noqa: S101 - the callers looked
        return self._journal.written is batch[-1].data

    def _write_held(self) -> None:
        """Write what is held, the gap first; what stands is not written twice."""
        assert self._journal is not None  # noqa: S101 - the callers looked
        batches = self._backlog.batches()
        for held in batches:
            try:
                self._remember(self._journal.append_encoded(*held))
            except BaseException as error:
                if _interrupts(error) and self._stands(held):
                    next(batches, None)  # it counts as written
                raise

    def _write_behind(self, batch: list[Encoded]) -> None:
        """Write what was held, the gap first, if writing works again."""
        assert self._journal is not None  # noqa: S101 - `_append` looked
        self._backlog.hold(batch)
        ending = is_ending(batch)
        if not (ending or self._strict or self._backlog.due):
            return
        try:
            self._write_held()
        except JournalClosed:
            self._backlog.clear()
            raise
        except Exception as error:
            let_through(error)
            self._backlog.failed(error)
            if not (ending and _is_full(error) and self._say_last_words()):
                raise
        else:
            say(logging.INFO, "the journal in %s goes on.", self.folder)

    def _say_last_words(self) -> bool:
        """On a full disk, record at least how it ends."""
        assert self._journal is not None  # noqa: S101 - `_append` looked
        try:
            self._journal.append_encoded(*self._backlog.last_words(), reserve=True)
        except JournalError as error:
            say(logging.DEBUG, "%s", error)
            return False
        self._backlog.clear()
        return True

    def encode(self, event: Event) -> bytes:
        """Redact and encode an event; it always fits and always decodes again."""
        return encode(self.errors.applied(event), self.redactor, self._keep)

    def encode_briefly(self, event: Event) -> bytes:
        """Encode what identifies an event, without its long texts."""
        return encode_least(event, self.redactor)

    def _complain(self, error: Exception) -> None:
        if self._strict and not isinstance(error, JournalClosed):
            if isinstance(error, JournalError):
                error.strict = True
            raise error
        if self.warned:
            say(logging.DEBUG, "%s", error)
            return
        self.warned = True
        where = self.folder or "memory"
        message = self.redactor.text(str(error))
        say(
            logging.WARNING,
            "the journal of session %s in %s is incomplete: %s "
            "The run goes on; further trouble with it is logged at DEBUG.",
            self.session_id,
            where,
            message,
        )

    def _remember(self, records: list[Record]) -> None:
        if records:
            self._last = (records[-1].seq, records[-1].writer)

    def become_owner(self) -> None:
        """Append as the session's owner from now on, under a new writer name."""
        if not self.is_used_here:
            self._reset_in_child()
        from kedro_journal.journal import JournalWriter

        self._at_fork = None
        with self._lock:
            if isinstance(self._journal, JournalWriter):
                self._journal.start_over(role="owner")

    def _reset_in_child(self) -> None:
        self._at_fork = self.at_fork
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._busy = None
        self._later.clear()
        self.logs = LogLimit()
        self.blocks = Blocks()
        self._backlog.clear()
        self._guard = Guard(None)
        self._waiting = self._waiting_thread = None

    @property
    def missing(self) -> int:
        """How many events are not in the journal, so far."""
        return self._backlog.missing

    @property
    def trouble(self) -> str:
        """Why not, first seen."""
        return self.redactor.text(self._backlog.reason)

    def flush(self) -> None:
        """Try once more to write what is held. Never raises."""
        if self._journal is None or not self._backlog.missing:
            return
        if not self.is_used_here:
            return
        with self._lock:
            try:
                self._write_held()
            except JournalClosed:
                self._backlog.clear()
            except Exception as error:
                let_through(error)
                say(logging.DEBUG, "%s", error)

    def tell_rest(self) -> None:
        """Record how many log records were left out: this process ends."""
        left_out = self.logs.rest()
        if left_out and not self.closed:
            self.record(*left_out)

    def close(self) -> None:
        """Close the journal's files. What could not be written is lost now."""
        if self.busy_here:
            self.after_append(self.close)
            return
        self.closed = True
        if self._journal is None:
            return
        if self._backlog.is_whole:
            self.flush()
        if self._backlog.missing:
            say(
                logging.WARNING,
                "%d event(s) of session %s could not be journaled.",
                self._backlog.missing,
                self.session_id,
            )
        self._journal.close()


def _interrupts(error: BaseException) -> bool:
    return not isinstance(error, Exception) or is_from_outside(error)


def _is_full(error: Exception) -> bool:
    return isinstance(error, JournalUnwritable) and error.errno in _FULL
