"""What writers do to a journal, step by step.

Each scenario is a short story of one or more writers. It runs on any system; whether a
promise was broken is for the verdict of the storms to say.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from journals import HEADER, note, opened, put, sample_lines, seal_all
from stage import CLOSE, Stage

from kedro_journal.events import SessionClosed
from kedro_journal.journal.names import JOURNAL_NAME, RESERVE_NAME

__all__ = ["SCENARIOS", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """A story of writers.

    Attributes:
        name: In words.
        play: Plays it.
        before: Whole lines that the journal has already.
        tail: What stands behind them: bytes that need a repair.
        repair: What a writer does with the tail.
        skipped: How many whole lines of the tail are damaged and left in place.
        forks: It forks, so it must run in a process of its own.
    """

    name: str
    play: Callable[[Stage], None]
    before: bytes = b""
    tail: bytes = b""
    repair: Literal["", "cut", "adopted", "terminator"] = ""
    skipped: int = 0
    forks: bool = False

    def prepare(self, folder: Path) -> None:
        """Make the folder, what stands in the journal before, and a reserve."""
        folder.parent.mkdir(exist_ok=True)
        (folder.parent / RESERVE_NAME).write_bytes(bytes(100))
        if self.before:
            put(folder, self.before + self.tail)
        else:
            folder.mkdir(mode=0o700)

    @property
    def fragment(self) -> bytes:
        """The bytes after the last newline that stand there before."""
        return self.tail[self.tail.rfind(b"\n") + 1 :]


def create_and_append(stage: Stage) -> None:
    hand = stage.create()
    for number in range(3):
        hand.append(f"{number}a", f"{number}b")
    hand.close()
    hand.append("reopened")


def one_at_a_time(stage: Stage) -> None:
    """What is alone and plain goes the quick way, until another writer comes."""
    one, other = stage.create(), stage.join()
    for name in ("a1", "a2", "a3"):
        one.append(name)
    for name in ("b1", "b2", "b3"):
        other.append(name)
    one.append("a4")
    one.append("a5", reserve=True)
    one.append("a6")


def failures_between(stage: Stage) -> None:
    """Events that are synced at every level, between some that are not."""
    hand = stage.create()
    hand.append("a")
    hand.append("failed 1")
    hand.append("b", "failed 2", "c")
    hand.append("d")


def endings(stage: Stage) -> None:
    """What must be written gets the reserve where the disk is full."""
    hand = stage.create()
    hand.append("a")
    hand.append("failed 1", "b", reserve=True)
    hand.append("failed 2", reserve=True)
    hand.append("c")


def join_and_append(stage: Stage) -> None:
    hand = stage.join()
    hand.append("a", "b")
    hand.append("c")


def large_batches(stage: Stage) -> None:
    """Records larger than the window in which a writer looks for the end."""
    one, other = stage.create(), stage.join()
    one.append("large 1", "large 2", "large 3")
    other.append("large 4")
    one.append("large 5")


def second_writer(stage: Stage) -> None:
    one, other = stage.create(), stage.join()
    one.append("a1")
    other.append("b1", "b2")
    one.append("a2", "a3")
    other.append("b3")
    one.append("a4")


def another_comes_between(stage: Stage) -> None:
    """Whatever the first one left of a failed append, a second writer finds it."""
    one = stage.create()
    one.append("a1")
    one.append("a2", "a3", "a4")
    stage.join().append("b1", "b2")
    one.append("a5")


def close_session(stage: Stage) -> None:
    one, other = stage.create(), stage.join()
    one.append("a")
    one.append("b", CLOSE)
    one.append("late 1")
    other.append("late 2")


def closed_before(stage: Stage) -> None:
    hand = stage.join()
    hand.append("late 1")
    hand.append("late 2")


def fork_and_append(stage: Stage) -> None:
    hand = stage.create()
    hand.append("a1")
    pid = os.fork()
    if pid == 0:
        hand.forked()
        with contextlib.suppress(BaseException):
            hand.append("c1", "c2")
            hand.append("c3")
            hand.close()
            if stage.leave is not None:
                stage.leave()
        os._exit(0)
    stage.killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    hand.append("a2", "a3")


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold the append lock as another process does."""
    fd = os.open(folder / JOURNAL_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def turn_of_another(stage: Stage) -> None:
    """Nobody appends while another process has its turn."""
    stage.deadline_s = 0.0  # one try: how many fit into a time differs
    one, other = stage.create(), stage.join()
    one.append("a1")
    with held(stage.folder):
        one.append("held 1")
        other.append("held 2")
    one.append("a2")
    other.append("b1")


_LINES: Final = sample_lines(5)
_WHOLE: Final = b"".join(_LINES[:4])
_LARGE: Final = b"".join(sample_lines(6, (5_000, 9_000)))
_CLOSED: Final = b"".join(seal_all([HEADER, opened(), note("x"), SessionClosed()]))


def _joining(
    name: str,
    tail: bytes,
    repair: Literal["cut", "adopted", "terminator"],
    skip: int = 0,
) -> Scenario:
    return Scenario(name, join_and_append, _WHOLE, tail, repair, skip)


SCENARIOS: Final = (
    Scenario("create and append", create_and_append),
    Scenario("one event at a time", one_at_a_time),
    Scenario("failures are synced", failures_between),
    Scenario("endings get the reserve", endings),
    Scenario("join a whole journal", join_and_append, _WHOLE),
    Scenario("large batches", large_batches),
    Scenario("two writers in turn", second_writer),
    Scenario("another writer comes between", another_comes_between),
    Scenario("close the session", close_session),
    Scenario("the session was closed before", closed_before, _CLOSED),
    _joining("cut a torn tail", _LINES[4][:-30], "cut"),
    Scenario(
        "cut a large torn tail", join_and_append, _LARGE, b'{"v":1' * 2_000, "cut"
    ),
    _joining("cut a foreign tail", sample_lines(5, seed=9)[4][:-1], "cut"),
    _joining("adopt a whole tail", _LINES[4][:-1], "adopted"),
    _joining("mend a terminator", _LINES[4][:-1] + b"\xff", "terminator"),
    Scenario("skip bad lines", join_and_append, _WHOLE, b"bad\nbad\n", skipped=2),
    _joining("skip a line and cut a tail", b'bad\n{"v":1', "cut", 1),
    Scenario("a child is forked", fork_and_append, forks=True),
    Scenario("another has the lock", turn_of_another),
)
