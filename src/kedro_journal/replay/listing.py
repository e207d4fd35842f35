"""All sessions of a project, replayed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple, Self

from msgspec.structs import replace

from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import SessionState, html_of

from .locate import PathLike, open_directory
from .replay import replay_folder

__all__ = ["Newest", "Sessions", "sessions"]

_SHOWN: Final = 20


class Newest(NamedTuple):
    """The newest sessions, for showing.

    Attributes:
        states: Their states, newest first.
        more: How many older ones there are.
    """

    states: tuple[SessionState, ...]
    more: int = 0


class Sessions(Iterator[SessionState]):
    """The state of every session, newest first: an iterator, also worth showing.

    A session is replayed when it is asked for. In a notebook it shows a table of the
    newest twenty, replayed anew, and goes on from where it was.
    """

    def __init__(self, where: JournalDirectory) -> None:
        self._where = where
        self._left = _replayed(where)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SessionState:
        return next(self._left)

    def __repr__(self) -> str:
        count = len(self._where.ids())
        return f"<{count} sessions in {self._where.path}, newest first>"

    def _repr_html_(self) -> str | None:
        newest = tuple(islice(_replayed(self._where), _SHOWN))
        count = len(self._where.ids())
        return html_of(Newest(newest, max(count - len(newest), 0)))


def sessions(
    *,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Sessions:
    """Give the state of every session, newest first, as an iterator.

    Damage does not hide a session: what can be read is folded. A session whose journal
    may not be read has its id and the verdict "unknown". Copies of sessions, and
    folders without a journal, are left out.

    Args:
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.

    Raises:
        ConfigError: The setting `directory` does not read.
    """
    return Sessions(open_directory(project_path, directory))


def _replayed(where: JournalDirectory) -> Iterator[SessionState]:
    for session_id in reversed(where.ids()):
        try:
            state = replay_folder(where.folder(session_id), salvage=True)
        except FileNotFoundError:
            continue
        except (JournalError, OSError) as error:
            let_through(error)
            yield SessionState(
                session_id=session_id, status="created", liveness="unknown"
            )
            continue
        yield state if state.session_id else replace(state, session_id=session_id)
