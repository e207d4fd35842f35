"""The journal never breaks the run: what it cannot take is held, counted and told."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from journals import HEADER, create, opened, salvage

from kedro_journal.errors import JournalError
from kedro_journal.events import (
    DatasetLoading,
    ErrorInfo,
    Event,
    JournalGap,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
)
from kedro_journal.journal import JournalDirectory, JournalWriter, MemoryJournal
from kedro_journal.journal.names import RESERVE_NAME
from kedro_journal.journal.port import Os
from kedro_journal.recording.backlog import HELD_MAX, HELD_MAX_BYTES
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor

BEGINNING = (
    SessionCreated(session_id="s"),
    RunStarted(run_id="r", nodes=(PlannedNode(name="n"), PlannedNode(name="m"))),
)


class Disk(Os):
    """The real kernel; while it is full, nothing can be written.

    With a reserve on it, as many bytes can be written as the reserve had, once it was
    removed.
    """

    def __init__(self) -> None:
        self.broken: int | None = None
        self.room = 0
        self.tries = 0

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        self.tries += 1
        if self.broken is None:
            return super().write(fd, data, end)
        if self.room >= len(data):
            self.room -= len(data)
            return super().write(fd, data, end)
        raise OSError(self.broken, os.strerror(self.broken))

    def remove(self, path: Path) -> None:
        size = path.stat().st_size
        super().remove(path)
        self.room += size


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s = 1000.0
        monkeypatch.setattr(
            "kedro_journal.recording.backlog.monotonic_s", lambda: self.now_s
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = JournalDirectory(tmp_path / "sessions")
    return directory.claim("s")[1]


@pytest.fixture
def recorder(folder: Path, disk: Disk) -> Recorder:
    return record_into(create(folder, port=disk), folder)


def record_into(
    journal: JournalWriter, folder: Path, *, strict: bool = False
) -> Recorder:
    return Recorder(
        journal,
        session_id=folder.name,
        folder=folder,
        redactor=Redactor(),
        strict=strict,
    )


def types(folder: Path) -> list[str]:
    found, findings = salvage(folder)
    assert findings == []
    ours = ("journal.header", "writer.opened")
    return [record.type for record in found if record.type not in ours]


def gaps(folder: Path) -> list[JournalGap]:
    events = [record.event for record in salvage(folder)[0]]
    return [event for event in events if isinstance(event, JournalGap)]


def loading(number: int, size: int = 0) -> Event:
    return DatasetLoading(
        run_id="r", node=f"node {number}", dataset=f"d{number}" + "x" * size
    )


def test_what_was_held_is_written_after_the_gap_when_writing_works_again(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(loading(1))
    recorder.record(loading(2))
    assert (recorder.state().dropped_events, types(folder)) == (
        2,
        ["session.created", "run.started"],
    )
    disk.broken = None
    clock.now_s += 10
    recorder.record(loading(3))
    assert types(folder)[2:] == ["journal.gap", *["dataset.loading"] * 3]
    (gap,) = gaps(folder)
    assert (gap.dropped, gap.kept) == (0, 3)
    assert "Input/output error" in gap.reason
    assert recorder.state().dropped_events == 0
    assert recorder.state().anomalies == ()


def test_held_events_keep_the_times_they_had(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    from datetime import UTC, datetime

    recorder.record(*BEGINNING)
    disk.broken = errno.ENOSPC
    then = datetime(2026, 1, 1, tzinfo=UTC)
    recorder.record(loading(1), at=then)
    disk.broken = None
    clock.now_s += 10
    recorder.record(loading(2))
    found = [r for r in salvage(folder)[0] if r.type == "dataset.loading"]
    assert found[0].at == then
    assert found[1].at > then


def test_a_broken_journal_is_tried_ever_more_rarely(
    recorder: Recorder, disk: Disk, clock: Clock
) -> None:
    """A try costs the run time: at each event of a night it would cost too much."""
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    disk.tries = 0
    for number in range(100):
        recorder.record(loading(number))
    assert disk.tries == 1
    tries_at: list[float] = []
    began_s = clock.now_s
    for number in range(100, 700):
        clock.now_s += 0.05
        before = disk.tries
        recorder.record(loading(number))
        if disk.tries > before:
            tries_at.append(clock.now_s - began_s)
    pauses = [b - a for a, b in pairwise(tries_at)]
    assert pauses == sorted(pauses)
    assert 8 <= len(tries_at) <= 12
    assert max(pauses) <= 5.2


def test_endings_are_tried_at_once(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(loading(1))
    disk.broken = None
    recorder.record(loading(2))
    assert len(types(folder)) == 2
    recorder.record(NodeFailed(run_id="r", node="n", error=ErrorInfo(type="E")))
    assert types(folder)[2:] == [
        "journal.gap", "dataset.loading", "dataset.loading", "node.failed",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0, 20_000])
def test_what_is_held_is_bounded_and_what_is_given_up_is_counted(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock, size: int
) -> None:
    disk.broken = errno.EIO
    recorder.record(*BEGINNING)
    for number in range(1500):
        recorder.record(loading(number, size))
    backlog = recorder._backlog
    assert backlog.missing == 1502
    assert len(backlog._held) <= HELD_MAX
    assert sum(len(item.data) for item in backlog._held) <= HELD_MAX_BYTES
    disk.broken = None
    clock.now_s += 10
    recorder.record(loading(1500, size))
    (gap,) = gaps(folder)
    found = types(folder)
    # Beginnings are kept while there is anything else to give up.
    assert found[:3] == ["journal.gap", "session.created", "run.started"]
    assert gap.kept == len(found) - 1
    assert gap.dropped == 1503 - gap.kept
    last = salvage(folder)[0][-1].event
    assert last == loading(1500, size)
    assert recorder.state().dropped_events == gap.dropped


def test_on_a_full_disk_the_reserve_takes_how_it_ended(
    recorder: Recorder, folder: Path, disk: Disk
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.ENOSPC
    for number in range(300):
        recorder.record(loading(number))
    error = ErrorInfo(type="builtins.OSError", message="no space")
    assert (folder.parent / RESERVE_NAME).exists()
    recorder.record(NodeFailed(run_id="r", node="n", error=error))
    assert not (folder.parent / RESERVE_NAME).exists()
    recorder.record(RunFailed(run_id="r", error=error))
    recorder.record(SessionClosed())
    assert types(folder) == [
        "session.created", "run.started", "journal.gap", "node.failed", "run.failed",
        "session.closed",
    ]  # fmt: skip
    assert [(gap.dropped, gap.kept) for gap in gaps(folder)] == [(300, 1)]
    state = recorder.state()
    assert (state.status, state.outcome, state.dropped_events) == (
        "closed",
        "failed",
        300,
    )
    assert state.runs[0].nodes["n"].error == error
    assert state.anomalies == ()


def test_a_session_on_a_disk_that_was_full_from_the_start_tells_its_story(
    recorder: Recorder, folder: Path, disk: Disk
) -> None:
    """Beginnings wait for the ending: the reserve is not spent on them."""
    disk.broken = errno.EDQUOT
    recorder.record(*BEGINNING)
    recorder.record(NodeStarted(run_id="r", node="n"))
    assert (folder.parent / RESERVE_NAME).exists()
    recorder.record(RunFailed(run_id="r", error=ErrorInfo(type="E", message="no")))
    recorder.record(SessionClosed())
    assert types(folder) == [
        "journal.gap", "session.created", "run.started", "run.failed",
        "session.closed",
    ]  # fmt: skip
    state = recorder.state()
    assert (state.outcome, state.runs[0].status) == ("failed", "failed")
    assert (state.dropped_events, state.anomalies) == (1, ())


def test_last_words_that_are_too_long_are_told_in_brief(
    recorder: Recorder, folder: Path, disk: Disk
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.ENOSPC
    recorder.record(loading(1))
    error = ErrorInfo(type="E", message="x" * 15_000, remote="y" * 15_000)
    for name in "abcdefghij":
        recorder.record(NodeFailed(run_id="r", node=name, error=error))
    recorder.record(RunFailed(run_id="r", error=error))
    recorder.record(SessionClosed())
    found = types(folder)
    assert found[-1] == "session.closed"
    assert found[3:5] == ["node.failed", "node.failed"]
    assert disk.room >= 0


def test_without_a_reserve_nothing_breaks(
    recorder: Recorder, folder: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.record(*BEGINNING)
    (folder.parent / RESERVE_NAME).unlink()
    disk.broken = errno.ENOSPC
    with caplog.at_level(logging.WARNING, "kedro_journal"):
        for number in range(5):
            recorder.record(loading(number))
        recorder.record(RunFailed(run_id="r", error=ErrorInfo(type="E")))
        recorder.record(SessionClosed())
        recorder.close()
    assert types(folder) == ["session.created", "run.started"]
    first, last = (record.getMessage() for record in caplog.records)
    assert "is incomplete" in first
    assert "The run goes on" in first
    assert "7 event(s) of session s could not be journaled" in last


def test_nodes_whose_beginning_was_dropped_are_no_anomaly(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    from kedro_journal.events import (
        DatasetSaved,
        NodeCompleted,
        NodeComputed,
        RunCompleted,
    )

    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(NodeStarted(run_id="r", node="n"))
    for number in range(HELD_MAX):
        recorder.record(loading(number))
    recorder.record(NodeComputed(run_id="r", node="n"))
    disk.broken = None
    clock.now_s += 10
    recorder.record(DatasetSaved(run_id="r", node="n", dataset="d"))
    recorder.record(NodeCompleted(run_id="r", node="n"))
    recorder.record(RunCompleted(run_id="r"))
    state = recorder.state()
    assert state.dropped_events > 0
    assert state.anomalies == ()
    nodes = state.runs[0].nodes
    assert nodes["n"].status == "completed"
    assert nodes["m"].status == "not recorded"  # not "skipped": it may have run


def test_in_strict_mode_every_event_that_is_not_written_raises(
    folder: Path, disk: Disk
) -> None:
    recorder = record_into(create(folder, port=disk), folder, strict=True)
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    for number in range(3):
        with pytest.raises(JournalError) as caught:
            recorder.record(loading(number))
        assert caught.value.strict
    disk.broken = None
    recorder.record(loading(3))
    assert types(folder)[2:] == ["journal.gap", *["dataset.loading"] * 4]


def test_an_event_that_cannot_be_encoded_is_counted(
    recorder: Recorder, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder.record(*BEGINNING)

    def broken(*args: object) -> bytes:
        raise TypeError("a bug of ours")

    with monkeypatch.context() as patched:
        patched.setattr("kedro_journal.recording.recorder.encode", broken)
        recorder.record(loading(1))
    recorder.record(loading(2))
    assert types(folder)[2:] == ["journal.gap", "dataset.loading"]
    assert gaps(folder)[0].dropped == 1


def test_without_a_journal_events_are_counted() -> None:
    recorder = Recorder(None, session_id="s", folder=None, redactor=Redactor())
    recorder.record(*BEGINNING)
    recorder.record(loading(1))
    assert recorder.state().dropped_events == 3
    recorder.close()


def test_a_journal_in_memory_never_runs_full() -> None:
    journal = MemoryJournal(HEADER, opened())
    recorder = Recorder(journal, session_id="s", folder=None, redactor=Redactor())
    recorder.record(*BEGINNING)
    recorder.record(RunFailed(run_id="r", error=ErrorInfo(type="E")))
    assert recorder.state().outcome == "failed"


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "journal.jsonl").unlink(),
        lambda folder: folder.rename(folder.parent / "away"),
        lambda folder: (folder / "journal.jsonl").rename(folder / "away"),
    ],
    ids=["journal deleted", "folder moved", "journal moved"],
)
def test_what_somebody_does_to_the_folder_meanwhile_does_not_reach_the_run(
    recorder: Recorder, folder: Path, damage: Callable[[Path], None]
) -> None:
    recorder.record(*BEGINNING)
    damage(folder)
    recorder.record(loading(1))
    recorder.record(RunFailed(run_id="r", error=ErrorInfo(type="E")))
    recorder.record(SessionClosed())
    recorder.state()
    recorder.close()
    assert not (folder / "journal.jsonl").exists() or types(folder)[-1] == (
        "session.closed"
    )


def test_a_forked_child_does_not_write_what_its_parent_holds(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(loading(1))
    disk.broken = None
    clock.now_s += 10
    pid = os.fork()
    if pid == 0:
        try:
            recorder.record(loading(2))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert types(folder)[2:] == ["dataset.loading"]
    recorder.record(loading(3))
    assert types(folder)[3:] == ["journal.gap", *["dataset.loading"] * 2]


def test_what_a_worker_holds_at_its_end_is_tried_once_more(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(loading(1))
    recorder.flush()
    assert 1 == recorder.state().dropped_events
    disk.broken = None
    recorder.flush()  # at once, however lately it was tried
    recorder.flush()
    assert types(folder)[2:] == ["journal.gap", "dataset.loading"]
    assert [(gap.dropped, gap.kept) for gap in gaps(folder)] == [(0, 1)]


def test_nothing_is_flushed_into_a_journal_that_was_closed(
    recorder: Recorder, folder: Path, disk: Disk, clock: Clock
) -> None:
    recorder.record(*BEGINNING)
    disk.broken = errno.EIO
    recorder.record(loading(1))
    disk.broken = None
    other = create(folder)
    other.append(SessionClosed())
    other.close()
    recorder.flush()
    assert types(folder)[2:] == ["session.closed"]


def test_a_worker_does_not_repeat_what_its_owner_said(
    folder: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(
        create(folder, port=disk),
        session_id="s",
        folder=folder,
        redactor=Redactor(),
        session=None,
        warned=True,
    )
    disk.broken = errno.EIO
    with caplog.at_level(logging.WARNING, "kedro_journal"):
        recorder.record(loading(1))
    assert caplog.records == []
