"""Go on from what a session really completed: what is left to run, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from kedro.framework.session import KedroSession as _KedroSession

from kedro_journal.errors import NotResumable
from kedro_journal.redaction.limits import REDACTED
from kedro_journal.state import ResumePlan, collect, find_drift, plan_resume
from kedro_journal.state.flat import flatten

from .chain import Chain, find_chain
from .plan import planned
from .present import pipeline_now, project_now, redactor_now, stored_now
from .project import configure

__all__ = [
    "OnDrift",
    "make_plan",
    "resume_plan",
    "runtime_params",
    "unjournaled_context",
]

OnDrift = Literal["report", "refuse", "redo"]


def runtime_params(chain: Chain, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the runtime parameters of the original, with others over them.

    Raises:
        NotResumable: One of them is a secret, which the journal never had.
    """
    known = {**chain.links[0].state.runtime_params, **chain.run.runtime_params}
    params = _merged(known, given or {})
    hidden = [key for key, value in flatten(params) if REDACTED in str(value)]
    if hidden:
        names = ", ".join(hidden)
        reason = f"the runtime parameter {names} is a secret, and not on record"
        advice = f"Give it again: --params {hidden[0]}=..."
        raise NotResumable(chain.last.session_id, reason, advice)
    return params


def _merged(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(known)
    for key, value in given.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return merged


def resume_plan(
    session_id: str = "latest",
    *,
    project_path: Path | str | None = None,
    directory: Path | str | None = None,
    run_id: str | None = None,
    env: str | None = None,
    params: Mapping[str, Any] | None = None,
    from_nodes: Iterable[str] = (),
    on_drift: OnDrift = "report",
    force: bool = False,
) -> ResumePlan:
    """Say what a resumed session would run, and why. Runs nothing, journals nothing.

    Args:
        session_id, project_path, directory, run_id, force: As for `find_chain`.
        env: Another configuration environment than the original's.
        params: Runtime parameters over those of the original.
        from_nodes: Nodes to run again in any case, with all that follows from them.
        on_drift: report, refuse, or redo what depends on what was changed.

    Raises:
        NotResumable: As for `find_chain`; or there is drift, which is refused.
        JournalError: As for `replay`.
        Exception: Whatever Kedro raises for a project that does not load.
    """
    chain = find_chain(
        session_id,
        project_path=project_path,
        directory=directory,
        run_id=run_id,
        force=force,
    )
    context = unjournaled_context(chain, env, runtime_params(chain, params))
    return make_plan(chain, context, from_nodes=from_nodes, on_drift=on_drift)


def unjournaled_context(chain: Chain, env: str | None, params: dict[str, Any]) -> Any:
    """Load the project as the original had it, in a session of Kedro's own."""
    configure(None, chain.project)
    state = chain.links[0].state
    session = _KedroSession.create(
        project_path=chain.project,
        save_on_close=False,
        env=env or chain.run.env or state.env,
        runtime_params=params or None,
        conf_source=state.conf_source,
    )
    return session.load_context()


def _refuse_masked_names(chain: Chain) -> None:
    """Refuse a chain whose nodes or datasets cannot be told by their names.

    Raises:
        NotResumable: A name that was recorded is masked.
    """
    for link in chain.links:
        plans = [node.plan for node in link.run.nodes.values() if node.plan is not None]
        for plan in plans:
            for name in (plan.name, *plan.inputs, *plan.outputs):
                if REDACTED in name:
                    reason = (
                        f"a name that it needs holds a secret, and is masked: {name}"
                    )
                    advice = "Rename it, or run the pipeline from the start."
                    raise NotResumable(chain.last.session_id, reason, advice)


def make_plan(
    chain: Chain,
    context: Any,
    *,
    from_nodes: Iterable[str] = (),
    on_drift: OnDrift = "report",
) -> ResumePlan:
    """Plan with the project as it is now.

    Raises:
        NotResumable: There is drift, which is refused; or a node that is none; or a
            name that the plan needs is masked.
    """
    _refuse_masked_names(chain)
    redactor = redactor_now(chain, context)
    now_nodes = pipeline_now(chain).nodes
    nodes = tuple(planned(node, redactor.plain) for node in now_nodes)
    wanted = tuple(from_nodes)
    unknown = sorted(set(wanted) - {node.name for node in nodes})
    if unknown:
        reason = f"its pipeline has no node {unknown[0]!r}"
        raise NotResumable(chain.last.session_id, reason, "Give the node's full name.")
    known = collect(chain.links)
    stored = stored_now(context, nodes, known, redactor)
    now = project_now(chain, context, nodes, stored, redactor)
    drift = find_drift(chain.links, now)
    if drift and on_drift == "refuse":
        first = f"{drift[0].kind} {drift[0].subject}: {drift[0].detail}"
        reason = f"the project is not as it was ({len(drift)} changes; {first})"
        advice = "`--dry-run` lists them; --on-drift=report goes on all the same."
        raise NotResumable(chain.last.session_id, reason, advice)
    plan = plan_resume(
        chain.links,
        nodes,
        stored,
        drift=drift,
        redo_drifted=on_drift == "redo",
        from_nodes=wanted,
    )
    return msgspec.structs.replace(plan, damage=chain.damage())
