"""On PYTHONPATH: hides distributions, so that a process runs as if they were not there.

A plugin that is switched off is imported all the same, and imports what it needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any

_hidden = frozenset(os.environ.get("BENCH_HIDE", "").split())
_every = metadata.distributions


def _shown(**options: Any) -> Iterator[metadata.Distribution]:
    every: Iterable[metadata.Distribution] = _every(**options)
    return (found for found in every if _name(found) not in _hidden)


def _name(found: metadata.Distribution) -> str:
    return str(found.metadata["Name"]).lower().replace("_", "-")


metadata.distributions = _shown  # type: ignore[assignment]
