"""Find the sessions of a group by their heads, and merge them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.analysis import GroupState, merge
from kedro_journal.errors import GroupNotFound, JournalError
from kedro_journal.events import SessionCreated
from kedro_journal.journal import JournalDirectory, read_head
from kedro_journal.state import SessionState

from .folder import replay_folder
from .locate import PathLike, open_directory

__all__ = ["find_group", "replay_group"]

LATEST: Final = "latest"
_HEAD_RECORDS: Final = 50  # where a session's creation is looked for


def replay_group(
    group_id: str,
    *,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> GroupState:
    """Rebuild the state of a group: sibling sessions as the one run that they are.

    Only the heads of other journals are read. Damage does not hide a session: what can
    be read of it is folded. Sessions of other hosts in a copied or shared directory
    take part; whether they live, if they are not closed, is unknown here.

    Args:
        group_id: The id, a unique beginning of one, or `latest`: the group of the
            newest session that has one.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.

    Raises:
        GroupNotFound: No session says that it belongs to it, or the beginning fits
            several groups.
    """
    where = open_directory(project_path, directory)
    found, ids = find_group(where, group_id)
    states = [state for session_id in ids if (state := _state(where, session_id))]
    return merge(found, states)


def find_group(where: JournalDirectory, wanted: str) -> tuple[str, list[str]]:
    """Find a group's id and the ids of its sessions, oldest first.

    Raises:
        GroupNotFound: As for `replay_group`.
    """
    groups: dict[str, list[str]] = {}
    for session_id, group_id in _heads(where):
        if group_id is not None:
            # The group of the newest session comes last.
            ids = groups.pop(group_id, [])
            ids.append(session_id)
            groups[group_id] = ids
    if wanted == LATEST and groups and wanted not in groups:
        newest = list(groups)[-1]
        return newest, groups[newest]
    if wanted in groups:
        return wanted, groups[wanted]
    fitting = [
        group_id for group_id in groups if wanted and group_id.startswith(wanted)
    ]
    if len(fitting) != 1:
        raise GroupNotFound(wanted, where.path, fitting or list(groups)[-1:])
    return fitting[0], groups[fitting[0]]


def _heads(where: JournalDirectory) -> Iterator[tuple[str, str | None]]:
    for session_id in where.ids():
        try:
            records = islice(read_head(where.file(session_id)), _HEAD_RECORDS)
            for record in records:
                if isinstance(record.event, SessionCreated):
                    yield session_id, record.event.group_id
                    break
        except (OSError, JournalError) as error:
            let_through(error)
            continue  # being made, or not ours to read


def _state(where: JournalDirectory, session_id: str) -> SessionState | None:
    try:
        return replay_folder(where.folder(session_id), salvage=True)
    except (OSError, JournalError) as error:
        let_through(error)
        return None  # deleted meanwhile
