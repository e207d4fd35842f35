"""What is left to run, and why, as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kedro_journal.analysis import Drift, NodeDecision, ResumePlan

from .terminal import Screen, escape
from .words import count

__all__ = ["plan_view"]

_ROLES: Final[Mapping[str, str]] = {
    "done": "dim",
    "suspect": "warn",
    "to do": "strong",
    "redo": "warn",
}


def plan_view(plan: ResumePlan, screen: Screen) -> str:
    """Return what is to be done with each node and why, then what has changed."""
    to_run, done = len(plan.to_run), len(plan.done)
    told = f"{count(to_run, 'node')} to run, {done} done"
    lines = [f"session {escape(plan.session_id)}: {told}"]
    if len(plan.chain) > 1:
        lines.append("resumes " + " <- ".join(map(escape, plan.chain[::-1][1:])))
    width = max((len(d.name) for d in plan.decisions), default=0)
    lines += [_decision(one, width, screen) for one in plan.decisions]
    if plan.load_versions:
        lines.append("loaded at the recorded version:")
        lines += [
            f"  {escape(name)} {escape(version)}"
            for name, version in sorted(plan.load_versions.items())
        ]
    if plan.unknown:
        names = ", ".join(map(escape, plan.unknown))
        lines.append(f"without a fingerprint, so that a change would not show: {names}")
    if plan.drift:
        lines.append("changed since that run:")
        lines += [_drift(one, screen) for one in plan.drift]
    return "\n".join(lines) + "\n"


def _decision(one: NodeDecision, width: int, screen: Screen) -> str:
    word = screen.paint(f"{one.decision:<7}", _ROLES[one.decision])
    return f"  {word}  {escape(one.name):<{width}}  {escape(one.reason)}"


def _drift(one: Drift, screen: Screen) -> str:
    nodes = ", ".join(map(escape, one.nodes[:5]))
    more = f" and {len(one.nodes) - 5} more" if len(one.nodes) > 5 else ""
    where = screen.paint(f"  (nodes: {nodes}{more})", "dim") if nodes else ""
    subject = escape(one.subject)
    return f"  {one.kind:<13}  {subject}: {escape(one.detail)}{where}"
