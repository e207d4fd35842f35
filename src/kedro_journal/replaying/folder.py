"""Rebuild the state of the session in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from kedro_journal.errors import CorruptJournal
from kedro_journal.events import Cursor, Entry
from kedro_journal.journal import Liveness, probe, read_runs
from kedro_journal.journal.writer import JOURNAL_NAME
from kedro_journal.state import SessionState, StateBuilder

__all__ = ["FROM_BYTES", "liveness_of", "replay_folder"]

FROM_BYTES: Final = 4 * 1024 * 1024
"""A journal, or a part of one, so long is worth a snapshot."""


def replay_folder(
    folder: Path,
    *,
    until_seq: int | None = None,
    salvage: bool = False,
    snapshot: bool = True,
) -> SessionState:
    """Rebuild the state of the session in *folder*, as `replay` does.

    Args:
        folder: The session folder.
        until_seq, salvage: As for `replay`.
        snapshot: Go on from the state that an earlier replay of a long journal left
            beside it, and leave one. Not where damage is read past, nor for the past.

    Raises:
        CorruptJournal, ValueError: As for `replay`.
        FileNotFoundError: The folder has no journal.
    """
    if until_seq is not None and until_seq < 0:
        message = f"until_seq must be 0 or more, not {until_seq}"
        raise ValueError(message)
    path = folder / JOURNAL_NAME
    if until_seq is not None:
        builder = StateBuilder()
        _fold_on(builder, path, None, until_seq, salvage)
        return builder.state()
    cursor: Cursor | None
    if snapshot and not salvage:
        state, cursor = _fold_from_snapshot(path)
        builder = StateBuilder(state)
    else:
        builder = StateBuilder()
        cursor = _fold_on(builder, path, None, None, salvage)
        state = builder.state()
    liveness = liveness_of(state, folder)
    if liveness == "crashed":
        # The owner may have closed the session before its lock was probed.
        _fold_on(builder, path, cursor, None, salvage)
        state = builder.state()
        liveness = "closed" if state.status == "closed" else liveness
    if state.unknown_events and not state.session_id:
        state = replace(state, session_id=folder.name)  # its header cannot be read
    return replace(state, liveness=liveness)


def _fold_from_snapshot(path: Path) -> tuple[SessionState, Cursor]:
    if path.lstat().st_size < FROM_BYTES:
        return _fold_after(path, None, Cursor())
    from . import snapshot  # noqa: PLC0415 - for long journals alone

    before = snapshot.facts_of(path)
    initial, start = snapshot.load(path) or (None, Cursor())
    try:
        state, cursor = _fold_after(path, initial, start)
    except CorruptJournal:
        if initial is None:
            raise
        start = Cursor()  # what was kept may be what does not fit
        state, cursor = _fold_after(path, None, start)
    if cursor.offset - start.offset >= FROM_BYTES:
        snapshot.save(path, before, state, cursor)
    return state, cursor


def _fold_after(
    path: Path, initial: SessionState | None, start: Cursor
) -> tuple[SessionState, Cursor]:
    builder = StateBuilder(initial)
    cursor = _fold_on(builder, path, start, None, salvage=False) or start
    return builder.state(), cursor


def _fold_on(
    builder: StateBuilder,
    path: Path,
    start: Cursor | None,
    until_seq: int | None,
    salvage: bool,
) -> Cursor | None:
    cursor = start
    if until_seq == 0:
        return cursor
    for run in read_runs(path, start=start, mode="salvage" if salvage else "strict"):
        if until_seq is not None and run.end.seq >= until_seq:
            builder.add_all(_until(run.entries, until_seq))
            return cursor  # nobody goes on from there
        builder.add_all(run.entries)
        cursor = run.end
    return cursor


def _until(entries: Iterable[Entry], seq: int) -> Iterator[Entry]:
    for entry in entries:
        yield entry
        if entry.seq >= seq:
            return


def liveness_of(state: SessionState, folder: Path) -> Liveness:
    """Return whether the session of *folder* lives, by its state and its lock."""
    if state.status == "closed":
        return "closed"
    # The last one: a daemon may have taken the session over.
    owners = [w for w in state.writers.values() if w.role == "owner"]
    owner = owners[-1] if owners else None
    if owner is None:
        return probe(folder, "", None)
    return probe(folder, owner.host, owner.boot_id, owner.pid, owner.started_at_ticks)
