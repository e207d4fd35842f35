"""The events of loads and saves that ended, with what identifies the data."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import asdict

from kedro_journal.capture import compat
from kedro_journal.capture.fingerprints import FingerprintReader, Remote
from kedro_journal.capture.stored import fingerprint_of, version_of
from kedro_journal.events import DatasetLoaded, DatasetSaved, Fingerprint
from kedro_journal.recording.opening import settings_of
from kedro_journal.recording.progress import ActiveRun, key_of

__all__ = ["loaded", "remote_setting", "saved"]


def loaded(
    run: ActiveRun | None,
    node: str,
    dataset: str,
    duration_s: float | None,
    project_path: Path | None,
) -> DatasetLoaded:
    """Return the event of a load that ended well.

    The first load of a dataset in a run, by this process, has the fingerprint.

    Args:
        run: The run, if it is known.
        node: Name of the node.
        dataset: Name of the dataset.
        duration_s: Seconds that the load took, if known.
        project_path: Root of the project, whose settings count.
    """
    version, found = None, Fingerprint()
    if run is not None:
        if run.catalog is None:  # a worker process, before its first node
            run.catalog = compat.calling_catalog()
        version = version_of(run.catalog, dataset, saved=False)
        if dataset not in run.loaded and not _is_parameter(dataset):
            run.loaded.add(dataset)
            reader = _reader(run, project_path)
            found = fingerprint_of(run.catalog, dataset, version, reader)
    return DatasetLoaded(
        **key_of(run),
        node=node,
        dataset=dataset,
        duration_s=duration_s,
        version=version,
        **asdict(found),
    )


def saved(
    run: ActiveRun | None,
    node: str,
    dataset: str,
    duration_s: float | None,
    project_path: Path | None,
) -> DatasetSaved:
    """Return the event of a save that ended well; for the arguments see `loaded`."""
    version, found = None, Fingerprint()
    if run is not None:
        version = version_of(run.catalog, dataset, saved=True)
        reader = _reader(run, project_path)
        found = fingerprint_of(run.catalog, dataset, version, reader)
    return DatasetSaved(
        **key_of(run),
        node=node,
        dataset=dataset,
        duration_s=duration_s,
        version=version,
        **asdict(found),
    )


def remote_setting(project_path: Path | None) -> Remote:
    """Return what may be asked of remote file systems; see the setting."""
    return settings_of(project_path).remote_fingerprints


def _reader(run: ActiveRun, project_path: Path | None) -> FingerprintReader:
    if run.fingerprints is None:
        run.fingerprints = FingerprintReader(
            partial(remote_setting, project_path),
            content_max=settings_of(project_path).content_hash_kib * 1024,
        )
    return run.fingerprints


def _is_parameter(dataset: str) -> bool:
    return dataset == "parameters" or dataset.startswith("params:")
