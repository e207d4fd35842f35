"""Check events against the legal moves, before they are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kedro_journal.errors import IllegalTransition
from kedro_journal.events import (
    Event,
    RunCompleted,
    RunFailed,
    RunInterrupted,
    RunStarted,
)
from kedro_journal.state import (
    NODE_TRANSITIONS,
    RUN_TRANSITIONS,
    SESSION_TRANSITIONS,
    status_after,
)

if TYPE_CHECKING:
    from kedro_journal.state import NodeStatus, RunStatus, SessionStatus

__all__ = ["Guard"]

_NodeKey = tuple[str | None, int, str]

_NODE_EVENTS: Final = frozenset(event for _, event in NODE_TRANSITIONS)


class Guard:
    """Where this process's subjects stand, by the same tables that the fold reads.

    Subjects that other processes moved are unknown here, and their first move is
    accepted.
    """

    def __init__(self, session: SessionStatus | None) -> None:
        self._session: SessionStatus | None = session
        self._runs: dict[tuple[str | None, int], RunStatus] = {}
        self._nodes: dict[_NodeKey, NodeStatus] = {}

    def move_all(self, events: Sequence[Event]) -> None:
        """Make all the moves, or none.

        Raises:
            IllegalTransition: One of them is none; nothing was changed.
        """
        if len(events) == 1:
            self.move(events[0])
            return
        session, runs, nodes = self._session, dict(self._runs), self._nodes
        # One by one, for there may be very many; moves of runs make a new map.
        before: list[tuple[_NodeKey, NodeStatus | None]] = [
            (key, nodes.get(key)) for key in map(_node_key, events)
        ]
        try:
            for event in events:
                self.move(event)
        except IllegalTransition:
            self._session, self._runs, self._nodes = session, runs, nodes
            for key, status in before:
                if status is None:
                    nodes.pop(key, None)
                else:
                    nodes[key] = status
            raise

    def move(self, event: Event) -> None:
        """Make the move.

        Raises:
            IllegalTransition: It is none; nothing was changed.
        """
        if type(event) in _NODE_EVENTS:
            self._move_node(event)
        elif isinstance(event, (RunStarted, RunCompleted, RunFailed, RunInterrupted)):
            self._move_run(event)
        elif event.TYPE.startswith(("session.", "context.")):
            self._move_session(event)

    def _move_session(self, event: Event) -> None:
        if self._session is None:
            return
        status = SESSION_TRANSITIONS.get((self._session, type(event)))
        if status is None:
            raise IllegalTransition(event.TYPE, "the session", self._session)
        if status == "inactive" and getattr(event, "depth", 0) > 0:
            status = "active"
        self._session = status

    def _move_run(
        self, event: RunStarted | RunCompleted | RunFailed | RunInterrupted
    ) -> None:
        key = (event.run_id, event.attempt)
        known = self._runs.get(key)
        subject = f"run {event.run_id} (attempt {event.attempt})"
        if isinstance(event, RunStarted):
            if known is not None and event.part == 1:
                raise IllegalTransition(event.TYPE, subject, known)
            session = self._session
            if session and (session, RunStarted) not in SESSION_TRANSITIONS:
                raise IllegalTransition(event.TYPE, "the session", session)
            self._runs[key] = "running"
            return
        status = RUN_TRANSITIONS.get((known or "running", type(event)))
        if status is None:
            raise IllegalTransition(event.TYPE, subject, str(known))
        self._runs[key] = status
        self._nodes = {n: s for n, s in self._nodes.items() if n[:2] != key}

    def _move_node(self, event: Any) -> None:
        run_id = event.run_id
        if run_id is None:
            return
        key = (run_id, event.attempt, event.node)
        known = self._nodes.get(key)
        run = self._runs.get((run_id, event.attempt), "running")
        if run != "running":
            raise IllegalTransition(event.TYPE, f"run {event.run_id}", run)
        status = NODE_TRANSITIONS.get((known or "pending", type(event)))
        if status is None and known is not None:
            raise IllegalTransition(event.TYPE, f"node {event.node}", known)
        if status is None:
            status = status_after(type(event))
        self._nodes[key] = status


def _node_key(event: Any) -> _NodeKey:
    """Return what names the node of an event; of one that has none, what names none."""
    if type(event) not in _NODE_EVENTS:
        return None, 0, ""
    return event.run_id, event.attempt, event.node
