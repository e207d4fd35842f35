"""For Kedro's `logging.yml`: a handler that journals the log records of a run.

```yaml
version: 1
disable_existing_loggers: False
handlers:
  journal:
    class: kedro_journal.logging.JournalHandler
    level: WARNING
root:
  handlers: [journal]
```

Kedro 1.7 and later import a handler's class only from modules that the environment
variable `KEDRO_LOGGING_MODULE_ALLOWLIST` names: set it to `kedro_journal` wherever the
project runs. Without it, no `kedro` command works in that project.

The setting `log_level` does the same, without logging configuration and without that
variable.

Kedro imports this module while it is itself being imported, so that nothing of Kedro
may be imported here.
"""

from __future__ import annotations

import logging
import sys
import threading
from importlib import import_module
from typing import Any, Final

from kedro_journal._outside import let_through

__all__ = ["JournalHandler"]

_OURS: Final = frozenset({"kedro_journal", "filelock"})
_SESSION: Final = "kedro_journal.recording.recorder"
_HOME: Final = "kedro_journal.recording.log_records"
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
        """Have no lock: a thread that waits for the journal must not make another wait
        that logs while it appends.
        """
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Journal a record if the filters let it through; never raises."""
        found: logging.LogRecord | bool = self.filter(record)
        if isinstance(found, logging.LogRecord):  # since Python 3.12
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
            if _SESSION in sys.modules:  # else there is no session in this process
                home = import_module(_HOME)
                self._take(record, self._recorder(home), home)
        except Exception as error:
            let_through(error)  # a caller that logs a warning expects no error of ours
        finally:
            _here.busy = False

    def _take(self, record: logging.LogRecord, recorder: Any, home: Any) -> None:
        """Journal a record in the session of a recorder, which may be None."""
        home.journal(record, recorder)

    def _recorder(self, home: Any) -> Any:
        """Return the way into the journal of the session that is meant, or None."""
        return home.current_recorder()
