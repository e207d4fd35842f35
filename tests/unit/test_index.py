"""The index of closed sessions: the same list with it, without it, and damaged."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from events_strategy import events
from hypothesis import example, given, settings
from hypothesis import strategies as st
from journals import file, seal_all
from msgspec.structs import replace

from kedro_journal.events import (
    CommandLine,
    ContextLoaded,
    DatasetSaving,
    Event,
    JournalGap,
    JournalHeader,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
    WriterOpened,
)
from kedro_journal.events.base import ErrorInfo, Frame
from kedro_journal.journal import JournalDirectory, Liveness, kept
from kedro_journal.journal.kept import read_kept, write_kept
from kedro_journal.replaying import index
from kedro_journal.replaying.index import INDEX_NAME, Found, listed, look
from kedro_journal.testing import fold
from kedro_journal.views import Listed, Screen, sessions_view, summary_data

DAYS = ("2026-01-01", "2026-01-02")


def lines(session_id: str, *, closed: bool = True, failed: bool = False) -> bytes:
    nodes = tuple(PlannedNode(name=name) for name in ("a", "b", "c"))
    error = ErrorInfo(type="ValueError", message="no", frames=(Frame("f", 1, "g"),))
    found: list[Event] = [
        JournalHeader(session_id=session_id, uid="u", salt="s", package_version="0"),
        WriterOpened(pid=1, host="elsewhere"),
        SessionCreated(
            session_id=session_id,
            env="prod",
            labels={"a": "b"},
            command=CommandLine(argv=("kedro-journal", "run", "-x"), name="run"),
            host="elsewhere",
            pid=7,
            user="somebody",
            group_id="g",
        ),
        SessionActivated(),
        ContextLoaded(env="local", parameters={"p": 1}),
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
    monkeypatch.setattr(kept, "SETTLED_NS", -1)  # it need not be waited for
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
    every = [summary_data(r.state, now.now, damaged=r.damaged) for r in rows]
    return every, sessions_view([Listed(row.state, row.damaged) for row in rows], now)


def test_a_list_says_the_same_from_the_index(where: JournalDirectory) -> None:
    now = Screen(index.look(where, "named").state.updated_at)  # type: ignore[arg-type]
    ids = where.ids()[::-1]
    begun = [i for i in ids if file(where.path / i).exists()]
    wanted = shown([look(where, session_id) for session_id in begun], now)
    for _ in range(3):
        assert shown(list(listed(where)), now) == wanted
        assert shown(list(listed(where, ids)), now) == wanted
    names = {path.name for path in (where.own / INDEX_NAME).iterdir()}
    assert names == {*DAYS, "others"}


@settings(max_examples=70, deadline=None)
@given(found=st.lists(events, max_size=30), damaged=st.booleans())
@example(
    found=[
        RunStarted(run_id="r"),
        JournalGap(dropped=1),
        RunFailed(
            run_id="r",
            error=ErrorInfo(
                type="kedro.io.core.DatasetError",
                cause=ErrorInfo(type="KeyError", message="k"),
            ),
        ),
    ],
    damaged=False,
)
@example(
    found=[
        SessionFailed(phase="body", error=ErrorInfo(type="ValueError")),
        RunStarted(run_id="r"),
        RunCompleted(run_id="r"),
    ],
    damaged=False,
)
@pytest.mark.parametrize("liveness", ["closed", "crashed", "unknown"])
def test_a_list_says_the_same_of_any_session_that_does_not_run(
    found: list[Event], damaged: bool, liveness: Liveness
) -> None:
    """What is left out of the index is not asked for by anything that is shown."""
    now = Screen(datetime(2026, 1, 2, tzinfo=UTC))
    closed = (SessionClosed(),) if liveness == "closed" else ()
    folded = fold(SessionCreated(session_id="s"), *found, *closed)
    status = "closed" if closed or folded.status == "closed" else folded.status
    state = replace(folded, status=status, liveness=liveness)
    with tempfile.TemporaryDirectory() as folder:
        where = JournalDirectory(Path(folder))
        put(where.path / "s", b"")
        row = Found(state, damaged)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(kept, "SETTLED_NS", -1)
            patched.setattr(index, "look", lambda *_: row)
            patched.setattr(index, "liveness_of", lambda *_: liveness)
            (first,) = listed(where)
            patched.setattr(index, "look", None)  # it is not looked at again
            (again,) = listed(where)
    assert shown([first], now) == shown([again], now) == shown([row], now)


def test_of_a_list_that_is_left_early_the_rest_is_not_read(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(listed(where))
    unpacked: list[object] = []
    real = index._dull_nodes

    def noted(counts: tuple[int, int, int]) -> object:
        unpacked.append(counts)
        return real(counts)

    monkeypatch.setattr(index, "_dull_nodes", noted)
    with contextlib.closing(listed(where)) as rows:
        assert len(list(islice(rows, 3))) == 3
    assert len(unpacked) == 3


def test_a_list_is_the_same_where_no_open_folder_is_looked_into(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By paths, as on Windows; and it is let go of where it is."""
    list(listed(where))
    wanted = list(listed(where))
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - they are counted
    rows = listed(where)
    assert next(rows) == wanted[0]
    rows.close()
    assert len(os.listdir("/proc/self/fd")) == open_before  # noqa: PTH208
    monkeypatch.setattr("os.supports_dir_fd", set())
    monkeypatch.setattr(index, "look", None)  # all is in the index
    closed = [row for row in wanted if row.state.status == "closed"]
    ids = [row.state.session_id for row in closed]
    assert list(listed(where, ids)) == closed
    assert list(listed(JournalDirectory(where.path / "none"))) == []


