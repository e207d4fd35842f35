"""Session ids: which texts may be one, and the times that most of them are. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.errors import InvalidSessionId

__all__ = [
    "ID_MAX_CHARS",
    "TIMESTAMP",
    "check_session_id",
    "is_session_id",
    "session_timestamp",
    "time_in",
]

ID_MAX_CHARS: Final = 128
TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d)\.(\d\d)\.(\d\d)\.(\d{3})Z\Z", re.ASCII
)
"""The form of Kedro's save versions."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z", re.ASCII)
_RESERVED: Final = re.compile(
    r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\..*)?\Z", re.IGNORECASE
)


def check_session_id(text: str) -> str:
    """Return *text* if it may be a session id.

    Raises:
        InvalidSessionId: It may not; no path was made of it.
    """
    if not is_session_id(text):
        raise InvalidSessionId(text)
    return text


def is_session_id(text: str) -> bool:
    """Return whether *text* may be a session id, and so the name of a folder."""
    if text[:1].isdigit():  # as nearly all are: no reserved name is
        return _ID.match(text) is not None and text[-1] != "."
    return bool(
        _ID.match(text) and not _RESERVED.match(text) and not text.endswith(".")
    )


def session_timestamp(at: datetime) -> str:
    """Write a UTC time as Kedro writes its save versions, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H.%M.%S.") + f"{at.microsecond // 1000:03d}Z"


def time_in(session_id: str) -> datetime | None:
    """Return the time that an id is, in UTC; None if it is another text."""
    parts = TIMESTAMP.match(session_id)
    if parts is None:
        return None
    *whole, millis = (int(part) for part in parts.groups())
    try:
        return datetime(*whole, millis * 1000, tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError as error:  # no such day
        let_through(error)
        return None
