"""Following every session: what is there, what is appended, what begins later."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from journals import put, seal_all

from kedro_journal.cli.tail_all import follow_all
from kedro_journal.events import (
    JournalHeader,
    NoteAdded,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory


def _lines(session_id: str, *more: object) -> list[bytes]:
    header = JournalHeader(session_id=session_id, uid="u", salt="s", package_version="")
    opened = WriterOpened(pid=1, host="elsewhere")
    created = SessionCreated(session_id=session_id)
    return list(seal_all([header, opened, created, *more]))  # type: ignore[list-item]


def test_new_records_and_new_sessions_in_order_and_nothing_old(tmp_path: Path) -> None:
    closed = _lines("s0", SessionClosed(reason="close"))
    open_ = _lines("s1", NoteAdded(text="a"), SessionClosed(reason="close"))
    put(tmp_path / "s0", b"".join(closed))
    put(tmp_path / "s1", b"".join(open_[:3]))
    found = follow_all(JournalDirectory(tmp_path))

    with (tmp_path / "s1" / "journal.jsonl").open("ab") as file:
        put(tmp_path / "s2", b"".join(_lines("s2")))
        first = islice(found, 3)
        assert [("s2", 1), ("s2", 2), ("s2", 3)] == [(i, r.seq) for i, r in first]
        file.write(open_[3])
        file.flush()
        assert ("s1", 4) == next((i, r.seq) for i, r in found)
        file.write(open_[4][:10])
        file.flush()
        put(tmp_path / "s3", b"".join(_lines("s3")[:1]))
        assert ("s3", 1) == next((i, r.seq) for i, r in found)
        file.write(open_[4][10:])
        file.flush()
        assert ("s1", 5) == next((i, r.seq) for i, r in found)
