"""Read the notes and tags of a journal directory: a journal of their own beside the
sessions. No journal of a session is written to once it is closed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.analysis.later import Later, LaterEntry, later_of
from kedro_journal.errors import JournalError
from kedro_journal.events import NoteAdded
from kedro_journal.journal import JournalDirectory, read
from kedro_journal.journal.names import JOURNAL_NAME

from .packs import packed_entries

__all__ = ["NOTES_NAME", "later_entries", "later_for", "notes_folder"]

NOTES_NAME: Final = ".notes"
"""Folder in the journal directory that has the journal of notes and tags."""


def notes_folder(where: JournalDirectory) -> Path:
    """Return the folder of the journal of notes and tags; it need not exist."""
    return where.own / NOTES_NAME


def later_entries(where: JournalDirectory) -> dict[str, list[LaterEntry]]:
    """Return all notes and tags of a directory, oldest first, by session id.

    Damage hides only the records that are damaged. A journal that may not be read is
    passed over: it says nothing of what ran.
    """
    found: dict[str, list[LaterEntry]] = {}
    packed = packed_entries(where.path)
    if packed is not None:
        for one in packed:
            found.setdefault(one.session_id, []).append(one)
        return found
    try:
        for record in read(notes_folder(where) / JOURNAL_NAME, mode="salvage"):
            event = record.event
            if not isinstance(event, NoteAdded):
                continue
            told = {name: event.fields.get(name) for name in ("session_id", "kind")}
            kind, session_id = told["kind"], told["session_id"]
            if kind not in ("note", "tag", "untag") or not isinstance(session_id, str):
                continue
            entry = LaterEntry(
                session_id=session_id,
                uid=str(event.fields.get("uid") or ""),
                kind=kind,
                text=event.text,
                at=record.at,
                by=str(event.fields.get("by") or ""),
            )
            found.setdefault(session_id, []).append(entry)
    except (JournalError, OSError) as error:
        let_through(error)
    return found


def later_for(where: JournalDirectory, session_id: str, uid: str) -> Later:
    """Return what was said of one session after it was recorded."""
    return later_of(later_entries(where).get(session_id, ()), session_id, uid)
