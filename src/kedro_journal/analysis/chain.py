"""A resumed session as a whole: the attempts, and which of them did each node. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.state.model import NodeStatus, RunState, SessionState, Verdict

__all__ = ["ChainNode", "ChainState", "chain_of"]


class ChainNode(msgspec.Struct, frozen=True, kw_only=True):
    """One node of a chain.

    Attributes:
        name: Its name.
        status: Where it stands, by the last attempt that was to run it.
        session_id: The session of that attempt.
        run_id: Its run.
        attempt: Number of that session in the chain, from 1.
        duration_s: Seconds the node took there; None if it is not known.
        attempts: How many attempts of the chain began it.
    """

    name: str
    status: NodeStatus
    session_id: str
    run_id: str | None = None
    attempt: int = 1
    duration_s: float | None = None
    attempts: int = 0


class ChainState(msgspec.Struct, frozen=True, kw_only=True):
    """A session with those that it resumes and that resume it.

    Attributes:
        sessions: The attempts, oldest first.
        nodes: Every node of them by name, in the order of the first attempt.
        verdict: That of the last attempt that ran anything, else of the last one.
        started_at, ended_at: Wall clock of the first and last record.
    """

    sessions: tuple[SessionState, ...] = ()
    nodes: Mapping[str, ChainNode] = {}
    verdict: Verdict = "empty"
    started_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def duration_s(self) -> float | None:
        """Seconds from the start of the first attempt to the end of the last."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max((self.ended_at - self.started_at).total_seconds(), 0.0)

    @property
    def completed(self) -> tuple[ChainNode, ...]:
        """The nodes that are completed."""
        return tuple(one for one in self.nodes.values() if one.status == "completed")


def chain_of(states: Sequence[SessionState]) -> ChainState:
    """Return the chain of sessions that resume each other.

    Args:
        states: The sessions, oldest first.
    """
    nodes: dict[str, ChainNode] = {}
    for number, state in enumerate(states, 1):
        heir = states[number] if number < len(states) else None
        run = _run_of(state, heir)
        for name, node in run.nodes.items() if run is not None else ():
            before = nodes.get(name)
            began = node.started_seq or node.ended_seq or node.loads
            nodes[name] = ChainNode(
                name=name,
                status=node.status,
                session_id=state.session_id,
                run_id=run.run_id if run is not None else None,
                attempt=number,
                duration_s=node.duration_s,
                attempts=(before.attempts if before else 0) + bool(began),
            )
    ran = [state for state in states if state.runs]
    telling = (ran or list(states))[-1:]
    return ChainState(
        sessions=tuple(states),
        nodes=nodes,
        verdict=telling[0].verdict if telling else "empty",
        started_at=states[0].created_at if states else None,
        ended_at=(states[-1].closed_at or states[-1].updated_at) if states else None,
    )


def _run_of(state: SessionState, heir: SessionState | None) -> RunState | None:
    """Return the run of a session that its heir resumed, else its last."""
    wanted = heir.resumed.parent_run_id if heir is not None and heir.resumed else None
    named = [run for run in state.runs if wanted is not None and run.run_id == wanted]
    return named[-1] if named else state.last_run
