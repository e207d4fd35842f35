"""All sessions of a project, replayed one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final, NamedTuple, overload

from msgspec.structs import replace

from kedro_journal._outside import let_through
from kedro_journal.analysis.filters import Wanted, condition
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory
from kedro_journal.state import SessionState, html_of

from .facts import facts_of
from .folder import replay_folder
from .locate import PathLike, open_directory

__all__ = ["Newest", "Sessions", "sessions"]

_SHOWN: Final = 20


class Newest(NamedTuple):
    """The newest sessions, for showing.

    Attributes:
        states: Their states, newest first.
        more: How many older ones there are.
    """

    states: tuple[SessionState, ...]
    more: int = 0


class Filters(NamedTuple):
    """Which sessions are wanted; None accepts any. See `sessions`."""

    verdict: str | None = None
    env: str | None = None
    since: datetime | None = None
    pipeline: str | None = None
    user: str | None = None
    group_id: str | None = None
    until: datetime | None = None
    node: str | None = None
    tag: str | None = None
    git: str | None = None
    labels: tuple[tuple[str, str | None], ...] | None = None
    params: tuple[str, ...] | None = None

    @property
    def wanted(self) -> Wanted:
        """What is asked of a session, but for its verdict and its group."""
        return Wanted(
            self.since,
            self.until,
            self.pipeline,
            self.env,
            self.user,
            self.labels or (),
            self.node,
            self.tag,
            self.git,
            tuple(map(condition, self.params or ())),
        )


_ANY: Final = Filters()


class Sessions(Sequence[SessionState]):
    """The states of sessions, newest first: a lazy sequence, as of each use.

    A session is replayed when it is reached, and its state is not kept: each loop
    replays again, `[0]` replays one session, and a negative index, or `len()` with
    filters, replays all of them. `next()` returns one session after the other. A
    notebook shows a table of the newest twenty.
    """

    def __init__(self, where: JournalDirectory, filters: Filters = _ANY) -> None:
        self._where = where
        self._filters = filters
        self._left: Iterator[SessionState] | None = None

    def __iter__(self) -> Iterator[SessionState]:
        return self._chosen(self._filters.wanted)

    def _chosen(self, wanted: Wanted) -> Iterator[SessionState]:
        verdict, group_id = self._filters.verdict, self._filters.group_id
        for state in _replayed(self._where):
            if (
                verdict in (None, state.verdict)
                and group_id in (None, state.group_id)
                and wanted.accepts(state)
                and (not wanted.needs_facts or wanted.accepts_facts(facts_of(state)))
            ):
                yield state

    def __next__(self) -> SessionState:
        if self._left is None:
            self._left = iter(self)
        return next(self._left)

    @overload
    def __getitem__(self, index: int) -> SessionState: ...
    @overload
    def __getitem__(self, index: slice) -> list[SessionState]: ...
    def __getitem__(self, index: int | slice) -> SessionState | list[SessionState]:
        if isinstance(index, slice):
            parts = (index.start, index.stop, index.step)
            if any(part is not None and part < 0 for part in parts):
                return list(self)[index]
            return list(islice(self, *parts))
        if index < 0:
            return list(self)[index]
        for state in islice(self, index, None):
            return state
        message = f"there are not {index + 1} sessions in {self._where.path}"
        raise IndexError(message)

    def __len__(self) -> int:
        if self._filters == _ANY:
            return len(self._where.ids())
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __repr__(self) -> str:
        given = self._filters._asdict().items()
        chosen = [f"{name}={value!r}" for name, value in given if value is not None]
        which = f" with {', '.join(chosen)}" if chosen else ""
        count = "" if chosen else f"{len(self)} "
        return f"<{count}sessions{which} in {self._where.path}, newest first>"

    def _repr_html_(self) -> str | None:
        newest = tuple(islice(self, _SHOWN))
        return html_of(Newest(newest, max(len(self) - len(newest), 0)))


def sessions(
    *,
    verdict: str | None = None,
    env: str | None = None,
    since: datetime | None = None,
    pipeline: str | None = None,
    user: str | None = None,
    group_id: str | None = None,
    until: datetime | None = None,
    node: str | None = None,
    tag: str | None = None,
    git: str | None = None,
    labels: Mapping[str, str | None] | None = None,
    params: Iterable[str] = (),
    project_path: PathLike | None = None,
    directory: PathLike | None = None,
) -> Sessions:
    """Return the states of the sessions, newest first, as a lazy sequence.

    Damage does not hide a session: what can be read is folded. A session whose journal
    may not be read has its id and the verdict "unknown". Copies of sessions, and
    folders without a journal, are left out.
    Filters combine: a session has to fit all of them.

    Args:
        verdict: Only sessions with this verdict, such as `failed`.
        env: Only sessions that ran in this configuration environment, whether it was
            asked for or is the default.
        since: Only sessions created at this time or later; timezone-aware.
        pipeline: Only sessions that ran this pipeline; `__default__` is a name too.
        user: Only sessions of this user.
        group_id: Only sessions of this group, by its whole id.
        until: Only sessions created before this time; timezone-aware.
        node: Only sessions that planned this node, by its name or the end of it after
            a dot.
        tag: Only sessions with a run that was restricted to this tag.
        git: Only sessions of this branch, or of a commit whose hash begins so.
        labels: Only sessions that have these labels with these values; None for any.
        params: Only sessions whose parameters fit these conditions: a dotted name,
            one of `= != < <= > >=` and a value, such as `model.lr>0.1`, or a name.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project.

    Raises:
        ConfigError: The setting `directory` is not valid.
        ValueError: *since* or *until* has no timezone, or one of *params* is no
            condition.
    """
    for name, at in (("since", since), ("until", until)):
        if at is not None and at.tzinfo is None:
            message = f"{name} needs a timezone, such as datetime.now(UTC)"
            raise ValueError(message)
    filters = Filters(
        verdict=verdict,
        env=env,
        since=since,
        pipeline=pipeline,
        user=user,
        group_id=group_id,
        until=until,
        node=node,
        tag=tag,
        git=git,
        labels=None if labels is None else tuple(labels.items()),
        params=tuple(params) or None,
    )
    _ = filters.wanted  # a condition that cannot be parsed is an error at once
    return Sessions(open_directory(project_path, directory), filters)


def _replayed(where: JournalDirectory) -> Iterator[SessionState]:
    for session_id in reversed(where.ids()):
        try:
            state = replay_folder(where.folder(session_id), salvage=True)
        except FileNotFoundError:
            continue
        except (JournalError, OSError) as error:
            let_through(error)
            yield SessionState(
                session_id=session_id, status="created", liveness="unknown"
            )
            continue
        yield state if state.session_id else replace(state, session_id=session_id)
