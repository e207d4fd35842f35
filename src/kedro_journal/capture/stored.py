"""Facts about stored data: where it is, its version and size, and which words of a
credential are secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kedro_journal._outside import let_through
from kedro_journal.events import Fingerprint

from . import compat
from .fingerprints import FingerprintReader

__all__ = ["fingerprint_of", "input_versions", "secret_values", "version_of"]

# What a credential says besides its secret; masking it everywhere would hide the text.
_OPEN_CREDENTIALS: Final = frozenset(
    """
    user username login email region region_name endpoint endpoint_url host hostname
    port database db schema drivername driver dialect account_name project project_id
    type token_uri auth_uri universe_domain protocol anon use_ssl verify warehouse role
    """.split()  # noqa: SIM905 - forty words as a list would be forty lines
)

_DEPTH_MAX: Final = 32


def version_of(catalog: Any, name: str, *, saved: bool) -> str | None:
    """Return the version a dataset was just saved as or loaded from, if it has one."""
    if catalog is None:
        return None
    try:
        dataset = compat.catalog_dataset(catalog, name)
        return compat.dataset_version(dataset, saved=saved)
    except Exception as error:  # of a dataset class of the user's
        let_through(error)
        return None


def fingerprint_of(
    catalog: Any, name: str, version: str | None, reader: FingerprintReader
) -> Fingerprint:
    """Return the fingerprint of a dataset of a catalog; empty if it has none."""
    if catalog is None:
        return Fingerprint()
    try:
        return reader.read(compat.catalog_dataset(catalog, name), version)
    except Exception as error:  # of a dataset class of the user's
        let_through(error)
        return Fingerprint()


def input_versions(catalog: Any, node: Any) -> tuple[tuple[str, str], ...]:
    """Return the versions that a node's inputs were loaded from, of those that have
    versions.
    """
    found = []
    for name in node.inputs:
        version = version_of(catalog, name, saved=False)
        if version is not None:
            found.append((name, version))
    return tuple(found)


def secret_values(credentials: object) -> list[object]:
    """Return the values of a credentials configuration that are secret."""
    found: list[object] = []
    _gather(credentials, found, 0)
    return found


def _gather(credentials: object, found: list[object], depth: int) -> None:
    if not isinstance(credentials, Mapping) or depth > _DEPTH_MAX:
        return  # YAML's anchors can make a mapping that holds itself
    for key, value in credentials.items():
        if isinstance(value, Mapping):
            _gather(value, found, depth + 1)
        elif str(key).lower() not in _OPEN_CREDENTIALS:
            found.append(value)
