"""What filters ask of sessions, kept from one list to the next.

As in `index`, an entry is never the truth: it counts only while its journal is, by
inode, size and time of change, the file that it was made from. `.index/facts` holds one
file for each day and may be deleted at any time. Sessions of a day share most of it, so
that each plan and each set of parameters is there once.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kedro_journal._outside import let_through, suppress
from kedro_journal.analysis.filters import Facts
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.journal.kept import is_settled, read_kept, write_kept
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.port import REAL_OS
from kedro_journal.redaction.decoding import MASKED, Inexact, decode
from kedro_journal.state import SessionState, flat

from .index import INDEX_NAME, look

__all__ = ["FACTS_NAME", "FactsIndex", "facts_of"]

FACTS_NAME: Final = "facts"
_FORM: Final = "facts 1"
_DAY: Final = len("2026-01-02")
_PARAMETERS_MAX: Final = 64 * 1024  # bytes; of more, the journal is read each time
_PLAIN: Final = (bool, int, float, str, type(None))
_UNREADABLE: Final = (
    *(OSError, msgspec.MsgspecError, ValueError),
    *(LookupError, RecursionError),
)


class _Entry(msgspec.Struct, array_like=True, gc=False):
    inode: int
    size: int
    changed_ns: int
    facts: str
    parameters: str


class _Day(msgspec.Struct, array_like=True):
    entries: dict[str, _Entry]
    parts: dict[str, msgspec.Raw]


def facts_of(state: SessionState) -> Facts:
    """Return what filters ask of a session.

    A parameter that is masked, or has no exact form, is a text in parentheses.
    """
    git = state.git
    tags = (tag for run in state.runs for tag in _texts(run.filters.get("tags")))
    values = {}
    for name, value in flat.flatten(state.parameters):
        exact = decode(value)
        if isinstance(exact, Inexact):
            exact = f"({exact.reason})" if exact.reason == MASKED else exact.shown
        values[name] = exact if isinstance(exact, _PLAIN) else str(exact)
    return Facts(
        nodes=tuple(dict.fromkeys(n for run in state.runs for n in run.nodes)),
        tags=tuple(dict.fromkeys(tags)),
        sha=git.sha if git is not None else "",
        branch=(git.branch or "") if git is not None else "",
        parameters=values,
    )


def _texts(value: object) -> list[str]:
    value = decode(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [one for one in value if isinstance(one, str)]
    return [value] if isinstance(value, str) else []


class FactsIndex:
    """The facts of sessions, from the index where that has them.

    Args:
        where: The journal directory.
    """

    def __init__(self, where: JournalDirectory) -> None:
        self._where = where
        self._start = f"{where.path}/"
        self._days: dict[str, _Day] = {}
        self._decoded: dict[tuple[str, str], Any] = {}
        self._changed: set[str] = set()

    def of(self, session_id: str) -> Facts:
        """Return the facts of a session; none where its journal cannot be read."""
        name = session_id[:_DAY]
        day = self._day(name)
        path = f"{self._start}{session_id}/{JOURNAL_NAME}"  # there may be very many
        try:
            now = os.lstat(path)
            entry = day.entries.get(session_id)
            known = (now.st_ino, now.st_size, now.st_ctime_ns)
            if entry is not None and known == (
                entry.inode,
                entry.size,
                entry.changed_ns,
            ):
                plan = self._part(day, name, entry.facts)
                values = self._part(day, name, entry.parameters)
                nodes, tags, sha, branch = plan
                return Facts(tuple(nodes), tuple(tags), sha, branch, values)
        except _UNREADABLE as error:
            let_through(error)
        try:
            now = os.lstat(path)
            facts = facts_of(look(self._where, session_id).state)
        except (JournalError, OSError) as error:
            let_through(error)
            return Facts()
        if is_settled(now.st_ctime_ns):
            self._keep(name, session_id, now, facts)
        return facts

    def save(self) -> None:
        """Keep what is new, if that is possible."""
        for name in self._changed:
            day = self._days[name]
            with suppress(OSError, JournalError):
                self._where.check_safe()
                folder = self._where.ensure_own() / INDEX_NAME / FACTS_NAME
                REAL_OS.ensure_folder(folder.parent)
                REAL_OS.ensure_folder(folder)
                there = {
                    session_id: entry
                    for session_id, entry in day.entries.items()
                    if (self._where.path / session_id).is_dir()
                }
                used = {
                    k for one in there.values() for k in (one.facts, one.parameters)
                }
                parts = {key: raw for key, raw in day.parts.items() if key in used}
                content = msgspec.msgpack.encode(_Day(there, parts))
                write_kept(folder / _file_name(name), _FORM, content)
        self._changed.clear()

    def _day(self, name: str) -> _Day:
        if name not in self._days:
            day = _Day({}, {})
            path = self._where.own / INDEX_NAME / FACTS_NAME / _file_name(name)
            content = read_kept(path, _FORM)
            if content is not None:
                with suppress(*_UNREADABLE):
                    day = msgspec.msgpack.decode(content, type=_Day)
            self._days[name] = day
        return self._days[name]

    def _part(self, day: _Day, name: str, key: str) -> Any:
        if (name, key) not in self._decoded:
            found = msgspec.msgpack.decode(day.parts[key])
            if not isinstance(found, list | Mapping):
                raise ValueError(key)
            self._decoded[name, key] = found
        return self._decoded[name, key]

    def _keep(
        self, name: str, session_id: str, now: os.stat_result, facts: Facts
    ) -> None:
        with suppress(OverflowError, ValueError, TypeError):
            day = self._days[name]
            plan = [facts.nodes, facts.tags, facts.sha, facts.branch]
            values = msgspec.msgpack.encode(facts.parameters)
            if len(values) > _PARAMETERS_MAX:
                return
            keys = [
                self._put(day, part) for part in (msgspec.msgpack.encode(plan), values)
            ]
            entry = _Entry(now.st_ino, now.st_size, now.st_ctime_ns, *keys)
            day.entries[session_id] = entry
            self._changed.add(name)

    @staticmethod
    def _put(day: _Day, part: bytes) -> str:
        key = hashlib.blake2b(part, digest_size=16).hexdigest()
        day.parts[key] = msgspec.Raw(part)
        return key


def _file_name(day: str) -> str:
    return day if day.replace("-", "").isdigit() else "others"
