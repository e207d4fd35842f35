"""Log records of a run -> notes, with the node that they belong to.

A handler that journals may deadlock, recurse or fill the disk, so this one: takes no
lock of its own (a thread that waits for the journal must not make another one wait that
logs while it appends); passes over what is logged by the journal's own machinery, and
in the middle of an append; counts, and journals no more than `LogLimit` admits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Protocol

from kedro_journal._outside import let_through
from kedro_journal.active import innermost, where_in
from kedro_journal.capture.without_data import Chain
from kedro_journal.config import Config
from kedro_journal.events import LogLine
from kedro_journal.logging import JournalHandler

from .log_limit import NODE_MAX, RUN_MAX
from .log_tail import TEXT_MAX_CHARS
from .notes import add_note, joined_recorder, recorder_of, safe_text
from .recorder import Recorder
from .validations import ValidationWarnings

__all__ = [
    "NODE_MAX",
    "RUN_MAX",
    "JournalHandler",
    "Listener",
    "current_recorder",
    "journal",
    "listen_again",
]

_MARK: Final = "_kedro_journal_seen"
_KEPT: Final = "_kedro_journal_kept"
_EXCEPTION_MAX_CHARS: Final = 1000
_LOGGER_MAX_CHARS: Final = 200
_LEVEL_MAX_CHARS: Final = 32


def journal(record: logging.LogRecord, recorder: Recorder | None) -> None:
    """Journal a log record as a note, unless it was journaled before.

    Args:
        record: The log record.
        recorder: The way into the journal; None for none.
    """
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


def _keep(record: logging.LogRecord, recorder: Recorder | None, size: int) -> None:
    """Keep a log record in case its node fails."""
    seen = record.__dict__.get(_MARK) or record.__dict__.get(_KEPT)
    if recorder is None or recorder.busy_here or seen:
        return
    record.__dict__[_KEPT] = True  # a forked worker has the handler of its parent too
    where = where_in(recorder.session_id)
    if where.node is None:
        return
    error = record.exc_info[1] if record.exc_info else None
    text = _message(record)
    for said in _exception(record, types_only=False).values():
        text = f"{text}\n{said}"
    line = LogLine(
        text=safe_text(recorder, text, TEXT_MAX_CHARS, logger=record.name, error=error),
        level=record.levelname[:_LEVEL_MAX_CHARS],
        logger=record.name[:_LOGGER_MAX_CHARS],
        at_us=int(record.created * 1e6),
    )
    recorder.tails.add(where, line, size)


def current_recorder() -> Recorder | None:
    """Return the way into the journal of the current session, None if there is none."""
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

    It also keeps the last ones of each node, in case the node fails. For these alone it
    does not listen where the root logger has no other handler: Python prints warnings
    to stderr only as long as there is no handler at all.

    Args:
        config: The settings: `log_level`, `log_tail` and `error_text` count.
        session: Whose log records.
    """

    _listening: Final[list[Listener]] = []

    def __init__(self, config: Config, session: _Listening) -> None:
        self._of = session
        self._validations = ValidationWarnings(self)
        is_off = config.log_level == "off"
        super().__init__(logging.CRITICAL + 1 if is_off else config.log_level)
        self._noted_from = self.level
        types_only = config.error_text == "type"
        self._tail = 0 if types_only or self.level <= logging.DEBUG else config.log_tail
        self._is_off = is_off and not self._tail
        self._needs_others = is_off
        if self._tail:
            self.setLevel(logging.NOTSET)

    def listen(self) -> None:
        """Listen from now on.

        Logging that is configured again drops its handlers. The next log record brings
        this one back (see `close`), and so does the next hook call (`listen_again`).
        """
        self._validations.listen()
        root = logging.getLogger()
        if self._is_off or self in root.handlers:
            return
        if self._needs_others and not root.handlers:
            return
        # dictConfig() closes only the handlers that were made since the last one.
        logging.Handler.__init__(self, self.level)
        root.addHandler(self)
        if self not in self._listening:
            self._listening.append(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Journal a record, or keep it in case its node fails; never raises."""
        # The journal tells itself what Kedro logs, and without data values.
        of_kedro = record.name.partition(".")[0] == "kedro"
        if record.levelno >= self._noted_from or not of_kedro:
            super().emit(record)

    def _take(
        self, record: logging.LogRecord, recorder: Recorder | None, home: Any = None
    ) -> None:
        del home
        if record.levelno >= self._noted_from:
            journal(record, recorder)
        elif self._tail:
            _keep(record, recorder, self._tail)

    def close(self) -> None:
        """Expect to be dropped: `basicConfig(force=True)` and `dictConfig()` call this.

        The handler cannot come back at once: `basicConfig` adds none to a root logger
        that has one.
        """
        super().close()
        if self in self._listening:
            _Watch.install()

    def stop(self) -> None:
        """Listen no more."""
        self._validations.stop()
        logging.getLogger().removeHandler(self)
        if self in self._listening:
            self._listening.remove(self)
        if not self._listening:
            _Watch.remove()

    @classmethod
    def all_listen(cls) -> None:
        """Bring back those that were dropped."""
        for one in list(cls._listening):
            one.listen()

    def _recorder(self, home: Any = None) -> Recorder | None:
        del home
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


class _Watch:
    """Waits for the first log record after logging was configured again.

    Every record is made by the factory before a handler sees it. Ours stands there from
    such a configuration to the next record only.
    """

    _before: Callable[..., logging.LogRecord] | None = None

    @classmethod
    def install(cls) -> None:
        if cls._before is None:
            cls._before = logging.getLogRecordFactory()
            logging.setLogRecordFactory(cls._make)

    @classmethod
    def remove(cls) -> None:
        # Other code may have wrapped ours: it stays there, and does nothing more.
        if cls._before is not None and logging.getLogRecordFactory() == cls._make:
            logging.setLogRecordFactory(cls._before)
            cls._before = None

    @classmethod
    def _make(cls, *args: Any, **kwargs: Any) -> logging.LogRecord:
        make = cls._before or logging.LogRecord
        cls.remove()
        Listener.all_listen()
        return make(*args, **kwargs)


def listen_again() -> None:
    """Bring back the handlers that were dropped; called by every hook of a node."""
    if Listener._listening:  # noqa: SLF001 - of this module
        Listener.all_listen()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # arguments that do not fit its text
        let_through(error)
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
    except Exception as caught:  # a __str__ of the user's raised
        let_through(caught)
        text = type(error).__qualname__
    return {"exception": text[:_EXCEPTION_MAX_CHARS]}
