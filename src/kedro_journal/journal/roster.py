"""Which sessions a journal directory has, and their order: the one rule for both.

A session is a real folder whose journal's header names that folder. A folder whose
header names another session is a copy. A folder whose journal may not be read is a
session that is not readable. A folder without a journal is not a session yet.

Sessions are ordered by the time at which their headers were recorded. A session that
names a parent comes after its parent, even if the clock was set back in between.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from kedro_journal._building import building
from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import JournalError
from kedro_journal.events import JournalHeader, SessionCreated

from .head import read_head
from .ids import is_session_id, time_in
from .kept import is_settled, read_kept, write_kept
from .names import JOURNAL_NAME
from .port import REAL_OS

if TYPE_CHECKING:
    from .directory import JournalDirectory

__all__ = ["HEADS_NAME", "Roster", "Session", "read_roster"]

HEADS_NAME: Final = "heads"
"""The file in `.index` that keeps what the heads of journals say."""

_FORM: Final = "heads 1"
_HEAD_RECORDS: Final = 50  # among which `session.created` is searched
_NS: Final = 10**9
# So many heads are read again rather than the whole file written for them.
_UNKEPT_MIN: Final = 32
_UNKEPT_PART: Final = 50
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, RecursionError)


class Session(NamedTuple):
    """A session of a directory.

    Attributes:
        session_id: Its id, which is the name of its folder.
        created_ns: When its header was recorded, in nanoseconds since 1970; where no
            record can be read, the time in its name, or the file's.
        parent: The session that it resumes, repeats or belongs to, if it names one.
        is_complete: Its header and `session.created` were read.
        is_readable: Its journal may be read.
    """

    session_id: str
    created_ns: int
    parent: str | None = None
    is_complete: bool = False
    is_readable: bool = True

    @property
    def created_at(self) -> datetime:
        """The time of `created_ns`, in UTC and to the microsecond."""
        seconds, rest = divmod(self.created_ns, _NS)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


class Roster(NamedTuple):
    """The sessions of a directory.

    Attributes:
        sessions: The sessions, oldest first.
        copies: Names of folders that hold copies of sessions.
    """

    sessions: tuple[Session, ...]
    copies: tuple[str, ...]

    def ids(self) -> list[str]:
        """Return the ids of all sessions, oldest first."""
        return [one.session_id for one in self.sessions]

    def possible_children(self, session_id: str) -> list[str]:
        """Return the ids of sessions that may name *session_id* as parent, newest
        first: those that do, and those whose `session.created` cannot be read.
        """
        return [
            one.session_id
            for one in reversed(self.sessions)
            if one.session_id != session_id
            and (one.parent == session_id or (one.is_readable and not one.is_complete))
        ]


class _Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What the head of a journal says; valid while the file is unchanged."""

    inode: int
    size: int
    changed_ns: int
    names: str  # the session id in it, empty if its records are damaged
    created_ns: int
    parent: str | None
    is_complete: bool


def read_roster(where: JournalDirectory) -> Roster:
    """Return the sessions of a directory, in their order.

    The head of every journal is read, except where `.index` has it from an earlier
    time and the journal is unchanged since (by inode, size and time of change).

    Raises:
        JournalError: The directory may not be read.
    """
    names = _folders(where.path)
    if not names:
        return Roster((), ())
    keep = where.own / ".index" / HEADS_NAME
    kept = _load(keep)
    unchanged = set(_unchanged(where.path, names, kept))
    found: list[Session] = []
    copies: list[str] = []
    heads: dict[str, _Head] = {}
    for name in names:
        if name in unchanged:
            head = kept[name]
        else:
            try:
                head = _head(where.path, name)
            except FileNotFoundError:
                continue  # it is being made, or it is a folder of the user's
            except (JournalError, OSError) as error:
                let_through(error)
                if is_session_id(name):
                    created_ns = _time_of(where.path / name)
                    found.append(Session(name, created_ns, is_readable=False))
                continue
            if head.is_complete:
                heads[name] = head
        if head.names == name or (not head.names and is_session_id(name)):
            found.append(Session(name, head.created_ns, head.parent, head.is_complete))
        elif head.names:
            copies.append(name)
    if len(heads) > _UNKEPT_MIN + len(names) // _UNKEPT_PART:
        _save(where, keep, heads | {name: kept[name] for name in unchanged})
    return Roster(tuple(_ordered(found)), tuple(sorted(copies)))


