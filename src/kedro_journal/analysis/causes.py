"""What differs between how a node was made now and when it worked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import UNSET

from kedro_journal.events import CatalogEntry, PlannedNode
from kedro_journal.state.model import SessionState

from .answer import Change, Cited
from .evidence import bare
from .inputs import differing_data, differing_place
from .lineage import Lineage, Ran, Step, is_parameter
from .places import placed, same_place

__all__ = ["code_changes", "data_changes", "dataset_changes", "output_changes"]


def code_changes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield what differs in the code and the wiring of the nodes."""
    for name, step in now.steps.items():
        before = was.steps.get(name)
        if before is None:
            if was.steps:
                yield _appeared(was, step)
            continue
        if before.ran and step.ran and before.ran.same_run == step.ran.same_run:
            continue
        yield from _code(before, step)
        yield from _wiring(before, step)
    for name, step in was.steps.items():
        if name not in now.steps and step.ran is not None and step.ran.is_kin:
            yield Change(
                kind="pipeline",
                subject=name,
                detail="no longer runs before it",
                nodes=(name,),
                distance=step.distance,
                records=_planned(step, None),
            )


def _appeared(was: Lineage, step: Step) -> Change:
    made = [one for one in step.plan.outputs if bare(one) in was.made]
    detail = "did not run before it then"
    if made:
        other = was.made[bare(made[0])].name
        detail = f"makes {made[0]}, which node {other} made then"
    return Change(
        kind="pipeline",
        subject=step.name,
        detail=detail,
        nodes=(step.name,),
        distance=step.distance,
        records=_planned(None, step),
    )


def _planned(was: Step | None, now: Step | None) -> tuple[Cited, ...]:
    return tuple(
        Cited(step.ran.state.session_id, step.ran.run.started_seq)
        for step in (was, now)
        if step is not None and step.ran is not None and step.ran.run.started_seq
    )


def _code(was: Step, now: Step) -> Iterator[Change]:
    """Compare the function of a node; at most one change."""
    old, new = was.plan, now.plan
    detail = ""
    if old.function != new.function:
        detail = f"its function is {new.function}, was {old.function}"
    elif old.source_sha256 and old.source_sha256 != new.source_sha256:
        detail = f"function {new.function} was edited"
    elif _compiled_differs(was, now):
        detail = (
            f"the compiled code of {new.function} differs, although its source does not"
        )
    elif old.arguments_sha256 != new.arguments_sha256:
        detail = f"the arguments that a partial gives {new.function} differ"
    if detail:
        yield Change(
            kind="code",
            subject=now.name,
            detail=detail,
            nodes=(now.name,),
            distance=now.distance,
            source=new.source,
            records=_planned(was, now),
        )


def _compiled_differs(was: Step, now: Step) -> bool:
    if was.ran is None or now.ran is None:
        return False
    pythons = {ran.state.versions.python for ran in (was.ran, now.ran)}
    codes = {was.plan.code_sha256, now.plan.code_sha256}
    return len(pythons) == 1 and "" not in codes and len(codes) == 2


def _wiring(was: Step, now: Step) -> Iterator[Change]:
    parts = [
        f"{verb} {_listed(new)}"
        + (f" instead of {_listed(old)}" if old else "")
        + (" as well" if not old else "")
        for verb, old, new in _moved(was.plan, now.plan)
        if new
    ] + [
        f"no longer {verb} {_listed(old)}"
        for verb, old, new in _moved(was.plan, now.plan)
        if old and not new
    ]
    if not parts and was.plan.inputs != now.plan.inputs:
        parts = ["loads the same inputs in another order"]
    if not parts and was.plan.outputs != now.plan.outputs:
        parts = ["saves the same outputs in another order"]
    if parts:
        yield Change(
            kind="pipeline",
            subject=now.name,
            detail="; ".join(parts),
            nodes=(now.name,),
            distance=now.distance,
            records=_planned(was, now),
        )


