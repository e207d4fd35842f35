"""What may have changed and a journal cannot tell. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kedro_journal.state.model import SessionState

from .lineage import Lineage
from .surroundings import UNKNOWN, differences

__all__ = ["unseen"]

_SHOWN: Final = 4


def unseen(was: Lineage | None, now: Lineage) -> Iterator[str]:
    """Yield what the journal does not know of these two runs, the gravest first."""
    states = [now.state] + ([was.state] if was is not None else [])
    yield from _losses(states)
    if was is not None:
        yield from _data(was, now)
        yield from _masked(was, now)
    for state in states:
        context = state.context
        if context is None:
            if state.runs or state is not now.state:
                yield "configuration: no context was recorded"
            break
        if context.credential_environment or _has_credentials(state):
            yield "credentials: their values are never recorded"
            break
    versions = [state.versions for state in states]
    if not all(one.packages_sha256 for one in versions):
        yield 'packages: the setting packages = "off" records none of them'
    if not all(one.project_sha256 for one in versions):
        yield "helper code: the source files of the package were not hashed"
    if any(state.git is not None and state.git.dirty for state in states):
        yield "uncommitted changes outside of the package's Python files"
    yield (
        "what is outside: databases, services, the clock, random numbers, other load "
        "on the machine, environment variables that no setting names"
    )


def _masked(was: Lineage, now: Lineage) -> Iterator[str]:
    """Yield the masked parameters whose values cannot be compared."""
    found = differences((was.state, was.run), (now.state, now.run))
    names = [one.name for one in found if one.now == UNKNOWN]
    if names:
        yield f"masked parameters: {_listed(names)}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _has_credentials(state: SessionState) -> bool:
    context = state.context
    return context is not None and any(
        "credentials" in path for path in context.config_sources
    )


def _losses(states: list[SessionState]) -> Iterator[str]:
    for state in states:
        lost = state.dropped_events + state.unknown_events
        if lost or state.left_out:
            yield (
                f"records of session {state.session_id} that were lost, cut or cannot "
                "be read"
            )


def _data(was: Lineage, now: Lineage) -> Iterator[str]:
    """Yield the data whose change would not show."""
    dull: list[str] = []
    for dataset, step in now.loads.items():
        before = was.loads.get(dataset)
        load = now.load_of(dataset, step)
        old = was.load_of(dataset, before) if before is not None else None
        if load is None or load.is_open:
            continue
        if old is None or old.fingerprint.same_data(load.fingerprint) is None:
            dull.append(dataset)
    if dull:
        names = _listed(dull)
        yield f"the data of {names}: no size or time of it was recorded in both"
