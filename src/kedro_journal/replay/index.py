"""What a list says of closed sessions, kept from one list to the next.

Never the truth: an entry counts only while its journal is, by inode, size and time of
change, the file that it was made from. `.index` in the journal directory holds one file
for each day, and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Generator, Iterable
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import force_setattr, replace

from kedro_journal._building import building
from kedro_journal._version import __version__
from kedro_journal.errors import CorruptJournal, JournalError
from kedro_journal.events import ErrorInfo
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.port import REAL_OS, read_between
from kedro_journal.journal.writer import JOURNAL_NAME
from kedro_journal.state import NodeState, NodeStatus, RunState, SessionState

from .replay import replay_folder
from .snapshot import Facts

__all__ = ["INDEX_NAME", "Found", "listed", "look"]

INDEX_NAME: Final = ".index"
_FORMAT: Final = f"kedro-journal index 2, {__version__}"
_MAX_BYTES: Final = 64 * 1024 * 1024
_SETTLED_NS: Final = 2 * 10**9  # a later change surely has a later time
_ID_CHARS: Final = len("2026-01-02T03.04.05.678Z")
_DAY_CHARS: Final = len("2026-01-02")
# Nodes of which a list says no more than how many there are.
_DULL_STATUSES: Final[tuple[NodeStatus, ...]] = ("completed", "pending", "skipped")
_DULL: Final = tuple(NodeState("", status) for status in _DULL_STATUSES)


class Found(NamedTuple):
    """A session as it was found.

    Attributes:
        state: Its state; from the index, only what a list says of it.
        damaged: Records of it are damaged or lost; the rest was folded.
    """

    state: SessionState
    damaged: bool = False


class _Entry(msgspec.Struct, array_like=True, gc=False):
    inode: int
    size: int
    changed_ns: int
    damaged: bool
    dull: tuple[tuple[int, int, int], ...]
    state: msgspec.Raw


class _Day(msgspec.Struct, array_like=True):
    format: str
    entries: dict[str, _Entry]


def look(where: JournalDirectory, session_id: str) -> Found:
    """Replay a session, past damage if need be.

    Raises:
        FileNotFoundError: It has no journal yet.
        JournalError: Its folder or file may not be read.
    """
    folder = where.folder(session_id)
    try:
        return Found(_named(replay_folder(folder), session_id))
    except CorruptJournal:
        state = replay_folder(folder, salvage=True)
        return Found(_named(state, session_id), damaged=True)


def _named(state: SessionState, session_id: str) -> SessionState:
    # Where nothing of it, or not its header, can be read: its folder names it.
    return state if state.session_id else replace(state, session_id=session_id)


def listed(
    where: JournalDirectory, ids: Iterable[str] | None = None
) -> Generator[Found, None, None]:
    """Give sessions for a list, by default all of them, newest first.

    Args:
        where: The journal directory.
        ids: Which, in that order. Those whose journal was not begun are left out.
    """
    wanted = where.newest_ids() if ids is None else ids
    for day, some in groupby(wanted, key=_day_of):
        kept = _Kept(where, day)
        try:
            for session_id in some:
                found = kept.find(session_id)
                if found is not None:
                    yield found
        finally:
            kept.save()


def _day_of(session_id: str) -> str:
    dated = len(session_id) == _ID_CHARS and session_id[-1] == "Z"
    return session_id[:_DAY_CHARS] if dated else "others"


class _Kept:
    """The entries of a day."""

    def __init__(self, where: JournalDirectory, day: str) -> None:
        self._where = where
        self._path = where.path / INDEX_NAME / day
        self._entries = _load(self._path)
        self._new = 0

    def find(self, session_id: str) -> Found | None:
        """Give a session, None if its journal was not begun."""
        journal = f"{self._where.path}/{session_id}/{JOURNAL_NAME}"
        try:
            status = os.lstat(journal)
            facts = status.st_ino, status.st_size, status.st_ctime_ns
            entry = self._entries.get(session_id)
            if (
                entry is not None
                and (entry.inode, entry.size, entry.changed_ns) == facts
            ):
                return Found(_unpack(entry), entry.damaged)
            found = look(self._where, session_id)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (JournalError, OSError):
            # No status but that its folder was made.
            state = SessionState(session_id=session_id, liveness="unknown")
            return Found(replace(state, status="created"), damaged=True)
        except (msgspec.MsgspecError, ValueError):  # the entry is damaged
            if self._entries.pop(session_id, None) is None:
                raise
            return self.find(session_id)
        self._keep(session_id, Facts(*facts), found)
        return found

    def _keep(self, session_id: str, facts: Facts, found: Found) -> None:
        if found.state.status != "closed":
            return  # whether its process lives is asked each time
        if time.time_ns() - facts.changed_ns < _SETTLED_NS:
            return
        with contextlib.suppress(OverflowError, ValueError, TypeError):
            dull = tuple(map(_count_dull, found.state.runs))
            raw = msgspec.Raw(msgspec.msgpack.encode(_in_short(found.state)))
            self._entries[session_id] = _Entry(*facts, found.damaged, dull, raw)
            self._new += 1

    def save(self) -> None:
        """Keep what is new for the next list, if that is possible."""
        if not self._new:
            return
        new = self._path.with_name(f".{self._path.name}-{os.getpid()}")
        with contextlib.suppress(OSError, JournalError):
            self._where.check_safe()
            REAL_OS.ensure_folder(self._path.parent)
            known = self._entries.items()
            there = {i: e for i, e in known if (self._where.path / i).is_dir()}
            try:
                data = msgspec.msgpack.encode(_Day(_FORMAT, there))
                REAL_OS.write_new(new, data)
                new.replace(self._path)
            finally:
                new.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, _Entry]:
    """Read the entries of a day; one that does not read makes none of it count."""
    with contextlib.suppress(OSError, JournalError, msgspec.MsgspecError, ValueError):
        fd = REAL_OS.open_read(path)
        try:
            size = REAL_OS.stat(fd).size
            data = read_between(REAL_OS, fd, 0, size) if size <= _MAX_BYTES else b""
        finally:
            REAL_OS.close(fd)
        day = _day_decoder().decode(data)
        if day.format == _FORMAT:
            return day.entries
    return {}


@cache
def _day_decoder() -> msgspec.msgpack.Decoder[_Day]:
    with building():
        return msgspec.msgpack.Decoder(_Day)


@cache
def _decoder() -> msgspec.msgpack.Decoder[SessionState]:
    with building():
        return msgspec.msgpack.Decoder(SessionState)


def _in_short(state: SessionState) -> SessionState:
    """Leave out what no list says of a closed session."""
    empty = SessionState()
    left_out: Any = {
        name: getattr(empty, name)
        for name in (
            *("runtime_params", "environment", "git", "context", "resumed", "versions"),
            *("notes", "anomalies", "writers"),
        )
    }
    runs = tuple(_run_in_short(run) for run in state.runs)
    return replace(state, **left_out, runs=runs, error=_error_in_short(state.error))


def _run_in_short(run: RunState) -> RunState:
    return replace(
        run,
        filters={},
        runtime_params={},
        load_versions=(),
        free_inputs=(),
        nodes={
            name: replace(node, plan=None, error=_error_in_short(node.error))
            for name, node in run.nodes.items()
            if node.status not in _DULL_STATUSES
        },
        error=_error_in_short(run.error),
    )


def _count_dull(run: RunState) -> tuple[int, int, int]:
    one, two, three = (len(run.with_status(status)) for status in _DULL_STATUSES)
    return one, two, three


def _unpack(entry: _Entry) -> SessionState:
    state = _decoder().decode(entry.state)
    for run, counts in zip(state.runs, entry.dull, strict=True):
        dull = _dull_nodes(counts)
        # Nobody else has it yet.
        force_setattr(run, "nodes", {**run.nodes, **dull} if run.nodes else dull)
    return state


@lru_cache(maxsize=1024)
def _dull_nodes(counts: tuple[int, int, int]) -> dict[str, NodeState]:
    """Give so many nodes of no name, to be read only."""
    every = [
        one for one, count in zip(_DULL, counts, strict=True) for _ in range(count)
    ]
    return {f"({number})": node for number, node in enumerate(every)}


def _error_in_short(error: ErrorInfo | None) -> ErrorInfo | None:
    return error and ErrorInfo(type=error.type, message=error.message)
