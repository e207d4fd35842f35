"""What identifies stored data: the values that change when the data changes."""

from __future__ import annotations

from typing import Protocol

import msgspec

__all__ = ["Fingerprint"]


class Fingerprint(msgspec.Struct, frozen=True, omit_defaults=True):
    """Identify the data of a dataset without reading it.

    The values are compared for equality, never for order: a file that was replaced by
    an older one is another file.

    Attributes:
        path: Location, with its protocol unless it is a local file. None: the dataset
            has no location, as in memory or in a database.
        size_bytes: Size of the file, or the sum of the sizes in the folder.
        modified_us: Modification time in microseconds since 1970; of a folder, the
            newest of its files.
        entries: Number of files in a folder; None for a file.
        listing_sha256: Hash of a folder's listing; None for a file.
        etag: Content tag of the file system, if it gives one.
        content_sha256: Hash of the content of a small file, or of the relative names
            and contents in a small folder; None if it was not read.
    """

    path: str | None = None
    size_bytes: int | None = None
    modified_us: int | None = None
    entries: int | None = None
    listing_sha256: str | None = None
    etag: str | None = None
    content_sha256: str | None = None

    @classmethod
    def of(cls, source: HasFingerprint) -> Fingerprint:
        """Return the fingerprint that an event or an operation holds in its fields."""
        return cls(
            source.path,
            source.size_bytes,
            source.modified_us,
            source.entries,
            source.listing_sha256,
            source.etag,
            source.content_sha256,
        )

    @property
    def is_known(self) -> bool:
        """Whether there is a value by which a change of the data would show."""
        if self.etag or self.listing_sha256 or self.content_sha256:
            return True
        return self.modified_us is not None and self.entries is None

    def same_data(self, other: Fingerprint) -> bool | None:
        """Compare the data of two fingerprints; their locations are not compared.

        The content decides where both know it: a copy of a file has another time.

        Returns:
            True if all values that both have are equal, False if one differs, None if
            they cannot tell: one of them is not known, or they have no value in common
            by which a change would show.
        """
        if (self.entries is None) != (other.entries is None):
            # One is a folder, and the other is a file or is not known.
            return False if self.is_known and other.is_known else None
        if self.content_sha256 and other.content_sha256:
            return self.content_sha256 == other.content_sha256
        telling = (
            (self.etag, other.etag),
            (self.listing_sha256, other.listing_sha256),
            (self.modified_us, other.modified_us),
        )
        shared = [pair for pair in telling if None not in pair]
        more = [(self.size_bytes, other.size_bytes), (self.entries, other.entries)]
        shared_more = [pair for pair in more if None not in pair]
        if any(one != two for one, two in (*shared, *shared_more)):
            return False
        return True if shared else None


class HasFingerprint(Protocol):
    """An object whose fields hold a fingerprint."""

    @property
    def path(self) -> str | None: ...
    @property
    def size_bytes(self) -> int | None: ...
    @property
    def modified_us(self) -> int | None: ...
    @property
    def entries(self) -> int | None: ...
    @property
    def listing_sha256(self) -> str | None: ...
    @property
    def etag(self) -> str | None: ...
    @property
    def content_sha256(self) -> str | None: ...
