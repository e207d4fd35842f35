"""The list of sessions: a lazy sequence, with filters, and worth showing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from journals import put, seal_all

import kedro_journal
from kedro_journal import SessionState
from kedro_journal.events import (
    JournalHeader,
    RunCompleted,
    RunStarted,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.replaying import listing


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


def test_it_is_a_sequence_newest_first(directory: Path) -> None:
    found = kedro_journal.sessions(directory=directory)

    assert isinstance(found, Sequence)
    assert 25 == len(found) == len(list(found)) == len(list(found))
    assert ("s24", "s00") == (found[0].session_id, found[-1].session_id)
    assert ["s23", "s22"] == [state.session_id for state in found[1:3]]
    assert ["s01", "s00"] == [state.session_id for state in found[-2:]]
    with pytest.raises(IndexError):
        found[25]


def test_next_gives_one_after_the_other(directory: Path) -> None:
    found = kedro_journal.sessions(directory=directory)

    assert "s24" == next(found).session_id
    assert "s23" == next(found).session_id
    assert "s24" == found[0].session_id


def test_filters_combine(directory: Path) -> None:
    def of(**filters: Any) -> list[str]:
        found = kedro_journal.sessions(directory=directory, **filters)
        assert len(found) == len(list(found))
        assert bool(found) == bool(list(found))
        return [state.session_id for state in found]

    created = SessionCreated(session_id="s50", env="staging", user="ada")
    header = JournalHeader(session_id="s50", uid="u", salt="s", package_version="0")
    opened = WriterOpened(pid=1, host="elsewhere")
    ran = RunStarted(run_id="r", pipelines=("train",))
    ended = (RunCompleted(run_id="r"), SessionClosed(reason="close"))
    lines = seal_all([header, opened, created, ran, *ended])
    put(directory / "s50", b"".join(lines))

    assert ["s50"] == of(env="staging") == of(user="ada") == of(pipeline="train")
    assert ["s50"] == of(verdict="completed", env="staging")
    assert [] == of(verdict="failed", env="staging")
    assert 26 == len(of(since=datetime(1970, 1, 1, tzinfo=UTC)))
    assert [] == of(since=datetime(9000, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="timezone"):
        of(since=datetime(1970, 1, 1))


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


def test_it_shows_the_newest_and_next_is_where_it_was(directory: Path) -> None:
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
