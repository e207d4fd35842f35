"""The answer to "what changed since this last worked?". Values only."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from kedro_journal._instant import Instant

__all__ = ["Change", "ChangeKind", "Cited", "Good", "Why"]

ChangeKind = Literal[
    "code", "source file", "pipeline", "parameter", "input", "dataset",
    "configuration", "env", "variable", "packages", "git", "host", "runner", "run",
    "output",
]  # fmt: skip


class Cited(msgspec.Struct, frozen=True):
    """A record that proves a statement.

    Attributes:
        session_id: The session that has it.
        seq: Its number in that session.
    """

    session_id: str
    seq: int


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that differs between the run that worked and the one that did not.

    Attributes:
        kind: What sort of thing. `source file` is a file of the project's package;
            `output` is data that a node saved otherwise although nothing that the
            journal knows of changed before it.
        subject: Which one.
        detail: How it differs, in words.
        was, now: Its values, where it has any; unset where it was, or is, not there.
        nodes: Nodes whose outcome depends on it directly, nearest to the failure first.
        distance: Number of nodes between it and the one that broke: 0 is that node
            itself. None if it is not tied to a node.
        reasons: What supports it as the cause, or speaks against it, in words.
        source: Where it was set, such as `conf/base/parameters.yml:3`; empty if that
            is not known.
        records: The records that say so.
        related: False if nothing that the node was made from depends on it, or if it
            came only after the failures began.
    """

    kind: ChangeKind
    subject: str
    detail: str
    was: Any | UnsetType = UNSET
    now: Any | UnsetType = UNSET
    nodes: tuple[str, ...] = ()
    distance: int | None = None
    reasons: tuple[str, ...] = ()
    source: str = ""
    records: tuple[Cited, ...] = ()
    related: bool = True


class Good(msgspec.Struct, frozen=True, kw_only=True):
    """The run that the broken one is compared with.

    Attributes:
        session_id, run_id, attempt: Which run.
        ended_at: When its node, or the run, completed.
        record: The record that says so; 0 if none is.
        reason: Why it was chosen, in words.
    """

    session_id: str
    run_id: str | None
    attempt: int
    ended_at: Instant | None
    record: int
    reason: str


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since a node, or a run, last worked.

    Attributes:
        session_id, run_id, attempt: The run that is explained; None and 1 if there was
            none.
        nodes: The nodes that are explained; none if it broke outside of any.
        others: Further nodes that broke in it.
        verdict: What became of the session.
        status: What became of the first of the nodes; of the run without one.
        phase: What that node was doing when it broke; empty without one.
        error: What was raised, in one line; empty if nothing was.
        error_at: file:line of the project's innermost frame; empty if there is none.
        record: The record that says how it ended; 0 if none does.
        good: The run that it is compared with; None if none is known.
        failing_since: The first session of the failures in a row; empty if it is this
            one.
        failures: How many earlier runs in a row failed there.
        changes: What changed, the likeliest cause first.
        unrelated: What changed and cannot have mattered, as far as the journal knows.
        unseen: What may have changed and the journal cannot tell, in words.
        searched: How many earlier sessions were read.
        left: How many still earlier ones were not.
    """

    session_id: str
    run_id: str | None
    attempt: int
    nodes: tuple[str, ...]
    others: tuple[str, ...]
    verdict: str
    status: str
    phase: str
    error: str
    error_at: str
    record: int
    good: Good | None
    failing_since: str
    failures: int
    changes: tuple[Change, ...]
    unrelated: tuple[Change, ...]
    unseen: tuple[str, ...]
    searched: int
    left: int

    def __repr__(self) -> str:
        where = self.nodes[0] if self.nodes else "the run"
        if self.good is None:
            return f"<Why {where} in {self.session_id}: no run that worked is known>"
        first = self.changes[0] if self.changes else None
        cause = f"{first.kind} {first.subject}" if first else "nothing known changed"
        return f"<Why {where} in {self.session_id}: {cause}>"
