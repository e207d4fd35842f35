"""JSON Schemas of what reading commands print with `--json`. Pure.

What is published in `journal_schema/output/` is what this module returns. The keys of
an output only grow within a version: a later release may add some, and no key is
removed or changes its meaning.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, Literal, NotRequired, TypedDict

import msgspec

from kedro_journal.analysis import ChainNode, Comparison, GroupFailure, ResumePlan
from kedro_journal.analysis.side_by_side import DurationRow, SettingRow
from kedro_journal.analysis.trends import Trends
from kedro_journal.doctor.model import Check, Guarantee, Status
from kedro_journal.events.schema import SCHEMA_BASE, schema_text
from kedro_journal.journal import Finding, Verification
from kedro_journal.state import (
    NodeState,
    NodeStatus,
    RunState,
    SessionState,
    Trace,
    Verdict,
)

__all__ = ["OUTPUTS", "output_path", "output_schema", "published_outputs"]

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFS: Final = "#/$defs/{name}"

Liveness = Literal["running", "crashed", "unknown", "closed"]


class Place(TypedDict):
    """Where a session is, or where it broke."""

    run_id: str | None
    attempt: int
    node: str
    doing: str
    datasets: list[str]


class Summary(TypedDict):
    """One session in short, as `list --json` and `wait --json` have it."""

    session_id: str
    uid: str
    verdict: Verdict
    outcome: Verdict
    status: str
    liveness: Liveness | None
    damaged: bool
    unreadable: str
    created_at: str | None
    updated_at: str | None
    closed_at: str | None
    duration_s: float | None
    duration_at_least_s: float | None
    pipelines: list[str]
    runs: int
    nodes_completed: int
    nodes_planned: int
    places: list[Place]
    error: str | None
    env: str | None
    started_by: str
    user: str | None
    host: str
    pid: int
    exit_code: int | None
    parent_session_id: str | None
    group_id: str | None
    labels: dict[str, str]
    records: int
    unknown_events: int
    newer_format: int
    unread: str


class LaterNote(TypedDict):
    """A note that was added after the session was recorded."""

    at: str
    by: str
    text: str


class UsualTime(TypedDict):
    """How long a run or a node usually takes, and how long this one took so far."""

    seconds: float
    longest: float
    samples: int
    elapsed_s: float | None
    left_s: float | None
    overdue: bool | None


class UsualTimes(TypedDict):
    """The usual durations of a run, and of its nodes by name."""

    run: UsualTime | None
    nodes: dict[str, UsualTime]


class Row(Summary):
    """One session of `list --json`, with its tags, notes and usual duration."""

    tags: list[str]
    later_notes: list[LaterNote]
    usual: UsualTime | None


class Record(TypedDict):
    """One line of `tail --json`; `data` is described by the schema of its type."""

    seq: int
    at: str
    w: str
    writer: str
    type: str
    data: dict[str, Any]


class Chain(TypedDict):
    """A chain of `show --chain --json`."""

    verdict: Verdict
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    busy_s: float
    nodes_completed: int
    nodes_planned: int
    sessions: list[Summary]
    nodes: dict[str, ChainNode]


class Try(TypedDict):
    """One try at a node of a group."""

    status: NodeStatus
    session_id: str
    host: str
    run_id: str | None
    attempt: int
    duration_s: float | None
    phase: str
    error: str | None


class GroupNode(Try):
    """A node of a group by its last try, with the tries before."""

    name: str
    asked: str
    earlier: list[Try]


class Group(TypedDict):
    """A group of `show --group --json`."""

    group_id: str
    verdict: Verdict
    started_at: str | None
    ended_at: str | None
    duration_s: float | None
    busy_s: float
    hosts: list[str]
    nodes_completed: int
    nodes_planned: int
    first_failure: GroupFailure | None
    made_good: list[str]
    sessions: list[Summary]
    nodes: dict[str, GroupNode]


class Steps(TypedDict):
    """The comparisons of `diff --json`, oldest first.

    The other keys are there where several sessions were named.
    """

    steps: list[Comparison]
    sessions: NotRequired[list[str]]
    verdicts: NotRequired[list[Verdict]]
    settings: NotRequired[list[SettingRow]]
    durations: NotRequired[list[DurationRow]]


class Pack(TypedDict):
    """The archive of `pack --json`."""

    path: str
    session_ids: list[str]
    files: int
    size_bytes: int


class PruneChain(TypedDict):
    """Sessions that resume each other, of `prune --json`."""

    session_ids: list[str]
    verdict: Verdict
    ended_at: str
    size_bytes: int
    reason: str


class Prune(TypedDict):
    """What `prune --json` removed and kept."""

    dry_run: bool
    removed: list[PruneChain]
    kept: list[PruneChain]
    freed_bytes: int
    left: int
    left_bytes: int
    restored: list[str]
    deleted: list[str]


class Doctor(TypedDict):
    """The report of `doctor --json`."""

    worst: Status
    directory: str | None
    probed: str | None
    project: str | None
    durability: str
    checks: list[Check]
    not_probed: list[str]
    guarantees: list[Guarantee]
    duration_s: float


_More = Mapping[str, Any]
_DURATIONS: Final = {"duration_s": float | None, "duration_at_least_s": float | None}


def _grown(name: str, base: type[msgspec.Struct], more: _More, text: str) -> Any:
    """Return a class that has the fields of another one, and more."""
    fields: dict[str, Any] = {
        one.name: one.type for one in msgspec.structs.fields(base)
    }
    grown = msgspec.defstruct(name, list((fields | dict(more)).items()), kw_only=True)
    grown.__doc__ = text
    return grown


_Node = _grown(
    "Node", NodeState, {"dataset": str | None}, "A node, with the dataset it is at."
)
_Run = _grown(
    "Run",
    RunState,
    {
        "nodes": dict[str, _Node],  # type: ignore[valid-type]
        "verdict": str,
        "broken": list[str],
    },
    "A run, its verdict, and the names of the nodes that broke.",
)
_STATE: Final[_More] = {
    "runs": list[_Run],  # type: ignore[valid-type]
    "verdict": Verdict,
    "outcome": Verdict,
    "unread": str,
    "unused_params": list[str],
    **_DURATIONS,
}
_Show = _grown(
    "Show",
    SessionState,
    {
        **_STATE,
        "findings": list[Finding],
        "live_workers": list[int],
        "tags": list[str],
        "later_notes": list[LaterNote],
        "usual": UsualTimes,
    },
    "A session of `show --json`.",
)
_Replay = _grown(
    "Replay",
    SessionState,
    {**_STATE, "record": Record},
    "A session of `replay --json`, as of a record.",
)
_Verify = _grown(
    "Verify",
    Verification,
    {"session_id": str, "ok": bool},
    "The health of a journal, of `verify --json`; with `--all` an array of these.",
)

OUTPUTS: Final[Mapping[str, tuple[Any, bool]]] = {
    "list": (list[Row], True),
    "wait": (Summary, True),
    "show": (_Show, True),
    "show-chain": (Chain, True),
    "show-group": (Group, True),
    "replay": (_Replay, True),
    "tail": (Record, True),
    "stats": (Trends, True),
    "diff": (Steps, False),
    "trace": (list[Trace], False),
    "verify": (_Verify, True),
    "resume-dry-run": (ResumePlan, False),
    "pack": (Pack, True),
    "query": (list[dict[str, Any]], True),
    "prune": (Prune, True),
    "doctor": (Doctor, True),
}
"""Command -> what it prints, and whether every key is always there.

