"""Events of datasets being loaded and saved for a node.

An interval that was opened and never closed names the dataset that broke.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import (
    NAME,
    PLAIN,
    Attempt,
    DataFailure,
    DatasetName,
    DurationS,
    Event,
    NodeName,
    RunId,
)

__all__ = [
    "DatasetLoaded",
    "DatasetLoading",
    "DatasetSaved",
    "DatasetSaving",
    "DatasetValidated",
]


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


class DatasetValidated(Event, frozen=True, kw_only=True):
    """Data did not pass its validation, and the run went on: severity `warn`.

    A validation that stops the node is in its `node.failed`. Of one that passes nothing
    is recorded, for Kedro does not tell.
    """

    TYPE: ClassVar[str] = "dataset.validated"

    run_id: RunId
    dataset: DatasetName
    node: Annotated[
        str | None, Meta(extra=NAME, description="Node it was loaded or saved for.")
    ] = None
    attempt: Attempt = 1
    outcome: Annotated[
        str, Meta(extra=PLAIN, description="warned: it failed, and that was a warning.")
    ] = "warned"
    failure: Annotated[
        DataFailure | None, Meta(description="What failed, without the data.")
    ] = None
