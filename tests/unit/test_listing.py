"""The list of sessions: an iterator, lazy, and worth showing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from journals import put, seal_all

import kedro_journal
from kedro_journal import SessionState
from kedro_journal.events import JournalHeader, SessionCreated, WriterOpened
from kedro_journal.replay import listing


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for number in range(25):
        session_id = f"s{number:02}"
        header = JournalHeader(
            session_id=session_id, uid="u", salt=session_id, package_version="0"
        )
        created = SessionCreated(session_id=session_id)
        opened = WriterOpened(pid=1, host="elsewhere")
        put(tmp_path / session_id, b"".join(seal_all([header, opened, created])))
    (tmp_path / "s99").mkdir()  # its journal was not begun
    return tmp_path


def test_it_is_an_iterator_newest_first(directory: Path) -> None:
    found = kedro_journal.sessions(directory=directory)

    assert isinstance(found, Iterator)
    assert "s24" == next(found).session_id
    assert ["s23", "s22"] == [state.session_id for state in islice(found, 2)]
    assert 22 == len(list(found))
    assert [] == list(found)


def test_a_session_is_replayed_when_it_is_asked_for(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = listing.replay_folder, []

    def replay(folder: Path, *, salvage: bool) -> SessionState:
        asked.append(folder.name)
        return real(folder, salvage=salvage)

    monkeypatch.setattr(listing, "replay_folder", replay)
    found = kedro_journal.sessions(directory=directory)
    assert [] == asked
    next(found)
    assert ["s24"] == asked


def test_it_shows_the_newest_and_goes_on_from_where_it_was(directory: Path) -> None:
    found = kedro_journal.sessions(directory=directory)
    next(found)

    html = found._repr_html_()

    assert html is not None
    assert "s24" in html
    assert "s05" in html
    assert "s04" not in html
    assert "5 older sessions not shown" in html
    assert f"<25 sessions in {directory}, newest first>" == repr(found)
    assert "s23" == next(found).session_id


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    found = kedro_journal.sessions(directory=tmp_path / "none")

    assert [] == list(found)
    assert "No sessions yet." in (found._repr_html_() or "")
