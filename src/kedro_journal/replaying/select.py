"""Find the session that a text refers to: an id, a word, a time or a path.

See `reference` for what a text refers to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.errors import (
    AmbiguousSessionId,
    JournalError,
    JournalNotFound,
    UnsafeJournal,
)
from kedro_journal.events import RunStarted
from kedro_journal.journal import JournalDirectory, check_session_id, read
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.roster import Roster, Session, read_roster
from kedro_journal.state import SessionState

from .folder import replay_folder
from .index import listed
from .packs import is_archive, unpacked
from .reference import Id, Moment, Newest, Place, Reference, Verdicts, parse

__all__ = ["Chosen", "Purpose", "select", "why_empty"]

Purpose = Literal["show", "run"]
"""What a session is searched for: to be read, or to be run or compared."""

_FAILED: Final = ("failed", "crashed", "interrupted")
_SHOWN: Final = 5
_READ_ALONE: Final = 100  # newest sessions; the index is asked for older ones
_DAY: Final = timedelta(days=1)


class Chosen(NamedTuple):
    """A session that was found.

    Attributes:
        where: The journal directory that it is in.
        folder: Its folder.
        skipped: Newer sessions that were passed over, newest first.
        reason: Why they were, as a clause: "that ran nothing".
    """

    where: JournalDirectory
    folder: Path
    skipped: tuple[str, ...] = ()
    reason: str = ""

    @property
    def session_id(self) -> str:
        """The name of its folder; of a copy it is not the id in its journal."""
        return self.folder.name

    @property
    def file(self) -> Path:
        """Its journal."""
        return self.folder / JOURNAL_NAME

    @property
    def note(self) -> str:
        """What was passed over, as one sentence in parentheses; empty for nothing."""
        if not self.skipped:
            return ""
        number = len(self.skipped)
        shown = ", ".join(self.skipped[:_SHOWN])
        more = f" and {number - _SHOWN} more" if number > _SHOWN else ""
        sessions = "session" if number == 1 else "sessions"
        return f"(skipped {number} newer {sessions} {self.reason}: {shown}{more})"


def select(
    where: JournalDirectory,
    wanted: str,
    purpose: Purpose = "show",
    *,
    now: datetime | None = None,
) -> Chosen:
    """Find the session that a text refers to.

    An id that exists is never anything else, but for `latest`. `latest`, `@-N`,
    `last-failed` and `last-good` pass over sessions that ran nothing, unless there is
    no other: for "show" those that were closed without a run and without an error,
    mistyped commands, and those that were to resume or repeat another session and
    began no run; for "run" all in which no run began.

    Args:
        where: The journal directory.
        wanted: The text; see `reference.parse`.
        purpose: What the session is searched for.
        now: Local time without a zone; None reads the clock.

    Raises:
        JournalNotFound: There is none.
        AmbiguousSessionId: There are several.
        InvalidSessionId: The text can be none of all that.
        UnsafeJournal: The session folder is a link.
        JournalError: The directory, or all that is in it, may not be read.
    """
    if wanted != "latest" and (folder := _exact(where, wanted)) is not None:
        return Chosen(where, folder)
    clock = now or datetime.now()
    reference = parse(wanted, clock)
    if isinstance(reference, Place):
        return _at(reference.path, wanted)
    if isinstance(reference, Id):
        check_session_id(wanted)
    roster = read_roster(where)
    if not roster.sessions:
        raise JournalNotFound(wanted, where.path, hint=why_empty(where, roster))
    if isinstance(reference, Newest):
        return _newest(where, roster, purpose, wanted, reference.back)
    if isinstance(reference, Verdicts):
        return _with_verdict(where, roster, wanted, good=reference.good)
    found: list[str] = []
    if isinstance(reference, Moment):
        found = [one.session_id for one in _within(roster, reference)]
        found = found[-1:] if reference.newest else found
    found = found or _fitting(roster, wanted)
    if len(found) > 1:
        raise AmbiguousSessionId(wanted, found)
    if not found:
        raise _none_such(where, roster, wanted, reference)
    return Chosen(where, where.folder(found[0]))


def _exact(where: JournalDirectory, wanted: str) -> Path | None:
    """Return the folder of that name, if it has a journal: a copy's as well.

    Raises:
        UnsafeJournal: It is a link.
    """
    try:
        folder = where.folder(wanted)
    except UnsafeJournal:
        raise
    except JournalError as error:
        let_through(error)
        return None
    return folder if os.path.lexists(folder / JOURNAL_NAME) else None


def _at(path: Path, wanted: str) -> Chosen:
    path = path.expanduser()
    folder = path.parent if path.name == JOURNAL_NAME else path
    try:
        folder = folder.resolve()
        there = os.path.lexists(folder / JOURNAL_NAME)
    except OSError as error:
        let_through(error, system=True)
        there = False
    if there:
        return Chosen(JournalDirectory(folder.parent), folder)
    if is_archive(path):
        opened = unpacked(path)
        return Chosen(opened.where, opened.where.folder(opened.session_id))
    hint = f"A session folder has a file {JOURNAL_NAME}; give either of them."
    if path.is_dir() and (ids := JournalDirectory(path).ids()):
        hint = f"It is a journal directory: `--directory {path}`, or {path / ids[-1]}."
    elif path.is_file():
        hint = f"A journal file is called {JOURNAL_NAME}."
    raise JournalNotFound(wanted, path, hint=hint)


def why_empty(where: JournalDirectory, roster: Roster) -> str:
    """Return why a directory has no session, and what to do."""
    path = where.path
    if roster.copies:
        names = ", ".join(roster.copies[:_SHOWN])
        return f"It has copies of sessions only: {names}. Name one by its path."
    if not os.path.lexists(path):
        return "It does not exist yet: `kedro run` makes it."
    if os.path.lexists(path / JOURNAL_NAME):
        return f"It is a session folder: `kedro-journal show {path}{os.sep}` shows it."
    try:
        where.check_safe()
    except (JournalError, OSError) as error:
        let_through(error)
        return f"Nothing is journaled there: {error}"
    return "No session was journaled there yet: `kedro run` creates one."


def _newest(
    where: JournalDirectory, roster: Roster, purpose: Purpose, wanted: str, back: int
) -> Chosen:
    passed: list[str] = []
    unreadable: list[str] = []
    left = back
    older: Mapping[str, SessionState] = {}
    for number, one in enumerate(reversed(roster.sessions)):
        if number and number % _READ_ALONE == 0:  # there may be very many
            start = len(roster.sessions) - number
            ids = roster.ids()[max(start - _READ_ALONE, 0) : start]
            older = {state.session_id: state for state in _states(where, ids)}
        if not one.is_readable:
            if purpose == "run" and not left:
                raise _not_readable(where, one)
            unreadable.append(one.session_id)
        elif _ran_nothing(where, one, purpose, older.get(one.session_id)):
            passed.append(one.session_id)
        elif left:
            left -= 1
        else:
            reason = _reason(passed, unreadable)
            skipped = _in_order(roster, passed, unreadable)
            return Chosen(where, where.folder(one.session_id), skipped, reason)
    readable = [one.session_id for one in roster.sessions if one.is_readable]
    if not readable:
        raise _not_readable(where, roster.sessions[-1])
    if back < len(readable) and len(passed) == len(readable):
        return Chosen(where, where.folder(readable[-1 - back]))  # there is no other
    raise JournalNotFound(wanted, where.path, roster.ids())


def _reason(passed: list[str], unreadable: list[str]) -> str:
    if passed and unreadable:
        return "that ran nothing or are not readable"
    one = len(passed) + len(unreadable) == 1
    not_readable = "that is not readable" if one else "that are not readable"
    return "that ran nothing" if passed else not_readable


def _in_order(roster: Roster, *groups: list[str]) -> tuple[str, ...]:
    chosen = {session_id for group in groups for session_id in group}
    return tuple(one for one in reversed(roster.ids()) if one in chosen)


def _not_readable(where: JournalDirectory, session: Session) -> JournalError:
    path = where.path / session.session_id
    try:
        next(iter(read(path / JOURNAL_NAME)), None)
        why = "it was not a moment ago"
    except (JournalError, OSError) as error:
        let_through(error)
        why = getattr(error, "strerror", None) or str(error)
    message = (
        f"{path}: session {session.session_id} is not readable: {why}. "
        "`kedro-journal list` shows the others; name one."
    )
    return JournalError(message, exit_code=UnsafeJournal.exit_code)


def _ran_nothing(
    where: JournalDirectory,
    one: Session,
    purpose: Purpose,
    state: SessionState | None = None,
) -> bool:
    try:
        folder = where.folder(one.session_id)
        if state is None:
            for record in read(folder / JOURNAL_NAME, mode="salvage"):
                if isinstance(record.event, RunStarted):
                    return False
            state = replay_folder(folder, salvage=True)
    except FileNotFoundError:
        return True  # it was deleted just now
    except (JournalError, OSError) as error:
        let_through(error)
        return False  # what is wrong with it is shown
    if state.runs or state.unknown_events or state.unattributed_events:
        return False
    if purpose == "run":
        return True
    again = state.parent_session_id is not None and state.verdict != "running"
    return state.verdict in ("no run", "empty") or again or _is_mistyped(state)


def _is_mistyped(state: SessionState) -> bool:
    """Return whether click refused the command line before the project was read."""
    error = state.error
    if error is None or state.error_phase != "command" or state.context is not None:
        return False
    return error.type.startswith("click.") or error.type == "SystemExit"


def _with_verdict(
    where: JournalDirectory, roster: Roster, wanted: str, *, good: bool
) -> Chosen:
    fits: Callable[[SessionState], bool] = _is_good if good else _is_failed
    readable = [one.session_id for one in reversed(roster.sessions) if one.is_readable]
    for row in _states(where, readable):
        if fits(row):
            return Chosen(where, where.folder(row.session_id))
    what = "completed every planned node" if good else f"is {' or '.join(_FAILED)}"
    hint = f"None of {len(readable)} sessions {what}; `kedro-journal list` shows them."
    raise JournalNotFound(wanted, where.path, hint=hint)


def _states(where: JournalDirectory, ids: list[str]) -> Iterator[SessionState]:
    for found in listed(where, ids):
        yield found.state


def _is_failed(state: SessionState) -> bool:
    # A `resume` that failed before it ran says nothing new of the run.
    is_attempt = state.parent_session_id is not None and not state.runs
    said_nothing = is_attempt or (not state.runs and _is_mistyped(state))
    return state.verdict in _FAILED and not said_nothing


def _is_good(state: SessionState) -> bool:
    run = state.last_run
    if run is None or state.verdict != "completed" or run.status != "completed":
        return False
    return all(one.status == "completed" for one in run.nodes.values())


def _within(roster: Roster, moment: Moment) -> list[Session]:
    end = moment.start + moment.length
    return [
        one
        for one in roster.sessions
        if moment.start <= one.created_at.astimezone().replace(tzinfo=None) < end
    ]


def _fitting(roster: Roster, wanted: str) -> list[str]:
    ids = roster.ids()
    return [one for one in ids if one.startswith(wanted)] or [
        one for one in ids if one.endswith(wanted)
    ]


def _none_such(
    where: JournalDirectory, roster: Roster, wanted: str, reference: Reference
) -> JournalNotFound:
    newest = roster.sessions[-1]
    hint = ""
    if isinstance(reference, Moment):
        at = newest.created_at.astimezone()
        hint = (
            f"None was created {_in_words(reference)} (local time). The newest session "
            f"there is {newest.session_id}, created {at:%Y-%m-%d %H:%M:%S}; "
            "`kedro-journal list` shows all."
        )
    elif (where.path / wanted).is_dir():
        hint = f"{where.path / wanted} has no file {JOURNAL_NAME}."
    return JournalNotFound(wanted, where.path, roster.ids(), hint=hint)


def _in_words(moment: Moment) -> str:
    if moment.length >= _DAY:
        return f"on {moment.start:%Y-%m-%d}"
    form = "%Y-%m-%d %H:%M:%S" if moment.length.seconds < 60 else "%Y-%m-%d %H:%M"
    return f"at {moment.start.strftime(form)}"
