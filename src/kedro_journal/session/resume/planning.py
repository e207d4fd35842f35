"""Run what a session did not complete: which nodes are left, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from kedro.framework.session import KedroSession as _KedroSession

from kedro_journal.analysis import ResumePlan, collect, find_drift, plan_resume
from kedro_journal.capture import fields as capture
from kedro_journal.capture.conf_source import conf_source_of
from kedro_journal.capture.project import configure_recorded
from kedro_journal.errors import NotResumable
from kedro_journal.hooks.run_plan import forget_edited_sources, planned
from kedro_journal.recording.aside import recorded_value
from kedro_journal.redaction.decoding import Inexact, problems
from kedro_journal.redaction.limits import REDACTED
from kedro_journal.state import RunState

from .chain import Chain, find_chain
from .present import pipeline_now, project_now, redactor_now, stored_now

__all__ = [
    "OnDrift",
    "decoded",
    "make_plan",
    "refuse_inexact",
    "resume_plan",
    "run_filters",
    "runtime_params",
    "unjournaled_context",
]

_NEEDED = frozenset({"filters", "load_versions", "pipelines"})
OnDrift = Literal["report", "refuse", "redo"]


def runtime_params(chain: Chain, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the runtime parameters of the original, with others over them.

    Args:
        chain: The original and what resumed it.
        given: Parameters that were passed again; they win.

    Raises:
        NotResumable: One of them is a secret, or was not recorded exactly, and is not
            passed again.
    """
    known: dict[str, Any] = {}
    original = chain.links[0].state
    for name, recorded in (
        (original.session_id, original.runtime_params),
        (chain.last.session_id, chain.run.runtime_params),
    ):
        values = decoded(chain, name, recorded)
        if isinstance(values, Inexact):
            reason = f"the record of its runtime parameters {values.reason}"
            raise NotResumable(chain.last.session_id, reason, "Start a new run.")
        known |= values
    params = _merged(known, given or {})
    refuse_inexact(chain.last.session_id, params)
    source = recorded_value(chain.links[0].state.conf_source, None)
    refuse_inexact(chain.last.session_id, {"conf_source": source}, "argument")
    return params


def decoded(chain: Chain, session_id: str, recorded: Mapping[str, Any]) -> Any:
    """Return values of an exact field that a session of a chain recorded.

    Args:
        chain: The chain.
        session_id: The session that recorded them.
        recorded: The field, such as `runtime_params`.
    """
    return recorded_value(dict(recorded), chain.folder.parent / session_id)


def refuse_inexact(
    session_id: str, values: Mapping[str, Any], what: str = "runtime parameter"
) -> None:
    """Refuse to pass on what was not recorded exactly.

    Args:
        session_id: The session that is resumed.
        values: Decoded values by name.
        what: What such a value is, for the message.

    Raises:
        NotResumable: Some are inexact; they are named.
    """
    bad = list(problems(values))
    if not bad:
        return
    names = ", ".join(name for name, _ in bad)
    reason = f"the {what} {names} {bad[0][1]}"
    advice = "Start a new run."
    if what == "runtime parameter":
        advice = f"Give it again: --params {bad[0][0]}=... (extra_params of Python)."
    raise NotResumable(session_id, reason, advice)


def run_filters(chain: Chain, session_id: str, run: RunState) -> dict[str, Any]:
    """Return the filters of a recorded run, as `KedroSession.run` takes them.

    Raises:
        NotResumable: One of them was not recorded exactly, or belongs to a newer
            version; the name of a pipeline, or of a dataset whose version was asked
            for, is masked; or the versions to load could not be recorded.
    """
    versions = (text for pair in run.load_versions for text in pair)
    for name in (*run.pipelines, *versions):
        if REDACTED in name:
            reason = f"{name} holds a secret, and is masked in the record"
            raise NotResumable(chain.last.session_id, reason, "Start a new run.")
    filters = decoded(chain, session_id, run.filters)
    values = {"filters": filters} if isinstance(filters, Inexact) else filters
    refuse_inexact(chain.last.session_id, values, "filter")
    assert not isinstance(filters, Inexact)  # noqa: S101 - it was refused
    unknown = sorted(set(filters) - set(capture.FILTERS))
    lost = [one for one in run.left_out if one.partition(":")[0] in _NEEDED]
    if unknown or lost:
        reason = f"this version does not know the filter {', '.join(unknown)}"
        if lost:
            reason = f"the record of its run has no {'; '.join(lost)}"
        raise NotResumable(chain.last.session_id, reason, "Start a new run.")
    return {str(name): value for name, value in filters.items()}


