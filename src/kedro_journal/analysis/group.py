"""What sibling sessions add up to: one run that many processes, perhaps hosts, share.

Frozen: `merge` makes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from kedro_journal._instant import EPOCH, Instant
from kedro_journal.events import ErrorInfo
from kedro_journal.state.model import NodeState, NodeStatus, SessionState, Verdict
from kedro_journal.state.shown import Shown

__all__ = ["GroupFailure", "GroupNode", "GroupState", "NodeTry"]

_BEFORE_ALL: Final = EPOCH.min.replace(tzinfo=UTC)


class NodeTry(msgspec.Struct, frozen=True):
    """One try at a node, in one session.

    Attributes:
        session_id, host, run_id, attempt: Where it was made.
        node: What became of the node there.
    """

    session_id: str
    host: str
    run_id: str | None
    attempt: int
    node: NodeState

    @property
    def status(self) -> NodeStatus:
        """Status of the node in that try."""
        return self.node.status


class GroupNode(msgspec.Struct, frozen=True):
    """A node of a group: what became of it counts by its last try.

    Attributes:
        name: Its name.
        asked: What tells it from others of that name: environment, task or runtime
            parameters, such as `fold=3`; empty if it is the only one.
        tries: Every try that was begun, in order; a plan alone if none was.
    """

    name: str
    asked: str
    tries: tuple[NodeTry, ...]

    @property
    def last(self) -> NodeTry:
        """The try that counts."""
        return self.tries[-1]

    @property
    def earlier(self) -> tuple[NodeTry, ...]:
        """The tries before it."""
        return self.tries[:-1]

    @property
    def status(self) -> NodeStatus:
        """Status in the last try."""
        return self.last.node.status


class GroupFailure(msgspec.Struct, frozen=True):
    """Where a group broke.

    Attributes:
        verdict: failed, crashed, interrupted or unknown: that of the session.
        session_id, host: Which session.
        run_id, attempt: Which run of it; None and 1 if it had none.
        node: The node, None if it was in none.
        doing: loading, running, saving or confirming; empty without a node.
        datasets: What it was loading, saving or confirming.
        error: What was raised, if it failed.
        at: Wall clock of the end of the node, the run or the session.
    """

    verdict: Verdict
    session_id: str
    host: str = ""
    run_id: str | None = None
    attempt: int = 1
    node: str | None = None
    doing: str = ""
    datasets: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    at: Instant | None = None


class GroupState(Shown, frozen=True):
    """Sibling sessions as the one run that they are.

    Attributes:
        group_id: What they share.
        sessions: Their states, in order of start.
        nodes: Their nodes by name, in order of first appearance. Nodes of one name
            that were asked for differently, say with other runtime parameters, are
            different nodes; their key says how: `train [fold=3]`.
        verdict: running: a session runs. Else failed, crashed, interrupted or unknown,
            the first of these that a session has and no later one made good. Else
            completed, if anything ran. A session is made good by later ones that
            planned every node it left, whatever became of them: they have verdicts of
            their own. One that planned nothing, by a later one with the same label
            `task`, or without that label by the same command.
        made_good: Ids of the sessions that later ones made good, in order.
        first_failure: The earliest failure that stands; None if none does.
        started_at, ended_at: Wall clock of the first and the last record.
    """

    group_id: str
    sessions: tuple[SessionState, ...] = ()
    nodes: Mapping[str, GroupNode] = {}
    verdict: Verdict = "empty"
    made_good: tuple[str, ...] = ()
    first_failure: GroupFailure | None = None
    started_at: Instant | None = None
    ended_at: Instant | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that took part, sorted."""
        found = {state.host for state in self.sessions}
        for state in self.sessions:
            found.update(writer.host for writer in state.writers.values())
        return tuple(sorted(found - {""}))

    @property
    def duration_s(self) -> float | None:
        """Seconds from the first record to the last, by the clocks of the hosts."""
        return seconds_between(self.started_at, self.ended_at)

    @property
    def busy_s(self) -> float:
        """Seconds that the sessions took, all added up."""
        return sum(seconds_of(state) or 0.0 for state in self.sessions)

    def with_status(self, *statuses: NodeStatus) -> tuple[GroupNode, ...]:
        """Return the nodes that have one of these statuses."""
        return tuple(node for node in self.nodes.values() if node.status in statuses)


def moment(at: datetime | None) -> datetime:
    """Return a time that compares with every other; none at all comes first."""
    if at is None:
        return _BEFORE_ALL
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """Return the time between two moments, >= 0; None if one is unknown."""
    if start is None or end is None:
        return None
    return max((moment(end) - moment(start)).total_seconds(), 0.0)


def seconds_of(state: SessionState) -> float | None:
    """Return how long a session took, up to its last record."""
    return seconds_between(state.created_at, state.closed_at or state.updated_at)
