"""Events of datasets being loaded and saved for a node.

An interval that was opened and never closed names the dataset that broke.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Attempt, DatasetName, DurationS, Event, NodeName, RunId

__all__ = ["DatasetLoaded", "DatasetLoading", "DatasetSaved", "DatasetSaving"]


class DatasetLoading(Event, frozen=True, kw_only=True):
    """A load began."""

    TYPE: ClassVar[str] = "dataset.loading"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1


class DatasetLoaded(Event, frozen=True, kw_only=True):
    """A load ended well."""

    TYPE: ClassVar[str] = "dataset.loaded"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1
    duration_s: DurationS = None
    version: Annotated[
        str | None,
        Meta(description="Version that was loaded, if versioned."),
    ] = None


class DatasetSaving(Event, frozen=True, kw_only=True):
    """A save began: until it ends, the stored data cannot be trusted."""

    TYPE: ClassVar[str] = "dataset.saving"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1


class DatasetSaved(Event, frozen=True, kw_only=True):
    """A save ended well."""

    TYPE: ClassVar[str] = "dataset.saved"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1
    duration_s: DurationS = None
    version: Annotated[
        str | None,
        Meta(description="Version it was saved as, if versioned."),
    ] = None
    path: Annotated[
        str | None, Meta(description="Where it was saved; null in memory.")
    ] = None
    size_bytes: Annotated[
        int | None, Meta(description="Size of the file, where that is cheap to know.")
    ] = None
    modified_us: Annotated[
        int | None,
        Meta(
            description="Modification time of that file after the save, in "
            "microseconds since 1970: another one later means that it was written "
            "again."
        ),
    ] = None
