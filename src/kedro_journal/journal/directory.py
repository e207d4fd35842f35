"""The journal directory of a project: which sessions there are, and their folders."""

from __future__ import annotations

import heapq
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import (
    AmbiguousSessionId,
    InvalidSessionId,
    JournalNotFound,
    JournalUnwritable,
    UnsafeJournal,
)

from .port import REAL_OS, Os
from .writer import IGNORE_NAME, JOURNAL_NAME, OWN_NAME, RESERVE_NAME

__all__ = [
    "JournalDirectory",
    "check_session_id",
    "is_timestamp",
    "session_timestamp",
]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z", re.ASCII)
_RESERVED: Final = re.compile(
    r"(CON|PRN|AUX|NUL|COM[0-9]|LPT[0-9])(\..*)?\Z", re.IGNORECASE
)
_TIMESTAMP: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)T(\d\d)\.(\d\d)\.(\d\d)\.(\d{3})Z\Z", re.ASCII
)
_SHAPE: Final = "0000-00-00T00.00.00.000Z"
_ZEROS: Final = str.maketrans(dict.fromkeys("123456789", "0"))
_FIRST_IDS: Final = 32  # found without sorting all of them
_IDS_AT_ONCE: Final = 1000
_CLAIM_TRIES: Final = 10_000
RESERVE_BYTES: Final = 64 * 1024
_ID_MAX_CHARS: Final = 128
LATEST: Final = "latest"
_MADE_BY: Final = b"# Journals are not code: made by kedro-journal.\n"
_GITIGNORE: Final = _MADE_BY + b"*\n"


def check_session_id(text: str) -> str:
    """Give *text* back if it may be a session id.

    Raises:
        InvalidSessionId: It may not; no path was made of it.
    """
    if not _is_id(text):
        raise InvalidSessionId(text)
    return text


def _is_id(text: str) -> bool:
    if text[:1].isdigit():  # as nearly all are: no reserved name is
        return _ID.match(text) is not None and text[-1] != "."
    return bool(
        _ID.match(text) and not _RESERVED.match(text) and not text.endswith(".")
    )


def session_timestamp(at: datetime) -> str:
    """Write a UTC time as Kedro writes its save versions, to the millisecond."""
    return at.strftime("%Y-%m-%dT%H.%M.%S.") + f"{at.microsecond // 1000:03d}Z"


def is_timestamp(session_id: str) -> bool:
    """Tell whether an id is a time, so that it sorts by age."""
    return _TIMESTAMP.match(session_id) is not None


def _are_timestamps(names: Sequence[str]) -> bool:
    """Tell of many names at once whether all of them are times."""
    return "\n".join(names).translate(_ZEROS) == "\n".join([_SHAPE] * len(names))


