"""A state in one line, for `repr`, `print` and IPython: the verdict comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_journal.analysis.decision import ResumePlan
    from kedro_journal.events import ErrorInfo

    from .model import NodeState, RunState, SessionState

__all__ = ["short_node", "short_plan", "short_run", "short_session"]

_NAMES_MAX = 5


def short_node(node: NodeState) -> str:
    """Return `<NodeState train: failed, loading, ValueError: ...>`."""
    parts = [node.status, node.phase, *_error(node.error)]
    return f"<NodeState {node.name}: {', '.join(part for part in parts if part)}>"


def short_run(run: RunState) -> str:
    """Return the run's status, nodes and error in one line."""
    parts = [run.status, *_nodes(run.nodes), *_at(run), *_error(run.error)]
    attempt = f" attempt {run.attempt}" if run.attempt > 1 else ""
    return f"<RunState {run.run_id or '(no id)'}{attempt}: {', '.join(parts)}>"


def short_session(state: SessionState) -> str:
    """Return the session's verdict, nodes of its last run and error in one line."""
    run = state.last_run
    parts: list[str] = [state.verdict]
    if run is not None:
        parts += [*_nodes(run.nodes), *_at(run)]
    parts += _error((run.error if run is not None else None) or state.error)
    named = state.session_id or "(no id)"
    return f"<SessionState {named}: {', '.join(parts)}; {state.seq} records>"


def short_plan(plan: ResumePlan) -> str:
    """Return what the plan runs and keeps in one line."""
    run = f"runs {len(plan.to_run)} nodes ({_names(plan.to_run)})"
    parts = [run if plan.to_run else "runs nothing", f"keeps {len(plan.done)}"]
    if plan.drift:
        parts.append(f"{len(plan.drift)} changes since")
    return f"<ResumePlan of {plan.session_id}: {', '.join(parts)}>"


def _nodes(nodes: Mapping[str, NodeState]) -> list[str]:
    if not nodes:
        return []
    done = sum(node.status == "completed" for node in nodes.values())
    return [f"{done}/{len(nodes)} nodes"]


def _at(run: RunState) -> list[str]:
    names = tuple(node.name for node in run.broken)
    return [f"at {_names(names)}"] if names else []


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES_MAX} more" if len(names) > _NAMES_MAX else ""
    return ", ".join(names[:_NAMES_MAX]) + more


def _error(error: ErrorInfo | None) -> list[str]:
    return [error.summary()] if error is not None else []
