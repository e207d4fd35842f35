"""What changed since a node, or a run, last worked. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from msgspec.structs import replace

from kedro_journal.events import Git
from kedro_journal.state.model import RunState, SessionState

from .answer import Change, Cited, Why
from .causes import code_changes, data_changes, dataset_changes, output_changes
from .evidence import bare
from .failure import Failure
from .last_good import Past, Try, failure_of, last_good
from .lineage import Lineage, begun, lineage
from .places import placed
from .rank import ranked
from .surroundings import parameter_changes, session_changes
from .unseen import unseen

__all__ = ["Outside", "Past", "targets_of", "why"]

_MAKERS_MAX: Final = 20  # earlier sessions in which the makers of data are looked for


class Outside(NamedTuple):
    """What the states do not say. Every member may be left out.

    Attributes:
        seq_of: Returns the record of a session of a type, before a run; 0 if unknown.
        files_between: Returns the files that two commits differ in; None if unknown.
        imported: Returns the files of a package that files of it import, the latter
            given with their lines; None if unknown.
    """

    seq_of: Callable[[SessionState, RunState | None, str], int] = lambda *_: 0
    files_between: Callable[[Git, Git], tuple[str, ...] | None] = lambda *_: None
    imported: Callable[[Sequence[str], str], frozenset[str] | None] = lambda *_: None


def targets_of(run: RunState | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the nodes to explain, and the others that broke.

    Nodes that failed come before those that were interrupted by that.
    """
    if run is None:
        return (), ()
    failed = sorted(run.with_status("failed"), key=lambda node: node.ended_seq)
    if failed:
        broken = failed + [one for one in run.broken if one.status != "failed"]
        return (broken[0].name,), tuple(one.name for one in broken[1:])
    return tuple(one.name for one in run.broken), ()


def why(
    state: SessionState,
    past: Past,
    *,
    node: str | None = None,
    outside: Outside = Outside(),  # noqa: B008 - it is immutable
) -> Why:
    """Compare the last run of a session with the last that worked.

    Args:
        state: The session.
        past: The sessions before it.
        node: A node of it; None for the one that broke, and for the run as a whole if
            none did.
        outside: What the states do not say.
    """
    run = _run_of(state, node)
    targets, others = ((node,), ()) if node is not None else targets_of(run)
    if node is None and state.verdict == "running":
        targets = targets if run is not None and run.with_status("failed") else ()
    here = Try(state, run)
    first = run.nodes.get(targets[0]) if run is not None and targets else None
    failure = failure_of(here, targets)
    good, failed = last_good(here, targets, past, failure)
    now = _lineage(here, targets, past)
    was = _lineage(good[0], targets, past) if good is not None else None
    changes: list[Change] = []
    if was is not None:
        changes = [_placed(one, state) for one in _changes(was, now, failure, outside)]
        if failed:
            changes = _marked_later(changes, was, failed[-1], targets, past)
    return Why(
        session_id=state.session_id,
        run_id=run.run_id if run is not None else None,
        attempt=run.attempt if run is not None else 1,
        nodes=targets,
        others=others,
        verdict=state.verdict,
        status=first.status if first is not None else (run.status if run else ""),
        phase=failure.phase if failure is not None else "",
        error=failure.error.summary() if failure and failure.error else "",
        error_at=_in_project(failure.place, state) if failure is not None else "",
        record=(first.ended_seq or first.started_seq) if first else _ended(here),
        good=good[1] if good is not None else None,
        failing_since=failed[-1].state.session_id if failed else "",
        failures=len(failed),
        changes=tuple(one for one in changes if one.related),
        unrelated=tuple(one for one in changes if not one.related),
        unseen=tuple(dict.fromkeys(unseen(was, now))),
        searched=past.searched,
        left=past.left,
    )


def _in_project(path: str, state: SessionState) -> str:
    if not path:
        return ""
    return placed(path, project=state.project_path, cwd=state.project_path) or path


def _placed(change: Change, state: SessionState) -> Change:
    """Write the file of a change from the root of the project."""
    if not change.source or change.kind == "parameter":
        return change
    return replace(change, source=_in_project(change.source, state))


def _ended(here: Try) -> int:
    if here.run is not None:
        return here.run.ended_seq or here.run.started_seq
    return here.state.error_seq


def _run_of(state: SessionState, node: str | None) -> RunState | None:
    """Return the run that is explained: the last, or the last that began the node."""
    if node is not None:
        for run in reversed(state.runs):
            if node in run.nodes and begun(run.nodes[node]):
                return run
    return state.last_run


def _lineage(here: Try, targets: Sequence[str], past: Past) -> Lineage:
    """Find what the nodes of a run were made from, with its kin and earlier runs."""
    state, run = here
    wanted = list(targets)
    if not wanted and run is not None:
        wanted = list(run.nodes)
    kin = _kin(state, past)
    ids = {one.session_id for one in kin} | {state.session_id}
    others = (one for one in _older(state, past) if one.session_id not in ids)
    # A run that broke outside of its nodes loaded nothing from earlier ones.
    number = _MAKERS_MAX if targets else 0
    return lineage(state, run, wanted, kin, islice(others, number))


def _older(state: SessionState, past: Past) -> Iterator[SessionState]:
    """Yield the sessions before one of the past, or before the explained one."""
    after = past.get(state.session_id) is not None
    for one in past:
        if not after:
            yield one
        elif one.session_id == state.session_id:
            after = False


