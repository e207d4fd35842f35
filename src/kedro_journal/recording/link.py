"""What ties hooks to the session that they journal, and shields the run from them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from kedro_journal._outside import is_from_outside
from kedro_journal.active import Active
from kedro_journal.errors import JournalError

from .recorder import Recorder
from .say import say

__all__ = ["Link", "Shield"]


class Link(Protocol):
    """What ties a hook object to the session that it journals."""

    @property
    def recorder(self) -> Recorder | None:
        """The way into the journal; None while there is none yet."""

    @property
    def project_path(self) -> Path | None:
        """Root of the project."""

    @property
    def active(self) -> Active:
        """What `get_current_session` finds in the session's nodes."""
        ...

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """A run begins: open the journal if it is not open yet."""

    def end(self, *, completed: bool) -> None:
        """A run ended."""

    def failed_after(self, error: BaseException) -> None:
        """Another plugin failed when a run had ended well."""


class Shield:
    """Keeps our own mistakes out of the user's run, and says each kind once.

    Args:
        strict: Let through what `strict = true` raises. Not where an exception of the
            user's is on its way: ours would stand in its place.
    """

    def __init__(self, *, strict: bool = True) -> None:
        self._strict = strict
        self._said: set[str] = set()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception) or is_from_outside(error):
            return False  # also what a signal handler of the user's raised
        if isinstance(error, JournalError) and error.strict and self._strict:
            return False  # the recorder let it through on purpose
        name = type(error).__qualname__
        level = logging.DEBUG if name in self._said else logging.WARNING
        self._said.add(name)
        if isinstance(error, JournalError):
            say(level, "an event was not recorded: %s", error)
        else:
            say(
                level,
                "an event was not recorded: %s in its own code. "
                "The run goes on; the traceback is logged at DEBUG.",
                name,
            )
        say(logging.DEBUG, "%s", name, error=error)
        return True
