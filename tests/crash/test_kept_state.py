"""What readers keep, attacked: they die at each step, meet, and find another journal."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import HEADER, create, file, note, put, seal_all
from msgspec.structs import replace

from kedro_journal.events import Event, SessionClosed, SessionCreated
from kedro_journal.journal import JournalDirectory, kept
from kedro_journal.replaying import index, replay_folder
from kedro_journal.replaying.index import INDEX_NAME, listed

ID = "2026-01-01T00.00.{:02d}.000Z"


@pytest.fixture(autouse=True)
def new_journals_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that were written this very moment."""
    monkeypatch.setattr(kept, "SETTLED_NS", -1)


def closed(session_id: str, text: str = "x") -> bytes:
    found: list[Event] = [
        replace(HEADER, session_id=session_id),
        SessionCreated(session_id=session_id),
        note(text),
        SessionClosed(),
    ]
    return b"".join(seal_all(found))


def ids(where: JournalDirectory) -> list[str]:
    return [row.state.session_id for row in listed(where)]


# -- a reader dies at each step ------------------------------------------------------

CALLS = ("open", "write", "fsync", "close", "replace", "unlink", "mkdir", "scandir")


def die_at(number: int, call: Callable[[], object], *, midway: bool = False) -> bool:
    """Call that in a child that is killed at a call to the system.

    Returns:
        Whether it came so far.
    """
    pid = os.fork()
    if not pid:  # pragma: no cover - it never comes back
        counts = [0]
        for name in CALLS:
            setattr(os, name, _deadly(name, getattr(os, name), counts, number, midway))
        try:
            call()
        finally:
            os._exit(0)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status)


