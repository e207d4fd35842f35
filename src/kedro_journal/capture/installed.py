"""The distributions that are installed, by the names of their metadata folders.

`importlib.metadata` opens and parses a file of each, which takes a second in a large
environment; `name-version.dist-info` says as much (PEP 376, and the specification
"Recording installed projects").
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable

from kedro_journal._outside import let_through

__all__ = ["distributions", "fingerprint"]


def distributions(path: Iterable[str] | None = None) -> tuple[str, ...]:
    """Name the installed distributions, `name-version`, sorted, each once.

    Args:
        path: Folders to look in; None for `sys.path`.
    """
    found: set[str] = set()
    for folder in dict.fromkeys(sys.path if path is None else path):
        try:
            names = os.listdir(folder or ".")  # noqa: PTH208 - ten times as fast
        except OSError as error:
            let_through(error)
            continue  # an archive, or no folder at all
        for name in names:
            if name.endswith((".dist-info", ".egg-info")):
                found.add(name.rpartition(".")[0])
    return tuple(sorted(found, key=str.lower))


def fingerprint(names: Iterable[str]) -> str:
    """Hash the names of distributions, a line each."""
    return hashlib.sha256("".join(f"{name}\n" for name in names).encode()).hexdigest()
