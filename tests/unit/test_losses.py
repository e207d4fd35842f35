"""What workers could not write reaches the owner without a disk."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from journals import create, salvage

from kedro_journal.events import JournalGap, PlannedNode, RunStarted, SessionCreated
from kedro_journal.hooks.worker_context import hand_over, take_back
from kedro_journal.journal import JournalDirectory
from kedro_journal.recording.losses import Losses, report
from kedro_journal.recording.progress import ActiveRun
from kedro_journal.recording.recorder import Recorder
from kedro_journal.redaction import Redactor

linux = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets")


@linux
def test_the_losses_of_several_processes_are_added_up() -> None:
    losses = Losses()
    for number in (3, 4):
        if not (pid := os.fork()):
            report(losses.name, number, "the disk is full " * 1000)
            os._exit(0)
        os.waitpid(pid, 0)
    gap = losses.take()
    assert isinstance(gap, JournalGap)
    assert (7, 0) == (gap.dropped, gap.kept)
    assert gap.reason.startswith("in a worker process: the disk is full")
    assert losses.take() is None
    losses.close()
    assert losses.take() is None


@linux
def test_what_others_send_is_no_loss() -> None:
    losses = Losses()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        for data in (
            b"",
            b"x",
            b"[]",
            b'{"events": -5, "reason": "x"}',
            b"\xff" * 9000,
        ):
            sender.sendto(data, f"\0{losses.name}")
    assert losses.take() is None
    losses.close()


def test_nobody_who_listens_is_no_trouble() -> None:
    report("", 1, "why")
    report("kedro-journal-nobody", 1, "why")
    losses = Losses()
    losses.close()
    report(losses.name, 1, "why")


def test_a_system_without_such_sockets_hears_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    losses = Losses()
    assert ("", None) == (losses.name, losses.take())
    report("name", 1, "why")
    losses.close()


@linux
def test_a_run_whose_workers_lost_events_says_so(tmp_path: Path) -> None:
    class Node:
        name = "n"

    folder = JournalDirectory(tmp_path).claim("s")[1]
    redactor = Redactor()
    recorder = Recorder(
        create(folder), session_id="s", folder=folder, redactor=redactor
    )
    recorder.record(
        SessionCreated(session_id="s"),
        RunStarted(run_id="r", nodes=(PlannedNode(name="n"),)),
    )
    run, node = ActiveRun("r", 1), Node()
    hand_over(run, [node], recorder, None)
    (handed,) = node.__dict__["_kedro_journal"]
    report(handed["losses"], 5, "why")
    recorder.record(*run.gaps())
    take_back(run, [node])
    assert run.gaps() == []
    assert 5 == recorder.state().dropped_events
    assert "journal.gap" == salvage(folder)[0][-1].type
