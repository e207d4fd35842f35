"""`get_current_session()`: the session of this node, thread or process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast, overload

from kedro_journal._outside import let_through
from kedro_journal.active import innermost, of_folder
from kedro_journal.errors import JournalError
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.api import NO_SESSION
from kedro_journal.replaying.locate import (
    handed_down,
    newest_unclosed,
    of_ancestor,
    open_directory,
)

if TYPE_CHECKING:
    from .session import KedroSession

__all__ = ["get_current_session"]

_restored: Final[dict[Path, KedroSession]] = {}


@overload
def get_current_session(
    silent: Literal[False] = False, recover: bool = False
) -> KedroSession: ...
@overload
def get_current_session(silent: bool, recover: bool = False) -> KedroSession | None: ...
def get_current_session(
    silent: bool = False, recover: bool = False
) -> KedroSession | None:
    """Return the current session.

    In this order: the session that runs this node; the one most recently entered and
    still active in this process; the one that a parent process handed down to this
    one; with *recover*, the project's newest session that was activated and not
    closed, for looking into after a crash. The last two are restored by replay: they
    have its parameters and can `load_context()`, but not run.

    Args:
        silent: Give None instead of raising.
        recover: Look for sessions of other processes, alive or crashed, as well.

    Raises:
        RuntimeError: "There is no active Kedro session."
    """
    session = _here() or _inherited() or (_recovered() if recover else None)
    if session is None and not silent:
        raise RuntimeError(NO_SESSION)
    return session


def _here() -> KedroSession | None:
    """The session of this node or process; one of another class by replay, once."""
    found = innermost()
    if found is None or hasattr(found, "load_context"):
        return cast("KedroSession | None", found)
    folder = found.journal_folder
    if folder is None:
        return None
    for other in [other for other in _restored if of_folder(other) is None]:
        del _restored[other]  # its session is over
    if folder not in _restored:
        session = _restore(folder)
        if session is None:
            return None
        _restored[folder] = session
    return _restored[folder]


def _inherited() -> KedroSession | None:
    folder = handed_down()
    if folder is None:
        try:
            directory = open_directory()
            session_id = of_ancestor(directory) if directory.path.is_dir() else None
        except (JournalError, OSError) as error:
            let_through(error)
            return None
        folder = directory.folder(session_id) if session_id else None
    if folder is None:
        return None
    return _restore(folder, unless_closed=True)


def _recovered() -> KedroSession | None:
    try:
        directory = open_directory()
    except OSError as error:
        let_through(error)
        return None  # the working directory was deleted: no project is around it
    session_id = newest_unclosed(directory)
    return _restore(directory.folder(session_id)) if session_id else None


def _restore(folder: Path, *, unless_closed: bool = False) -> KedroSession | None:
    from .session import KedroSession

    try:
        if unless_closed and replay_folder(folder, salvage=True).status == "closed":
            return None
        return KedroSession._restore(folder)  # noqa: SLF001
    except FileNotFoundError:
        return None
