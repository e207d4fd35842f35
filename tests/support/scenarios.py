"""What writers do to a journal, step by step, with an exact account of what they said.

Each scenario is a short story of one or more writers. It runs on any system; whether a
promise was broken is for the verdict of the storms to say.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from journals import HEADER, note, opened, put, sample_lines, seal_all

from kedro_journal.errors import JournalError
from kedro_journal.events import (
    Event,
    NoteAdded,
    Record,
    RunFailed,
    SessionClosed,
)
from kedro_journal.events.base import ErrorInfo
from kedro_journal.journal import Durability, JournalWriter
from kedro_journal.journal.codec import Encoded, encode_event
from kedro_journal.journal.lock import LockBackend
from kedro_journal.journal.port import Os
from kedro_journal.journal.writer import APPEND_LOCK_NAME, RESERVE_NAME

__all__ = [
    "CLOSE",
    "SCENARIOS",
    "Batch",
    "Hand",
    "Scenario",
    "Stage",
    "label",
]

Outcome = Literal["asked", "acknowledged", "refused"]

CLOSE: Final = "close"


def event_of(name: str) -> Event:
    """Give the event that goes by a name in an account."""
    if name == CLOSE:
        return SessionClosed()
    if name.startswith("failed"):
        return RunFailed(run_id=name, error=ErrorInfo(type="E"))
    size = 9_000 if name.startswith("large") else 0
    return note(name, size)


def label(record: Record) -> str:
    """Give the name of an event as an account has it, empty for the journal's own."""
    match record.event:
        case NoteAdded(text=text):
            return text
        case RunFailed(run_id=run_id):
            return run_id or ""
        case SessionClosed():
            return CLOSE
        case _:
            return ""


@dataclass
class Batch:
    """One append, and what became of it.

    Attributes:
        names: Of its events.
        hand: Which writer was asked.
        outcome: asked: the process died before it had an answer.
        error: Class of the error, if it was refused.
        reason: The system's words.
        errno: The system's number.
        ours: Whether the error is one of this package.
        unsynced: It was acknowledged with bytes that no sync had covered.
        poisoned: A sync of that writer had failed before it answered.
    """

    names: tuple[str, ...]
    hand: int
    outcome: Outcome = "asked"
    error: str = ""
    reason: str = ""
    errno: int | None = None
    ours: bool = True
    unsynced: bool = False
    poisoned: bool = False


class Hand:
    """One writer of a stage.

    Attributes:
        number: Its number on the stage.
        writer: The writer.
        port: Its system.
        owes: Anything that whoever watches wants to keep of it.
    """

    owes = -1

    def __init__(self, stage: Stage, number: int, *, header: bool) -> None:
        self.stage = stage
        self.number = number
        self.port = stage.port()
        self.writer = stage.writer(
            stage.folder,
            opened("owner" if header else "worker"),
            header=HEADER if header else None,
            durability=stage.durability,
            deadline_s=stage.deadline_s,
            backend=stage.backend,
            port=self.port,
        )

    def append(self, *names: str, reserve: bool = False) -> None:
        """Append one batch, and put on the account what the writer said."""
        batch = self.stage.ask(names, self.number)
        if self.stage.early:
            self.stage.answer(self, batch, "acknowledged")
        try:
            encoded = [Encoded(e, encode_event(e)) for e in map(event_of, names)]
            records = self.writer.append_encoded(*encoded, reserve=reserve)
        except Exception as error:
            batch.error = type(error).__name__
            batch.reason = str(getattr(error, "reason", error))
            batch.errno = getattr(error, "errno", None)
            batch.ours = isinstance(error, JournalError)
            outcome: Outcome = "refused"
        else:
            outcome = "acknowledged"
            assert tuple(map(label, records)) == names
        if not self.stage.early:
            self.stage.answer(self, batch, outcome)

    def forked(self) -> None:
        """Become the hand of a child process: its writer is a new one."""
        self.number += 100
        self.port = self.stage.port()

    def close(self) -> None:
        """Let go of the files."""
        self.writer.close()
        if self.stage.closing is not None:
            self.stage.closing(self)


@dataclass
class Stage:
    """Where a scenario runs.

    Attributes:
        folder: The session folder.
        port: Makes the operating system of one writer.
        backend: Who locks; None leaves it to the writer.
        durability: The level.
        deadline_s: How long a writer waits for its turn.
        writer: What a writer is.
        early: Sabotage: acknowledge before the write.
        pipe: Where the account goes as well, for the process may be killed.
        watch: Called before each answer is put down.
        closing: Called after a writer was closed.
        leave: Called before a forked child of a scenario ends.
        first: Number of the first writer.
        killed: A process of the scenario was killed.
        batches: The account.
        hands: The writers, in the order in which they came.
    """

    folder: Path
    port: Callable[[], Os] = Os
    backend: LockBackend | None = None
    durability: Durability = "flush"
    deadline_s: float = 5.0
    writer: type[JournalWriter] = JournalWriter
    early: bool = False
    pipe: int = -1
    watch: Callable[[Hand, Batch], None] | None = None
    closing: Callable[[Hand], None] | None = None
    leave: Callable[[], None] | None = None
    first: int = 0
    killed: bool = False
    batches: list[Batch] = field(default_factory=list)
    hands: list[Hand] = field(default_factory=list)

    def create(self) -> Hand:
        """Give the writer of a new journal."""
        return self._hand(header=True)

    def join(self) -> Hand:
        """Give one more writer of a journal that exists."""
        return self._hand(header=False)

    def _hand(self, *, header: bool) -> Hand:
        hand = Hand(self, self.first + len(self.hands), header=header)
        self.hands.append(hand)
        return hand

    def ask(self, names: tuple[str, ...], hand: int) -> Batch:
        """Note that a batch is about to be appended."""
        batch = Batch(names, hand)
        self.batches.append(batch)
        self._tell(batch)
        return batch

    def answer(self, hand: Hand, batch: Batch, outcome: Outcome) -> None:
        """Note what the writer said."""
        batch.outcome = outcome
        if self.watch is not None:
            self.watch(hand, batch)
        self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        if self.pipe >= 0:
            os.write(self.pipe, json.dumps(vars(batch)).encode() + b"\n")

    def listen(self, told: bytes) -> None:
        """Take over the account of a process that may have died."""
        for line in told.split(b"\n")[:-1]:
            facts = json.loads(line)
            batch = Batch(**facts | {"names": tuple(facts["names"])})
            for number, known in enumerate(self.batches):
                if known.names == batch.names:  # names are used once
                    self.batches[number] = batch
                    break
            else:
                self.batches.append(batch)

    def close(self) -> None:
        """Let go of every writer's files."""
        for hand in self.hands:
            hand.close()


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
    fd = os.open(folder / APPEND_LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
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
    name: str, tail: bytes, repair: Literal["cut", "adopted", "terminator"], **more: int
) -> Scenario:
    return Scenario(name, join_and_append, _WHOLE, tail, repair, **more)


SCENARIOS: Final = (
    Scenario("create and append", create_and_append),
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
    _joining("skip a line and cut a tail", b'bad\n{"v":1', "cut", skipped=1),
    Scenario("a child is forked", fork_and_append, forks=True),
    Scenario("another has the lock", turn_of_another),
)
