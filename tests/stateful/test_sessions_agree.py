"""Every reader agrees on which sessions there are, in which order, and how they ended.

Whatever was done to the directory: copies, moves, links, restores, clock steps,
resumed sessions, ids of one's own, damage, and damage to what is kept. The answers are
compared with a plain reading of all files, which knows no cache.

`JOURNAL_TEST_DOSE=50 pytest tests/stateful/test_sessions_agree.py` takes fifty times
the examples.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from journals import timed

from kedro_journal import sessions
from kedro_journal.cli import journal
from kedro_journal.errors import JournalError
from kedro_journal.events import (
    ErrorInfo,
    Event,
    JournalHeader,
    Record,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionClosed,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.journal import (
    JournalDirectory,
    kept,
    read_head,
    roster,
    session_timestamp,
)
from kedro_journal.journal.ids import is_session_id, time_in
from kedro_journal.replaying import replay_folder
from kedro_journal.replaying.index import listed
from kedro_journal.replaying.select import select

DOSE = float(os.environ.get("JOURNAL_TEST_DOSE", "1"))
START = datetime(2026, 1, 2, 12, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILE_CLOCK_S = 0.02  # between two ticks of a file system's clock
RUN = RunStarted(run_id="r")
ENDINGS: tuple[tuple[Event, ...], ...] = (
    (),
    (SessionClosed(),),
    (RUN,),
    (RUN, RunCompleted(run_id="r"), SessionClosed()),
    (RUN, RunFailed(run_id="r", error=ErrorInfo(type="E")), SessionClosed()),
)
numbers = st.integers(0, 30)


class Sessions(RuleBasedStateMachine):
    """A directory that people and sync programs work on."""

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(kept, "SETTLED_NS", int(FILE_CLOCK_S * 10**9))
        self.patched.setattr(roster, "_UNKEPT_MIN", 0)
        self.patched.setattr(roster, "_UNKEPT_PART", 10**9)
        self.root = Path(tempfile.mkdtemp(prefix="sessions-"))
        self.where = JournalDirectory(self.root / "sessions")
        self.where.ensure()
        self.backup = self.root / "backup"
        self.made = 0

    def teardown(self) -> None:
        self.patched.undo()
        shutil.rmtree(self.root)

    def folders(self) -> list[Path]:
        return sorted(
            one
            for one in self.where.path.iterdir()
            if not one.name.startswith(".") and not one.is_symlink() and one.is_dir()
        )

    def pick(self, number: int) -> Path:
        folders = self.folders()
        return folders[number % len(folders)]

    @rule(
        minutes=st.integers(-5, 5),
        own=st.sampled_from(["", "", "churn", "zz", "00"]),
        parent=st.none() | numbers,
        ending=st.sampled_from(ENDINGS),
    )
    def run(
        self, minutes: int, own: str, parent: int | None, ending: tuple[Event, ...]
    ) -> None:
        at = START + timedelta(minutes=minutes, milliseconds=self.made)
        self.made += 1
        wanted = f"{own}-{self.made}" if own else session_timestamp(at)
        above = (
            self.pick(parent).name if parent is not None and self.folders() else None
        )
        session_id, folder = self.where.claim(wanted)
        events = [
            JournalHeader(
                session_id=session_id, uid="u", salt="s", package_version="0"
            ),
            WriterOpened(pid=1, host="elsewhere"),
            SessionCreated(session_id=session_id, parent_session_id=above),
            *ending,
        ]
        (folder / "journal.jsonl").write_bytes(b"".join(timed(events, at)))

    @precondition(lambda self: self.folders())
    @rule(number=numbers, form=st.sampled_from(["{}-backup", "{} (1)", "zz-{}", "a-b"]))
    def copy(self, number: int, form: str) -> None:
        folder = self.pick(number)
        to = self.where.path / form.format(folder.name)[:100]
        if not os.path.lexists(to):
            shutil.copytree(folder, to, symlinks=True)

    @precondition(lambda self: self.folders())
    @rule(number=numbers, other=numbers)
    def swap(self, number: int, other: int) -> None:
        one, two = self.pick(number), self.pick(other)
        aside = self.root / "aside"
        one.rename(aside)
        if two != one:
            two.rename(one)
        aside.rename(two)

    @precondition(lambda self: self.folders())
    @rule(number=numbers)
    def link(self, number: int) -> None:
        name = f"link-{self.made}"
        self.made += 1
        (self.where.path / name).symlink_to(self.pick(number))

    @precondition(lambda self: self.folders())
    @rule(number=numbers)
    def delete(self, number: int) -> None:
        shutil.rmtree(self.pick(number))

    @rule(name=st.sampled_from(["2026-01-02T12.00.00.999Z", "raw", "empty"]))
    def make_folder(self, name: str) -> None:
        (self.where.path / name).mkdir(exist_ok=True)

    @precondition(lambda self: self.folders())
    @rule(
        number=numbers,
        line=st.integers(0, 3),
        how=st.sampled_from(["flip", "drop", "cut", "empty", "noise"]),
    )
    def damage(self, number: int, line: int, how: str) -> None:
        path = self.pick(number) / "journal.jsonl"
        if not path.is_file() or path.is_symlink():
            return
        lines = path.read_bytes().splitlines(keepends=True)
        if line >= len(lines):
            return
        if how == "flip":
            lines[line] = lines[line].replace(b'"type"', b'"tipe"')
        elif how == "noise":
            lines[line] = b"\xff\n"
        else:
            keep = {"drop": lines[line + 1 :], "cut": [], "empty": []}[how]
            lines = [] if how == "empty" else lines[:line] + keep
        path.write_bytes(b"".join(lines))

    @precondition(lambda self: self.folders())
    @rule(number=numbers)
    def make_unreadable(self, number: int) -> None:
        path = self.pick(number) / "journal.jsonl"
        path.unlink(missing_ok=True)
        path.symlink_to(self.root / "nowhere")

    @rule()
    def back_up(self) -> None:
        shutil.rmtree(self.backup, ignore_errors=True)
        shutil.copytree(self.where.path, self.backup, symlinks=True)

    @precondition(lambda self: self.backup.exists())
    @rule()
    def restore(self) -> None:
        """With the index of then, which was made from other files."""
        shutil.rmtree(self.where.path)
        shutil.copytree(self.backup, self.where.path, symlinks=True)

    @rule(how=st.sampled_from(["delete", "empty", "bit"]), number=numbers)
    def spoil_what_is_kept(self, how: str, number: int) -> None:
        index = self.where.own / ".index"
        files = sorted(index.iterdir()) if index.is_dir() else []
        if not files:
            return
        path = files[number % len(files)]
        data = path.read_bytes()
        if how == "delete":
            path.unlink()
        elif how == "empty":
            path.write_bytes(b"")
        elif data:  # it may have been emptied before
            place = number * 7919 % len(data)
            path.write_bytes(
                data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            )

    @rule()
    def let_the_clock_of_files_tick(self) -> None:
        """What was changed is kept from now on."""
        time.sleep(FILE_CLOCK_S + 0.005)
        self.where.ids()
        list(listed(self.where))

    @invariant()
    def every_reader_finds_the_same(self) -> None:
        wanted = plain_order(self.where.path)
        assert wanted == self.where.ids()
        rows = list(listed(self.where))
        assert wanted[::-1] == [row.state.session_id for row in rows]
        states = list(sessions(directory=self.where.path))
        assert wanted[::-1] == [state.session_id for state in states]
        for row, state in zip(rows, states, strict=True):
            assert row.state.verdict == state.verdict
            chosen = select(self.where, state.session_id)
            assert state.session_id == chosen.session_id
            try:
                folded = replay_folder(chosen.folder, salvage=True)
            except (JournalError, OSError):
                assert row.unreadable
            else:
                assert folded.verdict == state.verdict
                assert not row.unreadable

    @rule()
    def commands_find_the_same(self) -> None:
        ids = self.where.ids()
        rows = json.loads(
            call("list", "--all", "--json", "--directory", self.where.path)
        )
        assert ids[::-1] == [row["session_id"] for row in rows]
        unreadable = {row["session_id"] for row in rows if row["unreadable"]}
        checked = call("verify", "--all", "--json", "--directory", self.where.path)
        names = [one["session_id"] for one in json.loads(checked)]
        assert [one for one in ids if one not in unreadable] == names
        if len(unreadable) < len(ids):
            latest = select(self.where, "latest").session_id
            found = call("show", "--salvage", "--json", "--directory", self.where.path)
            shown = json.loads(found)
            assert shown["session_id"] in ("", latest)
            (row,) = (one for one in rows if one["session_id"] == latest)
            assert shown["verdict"] == row["verdict"]


def call(*args: object) -> str:
    return CliRunner().invoke(journal, [str(arg) for arg in args]).stdout


def plain_order(path: Path) -> list[str]:
    """Order sessions by time, and move each behind its parent until all are there."""
    times: dict[str, int] = {}
    parents: dict[str, str | None] = {}
    for folder in path.iterdir():
        found = plain_look(folder)
        if found is not None:
            times[folder.name], parents[folder.name] = found
    after: dict[str, tuple[int, int]] = {}

    def key(name: str, above: tuple[str, ...] = ()) -> tuple[int, int]:
        parent = parents[name]
        if parent not in times or parent in (*above, name):
            return times[name], 0
        at, depth = key(str(parent), (*above, name))
        return (times[name], 0) if times[name] > at else (at, depth + 1)

    for name in times:
        after[name] = key(name)
    return sorted(times, key=lambda name: (*after[name], name))


def plain_look(folder: Path) -> tuple[int, str | None] | None:
    name, path = folder.name, folder / "journal.jsonl"
    if folder.is_symlink() or not os.path.lexists(path) or name[0] == ".":
        return None
    named = time_in(name)
    at = named or EPOCH + timedelta(microseconds=folder.lstat().st_mtime_ns // 1000)
    ns = folder.lstat().st_mtime_ns if named is None else round_ns(at)
    if path.is_symlink():
        return (ns, None) if is_session_id(name) else None
    records: list[Record] = list(read_head(path))
    heads = [
        one.event.session_id for one in records if type(one.event) is JournalHeader
    ]
    made = [one.event for one in records if type(one.event) is SessionCreated]
    owner = (heads or [one.session_id for one in made] or [name])[0]
    if owner != name or not is_session_id(name):
        return None
    parent = made[0].parent_session_id if made else None
    return (round_ns(records[0].at) if records else ns), parent


def round_ns(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 1000


TestSessions = Sessions.TestCase
TestSessions.settings = settings(
    max_examples=max(1, int(12 * DOSE)), stateful_step_count=14, deadline=None
)
