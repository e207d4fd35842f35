"""The journal directory of a project, and the folders of its sessions."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import (
    InvalidSessionId,
    JournalUnwritable,
    UnsafeJournal,
)

from .ids import ID_MAX_CHARS, TIMESTAMP, check_session_id, session_timestamp
from .names import IGNORE_NAME, JOURNAL_NAME, OWN_NAME, RESERVE_NAME
from .port import REAL_OS, Os

__all__ = ["LATEST", "JournalDirectory"]

_CLAIM_TRIES: Final = 10_000
RESERVE_BYTES: Final = 64 * 1024
LATEST: Final = "latest"
_MADE_BY: Final = b"# Journals are not code: made by kedro-journal.\n"
_GITIGNORE: Final = _MADE_BY + b"*\n"


class JournalDirectory:
    """The folder that holds a project's sessions, one folder each.

    Args:
        path: The directory. It need not exist for reading: then it has no sessions.
        port: The operating system.
        chosen: The user named this directory in the settings. Then it may be a link,
            and every user may write to it, as to an `emptyDir` volume.
        group_readable: The group of the directory may read new sessions.
    """

    def __init__(
        self,
        path: Path,
        port: Os = REAL_OS,
        *,
        chosen: bool = False,
        group_readable: bool = False,
    ) -> None:
        self.path = path
        self.chosen = chosen
        self.group_readable = group_readable
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
            if self.group_readable:
                self._share()
            self._keep_reserve()
        except OSError as error:
            let_through(error, system=True)
            reason = error.strerror or str(error)
            raise JournalUnwritable(self.path, error.errno, reason) from error

    def _share(self) -> None:
        """Let the group list a directory that this package made, and no other one."""
        if self._is_made_by_us() and not self.path.stat().st_mode & stat.S_IXGRP:
            self._port.share_folder(self.path)

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
        """Check that no other user can put a session into the directory.

        Raises:
            UnsafeJournal: It is another user's; or, unless the user chose it, it is a
                link or every user can write to it.
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
        return (
            "every user can write to it" if mode & 0o002 and not mode & 0o1000 else ""
        )

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
            raise InvalidSessionId(wanted)  # no reference could name it
        self.ensure()
        for number in range(_CLAIM_TRIES):
            session_id = _later(wanted, number)
            folder = self.path / session_id
            try:
                self._port.make_folder(folder)
                if self.group_readable:
                    self._port.share_folder(folder)
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
        """Return the ids of all sessions, oldest first; see `roster`.

        Raises:
            JournalError: The directory may not be read.
        """
        from .roster import read_roster  # noqa: PLC0415 - a run does not need it

        return read_roster(self).ids()

    def folder(self, session_id: str) -> Path:
        """Return the folder of a session.

        Raises:
            InvalidSessionId: It cannot be an id.
            UnsafeJournal: The folder is a symbolic link.
        """
        folder = self.path / check_session_id(session_id)
        if folder.is_symlink():
            raise UnsafeJournal(folder, "a symbolic link")
        return folder

    def file(self, session_id: str) -> Path:
        """Return the journal file of a session.

        Raises:
            InvalidSessionId, UnsafeJournal: As for `folder`.
        """
        return self.folder(session_id) / JOURNAL_NAME


def _later(wanted: str, number: int) -> str:
    if number == 0:
        return wanted
    suffix = f"-{number + 1}"
    other = wanted[: ID_MAX_CHARS - len(suffix)] + suffix
    parts = TIMESTAMP.match(wanted)
    if parts is None:
        return other
    *whole, millis = (int(part) for part in parts.groups())
    try:
        start = datetime(*whole, tzinfo=UTC)  # type: ignore[arg-type, misc]
        return session_timestamp(start + timedelta(milliseconds=millis + number))
    except (ValueError, OverflowError) as error:  # no such day, or the last of all
        let_through(error)
        return other
