"""The lineage of a resumed session, found in journals alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_journal.errors import NotResumable
from kedro_journal.events import (
    DatasetLoading,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunFailed,
    RunInterrupted,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.events.base import ErrorInfo
from kedro_journal.journal import JournalDirectory, JournalWriter, OwnerLock
from kedro_journal.journal.liveness import boot_id, host_name, start_ticks
from kedro_journal.session.resume.chain import find_chain

S = [f"2026-11-22T05.11.3{number}.000Z" for number in range(9)]
NODE = PlannedNode("a", inputs=("raw",), outputs=("x",))


class Journals:
    """A journal directory in which sessions are written by hand."""

    def __init__(self, path: Path) -> None:
        self.where = JournalDirectory(path)

    def add(
        self,
        session_id: str,
        *events: Event,
        of: tuple[str, str | None] | None = None,
        runs: tuple[str, ...] = ("run",),
        worker: int | None = None,
        ended: bool = True,
    ) -> str:
        """Write a session, with runs that failed, that resumes another one's run."""
        claimed, folder = self.where.claim(session_id)
        here = {"host": host_name(), "boot_id": boot_id()}
        header = JournalHeader(
            session_id=claimed, uid="u", salt="s", package_version="1"
        )
        owner = WriterOpened(pid=os.getpid(), **here)
        writer = JournalWriter(folder, owner, header=header)
        parent_id = of[0] if of is not None else None
        writer.append(
            SessionCreated(
                session_id=claimed, pid=os.getpid(), parent_session_id=parent_id
            )
        )
        if of is not None:
            parent, run_id = of
            resumed = SessionResumed(parent_session_id=parent, parent_run_id=run_id)
            writer.append(resumed)
        for run_id in runs:
            writer.append(RunStarted(run_id=run_id, nodes=(NODE,)))
            if ended:
                writer.append(RunFailed(run_id=run_id, error=ErrorInfo(type="E")))
        for event in events:
            writer.append(event)
        writer.close()
        if worker is not None:
            ticks = start_ticks(worker)
            opened = WriterOpened(
                pid=worker, role="worker", started_at_ticks=ticks, **here
            )
            second = JournalWriter(folder, opened)
            second.append(DatasetLoading(run_id=runs[-1], node="a", dataset="raw"))
            second.append(NodeStarted(run_id=runs[-1], node="a"))
            second.close()
        return claimed

    def chain(self, wanted: str = "latest", run_id: str | None = None) -> list[str]:
        """Give the sessions of the chain that is found."""
        found = find_chain(wanted, directory=self.where.path, run_id=run_id)
        assert found.folder == self.where.folder(found.last.session_id)
        return [link.state.session_id for link in found.links]


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "sessions")


def test_a_session_that_nobody_resumed_is_the_whole_chain(journals: Journals) -> None:
    journals.add(S[0])
    journals.add(S[1])
    assert journals.chain(S[0]) == [S[0]]


def test_the_last_of_a_chain_is_gone_on_from_whichever_is_named(
    journals: Journals,
) -> None:
    journals.add(S[0])
    journals.add(S[1], of=(S[0], "run"))
    journals.add(S[2])
    journals.add(S[3], of=(S[1], "run"))
    for wanted in (S[0], S[1], S[3], "latest"):
        assert journals.chain(wanted) == [S[0], S[1], S[3]]


def test_each_run_of_a_session_has_a_chain_of_its_own(journals: Journals) -> None:
    journals.add(S[0], runs=("one", "two"))
    journals.add(S[1], of=(S[0], "one"))

    assert journals.chain(S[0], "one") == [S[0], S[1]]
    assert journals.chain(S[0], "two") == [S[0]]
    assert journals.chain(S[0]) == [S[0]], "its last run is meant"
    with pytest.raises(NotResumable, match="Its runs: one, two"):
        journals.chain(S[0], "three")


def test_a_session_that_was_to_resume_one_and_did_not_begin_stands_for_it(
    journals: Journals,
) -> None:
    journals.add(S[0])
    journals.add(S[1], of=(S[0], "run"))
    journals.add(S[2], of=(S[1], "run"), runs=())
    journals.add(S[3], of=(S[1], "run"), runs=())

    for wanted in ("latest", S[2], S[0]):
        assert journals.chain(wanted) == [S[0], S[1]]


def test_without_any_run_there_is_nothing_to_go_on_from(journals: Journals) -> None:
    journals.add(S[0], runs=())
    with pytest.raises(NotResumable, match="no run of it was begun"):
        journals.chain()
    journals.add(S[1], of=(S[2], None), runs=())
    journals.add(S[2], of=(S[1], None), runs=())
    with pytest.raises(NotResumable, match="no run of it was begun"):
        journals.chain()


def test_a_ring_of_sessions_ends(journals: Journals) -> None:
    journals.add(S[0], of=(S[1], "run"))
    journals.add(S[1], of=(S[0], "run"))
    assert journals.chain(S[0]) == [S[0], S[1]]


def test_ids_of_ones_own_have_no_order(journals: Journals) -> None:
    journals.add("train-b")
    journals.add("train-a", of=("train-b", "run"))
    journals.add(S[0], of=("train-a", "run"))
    assert journals.chain("train-b") == ["train-b", "train-a", S[0]]


def test_a_parent_that_is_gone_is_told(journals: Journals) -> None:
    journals.add(S[1], of=(S[0], "run"))
    with pytest.raises(NotResumable, match=f"resumes, {S[0]}, cannot be read"):
        journals.chain()


@pytest.fixture
def held(journals: Journals) -> Iterator[OwnerLock]:
    """The lock of the owner of the first session, in another process than ours."""
    journals.where.ensure()
    yield (lock := OwnerLock(journals.where.path / S[0] / "owner.lock"))
    lock.release()


def test_a_session_of_this_process_whose_run_ended_can_be_gone_on_from(
    journals: Journals, held: OwnerLock
) -> None:
    journals.add(S[0])
    held.acquire()
    assert journals.chain() == [S[0]]


def test_one_whose_run_goes_on_cannot(journals: Journals, held: OwnerLock) -> None:
    journals.add(S[0], ended=False)
    held.acquire()
    with pytest.raises(NotResumable, match=f"its process {os.getpid()} on"):
        journals.chain()


def test_a_worker_that_is_still_at_a_node_is_waited_for(journals: Journals) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        journals.add(S[0], worker=child.pid, ended=False)
        with pytest.raises(NotResumable, match=f"worker process {child.pid} is alive"):
            journals.chain()
        assert find_chain(directory=journals.where.path, force=True)
    finally:
        child.kill()
    # A zombie, for nobody has waited for it: it is at nothing any more.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert journals.chain() == [S[0]]
    child.wait()
    assert journals.chain() == [S[0]]


def test_one_of_a_run_that_was_stopped_is_too_whatever_it_did_last(
    journals: Journals,
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        journals.add(S[0], worker=child.pid, ended=False)
        writer = JournalWriter(
            journals.where.folder(S[0]),
            WriterOpened(pid=os.getpid(), host=host_name(), boot_id=boot_id()),
        )
        writer.append(NodeComputed(run_id="run", node="a"))
        writer.append(NodeCompleted(run_id="run", node="a"))
        assert journals.chain() == [S[0]], "it is dead, and the node is done"
        writer.append(RunInterrupted(run_id="run", reason="SIGTERM"))
        writer.append(SessionClosed(reason="signal"))
        writer.close()
        with pytest.raises(NotResumable, match="alive and may be at a node, though"):
            journals.chain()
    finally:
        child.kill()
        child.wait()
    assert journals.chain() == [S[0]]
