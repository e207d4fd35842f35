"""Events of datasets being loaded, saved and confirmed for a node.

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
from .fingerprint import Fingerprint

__all__ = [
    "DatasetConfirmed",
    "DatasetConfirming",
    "DatasetLoaded",
    "DatasetLoading",
    "DatasetSaved",
    "DatasetSaving",
    "DatasetValidated",
]

SizeBytes = Annotated[
    int | None,
    Meta(
        description="Size of the file, or of all files of the folder together; null "
        "where it is not known."
    ),
]
ModifiedUs = Annotated[
    int | None,
    Meta(
        description="Modification time of the file, or the newest one in the folder, "
        "in microseconds since 1970. Another time later means that the data was "
        "written again."
    ),
]
Entries = Annotated[
    int | None, Meta(description="Number of files in the folder; null for a file.")
]
CheckpointSha256 = Annotated[
    str | None,
    Meta(
        extra=PLAIN,
        description="Hash of the checkpoint that is replaced: a text on a local disk, "
        "empty if there was none. Null where it is not known.",
    ),
]
ListingSha256 = Annotated[
    str | None,
    Meta(
        extra=PLAIN,
        description="Hash of the folder's listing: the relative name, the size, and "
        "the modification time or etag of every file. Null for a file.",
    ),
]
Etag = Annotated[
    str | None,
    Meta(
        description="What the file system gives as a tag of the content, such as the "
        "ETag of an object store; null where it gives none."
    ),
]

ContentSha256 = Annotated[
    str | None,
    Meta(
        extra=PLAIN,
        description="Hash of the content of a small file, or of the relative names and "
        "contents of the files in a small folder. The setting `content_hash_kib` "
        "limits the size. Null if the content was not read.",
    ),
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
    path: Annotated[
        str | None,
        Meta(
            description="Where it was loaded from. This field and those below are "
            "recorded for the first load of a dataset by a process in a run; null for "
            "later loads and in memory."
        ),
    ] = None
    size_bytes: SizeBytes = None
    modified_us: ModifiedUs = None
    entries: Entries = None
    listing_sha256: ListingSha256 = None
    etag: Etag = None
    content_sha256: ContentSha256 = None

    @property
    def fingerprint(self) -> Fingerprint:
        """What identifies the data that was loaded, as far as it is recorded."""
        return Fingerprint.of(self)


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
    size_bytes: SizeBytes = None
    modified_us: ModifiedUs = None
    entries: Entries = None
    listing_sha256: ListingSha256 = None
    etag: Etag = None
    content_sha256: ContentSha256 = None

    @property
    def fingerprint(self) -> Fingerprint:
        """What identifies the data that was saved, as far as it is recorded."""
        return Fingerprint.of(self)


class DatasetConfirming(Event, frozen=True, kw_only=True):
    """A confirmation began: until it ends, it may or may not have taken effect."""

    TYPE: ClassVar[str] = "dataset.confirming"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1
    checkpoint_sha256: CheckpointSha256 = None


class DatasetConfirmed(Event, frozen=True, kw_only=True):
    """A confirmation succeeded: the next load of the dataset does not repeat it."""

    TYPE: ClassVar[str] = "dataset.confirmed"

    run_id: RunId
    node: NodeName
    dataset: DatasetName
    attempt: Attempt = 1
    duration_s: DurationS = None


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