def test_sessions_are_not_read_again_unless_they_run(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(listed(where))
    read: list[str] = []

    def noted(directory: JournalDirectory, session_id: str) -> Found:
        read.append(session_id)
        return look(directory, session_id)

    monkeypatch.setattr(index, "look", noted)
    list(listed(where))
    assert read == []
    monkeypatch.setattr(index, "liveness_of", lambda *_: "running")
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


@pytest.mark.parametrize("number", range(3))
def test_an_entry_of_another_file_does_not_count(
    where: JournalDirectory, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its inode, its size or its time of change alone."""
    list(listed(where))
    path = where.own / INDEX_NAME / DAYS[0]
    entries = entries_of(path)
    session_id, entry = next(iter(entries.items()))
    entry[number] += 1
    write_kept(path, index._FORM, msgspec.msgpack.encode(entries))
    read: list[str] = []

    def noted(directory: JournalDirectory, session_id: str) -> Found:
        read.append(session_id)
        return look(directory, session_id)

    monkeypatch.setattr(index, "look", noted)
    list(listed(where, [session_id]))
    assert read == [session_id]


def entries_of(path: Path) -> dict[str, Any]:
    content = read_kept(path, index._FORM)
    assert content is not None
    return msgspec.msgpack.decode(content)  # type: ignore[no-any-return]


@pytest.mark.parametrize("damage", [b"", b"\x93", b"\xff" * 50, "form", "bit"])
def test_an_index_that_does_not_read_is_made_anew(
    where: JournalDirectory, damage: bytes | str
) -> None:
    wanted = list(listed(where))
    day = where.own / INDEX_NAME / DAYS[0]
    good = day.read_bytes()
    if damage == "form":
        write_kept(day, "another form", msgspec.msgpack.encode(entries_of(day)))
    elif damage == "bit":  # `completed` is as good a text with it
        day.write_bytes(good.replace(b"completed", b"Completed"))
    elif isinstance(damage, bytes):
        day.write_bytes(damage)
    again = list(listed(where))
    assert [row.state.session_id for row in again] == [
        row.state.session_id for row in wanted
    ]
    assert day.read_bytes() == good


def test_an_entry_that_does_not_read_is_made_anew(where: JournalDirectory) -> None:
    list(listed(where))
    day = where.own / INDEX_NAME / DAYS[0]
    wanted = list(listed(where))
    entries = entries_of(day)
    first, second, third, fourth, fifth, *_ = entries.values()
    first[-1], second[-2], third[-2] = 5, [], [[-1, 0, 0]]
    fourth[-2] = [[10**15, 10**15, 0]]  # as many nodes as no machine has room for
    fifth[-1] = {"labels": {"a": 7}}
    write_kept(day, index._FORM, msgspec.msgpack.encode(entries))
    again = [row.state.session_id for row in listed(where)]
    assert again == [row.state.session_id for row in wanted]
    assert list(listed(where)) == wanted


def test_what_changed_this_very_moment_is_not_kept(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SETTLED_NS", time.time_ns())
    list(listed(where))
    assert not (where.own / INDEX_NAME).exists()


def test_sessions_that_are_gone_leave_the_index(where: JournalDirectory) -> None:
    list(listed(where))
    gone = where.path / f"{DAYS[0]}T00.00.02.000Z"
    file(gone).unlink()
    gone.rmdir()
    new = f"{DAYS[0]}T00.00.50.000Z"
    put(where.path / new, lines(new))
    list(listed(where))
    assert gone.name not in entries_of(where.own / INDEX_NAME / DAYS[0])


def test_a_list_is_given_where_nothing_may_be_written(where: JournalDirectory) -> None:
    (where.ensure_own() / INDEX_NAME).write_text("in the way")
    assert len(list(listed(where))) == len(list(listed(where))) == 13


def test_a_list_that_is_left_early_keeps_what_it_has(where: JournalDirectory) -> None:
    rows = listed(where)
    next(rows)
    next(rows)
    rows.close()
    names = {path.name for path in (where.own / INDEX_NAME).iterdir()}
    assert names == {"others", DAYS[1]}


def test_a_crashed_session_is_folded_once_and_probed_by_every_list(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = f"{DAYS[1]}T00.00.03.000Z"
    monkeypatch.setattr(index, "liveness_of", lambda *_: "unknown")
    wanted = list(listed(where, [session_id]))
    assert [row.state.verdict for row in wanted] == ["unknown"]
    looked: list[str] = []

    def noted(directory: JournalDirectory, session_id: str) -> Found:
        looked.append(session_id)
        return look(directory, session_id)

    monkeypatch.setattr(index, "look", noted)
    assert list(listed(where, [session_id])) == wanted
    assert looked == []
    monkeypatch.setattr(index, "liveness_of", lambda *_: "running")
    list(listed(where, [session_id]))
    assert looked == [session_id]


def test_a_session_that_is_closed_while_it_is_probed_is_read(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = f"{DAYS[1]}T00.00.03.000Z"
    list(listed(where, [session_id]))

    def closes(*_: object) -> Liveness:
        file(where.path / session_id).write_bytes(lines(session_id))
        return "unknown"

    monkeypatch.setattr(index, "liveness_of", closes)
    (row,) = listed(where, [session_id])
    assert row.state.status == "closed"