def run_with_runner(chain: Chain) -> RunState:
    """Return the run that is resumed, with its runner's arguments decoded."""
    run = chain.run
    arguments = decoded(chain, chain.last.session_id, run.runner_arguments)
    return msgspec.structs.replace(run, runner_arguments=arguments)


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
    conf_source: Path | str | None = None,
) -> ResumePlan:
    """Return what a resumed session would run, and why. Runs nothing, journals nothing.

    Args:
        session_id: As for `replay`; `latest` passes over sessions without a run.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project's.
        run_id: A run of the session; None for its last.
        force: Also plan for a session whose process is alive or not known.
        env: Another configuration environment than the original's.
        params: Runtime parameters over those of the original.
        from_nodes: Nodes to run again in any case, with all that follows from them.
        on_drift: report, refuse, or redo what depends on what was changed.
        conf_source: Another folder or archive of the configuration.

    Raises:
        NotResumable: It has no run, its process is alive or unknown, it belongs to
            another project, or this version cannot read all of it (without *force*);
            its configuration is gone; or there is drift, which is refused.
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
    source = conf_source_of(chain, chain.links[0].state, conf_source)
    context = unjournaled_context(chain, env, runtime_params(chain, params), source)
    return make_plan(chain, context, from_nodes=from_nodes, on_drift=on_drift)


def unjournaled_context(
    chain: Chain,
    env: str | None,
    params: dict[str, Any],
    conf_source: str | None,
) -> Any:
    """Load the project as the original had it, in a session of Kedro's own."""
    state = chain.links[0].state
    configure_recorded(state, chain.project)
    session = _KedroSession.create(
        project_path=chain.project,
        save_on_close=False,
        env=env or chain.run.env or state.env,
        runtime_params=params or None,
        conf_source=conf_source,
    )
    return session.load_context()


def _refuse_masked_names(chain: Chain) -> None:
    """Refuse a chain whose nodes or datasets cannot be identified by their names.

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
        NotResumable: There is drift, and drift is refused. A node does not exist. A
            name that the plan needs is masked. Or a node would have to run again that
            would process the same data twice.
    """
    _refuse_masked_names(chain)
    redactor = redactor_now(chain, context)
    original = chain.links[0]
    filters = run_filters(chain, original.state.session_id, original.run)
    pipeline = pipeline_now(chain, filters)
    now_nodes = pipeline.nodes
    forget_edited_sources(now_nodes)
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
    if plan.in_order:
        _check_order(chain, plan, pipeline)
    if plan.refused:
        advice = (
            "Put back what it has to load (the original file, or the checkpoint), or "
            "start a new run."
        )
        raise NotResumable(chain.last.session_id, "; ".join(plan.refused), advice)
    return msgspec.structs.replace(plan, damage=chain.damage())


def _check_order(chain: Chain, plan: ResumePlan, pipeline: Any) -> None:
    """Refuse where Kedro orders the nodes that are left differently.

    Raises:
        NotResumable: Two of them share stored data.
    """
    left = pipeline.filter(node_names=list(plan.to_run)).nodes
    at = {node.name: number for number, node in enumerate(left)}
    for first, second in plan.in_order:
        if at[first] > at[second]:
            reason = (
                f"the nodes {first} and {second} share stored data, and Kedro would "
                "run them in another order than before"
            )
            raise NotResumable(chain.last.session_id, reason, "Start a new run.")
