"""What is known of a dataset now, as a value."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Stored"]


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
    modified_at: datetime | None = None