def _kin(state: SessionState, past: Past) -> list[SessionState]:
    """Return the sessions that one resumes, and the earlier ones of its group."""
    found: list[SessionState] = []
    seen = {state.session_id}
    last = state
    while last.resumed is not None:
        parent = last.resumed.parent_session_id
        known = past.get(parent) if parent not in seen else None
        if known is None:
            break
        seen.add(parent)
        found.append(known)
        last = known
    if state.group_id is not None:
        siblings = [
            one
            for one in _older(state, past)
            if one.group_id == state.group_id and one.session_id not in seen
        ]
        siblings.sort(key=lambda one: one.runtime_params != state.runtime_params)
        found += siblings
    return found


def _changes(
    was: Lineage, now: Lineage, failure: Failure | None, outside: Outside
) -> list[Change]:
    tied = [
        *code_changes(was, now),
        *parameter_changes(was, now),
        *data_changes(was, now),
        *dataset_changes(was, now),
    ]
    loose = [*session_changes(was, now), *_outputs(was, now, tied)]
    loose = [*_without_repeats(tied, loose), *_other_nodes(was, now)]
    every = [_cited(one, was, now, outside) for one in (*tied, *loose)]
    imported = None
    if any(one.kind == "source file" and not one.nodes for one in every):
        sources = [step.plan.source for step in now.steps.values()]
        imported = outside.imported(sources, now.state.package_name or "")
    return ranked(every, failure, now, was, imported=imported)


def _outputs(was: Lineage, now: Lineage, tied: Sequence[Change]) -> Iterator[Change]:
    """Yield the first outputs that differ although nothing known explains it."""
    at = {name for one in tied for name in one.nodes}
    changed = {one.subject for one in tied if one.kind in ("input", "dataset")}
    for name, step in now.steps.items():
        if changed.intersection(step.plan.inputs):
            at.add(name)
    found = list(output_changes(was, now, _reached(at, now)))
    after = _reached({name for one in found for name in one.nodes}, now)
    for change in found:
        if not _makers(now, change.nodes[0]) & after:
            yield change


def _makers(now: Lineage, name: str) -> set[str]:
    """Return the nodes that made what a node loads."""
    inputs = map(bare, now.steps[name].plan.inputs)
    return {now.made[one].name for one in inputs if one in now.made} - {name}


def _reached(names: set[str], now: Lineage) -> set[str]:
    """Return nodes, and those that depend on them."""
    readers: dict[str, list[str]] = {}
    for name in now.steps:
        for maker in _makers(now, name):
            readers.setdefault(maker, []).append(name)
    found, waiting = set[str](), list(names & now.steps.keys())
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += readers.get(name, ())
    return found


def _without_repeats(
    tied: Sequence[Change], loose: Sequence[Change]
) -> Iterator[Change]:
    """Leave out files of configuration whose changes are listed value by value."""
    sources = {
        one.source.rpartition(":")[0] or one.source
        for one in tied
        if one.kind == "parameter"
    }
    parameters = any(one.kind == "parameter" for one in tied)
    for change in loose:
        if change.kind == "configuration" and (
            change.subject in sources or ("parameters" in change.subject and parameters)
        ):
            continue
        yield change


def _other_nodes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield changes of nodes that the explained ones do not depend on."""
    if was.run is None or now.run is None:
        return
    for name, node in now.run.nodes.items():
        old = was.run.nodes.get(name)
        if name in now.steps or node.plan is None or old is None or old.plan is None:
            continue
        sums = [
            (plan.function, plan.source_sha256, plan.arguments_sha256)
            for plan in (old.plan, node.plan)
        ]
        if sums[0] != sums[1]:
            yield Change(
                kind="code",
                subject=name,
                detail=f"function {node.plan.function} was edited",
                source=node.plan.source,
                related=False,
            )


def _cited(change: Change, was: Lineage, now: Lineage, outside: Outside) -> Change:
    """Add the records that prove a change, where they are those of a session."""
    if change.kind == "git" and change.subject == "commit":
        change = _with_files(change, was, now, outside)
    if change.kind in ("code", "pipeline") and now.run is not None:
        here = now.run.started_seq, now.state.session_id
        if here[0] and len(change.records) == 1 and change.nodes:
            return replace(change, records=(*change.records, Cited(here[1], here[0])))
    if change.records:
        return change
    of_context = change.kind in ("parameter", "configuration", "dataset", "env")
    event = "context.loaded" if of_context else "session.created"
    found: list[Cited] = []
    for one in (was, now):
        seq = outside.seq_of(one.state, one.run, event)
        if change.kind == "runner" and one.run is not None:
            seq = one.run.started_seq
        if seq:
            found.append(Cited(one.state.session_id, seq))
    return replace(change, records=tuple(found))


def _with_files(change: Change, was: Lineage, now: Lineage, outside: Outside) -> Change:
    if was.state.git is None or now.state.git is None:
        return change
    files = outside.files_between(was.state.git, now.state.git)
    if files is None:
        return change
    shown = ", ".join(files[:5]) + (", ..." if len(files) > 5 else "")
    number = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    detail = f"{change.detail}; {number} differ between the two: {shown}"
    return replace(change, detail=detail)


def _marked_later(
    changes: list[Change],
    was: Lineage,
    first: Try,
    targets: Sequence[str],
    past: Past,
) -> list[Change]:
    """Move what was not yet changed at the first of the failures to the unrelated.

    A change that came after the failures had begun did not begin them.
    """
    then = _lineage(first, targets, past)
    early = {
        (one.kind, one.subject)
        for one in (
            *code_changes(was, then),
            *parameter_changes(was, then),
            *data_changes(was, then),
            *dataset_changes(was, then),
            *session_changes(was, then),
        )
    }
    reason = "it came after the failures had begun"
    return [
        one
        if (one.kind, one.subject) in early or one.kind == "output"
        else replace(one, related=False, reasons=(reason,))
        for one in changes
    ]
