"""Which run a broken one is compared with: the last that worked, per node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from kedro_journal.state.model import NodeState, RunState, SessionState

from .answer import Good
from .failure import Failure

__all__ = ["Past", "Try", "failure_of", "last_good"]


class Past(Protocol):
    """The sessions before the one that is explained."""

    def __iter__(self) -> Iterator[SessionState]:
        """Yield them, newest first, as far back as is wanted."""
        ...

    def get(self, session_id: str) -> SessionState | None:
        """Return one of them; None if it is not there."""
        ...

    @property
    def searched(self) -> int:
        """How many were read."""
        ...

    @property
    def left(self) -> int:
        """How many there are beyond those that may be read."""
        ...


class Try(NamedTuple):
    """A run of a session; no run if the session broke before one."""

    state: SessionState
    run: RunState | None


def failure_of(here: Try, targets: Sequence[str]) -> Failure | None:
    """Return the failure of a run; None if its node, or the run, completed."""
    node: NodeState | None = None
    if here.run is not None and targets:
        node = here.run.nodes.get(targets[0])
    if node is not None and node.status == "completed":
        return None
    if not targets and here.run is not None and here.run.status == "completed":
        return None
    if here.state.verdict == "running" and (node is None or node.status != "failed"):
        return None  # it may still complete
    if not targets and here.state.verdict == "completed":
        return None
    return Failure(here.state, here.run, node)


def _before(here: Try, past: Past) -> Iterator[Try]:
    """Yield the runs before one, newest first: first those of its own session."""
    runs = here.state.runs
    number = next((n for n, one in enumerate(runs) if one is here.run), len(runs))
    for run in reversed(runs[:number]):
        yield Try(here.state, run)
    for state in past:
        if state.runs:
            for run in reversed(state.runs):
                yield Try(state, run)
        elif state.error is not None:
            yield Try(state, None)


def last_good(
    here: Try, targets: Sequence[str], past: Past, failure: Failure | None
) -> tuple[tuple[Try, Good] | None, list[Try]]:
    """Find the last run that worked, and those that failed alike since then."""
    failed: list[Try] = []
    alike = failure is not None
    passed, beside = 0, None
    seen: set[str] = set()
    group = here.state.group_id
    for one in _before(here, past):
        if _worked(one, targets, here):
            is_sibling = group is not None and one.state.group_id == group
            is_sibling = is_sibling and one.state is not here.state
            if is_sibling and here.state.resumed is None:
                beside = beside or one  # it is of the same run as the broken one
                continue
            return (one, _good(one, targets, here, passed)), failed
        if one.state.session_id not in seen and one.state is not here.state:
            seen.add(one.state.session_id)
            passed += 1
        if alike and _failed(one, targets):
            alike = (
                failure is not None
                and (failure_of(one, targets) or failure).signature == failure.signature
            )
            if alike:
                failed.append(one)
    if beside is not None:
        return (beside, _good(beside, targets, here, passed)), failed
    return None, failed


def _worked(one: Try, targets: Sequence[str], here: Try) -> bool:
    if one.run is None:
        return False
    if targets:
        nodes = [one.run.nodes.get(name) for name in targets]
        return all(node is not None and node.status == "completed" for node in nodes)
    if one.run.status != "completed" or one.run.went_on_without:
        return False
    wanted = _pipelines(here)
    return wanted is None or wanted == (one.run.pipelines or ("__default__",))


def _pipelines(here: Try) -> tuple[str, ...] | None:
    """Return the pipelines that were asked for; None if that is not known."""
    if here.run is not None:
        return here.run.pipelines or ("__default__",)
    command = here.state.command
    if command is None or command.name != "run":
        return None
    flags = command.flags
    given = flags.get("pipelines") or flags.get("pipeline")
    if isinstance(given, str):
        return tuple(part.strip() for part in given.split(","))
    return tuple(map(str, given)) if given else ("__default__",)


def _failed(one: Try, targets: Sequence[str]) -> bool:
    if one.run is None:
        return not targets
    nodes = [one.run.nodes[name] for name in targets if name in one.run.nodes]
    if targets:
        return any(node.status == "failed" for node in nodes)
    return one.run.status == "failed"


def _good(one: Try, targets: Sequence[str], here: Try, passed: int) -> Good:
    run = one.run
    assert run is not None  # noqa: S101 - `_worked` says so
    node = run.nodes.get(targets[0]) if targets else None
    what = f"node {targets[0]}" if len(targets) == 1 else "all of these nodes"
    reason = f"the newest earlier run in which {what} completed"
    if not targets:
        reason = "the newest earlier run of the same pipeline that completed"
    if one.state is here.state:
        reason += ", in the same session"
    elif here.state.resumed is not None and (
        one.state.session_id == here.state.resumed.parent_session_id
    ):
        reason += ", in the session that this one resumes"
    if passed:
        reason += (
            f"; {passed} newer session{'' if passed == 1 else 's'} did not complete it"
        )
    return Good(
        session_id=one.state.session_id,
        run_id=run.run_id,
        attempt=run.attempt,
        ended_at=node.ended_at if node is not None else run.ended_at,
        record=node.ended_seq if node is not None else run.ended_seq,
        reason=reason,
    )
