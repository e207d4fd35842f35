"""Real writers at work while every step is logged."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from journals import HEADER, note

from kedro_journal.errors import JournalClosed, JournalUnwritable
from kedro_journal.events import (
    ErrorInfo,
    Event,
    JournalGap,
    NodeFailed,
    NodeStarted,
    Record,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    SessionActivated,
    SessionFailed,
)
from kedro_journal.journal import Durability, JournalWriter
from kedro_journal.journal.codec import Encoded, encode_event, seal, timestamp
from kedro_journal.journal.names import JOURNAL_NAME

from .power_check import OWNER, WORKER, look
from .power_disk import Disk, File, Op
from .power_port import Killed, MemoryOs, NoOthers, RecordingOs

__all__ = ["HONEST", "LEVELS", "Base", "Hands", "Play", "Script", "Tape", "record"]

ERROR: Final = ErrorInfo(type="builtins.ValueError", message="no")
SMALL: Final = (0, 0, 40, 200, 420, 900, 1800)  # bytes that fill up a note
LARGE: Final = (0, 300, 1500, 3700, 5200)
LIFECYCLE: Final[tuple[Event, ...]] = (
    SessionActivated(),
    RunCompleted(run_id="r"),
    RunFailed(run_id="r", error=ERROR),
    RunInterrupted(run_id="r"),
    NodeFailed(run_id="r", node="split", error=ERROR),
    SessionFailed(error=ERROR),
    JournalGap(dropped=3, reason="No space left on device"),
)
LEVELS: Final[tuple[Durability, ...]] = ("flush", "group", "sync")


@dataclass(frozen=True)
class Hands:
    """Who does the work. A sabotage replaces one of them.

    Attributes:
        port: Class of the system.
        writer: Class of the writer.
        memory: Class of the system on which a writer goes on after a failure.
        early: Acknowledge before the append instead of after it.
    """

    port: type[RecordingOs] = RecordingOs
    writer: type[JournalWriter] = JournalWriter
    memory: type[MemoryOs] = MemoryOs
    early: bool = False


HONEST: Final = Hands()


@dataclass(frozen=True)
class Base:
    """A disk to begin with: what an earlier power failure left.

    Attributes:
        image: The journal; None if there is none yet.
        kept: What the files in `torn/` hold.
        lines: The records that a reader delivers of it.
        given: All that was ever to be written.
        aside: Bytes after the last newline that are no record, and where.
    """

    image: bytes | None = None
    kept: tuple[bytes, ...] = ()
    lines: tuple[bytes, ...] = ()
    given: frozenset[bytes] = frozenset()
    aside: tuple[tuple[int, bytes], ...] = ()


@dataclass
class Tape:
    """What was done, step by step, from where.

    Attributes:
        name: Of the script.
        journal: Path of the journal.
        base: The disk at first.
        ops: The steps.
        given: Every line that was ever to be written.
        trouble: Broken promises that need no power failure.
    """

    name: str
    journal: Path
    base: Base
    ops: list[Op] = field(default_factory=list)
    given: frozenset[bytes] = frozenset()
    trouble: list[str] = field(default_factory=list)

    def disk(self) -> Disk:
        """Give the disk as it was at first."""
        disk = Disk()
        if self.base.image is not None:
            disk.files[self.journal] = File(self.base.image)
        for path, data in _kept_paths(self.journal.parent, self.base.kept):
            disk.files[path] = File(data)
        return disk


def _kept_paths(folder: Path, kept: Sequence[bytes]) -> list[tuple[Path, bytes]]:
    return [(folder / "torn" / f"{n}.bin", data) for n, data in enumerate(kept)]


class Hand:
    """Durability level `group` with the sync done by hand: nothing in the background."""

    def wake(self) -> None:
        """Something was appended."""

    def stop(self) -> None:
        """There is no thread to end."""


class Play:
    """One script being performed.

    Attributes:
        folder: The session folder.
        journal: Path of the journal.
        rng: Where something is left to chance.
        hands: Who does the work.
        port: The system that all writers of the script share.
        trouble: Broken promises that need no power failure.
        big: Notes are over several sectors.
    """

    def __init__(self, folder: Path, rng: random.Random, hands: Hands) -> None:
        self.folder = folder
        self.journal = folder / JOURNAL_NAME
        self.rng = rng
        self.hands = hands
        self.port = hands.port()
        self.trouble: list[str] = []
        self._all: list[JournalWriter] = []
        salt = f"{rng.getrandbits(128):032x}"
        self._header = msgspec.structs.replace(HEADER, salt=salt)
        self.big = False

    def create(self, level: Durability) -> JournalWriter:
        """Give the writer of a new journal; its first event is acknowledged."""
        if not self.folder.exists():
            self.port.make_folder(self.folder)
        return self._writer(level, creator=True)

    def join(self, level: Durability) -> JournalWriter:
        """Give one more writer."""
        return self._writer(level, creator=False)

    def _writer(self, level: Durability, *, creator: bool) -> JournalWriter:
        writer = self.hands.writer(
            self.folder,
            OWNER if creator else WORKER,
            header=self._header if creator else None,
            durability=level,
            backend=NoOthers(),
            port=self.port,
        )
        writer._syncer = Hand()  # type: ignore[assignment]
        self._all.append(writer)
        return writer

    def append(
        self, writer: JournalWriter, *events: Event, reserve: bool = False
    ) -> None:
        """Append; from then on, what the level says is promised."""
        start = len(self.port.ops)
        repairs = self._repairs()
        batch = [Encoded(event, encode_event(event)) for event in events]
        records = writer.append_encoded(*batch, reserve=reserve)
        self._check_written(records)
        synced = writer._durability == "sync" or any(map(_is_synced, events))
        if synced or self._repairs() > repairs:
            self.promise(start if self.hands.early else None)

    def try_append(self, writer: JournalWriter, *events: Event) -> bool:
        """Append what may not fit on the disk, or be refused."""
        try:
            self.append(writer, *events)
        except (JournalUnwritable, JournalClosed):
            return False
        return True

    def sync(self, writer: JournalWriter) -> None:
        """Sync by hand."""
        writer.sync()
        self.promise()

    def promise(self, at: int | None = None) -> None:
        """All that stands in the journal now is promised, from step *at* on."""
        lines = tuple(look(self.content()).lines)
        where = len(self.port.ops) if at is None else at
        self.port.ops.insert(where, Op("promise", self.journal, lines=lines))

    def content(self) -> bytes:
        return self.journal.read_bytes() if self.journal.exists() else b""

    def _repairs(self) -> int:
        return self.content().count(b'"type":"journal.repaired"')

    def _check_written(self, records: Sequence[Record]) -> None:
        data = self.content()
        for record in records:
            line, _ = seal(
                seq=record.seq,
                at=timestamp(record.at),
                writer=record.writer,
                prev=record.prev,
                event=record.event,
                data=encode_event(record.event),
            )
            if data[record.offset : record.end] != line:
                self.trouble.append(f"record {record.seq} is acknowledged, not written")

    def die(self, writer: JournalWriter, after: int, *events: Event) -> None:
        """Be killed when so many bytes of an append are in the file."""
        self.port.life = after
        with contextlib.suppress(Killed, JournalClosed, JournalUnwritable):
            writer.append(*events)
        self.port.life = None
        writer.start_over()

    def end(self) -> None:
        """Close what is open, without a trace on the tape."""
        count = len(self.port.ops)
        for writer in self._all:
            writer.close()
        del self.port.ops[count:]

    def quiet(self) -> Event:
        """Give an event that is not synced for its own sake."""
        size = self.rng.choice(LARGE if self.big else SMALL)
        if self.rng.random() < 0.2:
            return NodeStarted(run_id="r", node=f"node {size}")
        return note(self.rng.randrange(1000), size + self.rng.randrange(20))

    def several(self, low: int, high: int) -> list[Event]:
        return [self.quiet() for _ in range(self.rng.randint(low, high))]

    def lifecycle(self) -> Event:
        """Give an event that is synced at every level."""
        return self.rng.choice(LIFECYCLE)


def _is_synced(event: Event) -> bool:
    """Tell what is synced at every level, as docs/concepts/guarantees.md has it."""
    name = event.TYPE
    return name.startswith(("session.", "run.")) or name in (
        "node.failed",
        "journal.gap",
    )


Script = Callable[[Play], None]


def record(
    name: str,
    script: Script,
    folder: Path,
    rng: random.Random,
    hands: Hands = HONEST,
    base: Base | None = None,
) -> Tape:
    """Perform a script and give the tape."""
    play = Play(folder, rng, hands)
    if base is not None:
        folder.mkdir(mode=0o700)
        if base.image is not None:
            play.journal.write_bytes(base.image)
        if base.kept:
            (folder / "torn").mkdir(mode=0o700)
        for path, data in _kept_paths(folder, base.kept):
            path.write_bytes(data)
    base = base or Base()
    try:
        script(play)
    finally:
        play.end()
    tape = Tape(name, play.journal, base, play.port.ops)
    tape.given = base.given | play.port.given
    tape.trouble = play.trouble
    disk = tape.disk()
    for op in tape.ops:
        disk.do(op)
    if disk.files[play.journal].now != play.content():
        tape.trouble.append("the tape and the real file differ")
    return tape
