"""Which sessions are active in this process, and which one is meant right here.

A stack for the process, because every thread of a run must find its session, pool
threads included; over it a context variable that is set around each node, so that two
sessions in two threads are told apart. It holds the run and the node as well that the
code of this thread or task belongs to, as far as that is known for sure.
"""

from __future__ import annotations

import os
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from kedro_journal.state import SessionState

__all__ = [
    "SESSION_VARIABLE",
    "Active",
    "Bound",
    "Where",
    "bind",
    "bound",
    "enter",
    "innermost",
    "leave",
    "of_folder",
    "where_in",
]

SESSION_VARIABLE: Final = "KEDRO_JOURNAL_SESSION"
"""Environment variable that hands the session folder down to child processes."""


class Active(Protocol):
    """A session that is active in this process."""

    @property
    def session_id(self) -> str:
        """Its id."""
        ...

    @property
    def journal_folder(self) -> Path | None:
        """Its folder, None if its journal is in memory."""

    @property
    def state(self) -> SessionState:
        """Its state as of now."""
        ...


class Where(NamedTuple):
    """What the code of this thread or task belongs to; None for what is not known.

    Attributes:
        session_id: The session, by the id of its journal.
        run_id: Kedro's id of the run.
        attempt: Which try at that run.
        node: The node.
    """

    session_id: str
    run_id: str | None = None
    attempt: int = 1
    node: str | None = None


class Bound(NamedTuple):
    """What `bind` was told in a thread or task."""

    session: Active | None = None
    where: Where | None = None


_lock = threading.RLock()  # a signal handler may come in the middle
_stack: list[Active] = []
_NOTHING: Final = Bound()
_bound: Final[ContextVar[Bound]] = ContextVar("kedro_journal_bound", default=_NOTHING)
_inherited: Final = os.environ.get(SESSION_VARIABLE)


def enter(session: Active) -> None:
    """Make a session the innermost one of this process."""
    with _lock:
        _stack.append(session)
        _hand_down()


def leave(session: Active) -> None:
    """Take back one `enter`; the others stay active, whatever the order."""
    with _lock:
        for number in range(len(_stack) - 1, -1, -1):
            if _stack[number] is session:
                del _stack[number]
                break
        _hand_down()
    if _bound.get().session is session and session not in _stack:
        _bound.set(_NOTHING)


def bind(session: Active | None, where: Where | None = None) -> None:
    """Return the session, and the place in it, that this thread or task works for."""
    _bound.set(Bound(session, where))


def bound() -> Bound:
    """Return what `bind` was last told in this thread or task."""
    return _bound.get()


def where_in(session_id: str) -> Where:
    """Return where in a session the code of this thread or task is."""
    found = _bound.get().where
    if found is None or found.session_id != session_id:
        return Where(session_id)
    return found


def innermost() -> Active | None:
    """Return the session that is meant here, None if none is active."""
    here = _bound.get().session
    if here is not None:
        return here
    with _lock:
        return _stack[-1] if _stack else None


def of_folder(folder: Path) -> Active | None:
    """Return the active session of this process that has that folder."""
    with _lock:
        known = [_bound.get().session, *reversed(_stack)]
    return next(
        (s for s in known if s is not None and s.journal_folder == folder), None
    )


def _hand_down() -> None:
    for session in reversed(_stack):
        if session.journal_folder is not None:
            os.environ[SESSION_VARIABLE] = str(session.journal_folder)
            return
    if _inherited is None:
        os.environ.pop(SESSION_VARIABLE, None)
    else:
        os.environ[SESSION_VARIABLE] = _inherited


def _reset_lock_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it at the fork
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_lock_in_child)
