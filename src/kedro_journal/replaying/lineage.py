"""Questions about sessions and those that they resume: what changed, and from where."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kedro_journal._outside import let_through
from kedro_journal.analysis import ChainState, Comparison, chain_of, compare
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import SessionState
from kedro_journal.state import trace as trace_state

from .folder import replay_folder
from .locate import PathLike, open_directory, resumed_by
from .select import Chosen, Purpose, select

if TYPE_CHECKING:
    from kedro_journal.state import Trace

__all__ = [
    "Located",
    "ancestors",
    "between",
    "created_s",
    "diff",
    "steps",
    "trace",
    "whole_chain",
]


class Located(NamedTuple):
    """A session's state, and the journal directory that it is in."""

    where: JournalDirectory
    state: SessionState

    @classmethod
    def of(cls, chosen: Chosen, *, salvage: bool = True) -> Located:
        """Replay a session that was found.

        Raises:
            CorruptJournal: Records are damaged or missing, and *salvage* is off.
        """
        return cls(chosen.where, replay_folder(chosen.folder, salvage=salvage))


def ancestors(
    where: JournalDirectory, state: SessionState, *, repeated: bool = False
) -> list[SessionState]:
    """Replay the sessions that one resumes, oldest first, as far as they are there.

    Args:
        where: The journal directory.
        state: The session.
        repeated: Also those that it, or one of them, repeats or belongs under.
    """
    found: list[SessionState] = []
    seen = {state.session_id}
    while True:
        resumed = state.resumed
        parent = resumed.parent_session_id if resumed is not None else None
        if repeated:
            parent = parent or state.parent_session_id
        if parent is None or parent in seen:
            return found
        try:
            state = replay_folder(where.folder(parent), salvage=True)
        except (JournalError, OSError) as error:
            let_through(error, system=True)
            return found  # deleted, or somewhere else
        seen.add(parent)
        found.insert(0, state)


def whole_chain(located: Located) -> ChainState:
    """Return the chain that a session belongs to: what it resumes, and what resumes it.

    Where two sessions resumed the same one, the chain follows the last of them.
    """
    where, state = located
    states = [*ancestors(where, state), state]
    seen = {one.session_id for one in states}
    later = resumed_by(where, state.session_id)
    while later is not None and later not in seen:
        seen.add(later)
        try:
            states.append(replay_folder(where.folder(later), salvage=True))
        except (JournalError, OSError) as error:
            let_through(error, system=True)
            break
        later = resumed_by(where, later)
    return chain_of(states)


def between(one: Located, other: Located) -> Comparison:
    """Compare two sessions, each with those that it resumes, the earlier one first."""
    earlier, later = sorted((one, other), key=created_s)
    before = [*ancestors(*earlier), earlier.state]
    resumes = ancestors(*later)
    ids = [state.session_id for state in resumes]
    if earlier.state.session_id in ids:  # the later one resumes it: what came after
        resumes = resumes[ids.index(earlier.state.session_id) + 1 :]
    return compare(before, later.state, resumes=resumes)


def created_s(one: Located) -> float:
    """Return when a session was created, in seconds since 1970; 0 if not known."""
    at = one.state.created_at
    return at.timestamp() if at is not None else 0.0


def steps(last: Located) -> list[Comparison]:
    """Compare each session of a chain with those before it, oldest first."""
    states = [*ancestors(*last, repeated=True), last.state]
    return [
        compare(_before(states[: number + 1]), state)
        for number, state in enumerate(states[1:])
    ]


def _before(states: list[SessionState]) -> list[SessionState]:
    """Leave out what was done before a session that began from the start."""
    first = len(states) - 1
    while first and states[first].resumed is not None:
        first -= 1
    return states[first:]


def diff(
    session_id: str = "latest",
    other: str | None = None,
    *,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> tuple[Comparison, ...]:
    """Compare two sessions, as the command `diff` does.

    The comparison goes from the earlier session to the later one, in either order of
    the arguments. A resumed session is compared as a whole with those that it resumes.

    Args:
        session_id: As for `replay`; `latest` passes over sessions without a run.
        other: The session to compare with, named in the same ways. None for the
            session that this one resumes or repeats, that one with what it resumes
            itself, and so on: one comparison for each attempt, oldest first.
        project_path, directory: As for `replay`.

    Returns:
        The comparisons; none if both are the same session, or if *other* is None and
        the session resumes and repeats no other one.

    Raises:
        JournalNotFound, AmbiguousSessionId, InvalidSessionId: As for `replay`.
    """
    where = open_directory(project_path, directory)
    one = Located.of(select(where, session_id, "run"))
    if other is None:
        return tuple(steps(one))
    second = Located.of(select(where, other, "run"))
    if one.state.session_id == second.state.session_id:
        return ()
    return (between(one, second),)


def trace(
    name: str,
    session_id: str = "latest",
    *,
    run_id: str | None = None,
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
    salvage: bool = False,
) -> tuple[Trace, ...]:
    """Find where a value of a session came from, as the command `trace` does.

    Args:
        name: A parameter (`params:model.lr`, or `parameters` for all), a dataset, a
            flag (`--env`), or an environment variable (`$KEDRO_ENV`).
        session_id: As for `replay`.
        run_id: A run of the session; None for the last.
        project_path, directory, salvage: As for `replay`.

    Returns:
        One trace; of a parameter that is a mapping, one for each value in it.

    Raises:
        NothingToTrace: No such name is recorded.
        JournalError: As for `replay`.
    """
    purpose: Purpose = "show"
    chosen = select(open_directory(project_path, directory), session_id, purpose)
    where, state = Located.of(chosen, salvage=salvage)
    return trace_state(state, name, run_id=run_id, before=ancestors(where, state))
