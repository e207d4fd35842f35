"""Find what changed since a node, or a run, last worked, from the journals on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from kedro_journal._outside import let_through
from kedro_journal.analysis import Outside, Why
from kedro_journal.analysis import why as why_of
from kedro_journal.errors import JournalError, JournalNotFound, NodeNotFound
from kedro_journal.events import RunStarted
from kedro_journal.journal import JournalDirectory, read
from kedro_journal.journal.roster import read_roster
from kedro_journal.state import RunState, SessionState

from .commits import files_between
from .folder import replay_folder
from .imports import imported_files
from .index import look
from .locate import PathLike, open_directory
from .select import Chosen, select

__all__ = [
    "LOOK_BACK",
    "EarlierSessions",
    "last_broken",
    "node_named",
    "why",
    "why_state",
]

LOOK_BACK: Final = 200
"""Earlier sessions that are read at most, unless more are asked for."""
_CLOSE: Final = 3


class EarlierSessions:
    """The sessions before one, newest first; each is replayed once, when it is reached.

    Args:
        where: The journal directory.
        session_id: The session; it is not among them.
        look_back: How many are read at most.
        seconds: How long reading them may take; None for as long as it takes.
    """

    def __init__(
        self,
        where: JournalDirectory,
        session_id: str,
        *,
        look_back: int = LOOK_BACK,
        seconds: float | None = None,
    ) -> None:
        self._where = where
        ids = read_roster(where).ids()
        end = ids.index(session_id) if session_id in ids else len(ids)
        self._ids = ids[:end][::-1]
        self._known: dict[str, SessionState | None] = {}
        self._look_back = look_back
        self._until = None if seconds is None else time.monotonic() + seconds

    def __iter__(self) -> Iterator[SessionState]:
        for session_id in self._ids[: self._look_back]:
            late = self._until is not None and time.monotonic() > self._until
            if late and session_id not in self._known:
                return
            state = self._replayed(session_id)
            if state is not None:
                yield state

    def get(self, session_id: str) -> SessionState | None:
        """Return one of them, however old it is; None if it is not there."""
        if session_id not in self._ids:
            return None
        return self._replayed(session_id)

    @property
    def searched(self) -> int:
        """How many were read."""
        return len(self._known)

    @property
    def left(self) -> int:
        """How many were not read."""
        return len(self._ids) - len(self._known)

    def _replayed(self, session_id: str) -> SessionState | None:
        if session_id not in self._known:
            self._known[session_id] = self._replay(session_id)
        return self._known[session_id]

    def _replay(self, session_id: str) -> SessionState | None:
        try:
            return look(self._where, session_id).state
        except (JournalError, OSError) as error:
            let_through(error)
            return None  # it was deleted, or may not be read


def last_broken(where: JournalDirectory) -> Chosen:
    """Return the session that a question without an ID is about.

    That is the latest one, unless it completed and an earlier one broke: then it is
    the newest that broke. Sessions that ran nothing are passed over.

    Args:
        where: The journal directory.

    Returns:
        The session; its `note` names the newer ones, if any were passed over for it.

    Raises:
        JournalNotFound: There is no session.
        JournalError: The directory, or all that is in it, may not be read.
    """
    latest = select(where, "latest")
    if look(latest.where, latest.session_id).state.verdict != "completed":
        return latest
    try:
        broken = select(where, "last-failed")
    except JournalNotFound:
        return latest
    ids = read_roster(where).ids()
    if broken.session_id in ids:  # else it was deleted just now
        ids = ids[ids.index(broken.session_id) + 1 :]
    newer = ids[::-1]
    return broken._replace(
        skipped=tuple(newer),
        reason="that did not fail; `latest` names the newest",
    )


def why(
    session_id: str | None = None,
    node: str | None = None,
    *,
    look_back: int = LOOK_BACK,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Why:
    """Find what changed since a node, or a run, last worked.

    The run is compared with the newest earlier one in which the node completed. The
    changes are ordered: the likeliest cause comes first. Nothing is run.

    Args:
        session_id: The session: an id, a unique part of one, `latest`, `last-failed`.
            None for the latest; if that completed, for the newest that failed.
        node: A node of it, by its name or a unique end of it. None for the node that
            broke; for the run as a whole, if none did.
        look_back: How many earlier sessions are read at most.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.

    Raises:
        JournalNotFound: There is no such session.
        AmbiguousSessionId: There are several.
        NodeNotFound: The session has no such node.
    """
    where = open_directory(project_path, directory)
    chosen = select(where, session_id) if session_id else last_broken(where)
    state = replay_folder(chosen.folder, salvage=True)
    if not state.session_id:
        state = replace(state, session_id=chosen.session_id)
    wanted = node_named(state, node) if node is not None else None
    return why_state(chosen.where, state, node=wanted, look_back=look_back)


def why_state(
    where: JournalDirectory,
    state: SessionState,
    *,
    node: str | None = None,
    look_back: int = LOOK_BACK,
    seconds: float | None = None,
) -> Why:
    """Do what `why` does, for a session that was replayed.

    Args:
        where: The journal directory that it is in.
        state: The session.
        node: The whole name of a node of it.
        look_back: How many earlier sessions are read at most.
        seconds: How long reading them may take; None for as long as it takes.
    """
    past = EarlierSessions(
        where, state.session_id, look_back=look_back, seconds=seconds
    )
    root = Path(state.project_path or ".")
    outside = Outside(
        seq_of=_Records(where).seq_of,
        files_between=lambda was, now: files_between(root, was, now),
        imported=imported_files,
    )
    return why_of(state, past, node=node, outside=outside)


def node_named(state: SessionState, wanted: str) -> str:
    """Return the name of a node of a session, from a unique end of it.

    Raises:
        NodeNotFound: There is none, or there are several.
    """
    names = list(dict.fromkeys(n for run in reversed(state.runs) for n in run.nodes))
    if wanted in names:
        return wanted
    fitting = [name for name in names if name.endswith(f".{wanted}")]
    if len(fitting) == 1:
        return fitting[0]
    raise NodeNotFound(wanted, state.session_id, fitting or _close(wanted, names))


def _close(wanted: str, names: Sequence[str]) -> list[str]:
    import difflib  # noqa: PLC0415 - for a typing error only

    return difflib.get_close_matches(wanted, names, n=_CLOSE, cutoff=0.5)


class _Records:
    """Where the records of a session are that the states do not number."""

    def __init__(self, where: JournalDirectory) -> None:
        self._where = where
        self._known: dict[tuple[str, int], dict[str, int]] = {}

    def seq_of(self, state: SessionState, run: RunState | None, event: str) -> int:
        """Return the last record of a type before a run; 0 if there is none."""
        until = run.started_seq if run is not None else 0
        key = state.session_id, until
        if key not in self._known:
            self._known[key] = self._read(state.session_id, until)
        return self._known[key].get(event, 0)

    def _read(self, session_id: str, until: int) -> dict[str, int]:
        found: dict[str, int] = {}
        try:
            for record in read(self._where.file(session_id), mode="salvage"):
                if until and record.seq > until:
                    break
                found[record.type] = record.seq
                if not until and isinstance(record.event, RunStarted):
                    break
        except (JournalError, OSError) as error:
            let_through(error)
        return found