def _folders(path: Path) -> list[str]:
    """Return the names of the real folders in a directory."""
    try:
        with os.scandir(path) as entries:
            return [
                entry.name
                for entry in entries
                if entry.name[0] != "." and entry.is_dir(follow_symlinks=False)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        let_through(error, system=True)
        reason = error.strerror or str(error)
        message = f"{path}: the journal directory cannot be read: {reason}."
        raise JournalError(message, exit_code=2) from error


def _unchanged(
    directory: Path, names: list[str], kept: Mapping[str, _Head]
) -> Iterator[str]:
    """Yield the names whose journals are the files that their heads were read from."""
    fd = None
    if kept and os.stat in os.supports_dir_fd:  # the path is walked once
        with suppress(OSError):
            fd = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    start = f"{directory}/" if fd is None else ""
    stat, end = os.stat, f"/{JOURNAL_NAME}"
    try:
        for name in names:  # there may be very many
            head = kept.get(name)
            if head is None:
                continue
            try:
                now = stat(start + name + end, dir_fd=fd, follow_symlinks=False)
            except OSError as error:
                let_through(error)
                continue  # what is wrong with it shows when it is read
            if (
                now.st_ctime_ns == head.changed_ns
                and now.st_ino == head.inode
                and now.st_size == head.size
            ):
                yield name
    finally:
        if fd is not None:
            os.close(fd)


def _head(directory: Path, name: str) -> _Head:
    """Read what the head of a journal says.

    Raises:
        FileNotFoundError: The folder has no journal, or may not be entered and has no
            name that only a session has.
        JournalError, OSError: The journal may not be read.
    """
    path = f"{directory}/{name}/{JOURNAL_NAME}"
    try:
        now = os.lstat(path)
    except PermissionError:
        if time_in(name) is None:
            raise FileNotFoundError(path) from None
        raise
    facts = (now.st_ino, now.st_size, now.st_ctime_ns)
    header = created = ""
    parent: str | None = None
    at: datetime | None = None
    for record in islice(read_head(Path(path)), _HEAD_RECORDS):
        at = at or record.at
        if isinstance(record.event, JournalHeader):
            header = record.event.session_id
        elif isinstance(record.event, SessionCreated):
            created, parent = record.event.session_id, record.event.parent_session_id
            break
    created_ns = _time_of(directory / name) if at is None else _ns(at)
    is_complete = bool(header and created)
    return _Head(*facts, header or created, created_ns, parent, is_complete)


def _time_of(folder: Path) -> int:
    """Return the time in a folder's name, else that of its last change."""
    named = time_in(folder.name)
    if named is not None:
        return _ns(named)
    with suppress(OSError):
        return folder.lstat().st_mtime_ns
    return 0


def _ns(at: datetime) -> int:
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * _NS + since.microseconds * 1000


def _ordered(sessions: Iterable[Session]) -> list[Session]:
    """Order sessions by time; one with a parent comes after its parent."""
    found = {one.session_id: one for one in sessions}
    keys = {
        session_id: (one.created_ns, 0, session_id)
        for session_id, one in found.items()
        if one.parent not in found
    }
    for session_id in [one for one in found if one not in keys]:
        path: list[str] = []
        one: str | None = session_id
        while one is not None and one not in keys and one not in path:
            path.append(one)
            one = found[one].parent
        for child in reversed(path):
            created_ns = found[child].created_ns
            above = keys.get(found[child].parent or "", (0, 0, ""))
            if created_ns > above[0]:
                keys[child] = (created_ns, 0, child)
            else:
                keys[child] = (above[0], above[1] + 1, child)
    return [found[session_id] for _, _, session_id in sorted(keys.values())]


def _load(path: Path) -> dict[str, _Head]:
    content = read_kept(path, _FORM)
    if content is not None:
        with suppress(*_UNREADABLE):
            return _decoder().decode(content)
    return {}


def _save(where: JournalDirectory, path: Path, heads: dict[str, _Head]) -> None:
    settled = {name: one for name, one in heads.items() if is_settled(one.changed_ns)}
    with suppress(OSError, JournalError):
        where.check_safe()
        where.ensure_own()
        REAL_OS.ensure_folder(path.parent)
        write_kept(path, _FORM, msgspec.msgpack.encode(settled))


@cache
def _decoder() -> msgspec.msgpack.Decoder[dict[str, _Head]]:
    with building():
        return msgspec.msgpack.Decoder(dict[str, _Head])
