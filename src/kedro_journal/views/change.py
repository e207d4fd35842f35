"""What one record changed, in words."""

from __future__ import annotations

from kedro_journal.events import Record
from kedro_journal.state import RunState, SessionState

__all__ = ["changes"]


def changes(
    before: SessionState, record: Record, after: SessionState
) -> tuple[str, ...]:
    """Return which statuses a record moved: `node train: running -> saving`."""
    found: list[str] = []
    if before.status != after.status:
        found.append(f"session: {before.status} -> {after.status}")
    for number, run in enumerate(after.runs):
        if number >= len(before.runs):
            found.append(f"run: {run.status}, {len(run.nodes)} nodes pending")
            continue
        old = before.runs[number]
        if old.status != run.status:
            found.append(f"run: {old.status} -> {run.status}")
            found.extend(_nodes(old, run, tuple(run.nodes)))
        else:
            name = getattr(record.event, "node", None)
            found.extend(_nodes(old, run, (name,) if name else ()))
    if len(after.anomalies) > len(before.anomalies):
        anomaly = after.anomalies[-1]
        found.append(f"does not fit: {anomaly.subject} was {anomaly.status}")
    return tuple(found)


def _nodes(old: RunState, new: RunState, names: tuple[str, ...]) -> list[str]:
    found: list[str] = []
    for name in names:
        was, now = old.nodes.get(name), new.nodes.get(name)
        if now is None or now is was:
            continue
        status = was.status if was is not None else "unplanned"
        if status != now.status:
            found.append(f"node {name}: {status} -> {now.status}")
    return found
