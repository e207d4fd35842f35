"""What the settings let be recorded of exceptions."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeVar

from msgspec.structs import replace

from kedro_journal.capture.without_data import remote_out
from kedro_journal.events import DataFailure, DatasetValidated, ErrorInfo, Event

__all__ = ["FULL_TEXT", "ErrorPolicy", "ErrorText"]

ErrorText = Literal["full", "type"]
_E = TypeVar("_E", bound=Event)


class ErrorPolicy(NamedTuple):
    """What may be recorded of exceptions.

    Attributes:
        text: full: their messages; type: nothing but class, frames and source lines.
        examples: Data values that a validation failed for, a few of each check.
    """

    text: ErrorText = "full"
    examples: bool = False

    @property
    def types_only(self) -> bool:
        """Return whether messages are left out."""
        return self.text == "type"

    def applied(self, event: _E) -> _E:
        """Return an event without what may not be recorded of its exception."""
        if isinstance(event, DatasetValidated) and event.failure is not None:
            return replace(event, failure=self._of_data(event.failure))
        error = getattr(event, "error", None)
        if not isinstance(error, ErrorInfo):
            return event
        return replace(event, error=self._of(error))

    def _of(self, error: ErrorInfo) -> ErrorInfo:
        data = None if error.data is None else self._of_data(error.data)
        cause = None if error.cause is None else self._of(error.cause)
        if not self.types_only:
            return replace(error, data=data, cause=cause)
        remote = remote_out(error.remote, types_only=True)
        return replace(error, data=data, cause=cause, message="", remote=remote)

    def _of_data(self, data: DataFailure) -> DataFailure:
        if self.examples:
            return data
        checks = tuple(replace(one, examples=()) for one in data.checks)
        return replace(data, checks=checks)


FULL_TEXT: Final = ErrorPolicy()
