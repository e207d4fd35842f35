"""What a text refers to: an id, a word, a time or a path. Pure."""

from __future__ import annotations

import os
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._outside import let_through

__all__ = [
    "WORDS",
    "Id",
    "Moment",
    "Newest",
    "Place",
    "Reference",
    "Verdicts",
    "parse",
]

WORDS: Final = ("latest", "last-failed", "last-good", "today", "yesterday")
"""Words that stand for a session."""

_BACK: Final = re.compile(r"@(?:-(\d{1,9}))?\Z", re.ASCII)
_DAY_TIME: Final = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)(?:[ T]|\Z))?(?:(\d?\d:\d\d)(:\d\d)?)?\Z", re.ASCII
)
_DAY: Final = timedelta(days=1)


class Newest(NamedTuple):
    """The newest session, or one before it.

    Attributes:
        back: How many sessions before the newest, >= 0.
    """

    back: int = 0


class Verdicts(NamedTuple):
    """The newest session that ended so.

    Attributes:
        good: Every planned node completed; else it failed, crashed or was interrupted.
    """

    good: bool


class Moment(NamedTuple):
    """The session that was created within a time.

    Attributes:
        start: Its start, local time without a zone.
        length: Its length.
        newest: Whether the newest of several is meant, instead of none.
    """

    start: datetime
    length: timedelta
    newest: bool = False


class Place(NamedTuple):
    """The session of a folder, or of a journal file.

    Attributes:
        path: The folder or file.
    """

    path: Path


class Id(NamedTuple):
    """A session's id, or a unique beginning or end of it.

    Attributes:
        text: The text.
    """

    text: str


_PATH_ENDS: Final = (".jsonl", ".tar.gz")

Reference = Newest | Verdicts | Moment | Place | Id


def parse(text: str, now: datetime) -> Reference:
    """Return what a text refers to, if it is no id that exists.

    Args:
        text: `latest`, `last-failed`, `last-good`, `@`, `@-N`, `today`, `yesterday`; a
            date, a time, or both; a path, which has a separator or ends in `.jsonl`
            or `.tar.gz`;
            else an id, or a part of one.
        now: Local time without a zone. A time without a date is the last such time
            before it.
    """
    words: dict[str, Reference] = {
        "latest": Newest(),
        "last-failed": Verdicts(good=False),
        "last-good": Verdicts(good=True),
        "today": Moment(_midnight(now.date()), _DAY, newest=True),
        "yesterday": Moment(_midnight(now.date() - _DAY), _DAY, newest=True),
    }
    if text in words:
        return words[text]
    if back := _BACK.match(text):
        return Newest(int(back[1] or 0))
    if moment := _moment(text, now):
        return moment
    if "/" in text or os.sep in text or text.endswith(_PATH_ENDS):
        return Place(Path(text))
    return Id(text)


def _moment(text: str, now: datetime) -> Moment | None:
    parts = _DAY_TIME.match(text)
    if parts is None or not text:
        return None
    day, minute, second = parts.groups()
    if day is not None and minute is None and len(text) > len(day):
        return None  # "2026-11-30T"
    try:
        start = _midnight(date.fromisoformat(day) if day else now.date())
        if minute is None:
            return Moment(start, _DAY)
        hours, minutes = map(int, minute.split(":"))
        start = start.replace(
            hour=hours, minute=minutes, second=int(second[1:]) if second else 0
        )
        if day is None and start > now:
            start -= _DAY
    except (ValueError, OverflowError) as error:  # no such day or hour
        let_through(error)
        return None
    return Moment(start, timedelta(seconds=1) if second else timedelta(minutes=1))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)