class JournalDirectory:
    """The folder that holds a project's sessions, one folder each.

    Args:
        path: The directory. It need not exist for reading: then it has no sessions.
        port: The operating system.
        chosen: The user named this directory in the settings. Then it may be a link,
            and everybody may write to it, as to an `emptyDir` volume.
    """

    def __init__(self, path: Path, port: Os = REAL_OS, *, chosen: bool = False) -> None:
        self.path = path
        self.chosen = chosen
        self._port = port

    @property
    def own(self) -> Path:
        """The folder for files that serve all sessions: the reserve and the index.

        It is the directory itself if this package made it. A directory that existed
        before may hold files of the user's, under git. There it is a folder that hides
        itself from git.
        """
        return self.path if self._is_made_by_us() else self.path / OWN_NAME

    def _is_made_by_us(self) -> bool:
        try:
            with (self.path / IGNORE_NAME).open("rb") as file:
                return file.read(len(_MADE_BY)) == _MADE_BY
        except OSError as error:
            let_through(error)
            return False

    def ensure(self) -> None:
        """Make the directory, with a `.gitignore` of its own, or check that it is safe.

        Without the `.gitignore` the first journal would make every later run dirty.
        A directory that existed before gets none: it would hide the user's files.

        Raises:
            UnsafeJournal: It is a link, or others may write to it.
            JournalUnwritable: The system refused.
        """
        try:
            made = not self.path.is_dir()
            if made:
                new = [f for f in (self.path, *self.path.parents) if not f.exists()]
                self._port.make_folder(self.path, parents=True)
                for folder in new:
                    self._port.sync_folder(folder.parent)
            self.check_safe()
            if made:
                self._hide(self.path)
            self._keep_reserve()
        except OSError as error:
            let_through(error, system=True)
            reason = error.strerror or str(error)
            raise JournalUnwritable(self.path, error.errno, reason) from error

    def _keep_reserve(self) -> None:
        """Keep room on the disk for the endings of sessions; one for all of them."""
        with suppress(OSError, UnsafeJournal):  # the disk is full, or it was made now
            reserve = self.ensure_own() / RESERVE_NAME
            if not reserve.exists():
                self._port.reserve(reserve, RESERVE_BYTES)

    def ensure_own(self) -> Path:
        """Return `own`, made if it is missing.

        Raises:
            UnsafeJournal: A link or a file has its name.
            OSError: As the system says.
        """
        own = self.own
        if own != self.path and not own.is_dir():
            self._port.ensure_folder(own)
            self._hide(own)
        return own

    def _hide(self, folder: Path) -> None:
        """Hide a folder that this package made from git."""
        with suppress(FileExistsError):  # another process made it just now
            self._port.write_new(folder / IGNORE_NAME, _GITIGNORE)

    def check_safe(self) -> None:
        """Check that nobody else can put a session into the directory.

        Raises:
            UnsafeJournal: It is somebody else's; or, unless the user chose it, it is a
                link or everybody may write to it.
            OSError: It cannot be looked at.
        """
        if not hasattr(os, "geteuid"):
            return
        found = self.path.stat() if self.chosen else self.path.lstat()
        reason = self.why_open()
        if reason and not self.chosen:
            raise UnsafeJournal(self.path, reason)
        if found.st_uid not in (os.geteuid(), 0):
            raise UnsafeJournal(self.path, f"it belongs to user {found.st_uid}")

    def why_open(self) -> str:
        """Return why other users may put sessions here; empty if they may not.

        Raises:
            OSError: It cannot be looked at.
        """
        if self.path.is_symlink():
            return "a symbolic link"
        mode = self.path.stat().st_mode
        return "everybody may write to it" if mode & 0o002 and not mode & 0o1000 else ""

    def claim(self, wanted: str) -> tuple[str, Path]:
        """Make the folder of a new session, exclusively.

        Two sessions may ask for the same id: Kedro's timestamps have milliseconds. The
        one that comes second gets the next free millisecond, so that ids still sort
        and still are save versions.

        Args:
            wanted: The id to begin with; a timestamp, or any valid id.

        Returns:
            The id that was got, and its folder.

        Raises:
            InvalidSessionId: *wanted* cannot be an id.
            UnsafeJournal, JournalUnwritable: The directory cannot be used.
        """
        if check_session_id(wanted) == LATEST:
            raise InvalidSessionId(wanted)  # nobody could ask for it
        self.ensure()
        for number in range(_CLAIM_TRIES):
            session_id = _later(wanted, number)
            folder = self.path / session_id
            try:
                self._port.make_folder(folder)
            except FileExistsError:
                continue
            except OSError as error:
                let_through(error, system=True)
                reason = error.strerror or str(error)
                raise JournalUnwritable(folder, error.errno, reason) from error
            if self.own != self.path:
                with suppress(OSError):  # it is no part of the journal
                    self._hide(folder)
            return session_id, folder
        raise JournalUnwritable(
            self.path, None, f"{_CLAIM_TRIES} sessions begin with {wanted}"
        )

    def ids(self) -> list[str]:
        """Give the ids of all sessions that have a journal, oldest first."""
        try:
            with os.scandir(self.path) as entries:
                names = [
                    entry.name
                    for entry in entries
                    if _is_id(entry.name)
                    and entry.is_dir(follow_symlinks=False)
                    and (is_timestamp(entry.name) or self._has_journal(entry.name))
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(names)

    def newest_ids(self) -> Iterator[str]:
        """As `ids`, newest first, in a fraction of the time, and less for the first.

        A name that is a time is taken for a session's without a look at what it is.
        """
        names = self._names()
        first = heapq.nlargest(_FIRST_IDS, names)
        yield from filter(self._is_session, first)
        if len(names) == len(first):
            return
        names.sort(reverse=True)
        for start in range(len(first), len(names), _IDS_AT_ONCE):
            some = names[start : start + _IDS_AT_ONCE]
            yield from some if _are_timestamps(some) else filter(self._is_session, some)

    def count(self) -> int:
        """Give how many ids `newest_ids` gives."""
        names = self._names()
        return (
            len(names) if _are_timestamps(names) else sum(map(self._is_session, names))
        )

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.path)  # noqa: PTH208 - names are all that is needed
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _is_session(self, name: str) -> bool:
        """Tell a session from a folder of the user's, which has no journal."""
        if is_timestamp(name):
            return True
        return (
            _is_id(name)
            and self._has_journal(name)
            and not (self.path / name).is_symlink()
        )

    def journaled_ids(self) -> list[str]:
        """As `ids`, without folders whose journal was not begun yet."""
        return [name for name in self.ids() if self._has_journal(name)]

    def _has_journal(self, session_id: str) -> bool:
        # os.path: somebody else's folder that may not be entered has none for us.
        return os.path.lexists(self.path / session_id / JOURNAL_NAME)

    def folder(self, session_id: str) -> Path:
        """Give the folder of a session.

        Raises:
            InvalidSessionId: It cannot be an id.
            UnsafeJournal: The folder is a symbolic link.
        """
        folder = self.path / check_session_id(session_id)
        if folder.is_symlink():
            raise UnsafeJournal(folder, "a symbolic link")
        return folder

    def file(self, session_id: str) -> Path:
        """Give the journal file of a session.

        Raises:
            InvalidSessionId, UnsafeJournal: As for `folder`.
        """
        return self.folder(session_id) / JOURNAL_NAME

    def resolve(self, wanted: str) -> str:
        """Find a session by its id, a unique beginning of it, or `latest`.

        Raises:
            InvalidSessionId: *wanted* cannot be an id.
            JournalNotFound: There is none.
            AmbiguousSessionId: There are several.
        """
        if wanted != LATEST:
            check_session_id(wanted)
            self.folder(wanted)
            if self._has_journal(wanted):
                return wanted
        known = self.ids()
        if wanted == LATEST:
            for session_id in reversed(known):
                if self._has_journal(session_id):
                    return session_id
            raise JournalNotFound(wanted, self.path)
        matches = [name for name in known if name.startswith(wanted)]
        matches = [name for name in matches if self._has_journal(name)]
        if len(matches) > 1:
            raise AmbiguousSessionId(wanted, matches)
        if not matches:
            raise JournalNotFound(wanted, self.path, known)
        return matches[0]


def _later(wanted: str, number: int) -> str:
    if number == 0:
        return wanted
    suffix = f"-{number + 1}"
    other = wanted[: _ID_MAX_CHARS - len(suffix)] + suffix
    parts = _TIMESTAMP.match(wanted)
    if parts is None:
        return other
    *whole, millis = (int(part) for part in parts.groups())
    try:
        start = datetime(*whole, tzinfo=UTC)  # type: ignore[arg-type, misc]
        return session_timestamp(start + timedelta(milliseconds=millis + number))
    except (ValueError, OverflowError) as error:  # no such day, or the last of all
        let_through(error)
        return other
