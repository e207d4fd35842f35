"""The project as it is now, for a plan: pipeline, datasets, code, configuration."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from kedro_journal._instant import EPOCH, Instant
from kedro_journal._outside import let_through, suppress
from kedro_journal.analysis import Known, Now, Stored
from kedro_journal.analysis.evidence import bare
from kedro_journal.analysis.places import placed
from kedro_journal.capture import compat, configuration
from kedro_journal.capture import fields as capture
from kedro_journal.capture.checkpoints import possible_checkpoints, sha256_of
from kedro_journal.capture.entries import entries_now, places_of
from kedro_journal.capture.fingerprints import FingerprintReader
from kedro_journal.capture.git import git_state
from kedro_journal.capture.stored import secret_values
from kedro_journal.errors import NotResumable
from kedro_journal.events import PlannedNode
from kedro_journal.hooks.dataset_ends import remote_setting
from kedro_journal.recording.opening import make_redactor, settings_of
from kedro_journal.redaction import Redactor

from .chain import Chain

__all__ = [
    "facts",
    "pipeline_names",
    "pipeline_now",
    "project_now",
    "redactor_now",
    "stored_now",
]

_LISTING_MAX_S: Final = 10.0  # no run is waiting
_CONTENT_MAX: Final = 64 * 1024 * 1024  # a run may have hashed more than it does now


def pipeline_names(names: Sequence[str]) -> list[str] | None:
    """Return pipelines as Kedro is asked for them: none stands for the default one."""
    return None if tuple(names) in ((), ("__default__",)) else list(names)


def pipeline_now(chain: Chain, filters: Mapping[str, Any]) -> Any:
    """Return the pipeline as it is now, filtered as the original's was.

    Args:
        chain: The original and what resumed it.
        filters: The filters of the original's run.

    Raises:
        NotResumable: There is none any more.
    """
    from kedro.framework.project import pipelines
    from kedro.pipeline import Pipeline

    run = chain.links[0].run
    filters = dict(filters)
    filters.pop("only_missing_outputs", None)
    if "namespaces" in filters:
        filters["node_namespaces"] = filters.pop("namespaces")
    combined = Pipeline([])
    compat.request_pipelines(pipeline_names(run.pipelines))
    for name in run.pipelines or ("__default__",):
        try:
            combined += pipelines[name]
        except KeyError as error:
            reason = f"its pipeline {name!r} is not in the project any more"
            advice = "Put it back into the registry, or run what there is now."
            raise NotResumable(chain.last.session_id, reason, advice) from error
    try:
        return combined.filter(**filters)
    except ValueError as error:
        let_through(error)
        reason = f"its filters do not fit the pipeline any more ({error})"
        advice = "`kedro-journal show` has the filters."
        raise NotResumable(chain.last.session_id, reason, advice) from error


def redactor_now(chain: Chain, context: Any) -> Redactor:
    """Make a redactor that knows what a session of the project would know."""
    redactor = make_redactor(settings_of(chain.project))
    redactor.learn(context.params)
    redactor.register(*secret_values(compat.credentials(context)))
    return redactor


def stored_now(
    context: Any, nodes: Sequence[PlannedNode], known: Known, redactor: Redactor
) -> dict[str, Stored]:
    """Find what exists of every dataset, in the recorded version."""
    makers = {bare(output): node.name for node in nodes for output in node.outputs}
    names = {name for node in nodes for name in (*node.inputs, *node.outputs)}
    catalog, found = context.catalog, dict[str, Stored]()
    remote = partial(remote_setting, Path(str(context.project_path)))
    reader = FingerprintReader(
        remote, listing_max_s=_LISTING_MAX_S, content_max=_CONTENT_MAX
    )
    for name in sorted(names):
        if name == "parameters" or name.startswith("params:"):
            continue
        version = known.version_of(name, makers.get(bare(name)))
        one = facts(catalog, name, version, reader)
        if one.path:
            project, cwd = str(context.project_path), capture.working_directory()
            path = redactor.text(placed(one.path, project=project, cwd=cwd))
            one = msgspec.structs.replace(one, path=path)
        found[name] = one
    return _same_files(found)


def _same_files(found: dict[str, Stored]) -> dict[str, Stored]:
    """Return hard links to one file the same place."""
    known: dict[tuple[int, int], str] = {}
    for name, one in found.items():
        with suppress(OSError, ValueError):
            if "://" in one.place or not one.place:
                continue
            here = os.stat(one.place)  # noqa: PTH116 - a place is a text
            if stat.S_ISREG(here.st_mode) and here.st_nlink > 1:
                first = known.setdefault((here.st_dev, here.st_ino), one.place)
                found[name] = msgspec.structs.replace(one, place=first)
    return found


def facts(
    catalog: Any, name: str, version: str | None, reader: FingerprintReader
) -> Stored:
    """Return what the catalog and the file system say of a dataset; None where they
    do not say.

    The path is as the dataset has it, and not redacted.
    """
    try:
        dataset = compat.catalog_dataset(catalog, name)
    except Exception as error:  # a user's dataset class
        let_through(error)
        dataset = None
    if dataset is None or not compat.is_persistent(dataset):
        return Stored(persistent=False)
    known = Stored(persistent=True, versioned=compat.is_versioned(dataset))
    try:
        known = msgspec.structs.replace(known, appends=compat.appends(dataset))
        path = compat.dataset_path(dataset, version)
        place = compat.dataset_place(dataset, version)
        if place is not None:
            local = os.path.realpath(place.path) if place.is_local else place.url
            known = msgspec.structs.replace(
                known, place=local, is_folder=place.is_folder
            )
        known = msgspec.structs.replace(known, path=path, **_checkpoint(dataset))
        exists = compat.version_exists(dataset, version)
        if known.checkpoint_at is not None:
            exists = exists or None  # an increment is empty once it is confirmed
        known = msgspec.structs.replace(known, exists=exists)
    except Exception as error:
        let_through(error)
        return known
    found = reader.read(dataset, version)
    modified_us = found.modified_us
    return msgspec.structs.replace(
        known,
        size_bytes=found.size_bytes,
        modified_at=None if modified_us is None else _moment(modified_us),
        entries=found.entries,
        listing_sha256=found.listing_sha256,
        etag=found.etag,
        content_sha256=found.content_sha256,
    )


def _checkpoint(dataset: Any) -> dict[str, Any]:
    """Return what is known of the checkpoint of a dataset that keeps one."""
    kept, path = compat.checkpoint_path(dataset)
    at = None
    if kept and path:
        try:
            at = _moment(os.stat(path).st_mtime_ns // 1000)  # noqa: PTH116 - as above
        except FileNotFoundError as error:
            let_through(error)  # nothing was confirmed yet
        except OSError as error:
            let_through(error)
            kept = False
    values = possible_checkpoints(dataset) if at is not None else frozenset()
    return {
        "keeps_checkpoint": kept,
        "checkpoint_at": at,
        "checkpoint_sha256": sha256_of(dataset) if at is not None else None,
        "checkpoints": values,
    }


def _moment(microseconds: int) -> Instant | None:
    try:
        return EPOCH + timedelta(microseconds=microseconds)
    except OverflowError as error:  # a time that no clock shows
        let_through(error)
        return None


def project_now(
    chain: Chain,
    context: Any,
    nodes: tuple[PlannedNode, ...],
    stored: Mapping[str, Stored],
    redactor: Redactor,
) -> Now:
    """Gather all that a session is compared with."""
    config = settings_of(chain.project)
    files = configuration.config_files(context)
    parameters, cut = redactor.parameters(configuration.parameters_of(context.params))
    root = str(context.project_path)
    key, names, digests = configuration.masked_now(context.params, parameters)
    return Now(
        masked=dict(zip(names, digests, strict=True)),
        masked_key=key,
        nodes=nodes,
        parameters=parameters,
        parameters_cut=cut,
        config_sha256={file.name: configuration.sha256(file) for file in files},
        stored=stored,
        env=context.env or compat.config_environments(context)[-1],
        entries=places_of(entries_now(context, redactor), stored, root),
        entries_before=tuple(
            places_of(
                link.state.context.catalog if link.state.context else (),
                stored,
                link.state.project_path,
            )
            for link in chain.links
        ),
        git=git_state(chain.project),
        versions=capture.versions(compat.package_name(), config.packages),
    )
