"""A load, save or confirmation of a dataset: frozen, and under construction."""

from __future__ import annotations

from typing import Final, Literal, cast

import msgspec

from kedro_journal._instant import Instant
from kedro_journal.events import Fingerprint

__all__ = ["NOTHING", "DatasetOperation", "Kind", "OperationBuilder"]

Kind = Literal["load", "save", "confirm"]


class DatasetOperation(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One dataset being loaded, saved or confirmed for a node.

    Attributes:
        dataset: Its name.
        kind: load, save or confirm.
        started_seq: The record that opened the interval.
        ended_seq: The record that closed it; 0 while it is open.
        ended_at: Wall clock of that record.
        count: How often: a generator node saves a dataset once per chunk.
        duration_s: Seconds of the last one.
        version: Version loaded or saved, if versioned.
        path, size_bytes, modified_us, entries, listing_sha256, etag: What identifies
            the data; see `Fingerprint`. Of loads, the first one of a process in a run
            has them.
        content_sha256: The same. Of a confirmation that ended, the hash of the
            checkpoint that it replaced.
        fingerprint_seq: Of a load, the record that says so; 0 if none does.
    """

    dataset: str
    kind: Kind
    started_seq: int
    ended_seq: int = 0
    ended_at: Instant | None = None
    count: int = 1
    duration_s: float | None = None
    version: str | None = None
    path: str | None = None
    size_bytes: int | None = None
    modified_us: int | None = None
    entries: int | None = None
    listing_sha256: str | None = None
    etag: str | None = None
    fingerprint_seq: int = 0
    content_sha256: str | None = None

    @property
    def is_open(self) -> bool:
        """Begun and not ended: at a death, this is what it died in."""
        return not self.ended_seq

    @property
    def fingerprint(self) -> Fingerprint:
        """What identifies the data, as far as it is recorded."""
        return Fingerprint.of(self)


_KEPT: Final = (*Fingerprint.__struct_fields__, "fingerprint_seq")


class OperationBuilder:
    """An operation under construction; see `DatasetOperation` for its fields.

    `started_seq` is 0 until a record opens it. The fields that an end sets are valid
    only while `ended_seq` is not 0: opening it again leaves them as they are.
    """

    __slots__ = DatasetOperation.__struct_fields__

    ended_seq: int
    ended_at: Instant | None
    duration_s: float | None
    version: str | None

    def __init__(self, dataset: str, kind: Kind) -> None:
        self.dataset = dataset
        self.kind: Kind = kind
        self.started_seq = 0
        self.count = 0
        self.path: str | None = None
        self.size_bytes: int | None = None
        self.modified_us: int | None = None
        self.entries: int | None = None
        self.listing_sha256: str | None = None
        self.etag: str | None = None
        self.content_sha256: str | None = None
        self.fingerprint_seq = 0

    @classmethod
    def of(cls, before: DatasetOperation) -> OperationBuilder:
        """Return a builder that continues a frozen operation."""
        new = cls(before.dataset, before.kind)
        for name in cls.__slots__:
            setattr(new, name, getattr(before, name))
        return new

    def freeze(self) -> DatasetOperation:
        """Return the operation."""
        if not self.ended_seq and self.kind != "load":
            return DatasetOperation(
                self.dataset,
                self.kind,
                self.started_seq,
                count=self.count,
                version=self.version,
            )
        if not self.ended_seq:  # what it loaded first is known nevertheless
            return DatasetOperation(
                self.dataset,
                self.kind,
                self.started_seq,
                count=self.count,
                version=self.version,
                **{name: getattr(self, name) for name in _KEPT},
            )
        return DatasetOperation(
            self.dataset,
            self.kind,
            self.started_seq,
            self.ended_seq,
            self.ended_at,
            self.count,
            self.duration_s,
            self.version,
            self.path,
            self.size_bytes,
            self.modified_us,
            self.entries,
            self.listing_sha256,
            self.etag,
            self.fingerprint_seq,
            self.content_sha256,
        )


NOTHING: Final = OperationBuilder(cast("str", None), "load")
"""The operation of no dataset."""
