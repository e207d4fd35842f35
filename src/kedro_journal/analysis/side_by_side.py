"""Several sessions beside each other: settings that differ, and durations. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from kedro_journal.state import NodeState, SessionState
from kedro_journal.state.flat import flatten

from .comparison import compare

__all__ = ["DurationRow", "SettingRow", "SideBySide", "side_by_side"]


class SettingRow(msgspec.Struct, frozen=True):
    """One setting of several sessions.

    Attributes:
        kind, name: See `Difference`.
        values: Its value in each session that has it, by session id.
        differs: Whether it is not the same in all of them.
    """

    kind: str
    name: str
    values: dict[str, Any]
    differs: bool = True


class DurationRow(msgspec.Struct, frozen=True):
    """One node of several sessions, each by its last try.

    Attributes:
        node: Its name.
        statuses: Its status in each session that planned it, by session id.
        durations_s: Seconds that it took, by session id; only where that is known.
    """

    node: str
    statuses: dict[str, str]
    durations_s: dict[str, float]

    @property
    def spread_s(self) -> float:
        """Seconds between the shortest and the longest."""
        found = self.durations_s.values()
        return max(found) - min(found) if found else 0.0


class SideBySide(msgspec.Struct, frozen=True):
    """Several sessions beside each other.

    Attributes:
        sessions: Their ids, in the order in which they were named.
        verdicts: Their verdicts.
        settings: Settings that differ from those of the first; with *every*, also
            the parameters that do not.
        durations: Their nodes, in the order of the first session that has them.
    """

    sessions: tuple[str, ...]
    verdicts: tuple[str, ...]
    settings: tuple[SettingRow, ...]
    durations: tuple[DurationRow, ...]


def side_by_side(
    chains: Sequence[Sequence[SessionState]], *, every: bool = False
) -> SideBySide:
    """Lay sessions out beside each other.

    Args:
        chains: At least one session, each after those that it resumes, oldest first.
        every: Add the parameters that are the same in all of them.
    """
    last = [chain[-1] for chain in chains]
    return SideBySide(
        sessions=tuple(one.session_id for one in last),
        verdicts=tuple(one.verdict for one in last),
        settings=tuple(_settings(chains, every=every)),
        durations=tuple(_durations(chains)),
    )


def _settings(
    chains: Sequence[Sequence[SessionState]], *, every: bool
) -> list[SettingRow]:
    first, *others = chains
    base = first[-1].session_id
    was: dict[tuple[str, str], Any] = {}
    now: dict[tuple[str, str], dict[str, Any]] = {}
    for chain in others:
        found = compare(first, chain[-1], resumes=chain[:-1])
        for one in found.differences:
            key = (one.kind, one.name)
            was.setdefault(key, one.was)
            now.setdefault(key, {})[chain[-1].session_id] = one.now
    rows = []
    for (kind, name), changed in now.items():
        same = was[kind, name]
        values = {base: same}
        for chain in others:
            session_id = chain[-1].session_id
            values[session_id] = changed.get(session_id, same)
        given = {key: value for key, value in values.items() if value is not UNSET}
        rows.append(SettingRow(kind, name, given))
    if every:
        ids = [chain[-1].session_id for chain in chains]
        rows += [
            SettingRow("parameter", name, dict.fromkeys(ids, value), differs=False)
            for name, value in flatten(first[-1].parameters)
            if ("parameter", name) not in now
        ]
    return sorted(rows, key=lambda row: row.kind)


def _durations(chains: Sequence[Sequence[SessionState]]) -> list[DurationRow]:
    nodes = {chain[-1].session_id: _last_tries(chain) for chain in chains}
    names = dict.fromkeys(name for found in nodes.values() for name in found)
    return [
        DurationRow(
            name,
            {key: found[name].status for key, found in nodes.items() if name in found},
            {
                key: seconds
                for key, found in nodes.items()
                if name in found and (seconds := found[name].duration_s) is not None
            },
        )
        for name in names
    ]


def _last_tries(chain: Sequence[SessionState]) -> Mapping[str, NodeState]:
    """Return each node of a chain by the last session that began it."""
    found: dict[str, NodeState] = {}
    for state in chain:
        for run in state.runs:
            for name, node in run.nodes.items():
                begun = node.status not in ("pending", "skipped", "not recorded")
                if begun or name not in found:
                    found[name] = node
    return found