Without that, keys that equal their defaults may be left out.
"""


def output_path(name: str) -> str:
    """Return the path of a published schema below `journal_schema/`."""
    return f"output/{name}.v1.json"


def output_schema(name: str) -> dict[str, Any]:
    """Return the schema of what a command prints.

    Raises:
        KeyError: There is no such output.
    """
    kind, is_whole = OUTPUTS[name]
    (root,), parts = msgspec.json.schema_components(
        (kind,), schema_hook=_anything, ref_template=_DEFS
    )
    for part in parts.values():
        paragraphs = inspect.cleandoc(part.get("description", "")).split("\n\n")
        part["description"] = "\n\n".join(" ".join(one.split()) for one in paragraphs)
        if is_whole and "properties" in part:
            part["required"] = list(part["properties"])
        for rules in part.get("properties", {}).values():
            rules.pop("default", None)
    schema = {
        "$schema": _DIALECT,
        "$id": SCHEMA_BASE + output_path(name),
        "title": f"kedro-journal {name} --json",
        **root,
        "$defs": {key: parts[key] for key in sorted(parts)},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def _anything(kind: type) -> dict[str, Any]:
    if kind is object:
        return {"description": "Any value."}
    raise NotImplementedError(kind)


def published_outputs() -> dict[str, str]:
    """Return every schema of an output: its path to its text."""
    return {output_path(name): schema_text(output_schema(name)) for name in OUTPUTS}
