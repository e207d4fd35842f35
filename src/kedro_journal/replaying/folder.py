"""Rebuild the state of the session in a folder."""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path

from msgspec.structs import replace

from kedro_journal.events import Cursor, Record
from kedro_journal.journal import Finding, Liveness, probe, read_runs
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.reader import Mode, Run
from kedro_journal.state import SessionState, StateBuilder, Writer

from .packs import packed_liveness

__all__ = [
    "Folded",
    "liveness_of",
    "owner_of",
    "replay_folder",
    "replay_with_last",
    "with_liveness",
]


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
    packed = packed_liveness(folder)
    if packed is not None:
        return packed
    owner = owner_of(state)
    if owner is None:
        return probe(folder, "", None)
    return probe(folder, owner.host, owner.boot_id, owner.pid, owner.started_at_ticks)
