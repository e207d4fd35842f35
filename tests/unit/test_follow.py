"""The live tail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import ClassVar

import pytest
from journals import create, file, join, note, put, sample_lines, seal_all, texts

from kedro_journal.errors import CorruptJournal, JournalUnwritable
from kedro_journal.events import Cursor, Record, SessionClosed
from kedro_journal.journal import follow_file, read
from kedro_journal.journal.port import REAL_OS, Os

SUPPORT = str(Path(__file__).parents[1] / "support")
HOT_WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from journals import join, note
from kedro_journal.events import SessionClosed
writer = join(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    writer.append(note(number, number * 37 % 9000))
writer.append(SessionClosed())
"""


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", code, *map(str, arguments), SUPPORT]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_only_whole_records_come_while_a_process_writes_hot(tmp_path: Path) -> None:
    """Every record once, in order, equal to what stands in the file in the end."""
    create(tmp_path / "s").append(note("first"))
    child = start(HOT_WRITER, tmp_path / "s", 3000)
    found = list(follow_file(file(tmp_path / "s")))
    assert child.wait(60) == 0
    assert found == list(read(file(tmp_path / "s")))
    assert texts(found) == ["first", *map(str, range(3000))]
    assert isinstance(found[-1].event, SessionClosed)


def test_following_goes_on_from_every_cursor(tmp_path: Path) -> None:
    """Also from the last one of a closed session: then there is nothing to wait for."""
    writer = create(tmp_path / "s")
    for number in range(12):
        writer.append(note(number))
    writer.append(SessionClosed())
    records = list(read(writer.path))
    for number, cursor in enumerate([Cursor(), *(r.cursor for r in records)]):
        assert list(follow_file(writer.path, start=cursor)) == records[number:]


def test_a_torn_tail_and_its_repair_by_another_process_pass_unnoticed(
    tmp_path: Path,
) -> None:
    """The tail is waited for; when it is cut and written anew, only that is seen."""
    writer = create(tmp_path / "s")
    writer.append(note("before"))
    writer.close()
    with writer.path.open("ab") as out:
        out.write(sample_lines(4)[3][:-40])
    followed = follow_file(writer.path)
    before = list(islice(followed, 3))
    found: list[Record] = []
    thread = threading.Thread(target=lambda: found.extend(followed))
    thread.start()
    child = start(HOT_WRITER, tmp_path / "s", 50)
    assert child.wait(60) == 0
    thread.join(60)
    assert before + found == list(read(writer.path))
    assert found[0].type == "journal.repaired"


def test_long_stretches_of_broken_lines_do_not_stop_the_follower(
    tmp_path: Path,
) -> None:
    """More of them than one look takes: what follows is still found."""
    lines = sample_lines(10)
    for number, junk in enumerate((b"x\n" * 100_000, b"y" * 3_000_000 + b"\n")):
        path = put(tmp_path / str(number), b"".join([*lines[:5], junk, *lines[5:]]))
        found = list(follow_file(path, stop=lambda: True))
        assert [record.seq for record in found] == list(range(1, 11))


def test_damage_is_raised_after_the_records_before_it(tmp_path: Path) -> None:
    lines = sample_lines(10)
    path = put(tmp_path / "s", b"".join([*lines[:5], *lines[6:]]))
    found = []
    with pytest.raises(CorruptJournal) as caught:
        found.extend(record.seq for record in _each(follow_file(path)))
    assert (caught.value.kind, caught.value.lost) == ("records missing", 1)


def _each(records: Iterator[Record]) -> Iterator[Record]:
    yield from records


def test_a_follower_never_makes_a_writer_wait(tmp_path: Path) -> None:
    """A stopped follower holds no lock: appends go through with no patience at all."""
    code = """
import sys, itertools
from pathlib import Path
from kedro_journal.journal import follow_file
followed = follow_file(Path(sys.argv[1]))
next(followed)
print("following", flush=True)
list(followed)
"""
    writer = create(tmp_path / "s", deadline_s=0.0)
    writer.append(note())
    child = start(code, writer.path)
    assert child.stdout is not None
    assert child.stdout.readline() == b"following\n"
    child.send_signal(signal.SIGSTOP)
    try:
        for number in range(200):
            writer.append(note(number))
        assert writer.seq == 203
    finally:
        child.send_signal(signal.SIGCONT)
    writer.append(SessionClosed())
    assert child.wait(30) == 0


