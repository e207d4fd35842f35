"""Which sessions a directory has, and their order, whatever was done to it."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from journals import file, timed

from kedro_journal.errors import JournalError
from kedro_journal.events import (
    Event,
    JournalHeader,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory, kept, roster, session_timestamp
from kedro_journal.journal.roster import HEADS_NAME, read_roster
from kedro_journal.replaying.locate import resumed_by

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def add(
    directory: Path,
    minutes: float,
    name: str = "",
    parent: str | None = None,
    *events: Event,
) -> str:
    """Write a session that was created so many minutes after `START`."""
    at = START + timedelta(minutes=minutes)
    session_id = name or session_timestamp(at)
    begun = [
        JournalHeader(session_id=session_id, uid="u", salt="s", package_version="0"),
        WriterOpened(pid=1, host="elsewhere"),
        SessionCreated(session_id=session_id, parent_session_id=parent),
    ]
    folder = directory / session_id
    folder.mkdir(parents=True)
    ended = events or (SessionClosed(),)
    file(folder).write_bytes(b"".join(timed([*begun, *ended], at)))
    return session_id


def test_sessions_are_in_the_order_of_their_creation(tmp_path: Path) -> None:
    late = add(tmp_path, 3)
    named = add(tmp_path, 1, "churn-service")
    first = add(tmp_path, 0)
    assert [first, named, late] == JournalDirectory(tmp_path).ids()


def test_a_session_comes_after_the_one_that_it_resumes(tmp_path: Path) -> None:
    """The clock was set back five minutes, twice."""
    other = add(tmp_path, 1)
    parent = add(tmp_path, 10)
    grandchild = add(tmp_path, 0, "", session_timestamp(START + timedelta(minutes=5)))
    child = add(tmp_path, 5, "", parent)
    last = add(tmp_path, 11)
    where = JournalDirectory(tmp_path)
    assert [other, parent, child, grandchild, last] == where.ids()


def test_a_session_that_resumed_with_an_older_time_is_found(tmp_path: Path) -> None:
    parent = add(tmp_path, 10)
    resumed = SessionResumed(parent_session_id=parent)
    child = add(tmp_path, 5, "", parent, resumed, RunStarted(run_id="r"))
    assert child == resumed_by(JournalDirectory(tmp_path), parent)


def test_sessions_in_a_ring_are_all_there(tmp_path: Path) -> None:
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "d"), ("e", "a")):
        add(tmp_path, 1, name, parent)
    assert {"a", "b", "c", "d", "e"} == set(JournalDirectory(tmp_path).ids())
    assert 5 == len(JournalDirectory(tmp_path).ids())


def test_copies_links_and_other_folders_are_no_sessions(tmp_path: Path) -> None:
    one = add(tmp_path, 0)
    for copy in (f"{one}-backup", f"{one} (1)", "zz-keep"):
        shutil.copytree(tmp_path / one, tmp_path / copy)
    (tmp_path / "latest").symlink_to(tmp_path / one)
    (tmp_path / session_timestamp(START + timedelta(hours=1))).mkdir()  # being made
    (tmp_path / "raw").mkdir()
    (tmp_path / ".DS_Store").touch()
    found = read_roster(JournalDirectory(tmp_path))
    assert [one] == found.ids()
    assert (f"{one} (1)", f"{one}-backup", "zz-keep") == found.copies


def test_a_damaged_header_leaves_the_folder_its_name(tmp_path: Path) -> None:
    one, other = add(tmp_path, 0), add(tmp_path, 1, "named")
    for session_id in (one, other):
        path = file(tmp_path / session_id)
        path.write_bytes(path.read_bytes().replace(b'"uid"', b'"vid"'))
    shutil.copytree(tmp_path / one, tmp_path / "zz-keep")
    found = read_roster(JournalDirectory(tmp_path))
    assert [one, other] == found.ids()
    assert ("zz-keep",) == found.copies, "its session.created names the original"
    for session_id in (one, other):
        file(tmp_path / session_id).write_bytes(b"nothing of it is left\n")
    assert {one, other} == set(JournalDirectory(tmp_path).ids())


@pytest.mark.parametrize("name", ["2026-01-02T04.00.00.000Z", "named"])
def test_a_journal_that_may_not_be_read_is_a_session(tmp_path: Path, name: str) -> None:
    one = add(tmp_path, 0)
    (tmp_path / name).mkdir()
    file(tmp_path / name).symlink_to(file(tmp_path / one))
    found = read_roster(JournalDirectory(tmp_path))
    assert [one, name] == found.ids()
    assert [True, False] == [session.is_readable for session in found.sessions]


def test_a_directory_that_is_no_directory_has_no_sessions(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [] == JournalDirectory(tmp_path / "file").ids()
    assert [] == JournalDirectory(tmp_path / "none").ids()


def test_a_directory_that_may_not_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(JournalError, match="cannot be read: Permission denied"):
        JournalDirectory(tmp_path).ids()


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JournalDirectory:
    """Forty sessions, whose heads are kept from the first look on."""
    monkeypatch.setattr(kept, "SETTLED_NS", -1)  # it need not be waited for
    parent = None
    for number in range(40):
        parent = add(tmp_path, 100 - number, "", parent if number % 2 else None)
    return JournalDirectory(tmp_path)


def heads(where: JournalDirectory) -> Path:
    return where.own / ".index" / HEADS_NAME


def test_heads_are_read_once(
    many: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = read_roster(many)
    read: list[Path] = []
    real = roster.read_head
    monkeypatch.setattr(
        roster, "read_head", lambda path: read.append(path) or real(path)
    )
    assert wanted == read_roster(many)
    assert [] == read
    new = add(many.path, 200)
    assert [*wanted.ids(), new] == many.ids()
    assert [file(many.path / new)] == read


@pytest.mark.parametrize("damage", [None, b"", b"\xff" * 50, "bit", "other"])
def test_what_is_kept_changes_no_answer(
    many: JournalDirectory, damage: bytes | str | None
) -> None:
    wanted = read_roster(many)
    path = heads(many)
    good = path.read_bytes()
    if damage is None:
        path.unlink()
    elif damage == "bit":
        path.write_bytes(good.replace(b"2026", b"2027", 1))
    elif damage == "other":  # of other files: what it says of these is not believed
        names = sorted(one.name for one in many.path.iterdir() if one.name[0] == "2")
        for name, other in zip(names, reversed(names), strict=True):
            if name < other:
                (many.path / name).rename(many.path / "aside")
                (many.path / other).rename(many.path / name)
                (many.path / "aside").rename(many.path / other)
        path.unlink()
        read_roster(many)  # they are copies now
        for name, other in zip(names, reversed(names), strict=True):
            if name < other:
                (many.path / name).rename(many.path / "aside")
                (many.path / other).rename(many.path / name)
                (many.path / "aside").rename(many.path / other)
    elif isinstance(damage, bytes):
        path.write_bytes(damage)
    assert wanted == read_roster(many)


def test_a_journal_that_was_changed_in_place_is_read_again(
    many: JournalDirectory,
) -> None:
    first, *others = read_roster(many).ids()
    other = add(many.path / "elsewhere", 300, first)
    shutil.copyfile(file(many.path / "elsewhere" / other), file(many.path / first))
    shutil.rmtree(many.path / "elsewhere")
    assert first == many.ids()[-2], "before the session that resumed it"
    assert set(others) < set(many.ids())


def test_nothing_is_kept_for_few_sessions_or_where_nothing_may_be_written(
    tmp_path: Path, many: JournalDirectory
) -> None:
    few = JournalDirectory(tmp_path / "few")
    add(few.path, 0)
    assert 1 == len(few.ids())
    assert not heads(few).exists()
    wanted = many.ids()
    shutil.rmtree(many.own / ".index")
    (many.own / ".index").write_text("in the way")
    assert wanted == many.ids()
