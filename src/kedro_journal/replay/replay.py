"""Read a journal and fold it: the state of a session at any of its records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kedro_journal.events import Cursor, Record
from kedro_journal.journal import (
    Finding,
    Liveness,
    Verification,
    follow_file,
    is_held,
    probe,
    read,
    read_runs,
)
from kedro_journal.journal import verify as verify_file
from kedro_journal.journal.liveness import OWNER_LOCK_NAME
from kedro_journal.journal.read import Mode, Run
from kedro_journal.journal.writer import JOURNAL_NAME
from kedro_journal.state import SessionState, StateBuilder, Writer

from .active import innermost
from .locate import (
    PathLike,
    handed_down,
    newest_unclosed,
    of_ancestor,
    open_directory,
)

if TYPE_CHECKING:
    from .select import Chosen

__all__ = [
    "Folded",
    "current",
    "events",
    "follow",
    "liveness_of",
    "owner_of",
    "replay",
    "replay_folder",
    "replay_with_last",
    "verify",
    "with_liveness",
]

NO_SESSION = "There is no active Kedro session."


def replay(
    session_id: str = "latest",
    *,
    until_seq: int | None = None,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    salvage: bool = False,
) -> SessionState:
    """Rebuild the state of a session from its journal.

    Runs nothing and writes nothing. The state's `liveness` says whether the session's
    process lives; with *until_seq* it is None, for the past has none.

    Args:
        session_id: An id, a unique beginning or end of one, `latest`, `last-failed`,
            `last-good`, `@-1` for the session before the latest, a local time, or a
            path. `latest` passes over sessions that ran nothing.
        until_seq: The last record to fold, >= 0; None for all.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.
        salvage: Read past damage; what was found is not in the state, see `verify`.

    Raises:
        JournalNotFound: There is no such session.
        AmbiguousSessionId: The beginning fits several.
        InvalidSessionId: It cannot be an id.
        CorruptJournal: Records are damaged or missing, and *salvage* is off.
        ValueError: *until_seq* is negative.
    """
    folder = _select(session_id, project_path, directory).folder
    return replay_folder(folder, until_seq=until_seq, salvage=salvage)


def replay_folder(
    folder: Path, *, until_seq: int | None = None, salvage: bool = False
) -> SessionState:
    """Rebuild the state of the session in *folder*, as `replay` does.

    Args:
        folder: The session folder.
        until_seq, salvage: As for `replay`.

    Raises:
        CorruptJournal, ValueError: As for `replay`.
        FileNotFoundError: The folder has no journal.
    """
    return replay_with_last(folder, until_seq=until_seq, salvage=salvage)[0]


def replay_with_last(
    folder: Path, *, until_seq: int | None = None, salvage: bool = False
) -> tuple[SessionState, Record | None]:
    """Rebuild a state as `replay_folder` does, and return its last record as well.

    Returns:
        The state, and None instead of a record if there is none.

    Raises:
        CorruptJournal, ValueError, FileNotFoundError: As for `replay_folder`.
    """
    if until_seq is not None and until_seq < 0:
        message = f"until_seq must be 0 or more, not {until_seq}"
        raise ValueError(message)
    folded = Folded(folder / JOURNAL_NAME)
    folded.read_on(until_seq=until_seq, salvage=salvage)
    state = folded.builder.state()
    if until_seq is None:
        state = with_liveness(folded, state, folder, salvage=salvage)
    return state, folded.last


def with_liveness(
    folded: Folded, state: SessionState, folder: Path, *, salvage: bool
) -> SessionState:
    """Return a state with the session's liveness, and an id if its header has none.

    Args:
        folded: Where *state* comes from.
        state: What it is at the end of the journal.
        folder: The session folder.
        salvage: As for `replay`.
    """
    liveness = liveness_of(state, folder)
    if liveness == "crashed":
        # The owner may have closed the session before its lock was probed.
        folded.read_on(salvage=salvage)
        state = folded.builder.state()
        liveness = "closed" if state.status == "closed" else liveness
    if state.unknown_events and not state.session_id:
        state = replace(state, session_id=folder.name)  # its header cannot be read
    return replace(state, liveness=liveness)


class Folded:
    """A journal as far as it was folded.

    Args:
        path: The journal file.

    Attributes:
        builder: The state under construction.
        cursor: The place after the last record that was folded.
        is_plain: Nothing that was found is more than a piece of information: what
            follows can be read without knowing what came before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._run: Run | None = None
        self.builder = StateBuilder()
        self.cursor = Cursor()
        self.is_plain = True

    @property
    def last(self) -> Record | None:
        """The last record that was folded; None if there was none."""
        record = None
        for record in () if self._run is None else self._run.records():
            if record.seq == self.cursor.seq:
                break
        return record

    def read_on(self, *, until_seq: int | None = None, salvage: bool = False) -> None:
        """Fold the records that follow.

        Args:
            until_seq: The last one, >= 0; None for all. Nothing can be folded after it.
            salvage: Read past damage.

        Raises:
            CorruptJournal, FileNotFoundError: As for `replay_folder`.
        """
        if until_seq == 0:
            return
        mode: Mode = "salvage" if salvage else "strict"
        for run in read_runs(
            self._path, start=self.cursor, mode=mode, on_finding=self._note
        ):
            if until_seq is None or run.end.seq < until_seq:
                self.builder.add_all(run.entries)
                self._run, self.cursor = run, run.end
                continue
            some = list(takewhile(lambda one: one.seq <= until_seq, run.entries))
            if some:  # else the record itself is lost
                self.builder.add_all(some)
                self._run, self.cursor = run, self.cursor._replace(seq=some[-1].seq)
            return

    def _note(self, finding: Finding) -> None:
        self.is_plain = self.is_plain and finding.severity == "info"