def test_a_deleted_journal_ends_the_following_with_an_error(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(note())
    followed = follow_file(writer.path)
    next(followed)
    writer.path.unlink()
    with pytest.raises(JournalUnwritable) as caught:
        list(followed)
    assert (caught.value.path, caught.value.errno) == (writer.path, None)
    assert ": it was deleted while it was followed" in str(caught.value)


def test_a_journal_cut_into_its_records_ends_the_following_with_an_error(
    tmp_path: Path,
) -> None:
    writer = create(tmp_path / "s")
    writer.append(note())
    followed = follow_file(writer.path)
    list(islice(followed, 3))
    os.truncate(writer.path, 100)
    with pytest.raises(JournalUnwritable, match="cut to 100 bytes") as caught:
        list(followed)
    assert caught.value.path == writer.path


def test_it_stops_when_it_is_told_after_one_last_look(tmp_path: Path) -> None:
    """What arrives while `stop` makes up its mind is still delivered."""
    writer = create(tmp_path / "s")
    writer.append(note("a"))

    def stop() -> bool:
        if writer.seq == 3:
            writer.append(note("late"))
        return True

    found = list(follow_file(writer.path, stop=stop))
    assert texts(found) == ["a", "late"]


def test_a_poll_interval_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        next(follow_file(tmp_path, poll_interval_s=0))


def test_a_second_writer_can_join_while_it_is_followed(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(note("a"))
    followed = follow_file(writer.path)
    first = list(islice(followed, 3))
    join(tmp_path / "s").append(note("b"))
    writer.append(SessionClosed())
    assert texts([*first, *followed]) == ["a", "b"]


class Mixing(Os):
    """Shows a mixture of old and new bytes in its first looks, as a repair does."""

    def __init__(self, spoiled: bytes, looks: int = 1) -> None:
        self.spoiled, self.looks = spoiled, looks

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        data = super().read_at(fd, size, offset)
        if self.spoiled not in data or not self.looks:
            return data
        self.looks -= 1
        return data.replace(self.spoiled, b"x" * len(self.spoiled))


def follow_all(
    path: Path, port: Os = REAL_OS, start: Cursor | None = None
) -> list[Record]:
    """Give what is there now, and no more."""
    return list(follow_file(path, start=start, stop=lambda: True, port=port))


def test_a_repair_during_a_look_is_not_taken_for_damage(tmp_path: Path) -> None:
    """The follower saw the head of the old tail and the end of the new one, once."""
    lines = sample_lines(8)
    path = put(tmp_path / "s", b"".join(lines))
    for line in lines[:7]:
        port = Mixing(line[:40])
        assert [r.seq for r in follow_all(path, port)] == list(range(1, 9))
        assert port.looks == 0


def test_damage_that_is_there_at_the_second_look_is_damage(tmp_path: Path) -> None:
    """All records before it are delivered first, and the error names the file."""
    lines = sample_lines(8)
    path = put(tmp_path / "s", b"".join(lines))
    found: list[int] = []
    # Once while there are records before it, and twice when there are none.
    followed = follow_file(path, port=Mixing(lines[5][:40], looks=3))
    with pytest.raises(CorruptJournal) as caught:
        found.extend(record.seq for record in followed)
    assert found == [1, 2, 3, 4, 5]
    assert (caught.value.path, caught.value.kind) == (path, "records lost")
    assert caught.value.seq == 5


def test_a_repetition_after_a_mixture_is_still_known_for_one(tmp_path: Path) -> None:
    """What was delivered before the second look is not forgotten."""
    lines = sample_lines(8)
    path = put(tmp_path / "s", b"".join([*lines[:6], lines[1], *lines[6:]]))
    for looks in (1, 2):
        found = follow_all(path, Mixing(lines[4][:40], looks))
        assert [record.seq for record in found] == list(range(1, 9))


def test_warnings_do_not_stop_a_follower(tmp_path: Path) -> None:
    lines = sample_lines(6)
    pieces = [*lines[:2], b"junk\n", *lines[2:4], lines[1], *lines[4:], b"torn"]
    assert [r.seq for r in follow_all(put(tmp_path / "s", b"".join(pieces)))] == list(
        range(1, 7)
    )


def test_a_journal_without_records_is_waited_for(tmp_path: Path) -> None:
    """A session that was just created has an empty file for a moment."""
    path = put(tmp_path / "s", b"")
    lines = [*sample_lines(3)]
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        if asked <= 3:
            with path.open("ab") as out:
                out.write(lines[asked - 1])
        return asked > 3

    assert [record.seq for record in follow_file(path, stop=stop)] == [1, 2, 3]
    assert asked == 4


def test_the_pauses_grow_to_the_poll_interval_and_are_short_again_after_a_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path / "s", b"".join(sample_lines(3)))
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 30:
            with path.open("ab") as out:
                out.write(sample_lines(4)[3])

    monkeypatch.setattr(time, "sleep", pause)
    for options, longest in (({}, 0.05), ({"poll_interval_s": 0.01}, 0.01)):
        pauses.clear()
        put(tmp_path / "s", b"".join(sample_lines(3)))
        found = follow_file(
            path, stop=lambda: len(pauses) >= 60, watch=False, **options
        )
        assert [record.seq for record in found] == [1, 2, 3, 4]
        before, after = pauses[:30], pauses[30:]
        for rising in (before, after):
            assert rising[0] < 0.001
            assert rising == sorted(rising)
            assert rising[-1] == longest
            assert rising[3] < longest / 2  # not at once


def test_it_is_asked_whether_to_stop_only_when_nothing_is_left_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is there is not waited for, nor the end."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    path = put(tmp_path / "s", b"".join(sample_lines(2000)))
    asked: list[int] = []
    found: list[Record] = []

    def stop() -> bool:
        asked.append(len(found))
        return True

    for record in follow_file(path, stop=stop):
        found.append(record)  # noqa: PERF402 - `stop` looks at it meanwhile
    assert (asked, pauses) == ([2000], [])


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("size", [0, 250_000])
def test_whoever_follows_from_the_end_waits_only_if_the_session_is_open(
    tmp_path: Path, size: int, closed: bool
) -> None:
    """However long the journal is, and also if nothing is in it but its end."""
    events = [note(number, size) for number in range(6)] if size else []
    lines = seal_all([*events, SessionClosed()] if closed else [*events, note()])
    path = put(tmp_path / "s", b"".join(lines))
    last = list(read(path))[-1].cursor
    asked = []

    def stop() -> bool:
        asked.append(True)
        return True

    assert list(follow_file(path, start=last, stop=stop)) == []
    assert asked == ([] if closed else [True])


def test_what_follows_the_cursor_does_not_tell_how_the_session_ended_before_it(
    tmp_path: Path,
) -> None:
    notes = [note(number, 250_000) for number in range(6)]
    path = put(tmp_path / "s", b"".join(seal_all([*notes, SessionClosed()])))
    start = list(read(path))[-2].cursor
    assert [r.type for r in follow_file(path, start=start)] == ["session.closed"]


def test_following_lets_go_of_the_file_however_it_ends(tmp_path: Path) -> None:
    class Counting(Os):
        open: ClassVar[set[int]] = set()

        def open_read(self, path: Path) -> int:
            fd = super().open_read(path)
            self.open.add(fd)
            return fd

        def close(self, fd: int) -> None:
            super().close(fd)
            self.open.remove(fd)

    port = Counting()
    lines = sample_lines(6)
    path = put(tmp_path / "s", b"".join([*lines[:3], *lines[4:]]))
    with pytest.raises(CorruptJournal):
        follow_all(path, port)
    followed = follow_file(path, port=port)
    next(followed)
    assert len(port.open) == 1
    followed.close()  # type: ignore[attr-defined]
    assert port.open == set()
