"""The live tail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from journals import create, file, join, note, put, sample_lines, texts

from kedro_journal.errors import CorruptJournal, JournalUnwritable
from kedro_journal.events import Cursor, Record, SessionClosed
from kedro_journal.journal import follow_file, read

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
    with pytest.raises(JournalUnwritable, match="deleted"):
        list(followed)


def test_a_journal_cut_into_its_records_ends_the_following_with_an_error(
    tmp_path: Path,
) -> None:
    writer = create(tmp_path / "s")
    writer.append(note())
    followed = follow_file(writer.path)
    list(islice(followed, 3))
    os.truncate(writer.path, 100)
    with pytest.raises(JournalUnwritable, match="cut to 100 bytes"):
        list(followed)


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
