"""What readers keep, attacked: they die at each step, meet, and find another journal."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journals import HEADER, create, file, note, put, sample_lines, seal_all
from msgspec.structs import replace

from kedro_journal.errors import CorruptJournal
from kedro_journal.events import Event, SessionClosed, SessionCreated
from kedro_journal.journal import JournalDirectory, kept, read
from kedro_journal.journal.codec import decode
from kedro_journal.replaying import index, replay_folder, snapshot
from kedro_journal.replaying.index import INDEX_NAME, listed
from kedro_journal.replaying.snapshot import SNAPSHOT_NAME, load
from kedro_journal.state import SessionState, fold

LINES = sample_lines(1200, (100, 300))
ID = "2026-01-01T00.00.{:02d}.000Z"


@pytest.fixture(autouse=True)
def short_journals_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """And those that were written this very moment."""
    module = sys.modules["kedro_journal.replaying.folder"]
    monkeypatch.setattr(module, "FROM_BYTES", 20_000)
    monkeypatch.setattr(kept, "SETTLED_NS", -1)


def closed(session_id: str, text: str = "x") -> bytes:
    found: list[Event] = [
        replace(HEADER, session_id=session_id),
        SessionCreated(session_id=session_id),
        note(text),
        SessionClosed(),
    ]
    return b"".join(seal_all(found))


def whole(folder: Path) -> SessionState:
    return replay_folder(folder, snapshot=False)


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
def test_a_reader_that_dies_leaves_a_snapshot_that_counts_or_none(
    tmp_path: Path, midway: bool
) -> None:
    number, died = 1, True
    while died:
        folder = tmp_path / f"{number}"
        put(folder, b"".join(LINES))
        died = die_at(number, lambda: replay_folder(folder), midway=midway)  # noqa: B023
        found = load(file(folder))
        assert found is None or found[0] == fold(read(file(folder)))
        assert replay_folder(folder) == whole(folder)
        assert load(file(folder)) is not None
        number += 1
    assert number > 10
    names = [path.name for path in folder.iterdir()]
    assert sorted(names) == ["journal.jsonl", SNAPSHOT_NAME]


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
    """Else each death could leave as much as a snapshot takes."""
    put(tmp_path, b"".join(LINES))
    for number in range(1, 60):
        die_at(number, lambda: replay_folder(tmp_path))
        (tmp_path / SNAPSHOT_NAME).unlink(missing_ok=True)
    assert len(list(tmp_path.iterdir())) > 2
    later_ns = time.time_ns() + 4000 * 10**9
    monkeypatch.setattr(kept, "wall_ns", lambda: later_ns)
    replay_folder(tmp_path)
    names = [path.name for path in tmp_path.iterdir()]
    assert sorted(names) == ["journal.jsonl", SNAPSHOT_NAME]


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
        if number % 500 == 499:
            (folder / SNAPSHOT_NAME).unlink(missing_ok=True)
    stop.set()
    for reader in readers:
        reader.join()
    writer.close()
    assert wrong == []
    assert replay_folder(folder) == whole(folder)


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


def test_a_change_within_a_tick_of_the_clock_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system may tell times by the second: then the time says nothing yet."""
    real = snapshot.facts_of

    def coarse(found: int | Path) -> snapshot.Facts:
        facts = real(found)
        return facts._replace(changed_ns=facts.changed_ns // 10**12 * 10**12)

    monkeypatch.setattr(snapshot, "facts_of", coarse)
    monkeypatch.setattr(kept, "SETTLED_NS", 2 * 10**12)
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    flip(path, path.stat().st_size * 2 // 31)  # between the places that are looked at
    with pytest.raises(CorruptJournal):
        replay_folder(tmp_path)


@pytest.mark.parametrize("grown", [False, True])
@pytest.mark.parametrize("place", range(16))
def test_a_change_at_one_of_sixteen_places_is_found_in_any_case(
    tmp_path: Path, place: int, grown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a journal that has grown since, or of which the system says no change."""
    facts = snapshot.Facts(1, 2, 3)
    if not grown:
        monkeypatch.setattr(snapshot, "facts_of", lambda _: facts)
    path = put(tmp_path, b"".join(LINES[:1000]))
    replay_folder(tmp_path)
    assert load(path) is not None or grown
    flip(path, round(place * (path.stat().st_size - 4096) / 15) + 2000)
    if grown:
        with path.open("ab") as out:
            out.write(LINES[1000])
    assert load(path) is None
    with pytest.raises(CorruptJournal):
        replay_folder(tmp_path)


def test_a_journal_that_is_still_being_written_has_a_snapshot_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "SETTLED_NS", 2 * 10**9)
    path = put(tmp_path, b"".join(LINES[:1000]))
    replay_folder(tmp_path)
    assert load(path) is None  # it may be changed within this tick
    with path.open("ab") as out:
        out.write(LINES[1000])
    found = load(path)
    assert found is not None
    assert found[0].seq == 1000
    assert replay_folder(tmp_path) == whole(tmp_path)


def test_another_journal_of_the_same_name_counts_for_itself(tmp_path: Path) -> None:
    """However it got there: in place, in its place, or after it was deleted."""
    other = b"".join(sample_lines(1300, (100, 300), seed=2))
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    path.write_bytes(other)
    assert replay_folder(tmp_path) == whole(tmp_path)
    aside = put(tmp_path / "aside", b"".join(LINES))
    aside.replace(path)
    assert replay_folder(tmp_path) == whole(tmp_path)
    for data in (other, b"".join(LINES), other):
        path.unlink()
        put(tmp_path, data)  # often with the same inode
        assert replay_folder(tmp_path) == whole(tmp_path)
        assert replay_folder(tmp_path).seq == data.count(b"\n")


@pytest.mark.parametrize("back_to", [200, 600, 1000, 1100, 1190, 1199])
def test_a_journal_that_went_back_and_on_otherwise_is_folded_anew(
    tmp_path: Path, back_to: int
) -> None:
    """As after a backup was put back and the session was gone on with."""
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    on = [decode(line[:-1]).event for line in LINES[:back_to]]  # type: ignore[union-attr]
    on += [note(f"other {number}", 200) for number in range(back_to, 1400)]
    data = b"".join(seal_all(on))
    assert data.startswith(b"".join(LINES[:back_to]))
    with path.open("r+b") as out:
        out.truncate(len(b"".join(LINES[:back_to])))
        out.seek(0)
        out.write(data)
    assert path.stat().st_size > len(b"".join(LINES))
    assert replay_folder(tmp_path) == whole(tmp_path)


def test_a_torn_tail_that_was_mended_since_does_no_harm(tmp_path: Path) -> None:
    """The file was longer, by the torn tail, than what was folded."""
    writer = create(tmp_path / "s")
    for number in range(300):
        writer.append(note(number, 200))
    path = file(tmp_path / "s")
    with path.open("ab") as out:
        out.write(LINES[0][:-20])
    assert replay_folder(tmp_path / "s") == whole(tmp_path / "s")
    writer.append(note("after"))  # which cuts the tail, and says so
    assert replay_folder(tmp_path / "s") == whole(tmp_path / "s")
    writer.close()
    with path.open("r+b") as out:
        out.truncate(load_size(tmp_path / "s"))
    assert replay_folder(tmp_path / "s") == whole(tmp_path / "s")


def load_size(folder: Path) -> int:
    """Give where the snapshot ends: a file that was cut there has lost nothing of it."""
    content = kept.read_kept(folder / SNAPSHOT_NAME, snapshot._FORM)
    assert content is not None
    return snapshot._decoder().decode(content).offset


def test_a_journal_that_is_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, b"".join(LINES))
    replay_folder(tmp_path)
    other = b"".join(sample_lines(1300, (100, 300), seed=2))
    real = snapshot.load

    def replaced(journal: Path) -> object:
        found = real(journal)
        assert found is not None
        put(tmp_path / "aside", other).replace(path)
        return found

    monkeypatch.setattr(snapshot, "load", replaced)
    state = replay_folder(tmp_path)
    assert state.session_id == "s2"
    assert state == whole(tmp_path)


def test_a_snapshot_of_another_session_does_not_count(tmp_path: Path) -> None:
    put(tmp_path / "a", b"".join(LINES))
    put(tmp_path / "b", b"".join(sample_lines(1300, (100, 300), seed=2)))
    replay_folder(tmp_path / "a")
    data = (tmp_path / "a" / SNAPSHOT_NAME).read_bytes()
    (tmp_path / "b" / SNAPSHOT_NAME).write_bytes(data)
    assert replay_folder(tmp_path / "b") == whole(tmp_path / "b")


def test_a_second_name_of_a_journal_is_the_same_journal(tmp_path: Path) -> None:
    put(tmp_path / "a", b"".join(LINES))
    replay_folder(tmp_path / "a")
    (tmp_path / "b").mkdir()
    file(tmp_path / "b").hardlink_to(file(tmp_path / "a"))
    assert replay_folder(tmp_path / "b") == whole(tmp_path / "a")


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
