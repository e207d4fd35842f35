"""What a list says of sessions that do not run, kept from one list to the next.

An entry is never the truth. It counts only while its journal is, by inode, size and
time of change, the file that it was made from. Whether the process of a session that
was not closed lives is probed by every list. `.index` in the journal directory holds
one file for each day, and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cache, lru_cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import force_setattr, replace

from kedro_journal._building import building
from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import CorruptJournal, JournalError
from kedro_journal.events import ContextLoaded, ErrorInfo
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.kept import is_settled, read_kept, write_kept
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.port import REAL_OS
from kedro_journal.state import NodeState, NodeStatus, RunState, SessionState

from .folder import liveness_of, owner_of, replay_folder

__all__ = ["INDEX_NAME", "Found", "listed", "look"]

INDEX_NAME: Final = ".index"
_FORM: Final = "index 6"
_NODES_MAX: Final = 10**6  # that are counted; a run has not as many
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_OTHERS: Final = "others"  # sessions whose ids begin with no day
_day_of: Final[Callable[[str], str]] = itemgetter(slice(len("2026-01-02")))
# What a list says of a session that does not run.
_SESSION_FIELDS: Final = (
    *("session_id", "uid", "seq", "status", "liveness", "env", "user", "host", "pid"),
    *("via", "parent_session_id", "group_id", "labels", "error_phase", "error_seq"),
    *("created_at", "updated_at", "closed_at", "exit_code", "close_reason"),
    *("unattributed_events", "unknown_events", "unknown_types", "unknown_seq"),
    *("newer_format", "dropped_events"),
)
_RUN_FIELDS: Final = ("run_id", "attempt", "status", "pipelines", "started_seq")
# Nodes of which it says no more than how many there are.
_DULL_STATUSES: Final[tuple[NodeStatus, ...]] = ("completed", "pending", "skipped")
_UNREADABLE: Final = (
    *(OSError, msgspec.MsgspecError, ValueError),
    *(IndexError, RecursionError),
)
_GONE: Final = ("crashed", "unknown")  # unknown: of a process on another host
_DULL: Final = tuple(NodeState("", status) for status in _DULL_STATUSES)


class Found(msgspec.Struct, frozen=True, gc=False):
    """A session as it was found.

    Attributes:
        state: Its state. `listed` leaves out what no list says of a session that does
            not run.
        damaged: Records of it are damaged or lost; the rest was folded.
        unreadable: Why its journal may not be read; empty if it may.
    """

    state: SessionState
    damaged: bool = False
    unreadable: str = ""


class _Entry(msgspec.Struct, array_like=True, gc=False):
    inode: int
    size: int
    changed_ns: int
    damaged: bool
    dull: tuple[tuple[int, int, int], ...]
    state: SessionState


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
    """Return sessions for a list, by default all of them, newest first.

    Args:
        where: The journal directory.
        ids: Which, in that order. Those whose journal was not begun are left out.
    """
    wanted = where.ids()[::-1] if ids is None else ids
    with _opened(where.path) as fd, _kept(where, _OTHERS) as others:
        for day, some in groupby(wanted, key=_day_of):
            if _DAY.match(day):
                with _kept(where, day) as kept:
                    yield from kept.find(some, fd)
            else:
                yield from others.find(some, fd)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """Open a folder, if the system looks into one that is: its path is walked once."""
    fd = None
    if os.stat in os.supports_dir_fd:
        with suppress(OSError):
            fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        if fd is not None:
            os.close(fd)


@contextlib.contextmanager
def _kept(where: JournalDirectory, day: str) -> Iterator[_Kept]:
    kept = _Kept(where, day)
    try:
        yield kept
    finally:
        kept.save()


class _Kept:
    """The entries of a day, read when the first is asked for."""

    def __init__(self, where: JournalDirectory, day: str) -> None:
        self._where = where
        self._path = where.own / INDEX_NAME / day
        self._read: dict[str, msgspec.Raw] | None = None
        self._new = 0

    @property
    def _entries(self) -> dict[str, msgspec.Raw]:
        if self._read is None:
            self._read = _load(self._path)
        return self._read

    def find(self, ids: Iterable[str], fd: int | None) -> Iterator[Found]:
        """Return sessions, without those whose journal was not begun.

        Args:
            ids: Which.
            fd: The journal directory, if it is open.
        """
        sessions = f"{self._where.path}/" if fd is None else ""
        get, decode, stat = self._entries.get, _decoder().decode, os.stat
        for session_id in ids:  # there may be very many
            raw, found = get(session_id), None
            if raw is not None:
                try:
                    path = f"{sessions}{session_id}/{JOURNAL_NAME}"
                    now = stat(path, dir_fd=fd, follow_symlinks=False)
                    entry = decode(raw)
                    if (
                        now.st_ino == entry.inode
                        and now.st_size == entry.size
                        and now.st_ctime_ns == entry.changed_ns
                        and (
                            entry.state.status == "closed"
                            or self._is_as_before(session_id, entry)
                        )
                    ):
                        found = _filled(entry)
                except _UNREADABLE:
                    found = None  # if something is wrong with the session, it shows
            if found is None:
                found = self._look(session_id)
            if found is not None:
                yield found

    def _is_as_before(self, session_id: str, entry: _Entry) -> bool:
        """Return whether an unclosed session is alive or dead as its entry says.

        The journal is looked at again after the probe: its owner may have closed the
        session in between.
        """
        folder = self._where.path / session_id
        if liveness_of(entry.state, folder) != entry.state.liveness:
            return False
        now = (folder / JOURNAL_NAME).lstat()
        facts = entry.inode, entry.size, entry.changed_ns
        return facts == (now.st_ino, now.st_size, now.st_ctime_ns)

    def _look(self, session_id: str) -> Found | None:
        self._entries.pop(session_id, None)
        try:
            now = (self._where.path / session_id / JOURNAL_NAME).lstat()
            found = look(self._where, session_id)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (JournalError, OSError) as error:
            # No status but that its folder was made.
            let_through(error)
            state = SessionState(session_id=session_id, liveness="unknown")
            reason = getattr(error, "strerror", None) or str(error)
            return Found(replace(state, status="created"), unreadable=reason)
        state = found.state
        if state.status != "closed" and state.liveness not in _GONE:
            return found  # it runs: its journal grows
        with suppress(OverflowError, ValueError, TypeError):
            dull = tuple(map(_count_dull, state.runs))
            facts = now.st_ino, now.st_size, now.st_ctime_ns
            entry = _Entry(*facts, found.damaged, dull, _in_short(state))
            packed = msgspec.Raw(msgspec.msgpack.encode(entry))
            found = _filled(entry)  # many whole states would take much memory
            if is_settled(now.st_ctime_ns):
                self._entries[session_id] = packed
                self._new += 1
        return found

    def save(self) -> None:
        """Keep what is new for the next list, if that is possible."""
        if not self._new:
            return
        with suppress(OSError, JournalError):
            self._where.check_safe()
            self._where.ensure_own()
            REAL_OS.ensure_folder(self._path.parent)
            isdir, sessions = os.path.isdir, f"{self._where.path}/"
            known = self._entries.items()
            there = {i: entry for i, entry in known if isdir(f"{sessions}{i}")}
            write_kept(self._path, _FORM, msgspec.msgpack.encode(there))


def _load(path: Path) -> dict[str, msgspec.Raw]:
    """Read the entries of a day; an invalid one makes none of it count."""
    content = read_kept(path, _FORM)
    with suppress(*_UNREADABLE):
        return {} if content is None else _day_decoder().decode(content)
    return {}


@cache
def _day_decoder() -> msgspec.msgpack.Decoder[dict[str, msgspec.Raw]]:
    with building():
        return msgspec.msgpack.Decoder(dict[str, msgspec.Raw])


@cache
def _decoder() -> msgspec.msgpack.Decoder[_Entry]:
    with building():
        return msgspec.msgpack.Decoder(_Entry)


def _filled(entry: _Entry) -> Found:
    """Return what an entry says; its state, which no one else holds, is completed."""
    for number, run in enumerate(entry.state.runs):
        dull = _dull_nodes(entry.dull[number])
        nodes = {**run.nodes, **dull} if run.nodes else dull
        force_setattr(run, "nodes", nodes)
    return Found(entry.state, entry.damaged)


def _in_short(state: SessionState) -> SessionState:
    """Leave out what no list says of a session that does not run."""
    fields: dict[str, Any] = {name: getattr(state, name) for name in _SESSION_FIELDS}
    command, context = state.command, state.context
    owner = None if state.status == "closed" else owner_of(state)
    return SessionState(
        **fields,
        runs=tuple(map(_run_in_short, state.runs)),
        error=_error_in_short(state.error),
        command=command and replace(command, argv=command.argv[:1]),
        context=context and ContextLoaded(env=context.env),
        writers={} if owner is None else {"": owner},
    )


def _run_in_short(run: RunState) -> RunState:
    fields: dict[str, Any] = {name: getattr(run, name) for name in _RUN_FIELDS}
    nodes = {
        name: replace(node, plan=None, error=_error_in_short(node.error))
        for name, node in run.nodes.items()
        if node.status not in _DULL_STATUSES
    }
    return RunState(**fields, nodes=nodes, error=_error_in_short(run.error))


def _count_dull(run: RunState) -> tuple[int, int, int]:
    one, two, three = (len(run.with_status(status)) for status in _DULL_STATUSES)
    return one, two, three


@lru_cache(maxsize=1024)
def _dull_nodes(counts: tuple[int, int, int]) -> dict[str, NodeState]:
    """Return so many nodes of no name, to be read only.

    Raises:
        ValueError: They are more than there can be.
    """
    if min(counts) < 0 or sum(counts) > _NODES_MAX:
        raise ValueError(counts)
    every = [
        one for one, count in zip(_DULL, counts, strict=True) for _ in range(count)
    ]
    return {f"({number})": node for number, node in enumerate(every)}


def _error_in_short(error: ErrorInfo | None) -> ErrorInfo | None:
    """Leave out everything but what `derive.reason` may choose to show."""
    if error is None:
        return None
    cause = _error_in_short(error.cause) if error.is_dataset_error else None
    remote = error.remote if error.is_unread_result else ""
    return ErrorInfo(type=error.type, message=error.message, cause=cause, remote=remote)
