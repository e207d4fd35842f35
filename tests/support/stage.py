"""Where writers append, and an exact account of what they said to it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from journals import HEADER, note, opened

from kedro_journal.errors import JournalError
from kedro_journal.events import Event, NoteAdded, Record, RunFailed, SessionClosed
from kedro_journal.events.base import ErrorInfo
from kedro_journal.journal import Durability, JournalWriter
from kedro_journal.journal.codec import Encoded, encode_event
from kedro_journal.journal.lock import LockBackend
from kedro_journal.journal.port import Os

__all__ = ["CLOSE", "Batch", "Hand", "NotingOs", "Outcome", "Stage", "label"]

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


class NotingOs(Os):
    """A system that notes how many syncs failed, in any thread."""

    failed_syncs = 0


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
        if isinstance(self.port, NotingOs):
            self.port.failed_syncs = 0

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
