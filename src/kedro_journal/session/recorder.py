"""One session's way into its journal: check, redact, encode, append, and never break
the run.

The writer is strict: an event that does not fit is refused before anything is written.
The run is not: whatever goes wrong here is said once, what could not be written is held
in memory, and `journal.gap` tells of it when writing works again. Only `strict = true`
lets the run fail.
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from kedro_journal.errors import (
    IllegalTransition,
    JournalClosed,
    JournalError,
    RecordTooLarge,
)
from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    JournalGap,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
)
from kedro_journal.events.base import PLAIN_FIELDS
from kedro_journal.journal import PAYLOAD_MAX_BYTES, Journal, MemoryJournal
from kedro_journal.journal.codec import decodes
from kedro_journal.redaction import Redactor
from kedro_journal.replay import replay_folder
from kedro_journal.state import (
    NODE_TRANSITIONS,
    RUN_TRANSITIONS,
    SESSION_TRANSITIONS,
    NodeStatus,
    RunStatus,
    SessionState,
    SessionStatus,
    fold,
)

__all__ = ["Recorder"]

_HELD_MAX: Final = 1000  # events kept in memory while the journal cannot be written
_SHRINK_FROM_BYTES: Final = 16 * 1024
_NODE_EVENTS: Final = (
    NodeStarted,
    NodeComputed,
    NodeCompleted,
    NodeFailed,
    DatasetLoading,
    DatasetLoaded,
    DatasetSaving,
    DatasetSaved,
)
_encode: Final = msgspec.json.Encoder().encode
_logger: Final = logging.getLogger("kedro_journal")


class Guard:
    """Where this process's subjects stand, by the same tables that the fold reads.

    Subjects that other processes moved are unknown here, and their first move is
    accepted.
    """

    def __init__(self, session: SessionStatus | None) -> None:
        self._session: SessionStatus | None = session
        self._runs: dict[tuple[str | None, int], RunStatus] = {}
        self._nodes: dict[tuple[str | None, int, str], NodeStatus] = {}

    def copy(self) -> Guard:
        """Give one that can be moved on its own."""
        other = Guard(self._session)
        other._runs, other._nodes = dict(self._runs), dict(self._nodes)
        return other

    def move(self, event: Event) -> None:
        """Make the move.

        Raises:
            IllegalTransition: It is none; nothing was changed.
        """
        if isinstance(event, _NODE_EVENTS):
            self._move_node(event)
        elif isinstance(event, (RunStarted, RunCompleted, RunFailed, RunInterrupted)):
            self._move_run(event)
        elif event.TYPE.startswith(("session.", "context.")):
            self._move_session(event)

    def _move_session(self, event: Event) -> None:
        if self._session is None:
            return
        status = SESSION_TRANSITIONS.get((self._session, type(event)))
        if status is None:
            raise IllegalTransition(event.TYPE, "the session", self._session)
        if status == "inactive" and getattr(event, "depth", 0) > 0:
            status = "active"
        self._session = status

    def _move_run(
        self, event: RunStarted | RunCompleted | RunFailed | RunInterrupted
    ) -> None:
        key = (event.run_id, event.attempt)
        known = self._runs.get(key)
        subject = f"run {event.run_id} (attempt {event.attempt})"
        if isinstance(event, RunStarted):
            if known is not None and event.part == 1:
                raise IllegalTransition(event.TYPE, subject, known)
            session = self._session
            if session and (session, RunStarted) not in SESSION_TRANSITIONS:
                raise IllegalTransition(event.TYPE, "the session", session)
            self._runs[key] = "running"
            return
        status = RUN_TRANSITIONS.get((known or "running", type(event)))
        if status is None:
            raise IllegalTransition(event.TYPE, subject, str(known))
        self._runs[key] = status
        self._nodes = {n: s for n, s in self._nodes.items() if n[:2] != key}

    def _move_node(self, event: Any) -> None:
        key = (event.run_id, event.attempt, event.node)
        known = self._nodes.get(key)
        if event.run_id is None:
            return
        status = NODE_TRANSITIONS.get((known or "pending", type(event)))
        if status is None and known is not None:
            raise IllegalTransition(event.TYPE, f"node {event.node}", known)
        if status is None:
            status = _status_after(type(event))
        self._nodes[key] = status


def _status_after(event_type: type[Event]) -> NodeStatus:
    """Give the status an event leads to, whatever came before it elsewhere."""
    for (_, known_type), status in NODE_TRANSITIONS.items():
        if known_type is event_type:
            return status
    raise AssertionError(event_type)  # pragma: no cover - the table has every type


class Recorder:
    """Appends a session's events. Safe between threads and in forked children.

    Args:
        journal: Where records go; None if there is none to be had: then events are
            held and counted, as while a disk is full.
        session_id: Id of the session.
        folder: Its folder; None for a journal in memory.
        redactor: Knows the session's secrets.
        strict: Let errors through to the run.
        session: Status of the session as far as this process knows; None in a worker,
            which does not move it.
    """

    def __init__(
        self,
        journal: Journal | None,
        *,
        session_id: str,
        folder: Path | None,
        redactor: Redactor,
        strict: bool = False,
        session: SessionStatus | None = "empty",
    ) -> None:
        self.session_id = session_id
        self.folder = folder
        self.redactor = redactor
        self._waiting: Callable[[], None] | None = None
        self._waiting_thread: int | None = None
        self._journal = journal
        self._strict = strict
        self._guard = Guard(session)
        self._lock = threading.RLock()
        self._held: deque[tuple[Event, datetime]] = deque(maxlen=_HELD_MAX)
        self._dropped = 0
        self._reason = ""
        self._warned = False
        self._busy: int | None = None
        self._pid = os.getpid()
        self.closed = False

    @property
    def busy_here(self) -> bool:
        """This very thread is in the middle of an append (a signal came)."""
        return self._busy == threading.get_ident()

    @property
    def owned(self) -> bool:
        """This process made the recorder; a forked child did not."""
        return self._pid == os.getpid()

    def after_append(self, call: Callable[[], None]) -> None:
        """Call back when this thread is done with the append it is in the middle of."""
        self._waiting, self._waiting_thread = call, threading.get_ident()

    def state(self) -> SessionState:
        """Give the session's state as of now, by replay of the journal."""
        if self.folder is not None:
            try:
                return replay_folder(self.folder, salvage=True)
            except OSError:
                pass  # deleted under us: what is known is below
        if isinstance(self._journal, MemoryJournal):
            return fold(self._journal.read())
        return SessionState(session_id=self.session_id, dropped_events=self._dropped)

    def record(self, *events: Event, at: datetime | None = None) -> None:
        """Append events, together. Never raises unless `strict`.

        Raises:
            JournalError: The events do not fit or could not be written (strict only).
        """
        if os.getpid() != self._pid:
            self._reset_in_child()
        try:
            with self._lock:
                self._busy = threading.get_ident()
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
            self._complain(error)
        if self._waiting_thread == threading.get_ident():
            waiting, self._waiting, self._waiting_thread = self._waiting, None, None
            if waiting is not None:
                waiting()

    def _append(self, events: tuple[Event, ...], at: datetime | None) -> None:
        guard = self._guard if len(events) == 1 else self._guard.copy()
        for event in events:
            guard.move(event)  # one that does not fit refuses them all
        self._guard = guard
        try:
            if self._held or self._dropped:
                self._write_held()
            self._write(events, at)
        except IllegalTransition:
            raise
        except Exception as error:
            if not isinstance(error, (JournalClosed, RecordTooLarge)):
                self._hold(events, at, error)
            raise

    def _write(self, events: tuple[Event, ...], at: datetime | None) -> None:
        if self._journal is None:
            raise JournalError(self._reason or "there is no journal")
        encoded = [(event, self.encode(event)) for event in events]
        self._journal.append_encoded(encoded, at=at)

    def _hold(
        self, events: tuple[Event, ...], at: datetime | None, error: Exception
    ) -> None:
        when = at or datetime.now(UTC)
        self._reason = self._reason or str(error)
        for event in events:
            if len(self._held) == _HELD_MAX:
                self._dropped += 1
            self._held.append((event, when))

    def _write_held(self) -> None:
        """Write what was held, the gap first, now that writing may work again."""
        gap = JournalGap(
            dropped=self._dropped, kept=len(self._held), reason=self._reason
        )
        self._write((gap,), None)
        self._dropped, self._reason = 0, ""
        while self._held:
            event, when = self._held[0]
            self._write((event,), when)
            self._held.popleft()

    def encode(self, event: Event) -> bytes:
        """Redact and encode an event; it always fits and always decodes again."""
        fields = _given(event)
        if fields.keys() <= PLAIN_FIELDS:
            try:
                return _encode(event)
            except UnicodeEncodeError:
                pass  # a lone surrogate in a name: made safe below
        safe = self.redactor.fields(fields, PLAIN_FIELDS)
        data = _encode(safe)
        if len(data) > PAYLOAD_MAX_BYTES:
            data = _encode(_shrink(safe))
        if b"$truncated" in data and not decodes(event, data):
            data = _encode(_least(event))
        return data

    def _complain(self, error: Exception) -> None:
        if self._strict and not isinstance(error, JournalClosed):
            if isinstance(error, JournalError):
                error.strict = True
            raise error
        if self._warned:
            _logger.debug("kedro-journal: %s", error)
            return
        self._warned = True
        where = self.folder or "memory"
        message = self.redactor.text(str(error))
        _logger.warning(
            "kedro-journal: the journal of session %s in %s is incomplete: %s "
            "The run goes on; further trouble with it is logged at DEBUG.",
            self.session_id,
            where,
            message,
        )

    def _reset_in_child(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._busy = None
        self._held.clear()
        self._dropped = 0
        self._guard = Guard(None)

    def close(self) -> None:
        """Let go of the journal's files."""
        self.closed = True
        if self._journal is not None:
            self._journal.close()


def _given(event: Event) -> dict[str, Any]:
    """Give the fields that differ from their defaults, as encoding leaves them out."""
    names, defaults = event.__struct_fields__, event.__struct_defaults__
    first = len(names) - len(defaults)
    found: dict[str, Any] = {}
    for number, name in enumerate(names):
        value = getattr(event, name)
        if number >= first:
            default = defaults[number - first]
            empty = isinstance(value, (dict, tuple)) and not value
            if empty or value is default:
                continue
            if type(value) is type(default) and value == default:
                continue
        found[name] = value
    return found


def _shrink(safe: dict[str, Any]) -> dict[str, Any]:
    """Cut what is too large for one record, largest first; it still decodes."""
    sizes = sorted(
        ((len(_encode(value)), name) for name, value in safe.items()), reverse=True
    )
    left = sum(size for size, _ in sizes)
    small = dict(safe)
    for size, name in sizes:
        if left <= PAYLOAD_MAX_BYTES // 2 or size < _SHRINK_FROM_BYTES:
            break
        small[name] = _smaller(name, safe[name], size)
        left -= size
    return small


def _least(event: Event) -> dict[str, Any]:
    """Keep of an event what is an identifier or required; it decodes in any case."""
    fields = _given(event)
    kept = {n: v for n, v in fields.items() if n in PLAIN_FIELDS}
    if "error" in fields:
        kept["error"] = {"type": "(left out: it was too large)"}
    if "text" in fields:
        kept["text"] = "(left out: it was too large)"
    return kept


def _smaller(name: str, value: Any, size: int) -> Any:
    if name == "error" and isinstance(value, dict):
        kept = ErrorInfo(
            type=str(value.get("type", ""))[:500],
            message=str(value.get("message", ""))[:2000],
        )
        return msgspec.to_builtins(kept)
    if isinstance(value, dict):
        return {"$truncated": f"{size} bytes"}
    if isinstance(value, list):
        return []
    return str(value)[:1000]
