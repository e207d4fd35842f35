"""The journals that are there are counted, and none is written to."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kedro_journal.doctor import Check
from kedro_journal.doctor import sessions as module
from kedro_journal.events import JournalHeader, WriterOpened
from kedro_journal.journal import JournalDirectory, JournalWriter
from kedro_journal.journal.names import RESERVE_NAME
from tests.cli.conftest import Journals

from .conftest import by_key


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "sessions")


def look(journals: Journals) -> dict[str, Check]:
    before = content(journals.path)
    checks = by_key(list(module.look_at_journals(journals.path)))
    assert content(journals.path) == before
    return checks


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_directory_without_sessions_has_none(journals: Journals) -> None:
    journals.path.mkdir()

    checks = look(journals)

    assert list(checks) == ["journals.sessions"]
    assert checks["journals.sessions"].facts == {
        "sessions": 0,
        "looked_at": 0,
        "passed_over": 0,
        "verdicts": {},
    }


def test_sessions_are_counted_by_their_verdicts(journals: Journals) -> None:
    journals.completed()
    journals.failed()
    journals.running()

    checks = look(journals)

    check = checks["journals.sessions"]
    assert check.status == "ok"
    assert check.facts["sessions"] == check.facts["looked_at"] == 3
    assert check.facts["verdicts"] == {"running": 1, "failed": 1, "completed": 1}
    assert checks["journals.health"].status == "ok"
    assert set(checks) == {"journals.sessions", "journals.health", "journals.reserve"}


def test_crashes_are_worth_a_note(journals: Journals) -> None:
    journals.completed()
    journals.crashed()

    check = look(journals)["journals.sessions"]

    assert check.status == "note"
    assert check.facts["verdicts"]["crashed"] == 1
    assert "--verdict crashed" in check.advice


def test_damage_is_a_problem_and_names_the_session(journals: Journals) -> None:
    journals.completed()
    path = journals.corrupt()

    check = look(journals)["journals.health"]

    assert check.status == "problem"
    assert check.facts["damaged"] == [path.parent.name]
    assert path.parent.name in check.text
    assert "verify --all" in check.advice


@pytest.mark.parametrize("what", ["link", "folder"])
def test_a_journal_that_is_none_is_a_problem(journals: Journals, what: str) -> None:
    path = journals.completed()
    path.rename(path.with_name("other"))
    if what == "link":
        path.symlink_to(path.with_name("other"))
    else:
        path.mkdir()

    check = look(journals)["journals.health"]

    assert check.status == "problem"
    assert list(check.facts["unreadable"]) == [path.parent.name]


def test_a_torn_tail_is_worth_a_note_unless_its_session_runs(
    journals: Journals,
) -> None:
    for path in (journals.crashed(), journals.running().path):
        with path.open("ab") as file:
            file.write(b'{"v":1,"seq":')

    checks = look(journals)

    assert checks["journals.torn"].status == "note"
    assert checks["journals.torn"].facts["sessions"] == ["2026-11-22T06.00.00.000Z"]
    assert checks["journals.health"].status == "ok"


def test_room_for_endings_is_kept_or_what_is_wrong_is_told(
    journals: Journals,
) -> None:
    journals.completed()
    reserve = journals.path / RESERVE_NAME

    kept = look(journals)["journals.reserve"]
    os.truncate(reserve, 10)
    short = look(journals)["journals.reserve"]
    reserve.unlink()
    given_up = look(journals)["journals.reserve"]
    reserve.touch()
    os.truncate(reserve, 65536)  # a hole keeps nothing
    hole = look(journals)["journals.reserve"]

    assert (kept.status, kept.facts["kept_bytes"]) == ("ok", 65536)
    assert (short.status, short.facts["kept_bytes"]) == ("warning", 10)
    assert (hole.status, hole.facts["kept_bytes"]) == ("warning", 0)
    assert (given_up.status, given_up.facts["kept_bytes"]) == ("note", 0)
    assert f"rm {reserve}" in short.advice


def test_sessions_of_other_hosts_are_worth_a_note(journals: Journals) -> None:
    _, folder = JournalDirectory(journals.path).claim("2026-11-24T05.00.00.000Z")
    header = JournalHeader(
        session_id=folder.name, uid="u", salt="s", package_version="0"
    )
    opened = WriterOpened(pid=1, host="elsewhere", boot_id="another")
    from kedro_journal.events import SessionCreated

    JournalWriter(folder, opened, header=header).append(
        SessionCreated(session_id=folder.name, pid=1, host="elsewhere")
    )

    check = look(journals)["journals.hosts"]

    assert check.facts["hosts"] == ["elsewhere"]


def test_no_more_than_the_newest_are_looked_at(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_NEWEST", 2)
    journals.corrupt("2026-11-20T05.00.00.000Z")
    journals.completed("2026-11-21T05.00.00.000Z")
    journals.completed("2026-11-22T05.00.00.000Z")

    checks = look(journals)

    assert checks["journals.sessions"].facts["sessions"] == 3
    assert checks["journals.sessions"].facts["looked_at"] == 2
    assert "Of the newest, 2 were checked" in checks["journals.sessions"].text
    assert checks["journals.health"].status == "ok"


def test_large_journals_are_passed_over(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = journals.completed()
    monkeypatch.setattr(module, "_LARGE_BYTES", path.stat().st_size - 1)

    check = look(journals)["journals.sessions"]

    assert check.facts["passed_over"] == 1
    assert check.facts["looked_at"] == 0
    assert "skipped" in check.text


def test_looking_ends_in_time(
    journals: Journals, monkeypatch: pytest.MonkeyPatch
) -> None:
    journals.completed()
    monkeypatch.setattr(module, "_LOOK_S", -1.0)

    check = look(journals)["journals.sessions"]

    assert check.facts["looked_at"] == 0
