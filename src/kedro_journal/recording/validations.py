"""Validations of datasets that failed and stopped nothing, as Kedro logs them.

Kedro has no hook for a validation. One of severity `warn` is logged while its exception
is being handled, so that its fields are at hand; the logged text itself has data values
in it.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Final, Protocol

from msgspec.structs import replace

from kedro_journal.active import where_in
from kedro_journal.capture.without_data import Chain
from kedro_journal.events import DataFailure, DatasetValidated

from .link import Shield
from .recorder import Recorder

__all__ = ["ValidationWarnings"]

LOGGER: Final = "kedro.io.data_catalog"
_logger: Final = logging.getLogger(LOGGER)
_MARK: Final = "_kedro_journal_validation"
_WARNED: Final = re.compile(
    r"Validation failed for dataset '(?P<dataset>[^\n]{1,500})' "
    r"on (?P<mode>load|save)\n(?:\(validator: (?P<validator>[^\n]{0,200})\))?"
)


class _Finds(Protocol):
    """A listener of one session."""

    def found_recorder(self) -> Recorder | None:
        """Return the way into its journal, if the calling code is of that session."""
        ...


class ValidationWarnings(logging.Handler):
    """Journals failed validations of severity `warn`, whatever the log level is.

    Args:
        listener: That of the session.
    """

    def __init__(self, listener: _Finds) -> None:
        super().__init__(logging.WARNING)
        self._listener = listener

    def createLock(self) -> None:  # noqa: N802 - logging's name
        """Have no lock, for the same reason as `JournalHandler`."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Journal a record if it tells of a validation; never raises."""
        is_new = _MARK not in record.__dict__
        if (
            is_new
            and record.levelno == logging.WARNING
            and sys.exc_info()[1] is not None
        ):
            with Shield(strict=False):
                self._journal(record)
        return True

    def _journal(self, record: logging.LogRecord) -> None:
        warned = _WARNED.match(str(record.msg))
        recorder = self._listener.found_recorder() if warned else None
        if warned is None or recorder is None or recorder.busy_here:
            return
        record.__dict__[_MARK] = True  # a worker has the listener of its owner as well
        error = sys.exc_info()[1]
        said = Chain(error).said(error) if error is not None else None
        failure = said.data if said is not None and said.data else DataFailure()
        where = where_in(recorder.session_id)
        recorder.record(
            DatasetValidated(
                run_id=where.run_id,
                attempt=where.attempt,
                node=where.node,
                dataset=warned["dataset"],
                failure=replace(
                    failure,
                    dataset=warned["dataset"],
                    mode=warned["mode"],
                    validator=failure.validator or warned["validator"] or "",
                ),
            )
        )

    def listen(self) -> None:
        """Listen from now on; called again with every hook call, so it is cheap."""
        if self not in _logger.handlers:
            _logger.addHandler(self)

    def stop(self) -> None:
        """Listen no more."""
        _logger.removeHandler(self)
