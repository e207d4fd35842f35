"""Real journals on disk, of every fate a session can have."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kedro_journal.cli import journal
from kedro_journal.events import (
    CommandLine,
    DatasetLoading,
    ErrorInfo,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
    SessionResumed,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory, JournalWriter, OwnerLock
from kedro_journal.journal.liveness import boot_id, host_name

RUN = "2026-11-22T05.00.00.000Z"


class Journals:
    """A journal directory, and sessions put into it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: list[object] = []

    def begin(self, wanted: str, *events: Event) -> JournalWriter:
        """Begin a session that this process owns; it runs until it is let go."""
        session_id, folder = JournalDirectory(self.path).claim(wanted)
        lock = OwnerLock(folder / "owner.lock")
        lock.acquire()
        opened = WriterOpened(pid=os.getpid(), host=host_name(), boot_id=boot_id())
        header = JournalHeader(
            session_id=session_id, uid="u", salt="s", package_version="0"
        )
        writer = JournalWriter(folder, opened, header=header)
        resumed = [one for one in events if isinstance(one, SessionResumed)]
        created = SessionCreated(
            session_id=session_id,
            parent_session_id=resumed[0].parent_session_id if resumed else None,
            pid=os.getpid(),
            host=host_name(),
            command=CommandLine(argv=("kedro", "run"), name="run"),
        )
        writer.append(created, *events)
        self._held += [lock, writer]
        return writer

    def let_go(self) -> None:
        """Give up every session that this process owns, as its death would."""
        for one in self._held:
            if isinstance(one, OwnerLock):
                one.release()
            else:
                assert isinstance(one, JournalWriter)
                one.close()
        self._held.clear()

    def completed(self, wanted: str = "2026-11-20T05.00.00.000Z") -> Path:
        """Put in a session of 11 records that completed."""
        writer = self.begin(wanted, *run_of("split", "train"), RunCompleted(run_id=RUN))
        writer.append(SessionClosed(exit_code=0))
        return writer.path

    def failed(self, wanted: str = "2026-11-21T05.00.00.000Z") -> Path:
        """Put in a session that failed while loading."""
        error = ErrorInfo(type="DatasetError", message="no file")
        writer = self.begin(
            wanted,
            *run_of("split")[:1],
            DatasetLoading(run_id=RUN, node="split", dataset="table"),
            RunFailed(run_id=RUN, error=error),
            SessionClosed(exit_code=1),
        )
        return writer.path

    def running(self, wanted: str = "2026-11-22T05.00.00.000Z") -> JournalWriter:
        """Put in a session that runs for as long as this test."""
        return self.begin(wanted, *run_of("split", "train")[:2])

    def crashed(self, wanted: str = "2026-11-22T06.00.00.000Z") -> Path:
        """Put in a session whose process died in node split, by os._exit."""
        code = f"""
        import os, sys
        from pathlib import Path
        sys.path[:0] = {sys.path!r}
        from tests.cli.conftest import Journals, run_of
        Journals(Path({str(self.path)!r})).running({wanted!r})
        os._exit(9)
        """
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            check=False,
            cwd=Path(__file__).parents[2],
        )
        return self.path / wanted / "journal.jsonl"

    def corrupt(self, wanted: str = "2026-11-23T05.00.00.000Z") -> Path:
        """Put in a completed session of which record 5 has lost a bit."""
        path = self.completed(wanted)
        lines = path.read_bytes().splitlines(keepends=True)
        lines[4] = lines[4].replace(b"node", b"nodf", 1)
        path.write_bytes(b"".join(lines))
        return path


def run_of(*names: str) -> list[Event]:
    """Give the events of a run up to its last node's end."""
    nodes = tuple(PlannedNode(name) for name in names)
    events: list[Event] = [
        RunStarted(run_id=RUN, pipelines=("__default__",), nodes=nodes)
    ]
    for name in names:
        events += [
            NodeStarted(run_id=RUN, node=name),
            NodeComputed(run_id=RUN, node=name, duration_s=1.0),
            NodeCompleted(run_id=RUN, node=name, duration_s=1.5),
        ]
    return events


@pytest.fixture
def journals(tmp_path: Path) -> Journals:
    return Journals(tmp_path / "sessions")


Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Call a command in a folder that is no project; fail on a traceback."""
    monkeypatch.chdir(tmp_path)

    def run(*args: object, obj: object = None) -> Result:
        result = CliRunner().invoke(
            journal, [str(arg) for arg in args], obj=obj, prog_name="kedro-journal"
        )
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def command() -> list[str]:
    """The standalone form, as a process."""
    return [sys.executable, "-c", "from kedro_journal.cli import main; main()"]
