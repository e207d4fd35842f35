"""The checkpoints of incremental datasets, and how one is set back.

A journal has the hash of a checkpoint only: it is the name of a partition, and those
are the user's. The value is found again among the partitions that there are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from kedro_journal._outside import let_through

from . import compat

__all__ = [
    "Checkpoint",
    "checkpoint_sha256",
    "possible_checkpoints",
    "resolved",
    "sha256_of",
]

_CHECKPOINT_MAX: Final = 4096  # bytes
_PARTITIONS_MAX: Final = 10_000


class Checkpoint(NamedTuple):
    """What the file of a checkpoint is to hold.

    Attributes:
        path: The file.
        value: A partition; empty if there was no checkpoint.
        at: Its modification time, in seconds since 1970.
    """

    path: str
    value: str
    at: float

    def set_back(self) -> None:
        """Write the file, with a time from before the data was loaded.

        Raises:
            OSError: As the system says.
        """
        path = Path(self.path)
        if not self.value:
            path.unlink(missing_ok=True)
            return
        path.write_text(self.value, encoding="utf-8")
        os.utime(path, (self.at, self.at))


def checkpoint_sha256(catalog: Any, name: str) -> str | None:
    """Return the hash of the checkpoint of an entry of a catalog; see `sha256_of`."""
    try:
        dataset = compat.catalog_dataset(catalog, name)
    except Exception as error:  # of a dataset class of the user's
        let_through(error)
        return None
    return sha256_of(dataset)


def sha256_of(dataset: Any) -> str | None:
    """Return the hash of a dataset's checkpoint; None if it is not known."""
    try:
        path = compat.text_checkpoint(dataset)
        if not path:
            return None
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs as much again
            value = file.read(_CHECKPOINT_MAX + 1)
    except FileNotFoundError as error:
        let_through(error)
        value = b""
    except Exception as error:  # of a dataset class of the user's
        let_through(error)
        return None
    return None if len(value) > _CHECKPOINT_MAX else hashlib.sha256(value).hexdigest()


def possible_checkpoints(dataset: Any) -> frozenset[str]:
    """Return the hashes of the values that a checkpoint can be set back to."""
    return frozenset(_values(dataset))


def _values(dataset: Any) -> dict[str, str]:
    if not compat.text_checkpoint(dataset):
        return {}
    partitions = compat.partitions(dataset)
    if len(partitions) > _PARTITIONS_MAX:
        return {}
    return {
        hashlib.sha256(one.encode("utf-8", "surrogateescape")).hexdigest(): one
        for one in ("", *partitions)
    }


def resolved(
    catalog: Any, set_back: Iterable[tuple[str, str]], at: float
) -> tuple[Checkpoint, ...]:
    """Return the checkpoints that a plan sets back.

    Args:
        catalog: The catalog of the plan.
        set_back: Datasets, each with the hash of its checkpoint.
        at: The modification time that they get.
    """
    found = []
    for name, digest in set_back:
        dataset = compat.catalog_dataset(catalog, name)
        path, value = compat.text_checkpoint(dataset), _values(dataset)[digest]
        found.append(Checkpoint(path, value, at))
    return tuple(found)
