"""Log records of a run -> notes, with the node that they belong to.

A handler that journals may deadlock, recurse or fill the disk, so this one: takes no
lock of its own (a thread that waits for the journal must not make another one wait that
logs while it appends); passes over what is logged by the journal's own machinery, and
in the middle of an append; counts, and journals no more than `LogLimit` admits.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, Protocol

from kedro_journal.replay.active import innermost, where_in

from .log_limit import NODE_MAX, RUN_MAX
from .notes import add_note, joined_recorder, recorder_of
from .recorder import Recorder
from .validations import ValidationWarnings
from .without_data import Chain

__all__ = ["NODE_MAX", "RUN_MAX", "JournalHandler", "Listener"]

_OURS: Final = frozenset({"kedro_journal", "filelock"})
_MARK: Final = "_kedro_journal_seen"
_EXCEPTION_MAX_CHARS: Final = 1000
_LOGGER_MAX_CHARS: Final = 200
_LEVEL_MAX_CHARS: Final = 32
_here: Final = threading.local()


class JournalHandler(logging.Handler):
    """Journals log records of the current session, as `note.added`.

    For Kedro's `logging.yml`: `class: kedro_journal.logging.JournalHandler`. Outside
    any session it does nothing. Of one node at most 100 records are journaled, of one
    run in one process at most 1000; one more then says how many were left out.

    Args:
        level: The least level that is journaled.
    """

    def __init__(self, level: int | str = logging.WARNING) -> None:
        super().__init__(level)

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Have no lock: see the module."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Journal a record if the filters let it through; never raises."""
        found: logging.LogRecord | bool = self.filter(record)
        if isinstance(found, logging.LogRecord):  # from Python 3.12 on
            record = found
        if found:
            self.emit(record)
        return bool(found)

    def emit(self, record: logging.LogRecord) -> None:
        """Journal a record; never raises."""
        if record.name.partition(".")[0] in _OURS or getattr(_here, "busy", False):
            return
        _here.busy = True
        try:
            self._journal(record)
        except Exception:  # noqa: S110 - whoever logs a warning wants no error
            pass
        finally:
            _here.busy = False

    def _journal(self, record: logging.LogRecord) -> None:
        recorder = self._recorder()
        if recorder is None or recorder.busy_here or record.__dict__.get(_MARK):
            return
        record.__dict__[_MARK] = True  # two handlers may see it
        where = where_in(recorder.session_id)
        if not recorder.logs.admits(where):
            return
        add_note(
            recorder,
            where,
            _message(record),
            _exception(record, types_only=recorder.errors.types_only),
            level=record.levelname[:_LEVEL_MAX_CHARS],
            logger=record.name[:_LOGGER_MAX_CHARS],
            error=record.exc_info[1] if record.exc_info else None,
        )

    def _recorder(self) -> Recorder | None:
        session = innermost()
        return joined_recorder() if session is None else recorder_of(session)


class _Listening(Protocol):
    """A session or a worker's link to one."""

    @property
    def session_id(self) -> str:
        """Its id."""
        ...

    @property
    def recorder(self) -> Recorder | None:
        """The way into its journal."""


class Listener(JournalHandler):
    """Journals the log records of one session for its life.

    Args:
        level: The setting `log_level`; `off` for none.
        session: Whose log records.
    """

    _listening: Final[list[Listener]] = []

    def __init__(self, level: str, session: _Listening) -> None:
        self._is_off = level == "off"
        self._of = session
        self._validations = ValidationWarnings(self)
        super().__init__(logging.CRITICAL if self._is_off else level)

    def listen(self) -> None:
        """Listen from now on. Logging that is configured anew forgets its handlers, so
        this is called again with every run.
        """
        self._validations.listen()
        root = logging.getLogger()
        if self._is_off or self in root.handlers:
            return
        root.addHandler(self)
        if self not in self._listening:
            self._listening.append(self)

    def stop(self) -> None:
        """Listen no more."""
        self._validations.stop()
        logging.getLogger().removeHandler(self)
        if self in self._listening:
            self._listening.remove(self)

    def _recorder(self) -> Recorder | None:
        session = innermost()
        if session is None:
            here = where_in(self._of.session_id)
            alone = len(self._listening) == 1
            return self._own() if alone or here.run_id is not None else None
        recorder = recorder_of(session)
        mine = recorder is not None and recorder.session_id == self._of.session_id
        return recorder if mine else None

    def found_recorder(self) -> Recorder | None:
        """Return the way into the session's journal, if the caller is part of it."""
        return self._recorder()

    def _own(self) -> Recorder | None:
        recorder = self._of.recorder
        return None if recorder is None or recorder.closed else recorder


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit its text
        return str(record.msg)


def _exception(record: logging.LogRecord, *, types_only: bool) -> dict[str, object]:
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return {}
    if types_only:
        return {"exception": type(error).__qualname__}
    try:
        said = Chain(error).said(error)
        message = str(error) if said is None else said.message
        text = f"{type(error).__qualname__}: {message}"
    except Exception:  # somebody else's __str__
        text = type(error).__qualname__
    return {"exception": text[:_EXCEPTION_MAX_CHARS]}
