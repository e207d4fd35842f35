"""Earlier tries at a node, by a runner that tries again in the same run."""

from __future__ import annotations

from typing import Final

import msgspec

from kedro_journal.events import ErrorInfo

__all__ = ["TRIES_MAX", "EarlierTry"]

TRIES_MAX: Final = 20
"""Earlier tries at a node that are kept; the number of all is."""


class EarlierTry(msgspec.Struct, frozen=True, omit_defaults=True):
    """An earlier try at a node in the same run, by a runner that tries again.

    Attributes:
        started_seq, computed_seq, ended_seq: The records that say so; 0 for none.
        phase: What it was doing when it broke; empty if that is not recorded.
        error: What it raised; None if that is not recorded, as for a save that failed.
    """

    started_seq: int = 0
    computed_seq: int = 0
    ended_seq: int = 0
    phase: str = ""
    error: ErrorInfo | None = None
