"""What can go wrong, as few classes as callers can act on.

Every message says where, what, what is still good, and what to do next; the same
facts are attributes. All of them pickle, for they may cross a process pool.

Longer than other modules: all error classes stand in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

__all__ = [
    "AmbiguousSessionId",
    "ConfigError",
    "CorruptJournal",
    "GroupNotFound",
    "IllegalTransition",
    "InvalidSessionId",
    "JournalBusy",
    "JournalClosed",
    "JournalError",
    "JournalNotFound",
    "JournalUnwritable",
    "NewerJournal",
    "NodeNotFound",
    "NotRecorded",
    "NotResumable",
    "NothingLeft",
    "NothingToTrace",
    "RecordTooLarge",
    "UnsafeJournal",
]


class JournalError(Exception):
    """Base of every error this package raises on its own account.

    Attributes:
        exit_code: What the command line exits with when this error ends it.
        strict: Whether it is to end the run: only with the setting of that name.
    """

    exit_code: int = 1
    strict: bool = False

    def __init__(self, message: str, /, **facts: Any) -> None:
        super().__init__(message)
        self._facts = facts
        for name, value in facts.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Callable[..., JournalError], tuple[Any, ...]]:
        return _rebuild, (type(self), str(self), self._facts)


def _rebuild(
    cls: type[JournalError], message: str, facts: dict[str, Any]
) -> JournalError:
    error = cls.__new__(cls)
    JournalError.__init__(error, message, **facts)
    return error


class JournalNotFound(JournalError):
    """No session of that id is in the journal directory.

    Attributes:
        wanted: The id, prefix or word that was asked for.
        directory: The journal directory that was searched.
    """

    exit_code = 3
    wanted: str
    directory: Path

    def __init__(
        self,
        wanted: str,
        directory: Path,
        known: Sequence[str] = (),
        *,
        hint: str = "",
    ) -> None:
        if not hint and not known:
            hint = "No session was journaled there yet: `kedro run` creates one."
        elif not hint:
            newest = f"The newest session there is {known[-1]}; "
            hint = newest + "`kedro-journal list` shows all."
        super().__init__(
            f"{directory}: no session {wanted!r}. {hint}",
            wanted=wanted,
            directory=directory,
        )


class AmbiguousSessionId(JournalError):
    """A part of an id, or a time, names more than one session.

    Attributes:
        wanted: The part or time that was given.
        candidates: The full ids it stands for, oldest first.
    """

    exit_code = 3
    wanted: str
    candidates: tuple[str, ...]

    def __init__(self, wanted: str, candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:5]) + (" ..." if len(candidates) > 5 else "")
        super().__init__(
            f"{wanted!r} fits {len(candidates)} sessions: {shown}. "
            "Give more of the ID.",
            wanted=wanted,
            candidates=tuple(candidates),
        )


class GroupNotFound(JournalError):
    """No session belongs to that group, or the beginning fits several groups.

    Attributes:
        wanted: The group id that was asked for.
        directory: The journal directory that was searched.
        candidates: The groups that begin with it, else the newest one there is.
    """

    exit_code = 3
    wanted: str
    directory: Path
    candidates: tuple[str, ...]

    def __init__(
        self, wanted: str, directory: Path, candidates: Sequence[str] = ()
    ) -> None:
        shown = ", ".join(map(repr, candidates[:5]))
        if len(candidates) > 1:
            hint = (
                f"{len(candidates)} groups begin with that: {shown}. Give more "
                "characters."
            )
        elif candidates:
            hint = f"There is {shown}; `kedro-journal list` shows the groups."
        else:
            hint = "No session there has a group: KEDRO_JOURNAL_GROUP_ID sets it."
        super().__init__(
            f"{directory}: no group {wanted!r}. {hint}",
            wanted=wanted,
            directory=directory,
            candidates=tuple(candidates),
        )


class InvalidSessionId(JournalError):
    """A text that cannot be a session id, so no path is made of it.

    Attributes:
        wanted: The refused text.
    """

    exit_code = 2
    wanted: str

    def __init__(self, wanted: str) -> None:
        super().__init__(
            f"{wanted[:80]!r} is not a valid session ID: letters, digits, "
            "'.', '_' and '-' "
            "only, at most 128, beginning with a letter or digit. "
            "`kedro-journal list` shows the ids there are; `latest`, @-1, a time and a "
            "path do as well.",
            wanted=wanted,
        )


class NothingToTrace(JournalError):
    """The session has no record of a name.

    Attributes:
        name: What was asked for.
        session_id: The session that was asked.
        close: Recorded names that are similar.
    """

    exit_code = 3
    name: str
    session_id: str
    close: tuple[str, ...]

    def __init__(self, name: str, session_id: str, close: Sequence[str] = ()) -> None:
        shown = ", ".join(close)
        hint = (
            f"Similar names: {shown}." if close else "`parameters` traces all of them."
        )
        super().__init__(
            f"Session {session_id} has no parameter, dataset, flag or variable "
            f"{name!r} in its records. {hint}",
            name=name,
            session_id=session_id,
            close=tuple(close),
        )


class NodeNotFound(JournalError):
    """A node that a session neither ran nor planned.

    Attributes:
        name: What was asked for.
        session_id: The session that was asked.
        close: Nodes of it that look like it.
    """

    exit_code = 3
    name: str
    session_id: str
    close: tuple[str, ...]

    def __init__(self, name: str, session_id: str, close: Sequence[str] = ()) -> None:
        hint = f"Nodes with a similar name: {', '.join(close)}." if close else ""
        hint = hint or f"`kedro-journal show {session_id} --all-nodes` lists its nodes."
        super().__init__(
            f"Session {session_id} has no node {name!r}. {hint}",
            name=name,
            session_id=session_id,
            close=tuple(close),
        )


class NotResumable(JournalError):
    """A session that cannot be gone on from, or not now.

    Attributes:
        session_id: The session.
        reason: Why not.
        advice: What to do.
    """

    exit_code = 6
    session_id: str
    reason: str
    advice: str

    def __init__(
        self, session_id: str, reason: str, advice: str, verb: str = "resumed"
    ) -> None:
        super().__init__(
            f"Session {session_id} is not {verb}: {reason}. Its journal was "
            "not changed. "
            f"{advice}",
            session_id=session_id,
            reason=reason,
            advice=advice,
        )


class NotRecorded(JournalError):
    """A value that is asked for is not recorded exactly: no other stands in for it.

    Attributes:
        session_id: The session.
        names: The values, by dotted name.
        reason: Why the first of them is not, as a predicate.
    """

    exit_code = 6
    session_id: str
    names: tuple[str, ...]
    reason: str

    def __init__(
        self, session_id: str, names: Sequence[str], reason: str, advice: str
    ) -> None:
        super().__init__(
            f"Session {session_id} cannot give back {', '.join(names)}, "
            f"which {reason}. "
            f"Its journal was not changed. {advice}",
            session_id=session_id,
            names=tuple(names),
            reason=reason,
        )


class NothingLeft(NotResumable):
    """A session that need not be gone on from: it did everything.

    Attributes:
        plan: The plan, with nothing to run.
    """

    plan: Any

    def __init__(self, session_id: str, plan: Any) -> None:
        reason = "every node completed, and all saved data is there"
        super().__init__(session_id, reason, "`kedro-journal rerun` runs it again.")
        self._facts["plan"] = self.plan = plan


class CorruptJournal(JournalError):
    """A whole line is not a record, or records are missing, repeated or foreign.

    Attributes:
        path: The journal file.
        kind: The kind of the finding, as `verify` names it.
        offset: Byte position of the damage.
        seq: The last good sequence number before it.
        lost: How many committed records are known to be gone.
    """

    exit_code = 4
    path: Path
    kind: str
    offset: int
    seq: int
    lost: int

    def __init__(
        self, path: Path, kind: str, detail: str, offset: int, seq: int, lost: int
    ) -> None:
        good = f"Records 1-{seq} are intact" if seq else "No earlier record is intact"
        super().__init__(
            f"{path}: {detail} (byte {offset}). {good}; `kedro-journal verify` lists "
            "every finding, `--salvage` reads past them.",
            path=path,
            kind=kind,
            offset=offset,
            seq=seq,
            lost=lost,
        )


class NewerJournal(JournalError):
    """The journal was written by a newer version; it can be read, not appended to.

    Attributes:
        path: The journal file.
        version: The line format version that was found.
    """

    exit_code = 5
    path: Path
    version: int

    def __init__(self, path: Path, version: int) -> None:
        super().__init__(
            f"{path}: written with line format {version}, newer than this "
            "kedro-journal knows. Known records can still be read. Upgrade "
            "kedro-journal to append.",
            path=path,
            version=version,
        )


class JournalClosed(JournalError):
    """An append after `session.closed`; nothing was written.

    Attributes:
        path: The journal file.
        seq: Sequence number of `session.closed`.
    """

    path: Path
    seq: int

    def __init__(self, path: Path, seq: int) -> None:
        super().__init__(
            f"{path}: the session was closed by record {seq}; a closed journal "
            "accepts no more records. Create a new session to run again.",
            path=path,
            seq=seq,
        )


class JournalBusy(JournalError):
    """The append lock was not free within the deadline; nothing was written.

    Attributes:
        path: What is locked: the journal; on Windows its `append.lock`.
        waited_s: Seconds waited.
    """

    path: Path
    waited_s: float

    def __init__(self, path: Path, waited_s: float) -> None:
        super().__init__(
            f"{path}: another process has held the append lock for {waited_s:.1f} s. "
            "Existing records are intact. Find the holder with "
            f"`lsof {path}`.",
            path=path,
            waited_s=waited_s,
        )


class JournalUnwritable(JournalError):
    """The file system refused an append; it was rolled back.

    Attributes:
        path: The file or folder.
        errno: The system's error number, or None.
        reason: The system's words.
    """

    path: Path
    errno: int | None
    reason: str

    def __init__(self, path: Path, errno: int | None, reason: str) -> None:
        super().__init__(
            f"{path}: cannot be written: {reason}. Every record acknowledged before "
            "is intact. Free space or fix the permissions, or set "
            "`directory` in [tool.kedro_journal] to another place.",
            path=path,
            errno=errno,
            reason=reason,
        )


class UnsafeJournal(JournalError):
    """A path in the journal directory is not what a journal may be.

    A symbolic link, a FIFO or device, a hard link, or a folder that others can
    write to: following it could disclose or overwrite the file of another user.

    Attributes:
        path: The refused path.
        reason: What is wrong with it.
    """

    exit_code = 2
    path: Path
    reason: str

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path}: refused: {reason}. Nothing was read or written; remove it or "
            "choose another journal directory.",
            path=path,
            reason=reason,
        )


class RecordTooLarge(JournalError):
    """A record that would be longer than the line limit; nothing was written.

    Attributes:
        type: The event type.
        size_bytes: Size of the line.
        limit_bytes: The limit.
    """

    type: str
    size_bytes: int
    limit_bytes: int

    def __init__(self, type: str, size_bytes: int, limit_bytes: int) -> None:  # noqa: A002
        super().__init__(
            f"{type}: a record of {size_bytes} bytes is over the limit of "
            f"{limit_bytes}. The journal was not changed. Put large values "
            "in a dataset "
            "and their path in the event.",
            type=type,
            size_bytes=size_bytes,
            limit_bytes=limit_bytes,
        )


class IllegalTransition(JournalError):
    """An event that does not fit what was recorded before; nothing was written.

    Attributes:
        type: The event type that was refused.
        subject: What it is about, such as `node train` or `session`.
        status: The status that subject has.
    """

    type: str
    subject: str
    status: str

    def __init__(self, type: str, subject: str, status: str) -> None:  # noqa: A002
        super().__init__(
            f"{type} does not fit: {subject} is {status}. The journal was not "
            "changed; docs/concepts/state.md has the table of legal moves.",
            type=type,
            subject=subject,
            status=status,
        )


class ConfigError(JournalError):
    """A setting that is unknown or of the wrong type.

    Attributes:
        source: The file or environment variable it stands in.
        reason: What is wrong, with the key's path.
        key: The setting; empty if it is about all of them.
    """

    exit_code = 2
    source: str
    reason: str
    key: str

    def __init__(self, source: str, reason: str, key: str = "") -> None:
        super().__init__(
            f"{source}: {reason}. Defaults are in docs/reference/configuration.md.",
            source=source,
            reason=reason,
            key=key,
        )
