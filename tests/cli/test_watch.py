"""`watch` on real journals: as lines, and once on a real terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from kedro_journal.events import (
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    NoteAdded,
    RunCompleted,
    SessionClosed,
)
from kedro_journal.journal import JournalDirectory
from kedro_journal.replaying.watching import Names, Watcher

from .conftest import RUN, Call, Journals, run_of


def test_a_session_that_ended_is_printed_and_its_verdict_is_the_exit_code(
    journals: Journals, call: Call
) -> None:
    journals.completed()
    result = call("watch", "--directory", journals.path)
    assert result.exit_code == 0
    assert "[2/2] train completed after 1.50 s" in result.stdout
    journals.failed()
    result = call("watch", "--directory", journals.path)
    assert result.exit_code == 10
    assert "DatasetError: no file" in result.stdout


def test_a_crash_is_found_and_damage_read_past(journals: Journals, call: Call) -> None:
    journals.running("2026-11-22T05.00.00.000Z")
    journals.let_go()
    assert call("watch", "--directory", journals.path).exit_code == 11
    journals.corrupt()
    result = call("watch", "--directory", journals.path)
    assert result.exit_code == 0
    assert "completed" in result.stdout


def test_an_id_and_all_exclude_each_other(journals: Journals, call: Call) -> None:
    journals.completed()
    result = call("watch", "2026-11-20", "--all", "--directory", journals.path)
    assert result.exit_code == 2


def test_a_watcher_reads_on_and_notices_the_end(journals: Journals) -> None:
    now_s = 0.0
    writer = journals.begin("2026-11-22T05.00.00.000Z", *run_of("a", "b")[:2])
    watcher = Watcher(
        JournalDirectory(journals.path), writer.path.parent.name, lambda: now_s
    )
    assert watcher.look()
    assert not watcher.look()
    writer.append(NoteAdded(text="new"))
    assert watcher.look()
    assert [note.text for note in watcher.state.notes] == ["new"]
    journals.let_go()
    assert not watcher.look()  # its file is the same: the process is probed by time
    now_s = 1.5
    assert watcher.look()
    assert watcher.has_ended
    assert watcher.state.verdict == "crashed"
    writer.path.unlink()
    assert watcher.look()
    assert watcher.is_gone


def test_new_sessions_are_found_once_their_journal_is_there(
    journals: Journals, tmp_path: Path
) -> None:
    names = Names(JournalDirectory(journals.path))
    assert names.new() == []
    journals.completed("2026-11-20T05.00.00.000Z")
    assert names.new() == ["2026-11-20T05.00.00.000Z"]
    assert names.new() == []
    (journals.path / "2026-11-21T05.00.00.000Z").mkdir()
    assert names.new() == []
    (journals.path / "2026-11-21T05.00.00.000Z" / "journal.jsonl").touch()
    assert names.new() == ["2026-11-21T05.00.00.000Z"]


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command: list[str], columns: int, lines: int) -> None:
        self.fd, theirs = pty.openpty()
        self.resize(columns, lines)
        self.text = ""
        env = {**os.environ, "TERM": "xterm-256color"}
        for name in ("NO_COLOR", "COLUMNS", "LINES", "CI"):
            env.pop(name, None)
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env
        )
        os.close(theirs)

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size)

    def read_until(self, wanted: str, seconds: float = 30.0) -> str:
        """Return what was printed since the last call, up to *wanted*."""
        deadline = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < deadline, self.text
            if select.select([self.fd], [], [], 0.5)[0]:
                self.text += os.read(self.fd, 65536).decode()
        at = self.text.index(wanted) + len(wanted)
        found, self.text = self.text[:at], self.text[at:]
        return found


@pytest.mark.skipif(sys.platform != "linux", reason="pseudo-terminals of Linux")
def test_on_a_terminal(journals: Journals, command: list[str]) -> None:
    writer = journals.begin("2026-11-22T05.00.00.000Z", *run_of("a", "b")[:2])
    terminal = Terminal(
        [*command, "watch", "--directory", str(journals.path)], columns=80, lines=24
    )
    try:
        first = terminal.read_until("pending")
        assert "\x1b[?1049h" in first  # the alternate screen
        assert "0/2 nodes" in first
        writer.append(
            NodeComputed(run_id=RUN, node="a", duration_s=1.0),
            NodeCompleted(run_id=RUN, node="a", duration_s=1.5),
            NodeStarted(run_id=RUN, node="b"),
        )
        terminal.read_until("1/2 nodes")
        terminal.resize(30, 5)
        cut = terminal.read_until("...")
        assert "1/2 nodes" not in cut
        writer.append(
            NodeComputed(run_id=RUN, node="b", duration_s=1.0),
            NodeCompleted(run_id=RUN, node="b", duration_s=1.5),
            RunCompleted(run_id=RUN, duration_s=3.0),
            SessionClosed(exit_code=0),
        )
        terminal.read_until("\x1b[?1049l")  # the terminal is as it was before
        assert "2/2 nodes" in terminal.read_until(" completed\r\n")
        assert terminal.process.wait(30) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.fd)
