"""Find where a file on disk came from, from the journals on disk."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.analysis import Descent, Origin, descent_of, origin_of
from kedro_journal.events import Fingerprint
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import DatasetOperation

from .inquiry import LOOK_BACK, EarlierSessions
from .locate import PathLike, open_directory

__all__ = ["Explained", "explain", "explain_in", "made_from", "made_from_in"]

_HASHED_MAX: Final = 64 * 1024 * 1024
_ENTRIES_MAX: Final = 10_000


class Explained:
    """What was found, and how far was looked.

    Attributes:
        origin: What made the file; None if no session that was read saved it.
        descent: What was made from it; None if no session that was read loaded it.
        searched: How many sessions were read.
        left: How many older ones were not.
    """

    def __init__(
        self,
        sessions: EarlierSessions,
        *,
        origin: Origin | None = None,
        descent: Descent | None = None,
    ) -> None:
        self.origin, self.descent = origin, descent
        self.searched, self.left = sessions.searched, sessions.left


def explain(
    path: PathLike,
    *,
    look_back: int = LOOK_BACK,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Origin | None:
    """Find what made a file: session, node, code, parameters and inputs, recursively.

    The journals are read, and the files that they name are looked at. Nothing is run.

    Args:
        path: The file or folder; a relative one is of the working directory.
        look_back: How many sessions are read at most, newest first.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.

    Returns:
        None if no session that was read saved it.

    Raises:
        ConfigError: The setting `directory` is not valid.
    """
    where = open_directory(project_path, directory)
    root = Path(project_path) if project_path is not None else None
    return explain_in(where, Path(path), root=root, look_back=look_back).origin


def explain_in(
    where: JournalDirectory, path: Path, *, root: Path | None, look_back: int
) -> Explained:
    """Do what `explain` does, in a journal directory.

    Args:
        where: The journal directory.
        path: The file or folder.
        root: Root of the project as it is now; None takes that of the newest session.
        look_back: How many sessions are read at most.
    """
    sessions = EarlierSessions(where, "", look_back=look_back)
    wanted, here = _seen_from(sessions, path, root)
    return Explained(sessions, origin=origin_of(wanted, sessions, here))


def made_from(
    path: PathLike,
    *,
    look_back: int = LOOK_BACK,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Descent | None:
    """Find what was made from a file, by any node and session, directly or not.

    The journals are read, and the files that they name are looked at. Nothing is run.

    Args:
        path, look_back, project_path, directory: As for `explain`.

    Returns:
        None if no session that was read loaded it.

    Raises:
        ConfigError: The setting `directory` is not valid.
    """
    where = open_directory(project_path, directory)
    root = Path(project_path) if project_path is not None else None
    return made_from_in(where, Path(path), root=root, look_back=look_back).descent


def made_from_in(
    where: JournalDirectory, path: Path, *, root: Path | None, look_back: int
) -> Explained:
    """Do what `made_from` does, in a journal directory.

    Args:
        where, path, root, look_back: As for `explain_in`.
    """
    sessions = EarlierSessions(where, "", look_back=look_back)
    wanted, here = _seen_from(sessions, path, root)
    return Explained(sessions, descent=descent_of(wanted, sessions, here))


def _seen_from(
    sessions: EarlierSessions, path: Path, root: Path | None
) -> tuple[str, Callable[[str, DatasetOperation], Fingerprint | None]]:
    """Return a path from the root of the project, and what looks at paths there."""
    if root is None:
        newest = next(iter(sessions), None)
        root = Path(newest.project_path) if newest is not None else Path.cwd()
    root = Path(os.path.realpath(root))
    full = Path(os.path.realpath(path))
    wanted = full.relative_to(root) if full.is_relative_to(root) else full

    def here(place: str, known: DatasetOperation) -> Fingerprint | None:
        return _fingerprint(root / place, known)

    return wanted.as_posix(), here


def _fingerprint(path: Path, known: DatasetOperation) -> Fingerprint | None:
    """Look at what is at a path, as far as it can be compared; None for nothing."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            return _of_folder(path)
        content = None
        if known.content_sha256 and found.st_size <= _HASHED_MAX:
            content = _content(path)
    except OSError as error:
        let_through(error)
        return None
    return Fingerprint(
        str(path),
        found.st_size,
        found.st_mtime_ns // 1000,
        content_sha256=content,
    )


def _content(path: Path) -> str:
    """Hash a file as it is hashed when it is saved."""
    data = path.read_bytes()
    return hashlib.sha256(b"\0%d\0" % len(data) + data).hexdigest()


def _of_folder(path: Path) -> Fingerprint:
    size = newest = entries = 0
    for folder, _, names in os.walk(path):
        for name in names:
            found = Path(folder, name).stat()
            entries += 1
            size += found.st_size
            newest = max(newest, found.st_mtime_ns // 1000)
            if entries > _ENTRIES_MAX:
                return Fingerprint(str(path))
    return Fingerprint(str(path), size, newest, entries)
