"""The index of closed sessions: the same list with it, without it, and damaged."""

from __future__ import annotations

import time
from pathlib import Path

import msgspec
import pytest
from journals import file, seal_all

from kedro_journal.events import (
    DatasetSaving,
    Event,
    JournalHeader,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    RunFailed,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    WriterOpened,
)
from kedro_journal.events.base import ErrorInfo, Frame
from kedro_journal.journal import JournalDirectory
from kedro_journal.replay import index
from kedro_journal.replay.index import INDEX_NAME, Found, listed, look
from kedro_journal.views import Listed, Screen, sessions_view, summary_data

DAYS = ("2026-01-01", "2026-01-02")


def lines(session_id: str, *, closed: bool = True, failed: bool = False) -> bytes:
    nodes = tuple(PlannedNode(name=name) for name in ("a", "b", "c"))
    error = ErrorInfo(type="ValueError", message="no", frames=(Frame("f", 1, "g"),))
    found: list[Event] = [
        JournalHeader(session_id=session_id, uid="u", salt="s", package_version="0"),
        WriterOpened(pid=1, host="elsewhere"),
        SessionCreated(session_id=session_id, env="prod", labels={"a": "b"}),
        SessionActivated(),
        RunStarted(run_id="r", nodes=nodes, pipelines=("p",)),
        NodeStarted(run_id="r", node="a"),
        NoteAdded(text="n" * 500),
    ]
    if failed:
        found += [
            DatasetSaving(run_id="r", node="a", dataset="d"),
            RunFailed(run_id="r", error=error),
        ]
    found += [SessionDeactivated(), SessionClosed()] if closed else []
    return b"".join(seal_all(found))


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> JournalDirectory:
    """Twelve sessions of two days: whole, failed, open, damaged, and one not begun."""
    monkeypatch.setattr(index, "_SETTLED_NS", -1)  # it need not be waited for
    for number in range(12):
        session_id = f"{DAYS[number % 2]}T00.00.{number:02d}.000Z"
        data = lines(session_id, closed=number != 3, failed=number % 3 == 0)
        if number == 5:
            data = data.replace(b'"prod"', b'"post"')
        put(tmp_path / session_id, data)
    (tmp_path / f"{DAYS[0]}T01.00.00.000Z").mkdir()
    put(tmp_path / "named", lines("named"))
    (tmp_path / "a-file").write_text("")
    return JournalDirectory(tmp_path)


def put(folder: Path, data: bytes) -> None:
    folder.mkdir()
    file(folder).write_bytes(data)


def shown(rows: list[Found], now: Screen) -> tuple[list[object], str]:
    """Give all that a list says, in both forms."""
    every = [summary_data(s, now.now, damaged=damaged) for s, damaged in rows]
    return every, sessions_view([Listed(*row) for row in rows], now)


def test_a_list_says_the_same_from_the_index(where: JournalDirectory) -> None:
    now = Screen(index.look(where, "named").state.updated_at)  # type: ignore[arg-type]
    ids = where.ids()[::-1]
    begun = [i for i in ids if file(where.path / i).exists()]
    wanted = shown([look(where, session_id) for session_id in begun], now)
    for _ in range(3):
        assert shown(list(listed(where)), now) == wanted
        assert shown(list(listed(where, ids)), now) == wanted
    kept = {path.name for path in (where.path / INDEX_NAME).iterdir()}
    assert kept == {*DAYS, "others"}


def test_closed_sessions_are_not_read_again_and_others_are(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(listed(where))
    read: list[str] = []

    def noted(directory: JournalDirectory, session_id: str) -> Found:
        read.append(session_id)
        return look(directory, session_id)

    monkeypatch.setattr(index, "look", noted)
    list(listed(where))
    # The one that was damaged so that nothing says it was closed, and the open one.
    assert read == [f"{DAYS[1]}T00.00.{number}.000Z" for number in ("05", "03")]


def test_a_journal_that_was_changed_is_read_again(where: JournalDirectory) -> None:
    list(listed(where))
    before = list(listed(where))
    session_id = f"{DAYS[0]}T00.00.02.000Z"
    path = file(where.path / session_id)
    path.write_bytes(lines(session_id).replace(b'"prod"', b'"post"'))
    after = list(listed(where))
    changed = [one for one, other in zip(after, before, strict=True) if one != other]
    assert [(one.state.session_id, one.damaged) for one in changed] == [
        (session_id, True)
    ]


@pytest.mark.parametrize("damage", [b"", b"\x93", b"\xff" * 50, None])
def test_an_index_that_does_not_read_is_made_anew(
    where: JournalDirectory, damage: bytes | None
) -> None:
    wanted = list(listed(where))
    day = where.path / INDEX_NAME / DAYS[0]
    good = day.read_bytes()
    if damage is None:
        other = msgspec.msgpack.decode(good)
        other[0] = "another version"
        damage = msgspec.msgpack.encode(other)
    day.write_bytes(damage)
    again = list(listed(where))
    assert [row.state.session_id for row in again] == [
        row.state.session_id for row in wanted
    ]
    assert day.read_bytes() == good


def test_an_entry_that_does_not_read_is_made_anew(where: JournalDirectory) -> None:
    list(listed(where))
    day = where.path / INDEX_NAME / DAYS[0]
    wanted, good = list(listed(where)), day.read_bytes()
    content = msgspec.msgpack.decode(good)
    first, second, *_ = content[1].values()
    first[-1], second[-2] = 5, []
    day.write_bytes(msgspec.msgpack.encode(content))
    again = [row.state.session_id for row in listed(where)]
    assert again == [row.state.session_id for row in wanted]
    assert list(listed(where)) == wanted


def test_what_changed_this_very_moment_is_not_kept(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_SETTLED_NS", time.time_ns())
    list(listed(where))
    assert not (where.path / INDEX_NAME).exists()


def test_sessions_that_are_gone_leave_the_index(where: JournalDirectory) -> None:
    list(listed(where))
    gone = where.path / f"{DAYS[0]}T00.00.02.000Z"
    file(gone).unlink()
    gone.rmdir()
    put(where.path / f"{DAYS[0]}T00.00.50.000Z", lines("new"))
    list(listed(where))
    data = (where.path / INDEX_NAME / DAYS[0]).read_bytes()
    assert gone.name not in msgspec.msgpack.decode(data)[1]


def test_a_list_is_given_where_nothing_may_be_written(where: JournalDirectory) -> None:
    (where.path / INDEX_NAME).write_text("in the way")
    assert len(list(listed(where))) == len(list(listed(where))) == 13


def test_a_list_that_is_left_early_keeps_what_it_has(where: JournalDirectory) -> None:
    rows = listed(where)
    next(rows)
    next(rows)
    rows.close()
    names = {path.name for path in (where.path / INDEX_NAME).iterdir()}
    assert names == {"others", DAYS[1]}


def test_the_newest_ids_are_all_ids_backwards(where: JournalDirectory) -> None:
    assert where.newest_ids() == where.ids()[::-1]
    assert JournalDirectory(where.path / "none").newest_ids() == []
