"""Go on from what a session really completed: find the chain, plan, hand to a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from kedro.framework.session import KedroSession as _KedroSession

from kedro_journal.errors import NotResumable
from kedro_journal.journal import JournalDirectory
from kedro_journal.redaction.limits import REDACTED
from kedro_journal.replay import replay_folder
from kedro_journal.replay.locate import open_directory, resumed_by
from kedro_journal.state import (
    Link,
    Now,
    ResumePlan,
    RunState,
    SessionState,
    Stored,
    find_drift,
    plan_resume,
)
from kedro_journal.state.flat import flatten

from . import capture, compat, configuration
from .git import git_state
from .opening import make_redactor, settings_of
from .plan import planned
from .project import configure

__all__ = [
    "Chain",
    "OnDrift",
    "find_chain",
    "make_plan",
    "resume_plan",
    "runtime_params",
    "unjournaled_context",
]

OnDrift = Literal["report", "refuse", "redo"]
_CHAIN_MAX: Final = 1000


class Chain(NamedTuple):
    """A session, those it was resumed from, and where they are.

    Attributes:
        links: The sessions with their runs, oldest first.
        folder: Session folder of the last of them.
        project: Root of the project.
    """

    links: tuple[Link, ...]
    folder: Path
    project: Path

    @property
    def last(self) -> SessionState:
        """The session that is gone on from."""
        return self.links[-1].state

    @property
    def run(self) -> RunState:
        """Its run that is gone on from."""
        return self.links[-1].run


def find_chain(
    session_id: str = "latest",
    *,
    project_path: Path | str | None = None,
    directory: Path | str | None = None,
    run_id: str | None = None,
    force: bool = False,
    follow: bool = True,
) -> Chain:
    """Find what is to be gone on from: the last of those that resumed the session.

    Args:
        session_id: An id, a unique beginning of one, or `latest`.
        project_path: Root of the project; None for the one around the working
            directory.
        directory: The journal directory itself, instead of a project's.
        run_id: A run of the session; None for its last.
        force: Also go on from a session whose process is alive, or cannot be told.
        follow: Go on from the last that resumed it; False for the session itself.

    Raises:
        NotResumable: It has no run, or its process is alive or unknown.
        JournalError: As for `replay`.
    """
    where = open_directory(project_path, directory)
    found = where.resolve(session_id)
    seen = {found}
    while follow and (later := resumed_by(where, found)) not in (None, *seen):
        found, run_id = str(later), None
        seen.add(found)
    links = _links(where, found, run_id)
    state = links[-1].state
    _check_liveness(state, force=force)
    project = Path(state.project_path or project_path or Path.cwd())
    return Chain(links, where.folder(found), project)


def _links(
    where: JournalDirectory, session_id: str, run_id: str | None
) -> tuple[Link, ...]:
    links: list[Link] = []
    wanted: str | None = session_id
    while wanted is not None and len(links) < _CHAIN_MAX:
        state = replay_folder(where.folder(wanted), salvage=True)
        run = _run_of(state, run_id)
        if run is not None:
            links.insert(0, Link(state, run))
        elif wanted == session_id and state.resumed is None:
            reason = "no run of it was begun"
            advice = "Run it anew: `kedro-journal rerun` has its arguments."
            raise NotResumable(session_id, reason, advice)
        parent = state.resumed
        wanted = parent.parent_session_id if parent is not None else None
        run_id = parent.parent_run_id if parent is not None else None
    return tuple(links)


def _run_of(state: SessionState, run_id: str | None) -> RunState | None:
    if run_id is None:
        return state.last_run
    return next((run for run in reversed(state.runs) if run.run_id == run_id), None)


def _check_liveness(state: SessionState, *, force: bool) -> None:
    if force or state.liveness not in ("running", "unknown"):
        return
    if state.liveness == "running":
        reason = f"its process {state.pid} on {state.host} is alive"
        advice = "Wait for it, or stop it first."
    else:
        reason = (
            f"it ran on {state.host}, and from here nobody can tell whether it does"
        )
        advice = "If you know that it ended, say so with --force (force=True)."
    raise NotResumable(state.session_id, reason, advice)


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


def make_plan(
    chain: Chain,
    context: Any,
    *,
    from_nodes: Iterable[str] = (),
    on_drift: OnDrift = "report",
) -> ResumePlan:
    """Plan with the project as it is now.

    Raises:
        NotResumable: There is drift, which is refused; or a node that is none.
    """
    nodes = tuple(planned(node) for node in _pipeline(chain.links[0].run).nodes)
    wanted = tuple(from_nodes)
    unknown = sorted(set(wanted) - {node.name for node in nodes})
    if unknown:
        reason = f"its pipeline has no node {unknown[0]!r}"
        raise NotResumable(chain.last.session_id, reason, "Give the node's full name.")
    catalog = context.catalog
    stored = {
        name: facts(catalog, name, _saved_version(chain, name))
        for name in {name for node in nodes for name in (*node.inputs, *node.outputs)}
        if not name.startswith("params:") and name != "parameters"
    }
    drift = find_drift(
        chain.links[0].state, chain.links[0].run, _now(chain, context, nodes, stored)
    )
    if drift and on_drift == "refuse":
        first = f"{drift[0].kind} {drift[0].subject}: {drift[0].detail}"
        reason = f"the project is not as it was ({len(drift)} changes; {first})"
        advice = "`--dry-run` lists them; --on-drift=report goes on all the same."
        raise NotResumable(chain.last.session_id, reason, advice)
    return plan_resume(
        chain.links,
        nodes,
        stored,
        drift=drift,
        redo_drifted=on_drift == "redo",
        from_nodes=wanted,
    )


def _pipeline(run: RunState) -> Any:
    """Give the pipeline as it is now, filtered as the run was."""
    from kedro.framework.project import pipelines
    from kedro.pipeline import Pipeline

    combined = Pipeline([])
    for name in run.pipelines or ("__default__",):
        combined += pipelines[name]
    filters = dict(run.filters)
    filters.pop("only_missing_outputs", None)
    if "namespaces" in filters:
        filters["node_namespaces"] = filters.pop("namespaces")
    return combined.filter(**filters)


def _saved_version(chain: Chain, name: str) -> str | None:
    """Give the version that the chain saved last, or loaded."""
    version = None
    for link in chain.links:
        for node in link.run.nodes.values():
            operation = node.saves.get(name) or node.loads.get(name)
            if operation is not None and operation.version:
                version = operation.version
    return version


def facts(catalog: Any, name: str, version: str | None) -> Stored:
    """Ask the catalog and the disk about a dataset; what they do not tell is None."""
    try:
        dataset = compat.catalog_dataset(catalog, name)
    except Exception:  # somebody else's dataset class
        dataset = None
    if dataset is None or not compat.is_persistent(dataset):
        return Stored(persistent=False)
    try:
        exists = compat.version_exists(dataset, version)
        path = compat.dataset_path(dataset, version)
    except Exception:
        return Stored(persistent=True)
    if path is None or "://" in path:
        return Stored(persistent=True, exists=exists)
    try:
        found = Path(path).stat()
    except OSError:
        return Stored(persistent=True, exists=exists)
    modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
    return Stored(
        persistent=True,
        exists=exists,
        size_bytes=found.st_size,
        modified_at=modified_at,
    )


def _now(
    chain: Chain, context: Any, nodes: tuple[Any, ...], stored: Mapping[str, Stored]
) -> Now:
    config = settings_of(chain.project)
    redactor = make_redactor(config)
    redactor.learn(context.params)
    files = configuration.config_files(context)
    began = chain.links[0].run.started_at
    makers = {output.partition("@")[0] for node in nodes for output in node.outputs}
    changed = [
        name
        for name, now in sorted(stored.items())
        if name.partition("@")[0] not in makers
        and began is not None
        and now.modified_at is not None
        and now.modified_at > began
    ]
    safe = redactor.plain(dict(context.params))
    return Now(
        nodes=nodes,
        parameters=safe if isinstance(safe, dict) else {},
        config_sha256={file.name: configuration.sha256(file) for file in files},
        changed_inputs=tuple(changed),
        git=git_state(chain.project),
        versions=capture.versions(compat.package_name(), config.packages),
    )