def owner_of(state: SessionState) -> Writer | None:
    """Return the last owner of a session: a daemon may have taken it over."""
    owners = [w for w in state.writers.values() if w.role == "owner"]
    return owners[-1] if owners else None


def liveness_of(state: SessionState, folder: Path) -> Liveness:
    """Probe whether the process of the session in *folder* lives, by its state.

    The caller looks at the end of the journal once more after `crashed`, as for
    `probe`.
    """
    if state.status == "closed":
        return "closed"
    owner = owner_of(state)
    if owner is None:
        return probe(folder, "", None)
    return probe(folder, owner.host, owner.boot_id, owner.pid, owner.started_at_ticks)


def events(
    session_id: str = "latest",
    *,
    start: Cursor | None = None,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    salvage: bool = False,
) -> Iterator[Record]:
    """Yield the records of a session, in order.

    Args:
        session_id: As for `replay`.
        start: A record's `cursor` to go on after; None for the first record.
        project_path, directory, salvage: As for `replay`.

    Raises:
        JournalError: As for `replay`.
    """
    path = _select(session_id, project_path, directory).file
    return read(path, start=start, mode="salvage" if salvage else "strict")


def follow(
    session_id: str = "latest",
    *,
    start: Cursor | None = None,
    poll_interval_s: float = 0.05,
    until_crash: bool = True,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Iterator[Record]:
    """Yield the records of a session as they are appended, until it is closed.

    Args:
        session_id: As for `replay`.
        start: A record's `cursor` to go on after; None for the first record.
        poll_interval_s: Longest time between two looks where the system does not tell
            of changes, in seconds, > 0.
        until_crash: End as well when the session's process is gone.
        project_path, directory: As for `replay`.

    Raises:
        JournalNotFound, AmbiguousSessionId, InvalidSessionId: As for `replay`.
        CorruptJournal: Records are damaged; those before were yielded.
        JournalUnwritable: The journal was deleted or cut meanwhile.
    """
    folder = _select(session_id, project_path, directory).folder

    begun: list[SessionState] = []  # asked at every look, so read once

    def gone() -> bool:
        if not until_crash:
            return False
        if not begun:
            state = StateBuilder()
            for record in read(folder / JOURNAL_NAME, mode="salvage"):
                state.add(record)
                if record.seq >= 2:
                    begun.append(state.state())
                    break
        if not begun:  # no header says which host: the lock here is all there is
            return is_held(folder / OWNER_LOCK_NAME) is not True
        return liveness_of(begun[0], folder) == "crashed"

    return follow_file(
        folder / JOURNAL_NAME,
        start=start,
        poll_interval_s=poll_interval_s,
        stop=gone,
    )


def verify(
    session_id: str = "latest",
    *,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Verification:
    """Check every record of a session's journal. Writes nothing.

    Raises:
        JournalNotFound, AmbiguousSessionId, InvalidSessionId: As for `replay`.
    """
    return verify_file(_select(session_id, project_path, directory).file)


def _select(
    session_id: str, project_path: PathLike | None, directory: PathLike | None
) -> Chosen:
    from .select import select  # noqa: PLC0415 - it imports this module

    return select(open_directory(project_path, directory), session_id)


def current(
    *,
    recover: bool = False,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> SessionState:
    """Return the state of the current session, without Kedro.

    It is the session that `get_current_session()` returns: that of this node or
    process; else the one that a parent process handed down, if it is not closed.

    Args:
        recover: Fall back to the project's newest session that was activated and not
            closed, whether its process lives or crashed.
        project_path, directory: As for `replay`.

    Raises:
        RuntimeError: "There is no active Kedro session."
    """
    active = innermost()
    if active is not None:
        folder = active.journal_folder
        return active.state if folder is None else replay_folder(folder)
    where = open_directory(project_path, directory)
    folder = handed_down()
    if folder is None:
        session_id = of_ancestor(where)
        folder = where.folder(session_id) if session_id is not None else None
    if folder is not None:
        state = replay_folder(folder)
        if state.status != "closed":
            return state
    session_id = newest_unclosed(where) if recover else None
    if session_id is None:
        raise RuntimeError(NO_SESSION)
    return replay_folder(where.folder(session_id))
