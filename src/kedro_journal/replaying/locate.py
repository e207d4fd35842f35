"""Find the journal directory and the session that a reference names."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.active import SESSION_VARIABLE
from kedro_journal.config import Config, find_project, load_for_reading
from kedro_journal.errors import ConfigError, JournalError
from kedro_journal.events import (
    RunStarted,
    SessionActivated,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory, is_closed, read
from kedro_journal.journal.liveness import boot_id, host_name, parent_pid, start_ticks
from kedro_journal.journal.roster import read_roster

from .packs import is_archive, unpacked

__all__ = [
    "PathLike",
    "handed_down",
    "newest_unclosed",
    "of_ancestor",
    "open_directory",
    "resumed_by",
]

PathLike = str | os.PathLike[str]

_logger: Final = logging.getLogger("kedro_journal")
_logged: Final[set[str]] = set()  # mistakes, for a loop of readers asks each time
_NEWEST_LOOKED_AT: Final = 50  # sessions, when one is searched by what it says
_ANCESTORS_MAX: Final = 32
_HEAD_RECORDS: Final = 200  # where an activation is looked for


def open_directory(
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    config: Config | None = None,
    on_mistake: Callable[[ConfigError], None] | None = None,
) -> JournalDirectory:
    """Return the journal directory of a project.

    Mistakes in settings that say nothing of the directory do not hide the journals.

    Args:
        project_path: Root of the project; None for the one around the working
            directory, or the working directory if it is in none.
        directory: The journal directory itself, or an archive of sessions; then no
            project is looked for.
        config: The project's settings, if they were read already.
        on_mistake: Told of each mistake in the settings; None logs it, once.

    Raises:
        ConfigError: The setting `directory` is invalid.
        JournalError: The archive is damaged.
    """
    if directory is not None:
        path = Path(directory)
        return unpacked(path).where if is_archive(path) else JournalDirectory(path)
    project = Path(project_path) if project_path is not None else find_project()
    told = on_mistake or _log_once
    settings = config or load_for_reading(project, on_error=told)
    return JournalDirectory(settings.journal_directory(project or Path.cwd()))


def _log_once(mistake: ConfigError) -> None:
    if str(mistake) not in _logged:
        _logged.add(str(mistake))
        _logger.warning("kedro-journal: %s", mistake, extra={"markup": False})


def handed_down() -> Path | None:
    """Return the session folder that a parent process handed down, if it exists."""
    text = os.environ.get(SESSION_VARIABLE)
    folder = Path(text) if text else None
    return folder if folder is not None and folder.is_dir() else None


def of_ancestor(directory: JournalDirectory) -> str | None:
    """Find the unclosed session of a process that this one descends from.

    Processes of a default forkserver never see the environment of the run.
    """
    ancestors: dict[int, int | None] = {}
    pid = parent_pid(os.getpid())
    while pid > 1 and pid not in ancestors and len(ancestors) < _ANCESTORS_MAX:
        ancestors[pid] = start_ticks(pid)
        pid = parent_pid(pid)
    for session_id, opened, closed, _ in _newest(directory):
        here = opened.boot_id == boot_id() and opened.host == host_name()
        if closed or not here or opened.pid not in ancestors:
            continue
        if ancestors[opened.pid] == opened.started_at_ticks:
            return session_id
    return None


def newest_unclosed(directory: JournalDirectory) -> str | None:
    """Find the newest session that was activated and not closed."""
    for session_id, _, closed, activated in _newest(directory):
        if activated and not closed:
            return session_id
    return None


def resumed_by(
    directory: JournalDirectory, session_id: str, run_id: str | None = None
) -> str | None:
    """Find the newest session that resumed another one and began a run.

    Only journals whose session may name *session_id* as its parent are read.

    Args:
        directory: Where to look.
        session_id: The other one.
        run_id: The run of it that was gone on from; None for any.
    """
    for other in read_roster(directory).possible_children(session_id):
        try:
            if _resumes(directory.file(other), session_id, run_id):
                return other
        except (OSError, JournalError) as error:
            let_through(error)
            continue  # being made, or not ours to read
    return None


def _resumes(path: Path, session_id: str, run_id: str | None) -> bool:
    found = False
    for record in read(path, mode="salvage"):
        event = record.event
        if isinstance(event, SessionResumed):
            same_run = run_id is None or event.parent_run_id in (run_id, None)
            found = event.parent_session_id == session_id and same_run
        if isinstance(event, RunStarted):
            return found
        if record.seq >= _HEAD_RECORDS:
            break
    return False


def _newest(
    directory: JournalDirectory,
) -> Iterator[tuple[str, WriterOpened, bool, bool]]:
    for session_id in list(reversed(directory.ids()))[:_NEWEST_LOOKED_AT]:
        opened: WriterOpened | None = None
        activated = False
        try:
            path = directory.file(session_id)
            for record in read(path, mode="salvage"):
                if isinstance(record.event, WriterOpened) and opened is None:
                    opened = record.event
                activated = activated or isinstance(record.event, SessionActivated)
                if activated or record.seq >= _HEAD_RECORDS:
                    break
            closed = opened is not None and is_closed(path)
        except (OSError, JournalError) as error:
            let_through(error)
            continue  # being made, or not ours to read
        if opened is not None:
            yield session_id, opened, closed, activated
