"""Remove session folders, each whole or not at all.

A folder is renamed out of the sight of readers first, and deleted then. Several are
removed in one batch: a plan is written, the folders are renamed beside it, and the plan
is renamed to `done`. Only then is anything deleted. A process that dies before leaves
a plan, and the next call of `recover` renames the folders back; one that dies later
leaves `done`, and the next call deletes the rest.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import JournalUnwritable

from .directory import JournalDirectory
from .ids import is_session_id
from .port import REAL_OS

__all__ = ["ASIDE_NAME", "PRUNE_LOCK_NAME", "Recovered", "recover", "remove_folders"]

ASIDE_NAME: Final = ".pruned"
"""Folder in the journal directory for session folders that are being deleted."""
PRUNE_LOCK_NAME: Final = ".prune.lock"
_PLAN: Final = "plan"
_DONE: Final = "done"


class Recovered(NamedTuple):
    """What `recover` did about batches that another process left unfinished.

    Attributes:
        restored: Ids of sessions that were renamed back.
        deleted: Ids of sessions whose deletion was finished.
        stuck: Folders that could be neither renamed back nor deleted.
    """

    restored: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()


def remove_folders(
    where: JournalDirectory,
    session_ids: Sequence[str],
    *,
    renamed: Callable[[], None] = lambda: None,
) -> None:
    """Remove the folders of sessions, all of them or none.

    The caller holds the prune lock and the locks of the sessions.

    Args:
        where: The journal directory.
        session_ids: Ids of the sessions. They disappear in this order: a reader that
            looks in between finds no session whose successors are missing.
        renamed: Called once no reader sees the sessions any more: the caller releases
            their locks.

    Raises:
        JournalUnwritable: The system refused. If a folder could not be renamed, all
            are back in their places; if one could not be deleted, the rest of it is
            left to `recover`.
    """
    batch = where.ensure_own() / ASIDE_NAME
    try:
        REAL_OS.ensure_folder(batch)
        batch /= f"{session_ids[0]}-{secrets.token_hex(4)}"
        REAL_OS.make_folder(batch)
        REAL_OS.write_new(batch / _PLAN, "\n".join(session_ids).encode())
        REAL_OS.sync_folder(batch)
        REAL_OS.sync_folder(batch.parent)
        for session_id in session_ids:
            where.folder(session_id).rename(batch / session_id)
        (batch / _PLAN).rename(batch / _DONE)
        REAL_OS.sync_folder(batch)
    except OSError as error:
        let_through(error, system=True)
        with suppress(OSError):  # what is left is for `recover`
            if batch.name != ASIDE_NAME and not (batch / _DONE).exists():
                _undo(where, batch)
        raise _unwritable(error, batch) from error
    renamed()
    try:
        _delete(batch)
    except OSError as error:
        let_through(error, system=True)
        raise _unwritable(error, batch) from error


def _unwritable(error: OSError, batch: Path) -> JournalUnwritable:
    reason = error.strerror or str(error)
    return JournalUnwritable(Path(error.filename or batch), error.errno, reason)


def recover(where: JournalDirectory) -> Recovered:
    """Finish or undo what a process left that died in `remove_folders`.

    The caller holds the prune lock.
    """
    restored: list[str] = []
    deleted: list[str] = []
    stuck: list[str] = []
    aside = where.own / ASIDE_NAME
    if not aside.is_dir() or aside.is_symlink():
        return Recovered()
    for batch in sorted(aside.iterdir()):
        try:
            if (batch / _DONE).exists():
                names = [one.name for one in batch.iterdir() if one.is_dir()]
                _delete(batch)
                deleted += names
            else:
                restored += _undo(where, batch)
        except OSError as error:
            let_through(error, system=True)
        if batch.exists():
            stuck.append(str(batch))
    return Recovered(tuple(restored), tuple(deleted), tuple(stuck))


def _undo(where: JournalDirectory, batch: Path) -> list[str]:
    """Rename the folders of a batch back, newest first, and remove the batch."""
    found: list[str] = []
    for folder in sorted(batch.iterdir(), reverse=True):
        target = where.path / folder.name
        if folder.is_dir() and is_session_id(folder.name) and not target.exists():
            folder.rename(target)
            found.append(folder.name)
    rest = [one for one in batch.iterdir() if one.name != _PLAN]
    if not rest:
        (batch / _PLAN).unlink(missing_ok=True)
        batch.rmdir()
    return found


def _delete(batch: Path) -> None:
    """Delete a batch; its mark goes last."""
    for folder in sorted(batch.iterdir()):
        if folder.name != _DONE:
            shutil.rmtree(folder)
    (batch / _DONE).unlink(missing_ok=True)
    batch.rmdir()
