"""What is known of a dataset now, and how it differs from what was saved. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from kedro_journal._instant import EPOCH, Instant
from kedro_journal.events import Fingerprint
from kedro_journal.state.model import DatasetOperation

__all__ = ["SLACK", "Stored", "changed"]

SLACK: Final = timedelta(seconds=2)
"""Of time stamps, where no exact one is recorded."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog and the disk say of a dataset now.

    Attributes:
        persistent: It outlives the process.
        versioned: It keeps versions.
        path: Where it is, as it would be recorded: redacted, from the root of the
            project; None if it does not tell.
        exists: It exists, in the recorded version; None if that is not known.
        size_bytes: Its size, where cheap; of a folder, of all files together.
        modified_at: When it was last written, to the microsecond, where that can be
            told; of a folder, its newest file.
        entries, listing_sha256, etag, content_sha256: See `Fingerprint`.
        place: What identifies its location, whatever its spelling. It is not redacted,
            and is never shown or recorded. Empty if it has no location.
        appends: A save adds to the data that is there: a second one doubles it.
        is_folder: A save leaves other files of the folder as they are, as that of
            partitions.
        checkpoint_at: When its checkpoint was last written; None if there is none, or
            the dataset keeps none.
        keeps_checkpoint: A confirmation writes a checkpoint, and `checkpoint_at` tells
            when.
        checkpoint_sha256: Hash of its checkpoint; None if it is not known.
        checkpoints: Hashes of what its checkpoint can be set back to.
    """

    persistent: bool
    versioned: bool = False
    path: str | None = None
    exists: bool | None = None
    size_bytes: int | None = None
    modified_at: Instant | None = None
    entries: int | None = None
    listing_sha256: str | None = None
    etag: str | None = None
    content_sha256: str | None = None
    place: str = ""
    appends: bool = False
    is_folder: bool = False
    checkpoint_at: Instant | None = None
    keeps_checkpoint: bool = False
    checkpoint_sha256: str | None = None
    checkpoints: frozenset[str] = frozenset()

    @property
    def fingerprint(self) -> Fingerprint:
        """What identifies the data that is there now."""
        at = self.modified_at
        return Fingerprint(
            self.path,
            self.size_bytes,
            None if at is None else (at - EPOCH) // timedelta(microseconds=1),
            self.entries,
            self.listing_sha256,
            self.etag,
            self.content_sha256,
        )


def changed(dataset: str, now: Stored, saved: DatasetOperation) -> str:
    """Return how an output differs from what was saved; empty if it does not, as far
    as is known.
    """
    same = saved.fingerprint.same_data(now.fingerprint)
    if same:
        return ""
    sizes = saved.size_bytes, now.size_bytes
    if None not in sizes and sizes[0] != sizes[1]:
        return (
            f"its output {dataset} was changed: it has {now.size_bytes} bytes, and "
            f"{saved.size_bytes} were saved (record {saved.ended_seq})"
        )
    counts = saved.entries, now.entries
    if None not in counts and counts[0] != counts[1]:
        return (
            f"its output {dataset} was changed: it has {now.entries} files, and "
            f"{saved.entries} were saved (record {saved.ended_seq})"
        )
    at = now.modified_at
    if same is None:  # no exact time is recorded
        if at is None or saved.ended_at is None or at <= saved.ended_at + SLACK:
            return ""
    elif saved.modified_us == now.fingerprint.modified_us:
        return (
            f"its output {dataset} was changed after it was saved "
            f"(record {saved.ended_seq})"
        )
    return (
        f"its output {dataset} was written again after it was saved "
        f"(record {saved.ended_seq})"
    )