def _moved(
    was: PlannedNode, now: PlannedNode
) -> Iterator[tuple[str, list[str], list[str]]]:
    pairs = (("loads", was.inputs, now.inputs), ("saves", was.outputs, now.outputs))
    for verb, old, new in pairs:
        gone = [one for one in old if one not in new]
        come = [one for one in new if one not in old]
        yield verb, gone, come


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def data_changes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield what differs in the data that came from outside the runs."""
    for dataset, step in now.loads.items():
        before = was.loads.get(dataset)
        if step.ran is None:
            continue
        load = now.load_of(dataset, step)
        if load is not None and load.is_open and step.distance == 0:
            yield _not_loaded(dataset, step, was)
            continue
        if before is None or before.ran is None or load is None:
            continue
        if before.ran.same_run == step.ran.same_run:
            continue
        old = was.load_of(dataset, before)
        if old is None:
            continue
        parts = [
            *differing_place(before.ran.state, old, step.ran.state, load),
            *differing_data(old, load),
        ]
        if parts:
            yield Change(
                kind="input",
                subject=dataset,
                detail="; ".join(parts),
                was=old.size_bytes if old.size_bytes is not None else UNSET,
                now=load.size_bytes if load.size_bytes is not None else UNSET,
                nodes=(step.name,),
                distance=step.distance,
                source=load.path or "",
                records=(
                    *_loaded(before.ran, old.fingerprint_seq or old.ended_seq),
                    *_loaded(step.ran, load.fingerprint_seq or load.ended_seq),
                ),
            )
    yield from _overwritten(was, now)


def _loaded(ran: Ran, seq: int) -> tuple[Cited, ...]:
    return (Cited(ran.state.session_id, seq),) if seq else ()


def _not_loaded(dataset: str, step: Step, was: Lineage) -> Change:
    """Describe an input that could not be loaded at all."""
    before = was.loads.get(dataset)
    old = was.load_of(dataset, before) if before is not None else None
    detail = "it could not be loaded"
    records: tuple[Cited, ...] = ()
    if old is not None and before is not None and before.ran is not None:
        records = _loaded(before.ran, old.fingerprint_seq or old.ended_seq)
        if old.path:
            detail += f"; last time it was, from {old.path}"
    if step.ran is not None and step.ran.node.ended_seq:
        records += _loaded(step.ran, step.ran.node.ended_seq)
    return Change(
        kind="input",
        subject=dataset,
        detail=detail,
        nodes=(step.name,),
        distance=step.distance,
        records=records,
    )


def _overwritten(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield data that something changed between its save and its load."""
    for step in now.steps.values():
        for dataset in step.plan.inputs:
            maker = now.made.get(bare(dataset))
            if maker is None or maker.name == step.name:
                continue
            if _is_as_saved(now, dataset, maker, step) is not False:
                continue
            before = was.steps.get(step.name)
            made = was.made.get(bare(dataset))
            if before and made and _is_as_saved(was, dataset, made, before) is False:
                continue  # that is how it works: another node adds to the folder
            load = now.load_of(dataset, step)
            seq = load.fingerprint_seq if load is not None else 0
            yield Change(
                kind="input",
                subject=dataset,
                detail=f"changed between its save by node {maker.name} and its load",
                nodes=(step.name,),
                distance=step.distance,
                source=(load.path or "") if load is not None else "",
                records=_loaded(step.ran, seq) if step.ran is not None else (),
            )


def _is_as_saved(
    lineage: Lineage, dataset: str, maker: Step, step: Step
) -> bool | None:
    load = lineage.load_of(dataset, step)
    if load is None or load.is_open or maker.ran is None:
        return None
    for save in maker.ran.node.saves.values():
        if bare(save.dataset) == bare(dataset) and not save.is_open:
            return save.fingerprint.same_data(load.fingerprint)
    return None


def dataset_changes(was: Lineage, now: Lineage) -> Iterator[Change]:
    """Yield what the catalog says otherwise of the datasets of the nodes."""
    seen: set[str] = set()
    for name, step in now.steps.items():
        before = was.steps.get(name)
        if before is None or before.ran is None or step.ran is None:
            continue
        if before.ran.state.session_id == step.ran.state.session_id:
            continue
        old, new = _entries(before.ran.state), _entries(step.ran.state)
        for dataset in (*step.plan.inputs, *step.plan.outputs):
            if dataset in seen or is_parameter(dataset):
                continue
            detail = _entry_differs(old.get(dataset), new.get(dataset), before, step)
            if detail:
                seen.add(dataset)
                yield Change(
                    kind="dataset",
                    subject=dataset,
                    detail=detail,
                    nodes=(name,),
                    distance=step.distance,
                )


def _entries(state: SessionState) -> Mapping[str, CatalogEntry]:
    catalog = state.context.catalog if state.context is not None else ()
    return {entry.name: entry for entry in catalog}


def _entry_differs(
    was: CatalogEntry | None, now: CatalogEntry | None, before: Step, step: Step
) -> str:
    if was is None and now is None:
        return ""
    if was is None:
        return "in the catalog, was not"
    if now is None:
        return "not in the catalog, was"
    parts = []
    if was.type != now.type:
        parts.append(f"type {now.type}, was {was.type}")
    assert before.ran is not None and step.ran is not None  # noqa: PT018, S101
    paths = [
        placed(entry.path or "", project=state.project_path, cwd=state.cwd)
        for entry, state in ((was, before.ran.state), (now, step.ran.state))
    ]
    if was.path and now.path and not same_place(*paths):
        parts.append(f"path {paths[1]}, was {paths[0]}")
    if was.versioned != now.versioned:
        parts.append("versioned, was not" if now.versioned else "not versioned, was")
    return "; ".join(parts)


def output_changes(
    was: Lineage, now: Lineage, explained: AbstractSet[str]
) -> Iterator[Change]:
    """Yield outputs of another size that no known change explains.

    Args:
        was, now: What the nodes were made from.
        explained: Nodes at which, or before which, something known changed.
    """
    for name, step in now.steps.items():
        before = was.steps.get(name)
        if name in explained or before is None or not before.ran or not step.ran:
            continue
        if before.ran.same_run == step.ran.same_run:
            continue
        for dataset, save in step.ran.node.saves.items():
            old = before.ran.node.saves.get(dataset)
            if old is None or None in (old.size_bytes, save.size_bytes):
                continue
            parts = list(differing_data(old, save, times=False))
            if parts:
                yield Change(
                    kind="output",
                    subject=dataset,
                    detail="; ".join(parts),
                    was=old.size_bytes,
                    now=save.size_bytes,
                    nodes=(name,),
                    distance=step.distance,
                    records=(
                        *_loaded(before.ran, old.ended_seq),
                        *_loaded(step.ran, save.ended_seq),
                    ),
                )
