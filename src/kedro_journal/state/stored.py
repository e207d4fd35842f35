"""What is known of a dataset now, and how it differs from what was saved. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from kedro_journal._instant import EPOCH, Instant

from .model import DatasetOperation

__all__ = ["SLACK", "Stored", "changed"]

SLACK: Final = timedelta(seconds=2)
"""Of time stamps, where no exact one is on record."""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What the catalog and the disk say of a dataset now.

    Attributes:
        persistent: It outlives the process.
        versioned: It keeps versions.
        path: Where it is, as it would be recorded: redacted, from the root of the
            project; None if it does not tell.
        exists: It is there, in the version on record; None if it does not tell.
        size_bytes: Its size, where cheap.
        modified_at: When it was last written, to the microsecond, where that can be
            told.
    """

    persistent: bool
    versioned: bool = False
    path: str | None = None
    exists: bool | None = None
    size_bytes: int | None = None
    modified_at: Instant | None = None


def changed(dataset: str, now: Stored, saved: DatasetOperation) -> str:
    """Say how an output is not what was saved; empty if it is, as far as known."""
    sizes = saved.size_bytes, now.size_bytes
    if None not in sizes and sizes[0] != sizes[1]:
        return (
            f"its output {dataset} was changed: it has {now.size_bytes} bytes, and "
            f"{saved.size_bytes} were saved (record {saved.ended_seq})"
        )
    at = now.modified_at
    if at is None:
        return ""
    if saved.modified_us is not None:
        written = EPOCH + timedelta(microseconds=saved.modified_us)
        same = at == written
    else:
        same = saved.ended_at is None or at <= saved.ended_at + SLACK
    if same:
        return ""
    return (
        f"its output {dataset} was written again after it was saved "
        f"(record {saved.ended_seq})"
    )