def _deadly(
    name: str, real: Callable[..., Any], counts: list[int], at: int, midway: bool
) -> Callable[..., Any]:
    def deadly(*args: Any, **more: Any) -> Any:
        counts[0] += 1
        if counts[0] == at:
            if midway and name == "write":
                args = (args[0], args[1][: len(args[1]) // 2])
            with contextlib.suppress(OSError):
                if midway:
                    real(*args, **more)
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **more)

    return deadly


@pytest.mark.parametrize("midway", [False, True])
@pytest.mark.parametrize("before", [False, True])
def test_a_reader_that_dies_leaves_an_index_that_counts_or_none(
    tmp_path: Path, midway: bool, before: bool
) -> None:
    """Where there was one before, and where there was none."""
    number, died = 1, True
    while died:
        where = JournalDirectory(tmp_path / f"{number}")
        where.path.mkdir(mode=0o700)
        for second in range(3):
            put(where.path / ID.format(second), closed(ID.format(second)))
        if before:
            list(listed(where, [ID.format(0)]))
        died = die_at(number, lambda: list(listed(where)), midway=midway)  # noqa: B023
        wanted = [ID.format(second) for second in (2, 1, 0)]
        assert ids(where) == wanted
        assert ids(where) == wanted
        number += 1
    assert number >= 8


def test_what_the_dead_left_is_gone_an_hour_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each death could leave as much as an index takes."""
    where = JournalDirectory(tmp_path)
    put(tmp_path / ID.format(0), closed(ID.format(0)))
    index_folder = where.own / INDEX_NAME
    for number in range(1, 30):
        die_at(number, lambda: list(listed(where)))
        (index_folder / "2026-01-01").unlink(missing_ok=True)
    assert list(index_folder.iterdir())
    later_ns = time.time_ns() + 4000 * 10**9
    monkeypatch.setattr(kept, "wall_ns", lambda: later_ns)
    list(listed(where))
    assert [path.name for path in index_folder.iterdir()] == ["2026-01-01"]


# -- readers and writers meet --------------------------------------------------------


def test_readers_at_once_beside_a_writer_see_what_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    writer = create(folder)
    for number in range(300):
        writer.append(note(number, 200))
    stop, wrong = threading.Event(), []

    def look() -> None:
        while not stop.is_set():
            state = replay_folder(folder)
            upto = replay_folder(folder, until_seq=state.seq)
            if replace(state, liveness=None) != upto:
                wrong.append(state.seq)

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1500):
        writer.append(note(number, 200))
    stop.set()
    for reader in readers:
        reader.join()
    writer.close()
    assert wrong == []


def test_lists_at_once_are_all_whole(tmp_path: Path) -> None:
    where = JournalDirectory(tmp_path)
    wanted = [ID.format(second) for second in range(59, -1, -1)]
    for session_id in wanted:
        put(tmp_path / session_id, closed(session_id))
    wrong: list[object] = []

    def look() -> None:
        for _ in range(20):
            found = ids(where)
            if found != wanted:
                wrong.append(found)
            (JournalDirectory(tmp_path).own / INDEX_NAME / "2026-01-01").unlink(
                missing_ok=True
            )

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert ids(where) == ids(where) == wanted
    names = [
        path.name for path in (JournalDirectory(tmp_path).own / INDEX_NAME).iterdir()
    ]
    assert sorted(names) == ["2026-01-01", "heads"]


# -- another journal than it was -----------------------------------------------------


def flip(path: Path, at: int) -> None:
    """Change one bit in place."""
    with path.open("r+b") as out:
        out.seek(at)
        byte = out.read(1)[0]
        out.seek(at)
        out.write(bytes([byte ^ 1]))


# -- an index of other sessions ------------------------------------------------------


@pytest.fixture
def where(tmp_path: Path) -> JournalDirectory:
    for second in range(4):
        put(tmp_path / ID.format(second), closed(ID.format(second)))
    directory = JournalDirectory(tmp_path)
    list(listed(directory))
    assert (JournalDirectory(tmp_path).own / INDEX_NAME / "2026-01-01").exists()
    return directory


def say(where: JournalDirectory) -> list[tuple[str, str, bool]]:
    return [
        (row.state.session_id, row.state.verdict, row.damaged) for row in listed(where)
    ]


@pytest.mark.parametrize(
    "change", ["size", "bit", "in place", "replaced", "made again", "gone", "cut"]
)
def test_a_session_that_is_not_what_it_was_is_read(
    where: JournalDirectory, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same list as without an index, once and again."""
    session_id = ID.format(1)
    folder = where.path / session_id
    path = file(folder)
    match change:
        case "size":
            path.write_bytes(path.read_bytes() + b"x\n")
        case "bit":
            flip(path, 300)
        case "in place":
            path.write_bytes(closed(session_id, "y"))
        case "replaced":
            put(where.path / "aside", closed(session_id, "y")).replace(path)
            (where.path / "aside").rmdir()
        case "made again":
            path.unlink()
            folder.rmdir()
            put(folder, closed("another", "y"))
        case "gone":
            path.unlink()
        case "cut":
            path.write_bytes(path.read_bytes()[:400])
    first, again = say(where), say(where)
    (where.own / INDEX_NAME / "2026-01-01").unlink()
    monkeypatch.setattr(index, "_load", lambda _: {})
    assert first == again == say(where)


def test_clocks_that_step_make_no_difference(
    where: JournalDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back, so that all that there is was changed in the future; and on."""
    monkeypatch.setattr(kept, "SETTLED_NS", 2 * 10**9)
    wanted = say(where)
    real = kept.wall_ns
    for step_ns in (-(10**15), -(10**9), 10**9, 10**15):
        monkeypatch.setattr(
            kept,
            "wall_ns",
            lambda step_ns=step_ns: real() + step_ns,
        )
        for number in range(3):
            (where.own / INDEX_NAME / "2026-01-01").unlink(missing_ok=True)
            assert say(where) == wanted
            path = file(where.path / ID.format(2))
            path.write_bytes(closed(ID.format(2), f"{number}"))
            assert say(where) == wanted


def test_an_index_in_the_place_of_another_says_nothing(
    where: JournalDirectory, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Copied, linked to, or moved there with the sessions of the same names."""
    other = JournalDirectory(tmp_path_factory.mktemp("other"))
    for second in range(4):
        put(other.path / ID.format(second), closed(ID.format(second), "other")[:500])
    wanted = say(other)
    shutil.rmtree(other.own / INDEX_NAME)
    (other.ensure_own() / INDEX_NAME).symlink_to(where.own / INDEX_NAME)
    assert say(other) == wanted
    (other.ensure_own() / INDEX_NAME).unlink()
    (other.ensure_own() / INDEX_NAME).mkdir()
    day = where.own / INDEX_NAME / "2026-01-01"
    (other.ensure_own() / INDEX_NAME / day.name).write_bytes(day.read_bytes())
    assert say(other) == wanted


@pytest.mark.parametrize("what", ["fifo", "folder", "link", "loop", "no folder"])
def test_what_stands_in_its_place_is_not_waited_for(
    where: JournalDirectory, what: str
) -> None:
    wanted = say(where)
    day = where.own / INDEX_NAME / "2026-01-01"
    data = day.read_bytes()
    day.unlink()
    match what:
        case "fifo":
            os.mkfifo(day)
        case "folder":
            day.mkdir()
        case "link":
            (day.parent / "elsewhere").write_bytes(data)
            day.symlink_to(day.parent / "elsewhere")
        case "loop":
            day.symlink_to(day)
        case "no folder":
            day.parent.rmdir()
            day.parent.write_text("in the way")
    assert say(where) == say(where) == wanted


def test_a_folder_of_a_session_that_became_a_link_is_not_followed(
    where: JournalDirectory,
) -> None:
    """To that of another one, which is in the index as well."""
    folder = where.path / ID.format(1)
    file(folder).unlink()
    folder.rmdir()
    folder.symlink_to(where.path / ID.format(2))
    found = say(where)
    assert ID.format(1) not in [row[0] for row in found]  # a link is not a session
    (where.own / INDEX_NAME / "2026-01-01").unlink()
    assert say(where) == found
