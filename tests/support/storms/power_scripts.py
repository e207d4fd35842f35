"""What the writers do when the power fails: one script for each way to append."""

from __future__ import annotations

from typing import Final

from journals import note

from kedro_journal.events import SessionClosed, SessionCreated
from kedro_journal.journal import Durability, JournalDirectory, JournalWriter
from kedro_journal.journal.codec import encode_event
from kedro_journal.journal.names import JOURNAL_NAME, RESERVE_NAME

from .power_check import look
from .power_play import LEVELS, Play, Script

__all__ = ["SCRIPTS", "recovery"]

SYNC_DEADLINE_S: Final = 10.0


def begin(play: Play, level: Durability) -> JournalWriter:
    writer = play.create(level)
    play.append(writer, SessionCreated(session_id="s"))
    return writer


def flush(play: Play) -> None:
    """Level flush: the sync is called now and then."""
    writer = play.create("flush")
    for _ in range(play.rng.randint(4, 6)):
        play.append(writer, play.quiet())
        if play.rng.random() < 0.25:
            play.sync(writer)


def group_by_hand(play: Play) -> None:
    """Level group, with the window's end by hand."""
    writer = begin(play, "group")
    for _ in range(3):
        for event in play.several(1, 3):
            play.append(writer, event)
        play.sync(writer)


def group_by_thread(play: Play) -> None:
    """Level group as it is: a thread syncs within the window."""
    writer = begin(play, "group")
    writer._syncer = None
    for _ in range(2):
        play.port.synced.clear()
        play.append(writer, *play.several(1, 3))
        if not play.port.synced.wait(SYNC_DEADLINE_S):
            play.trouble.append("level group: nothing was synced")
        play.promise()
    play.append(writer, play.quiet())
    writer.close()
    play.promise()


def sync(play: Play) -> None:
    """Level sync: every append is promised."""
    writer = play.create("sync")
    for _ in range(play.rng.randint(4, 6)):
        play.append(writer, play.quiet())


def batches(play: Play) -> None:
    """Several records in one append."""
    writer = begin(play, play.rng.choice(LEVELS))
    for _ in range(3):
        play.append(writer, *play.several(2, 4))


def large(play: Play) -> None:
    """Records over several sectors, and over a page."""
    play.big = True
    writer = begin(play, play.rng.choice(LEVELS))
    for _ in range(3):
        play.append(writer, play.quiet())


def lifecycle(play: Play) -> None:
    """Level flush, with events that are synced at every level."""
    writer = begin(play, "flush")
    for _ in range(3):
        for event in play.several(0, 2):
            play.append(writer, event)
        play.append(writer, play.lifecycle())


def killed(play: Play) -> None:
    """A process is killed in the middle of an append; the next one repairs."""
    writer = begin(play, play.rng.choice(LEVELS))
    for event in play.several(0, 2):
        play.append(writer, event)
    torn = play.quiet()
    size = len(encode_event(torn)) + 100
    play.die(writer, play.rng.choice((1, size // 2, play.rng.randint(1, size))), torn)
    after = play.join(play.rng.choice(LEVELS))
    play.append(after, play.quiet())
    play.append(after, play.rng.choice((play.quiet(), play.lifecycle())))


def rolled_back(play: Play) -> None:
    """The disk is full in the middle of an append; then there is room again."""
    writer = begin(play, play.rng.choice(("flush", "flush", "sync")))
    for _ in range(2):
        for event in play.several(0, 2):
            play.append(writer, event)
        play.port.room = play.rng.choice((0, 700, play.rng.randint(1, 2500)))
        play.port.cuts_fail = play.rng.choice((0, 0, 0, 1))
        play.try_append(writer, *play.several(2, 5))
        play.port.room, play.port.cuts_fail = None, 0
        for event in play.several(1, 3):
            play.append(writer, event)
    if play.rng.random() < 0.5:  # full again: how it ends takes what was kept for it
        play.port.room = play.rng.randint(0, 60)
        reserve = play.folder.parent / RESERVE_NAME
        reserve.touch()
    play.append(writer, play.lifecycle(), reserve=True)


def rolled_back_late(play: Play) -> None:
    """Whole records are rolled back with a batch, and smaller ones take their place."""
    writer = begin(play, "flush")
    large, small = play.rng.randint(900, 1800), play.rng.randint(0, 100)
    play.port.room = large + 600 + play.rng.randint(0, 500)
    play.try_append(writer, note("large", large), note("small", small), *[note()] * 9)
    play.port.room = None
    for number in range(4):
        play.append(writer, note(number, play.rng.randint(0, 60)))


def closed(play: Play) -> None:
    """A session that ends in order, and one who comes too late."""
    level = play.rng.choice(LEVELS)
    writer = begin(play, level)
    for event in play.several(1, 3):
        play.append(writer, event)
    play.append(writer, *play.several(0, 2), SessionClosed())
    play.try_append(play.join(level), play.quiet())


def two_writers(play: Play) -> None:
    """A second process joins; both append, each at its own level."""
    writers = [begin(play, play.rng.choice(LEVELS))]
    writers.append(play.join(play.rng.choice(LEVELS)))
    for _ in range(6):
        writer = play.rng.choice(writers)
        play.append(writer, *play.several(1, 2))
        if play.rng.random() < 0.2:
            play.sync(writer)


def first_session(play: Play) -> None:
    """The first session of a project: the journal directory is new as well."""
    directory = JournalDirectory(play.folder.parent / "new" / "sessions", play.port)
    _, play.folder = directory.claim("2026-01-02T03.04.05.678Z")
    play.journal = play.folder / JOURNAL_NAME
    writer = begin(play, play.rng.choice(LEVELS))
    play.append(writer, play.quiet())


def recovery(play: Play) -> None:
    """After a power failure: a writer goes on, if it may; sometimes it dies as well."""
    seen = look(play.content())
    begun = len(seen.lines) > seen.rescued
    level = play.rng.choice(LEVELS)
    writer = play.join(level) if begun else play.create(level)
    way = play.rng.random()
    if way < 0.2:
        play.port.room = play.rng.randint(0, 900)
        play.try_append(writer, *play.several(1, 3))
        play.port.room = None
    elif way < 0.4:
        play.die(writer, play.rng.randint(1, 900), *play.several(1, 3))
        writer = play.join(level) if begun else play.create(level)
    if play.try_append(writer, play.quiet()):
        play.try_append(writer, *play.several(1, 2))
        if play.rng.random() < 0.5:
            play.append(writer, play.lifecycle())


SCRIPTS: Final[dict[str, Script]] = {
    "flush": flush,
    "group, synced by hand": group_by_hand,
    "group, synced by its thread": group_by_thread,
    "sync": sync,
    "batches": batches,
    "large records": large,
    "lifecycle": lifecycle,
    "killed, then repaired": killed,
    "disk full, rolled back": rolled_back,
    "disk full, then smaller records": rolled_back_late,
    "closed": closed,
    "two writers": two_writers,
    "first session": first_session,
}
