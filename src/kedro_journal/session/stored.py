"""Facts about stored data: where it is, its version and size, and which words of a
credential are secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from kedro_journal._outside import let_through

from . import compat

__all__ = ["input_versions", "secret_values", "stored"]

# What a credential says besides its secret; masking it everywhere would hide the text.
_OPEN_CREDENTIALS: Final = frozenset(
    """
    user username login email region region_name endpoint endpoint_url host hostname
    port database db schema drivername driver dialect account_name project project_id
    type token_uri auth_uri universe_domain protocol anon use_ssl verify warehouse role
    """.split()  # noqa: SIM905 - forty words as a list would be forty lines
)

_DEPTH_MAX: Final = 32


class Facts(NamedTuple):
    """What is cheap to know of a dataset that was just saved or loaded.

    Attributes:
        path: Where it is; None in memory, and for one that was loaded.
        version: Its version, if versioned.
        size_bytes: Size of its file.
        modified_us: Modification time of its file, in microseconds since 1970.
    """

    path: str | None = None
    version: str | None = None
    size_bytes: int | None = None
    modified_us: int | None = None


def stored(catalog: Any, name: str, *, saved: bool) -> Facts:
    """Give the facts of a dataset, as far as they are cheap to know."""
    if catalog is None:
        return Facts()
    try:
        dataset = compat.catalog_dataset(catalog, name)
        version = compat.dataset_version(dataset, saved=saved)
        if not saved:
            return Facts(version=version)
        path = compat.dataset_path(dataset, version)
    except Exception as error:  # somebody else's dataset class
        let_through(error)
        return Facts()
    if path is None or "://" in path:
        return Facts(path, version)
    try:
        found = Path(path).stat()
    except OSError as error:
        let_through(error)
        return Facts(path, version)
    return Facts(path, version, found.st_size, found.st_mtime_ns // 1000)


def input_versions(catalog: Any, node: Any) -> tuple[tuple[str, str], ...]:
    found = []
    for name in node.inputs:
        version = stored(catalog, name, saved=False).version
        if version is not None:
            found.append((name, version))
    return tuple(found)


def secret_values(credentials: object) -> list[object]:
    """Give the values of a credentials configuration that are secret."""
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
