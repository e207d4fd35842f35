"""What the runs of a chain loaded first of each dataset. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kedro_journal.state.model import DatasetOperation

from .evidence import Evidence, Link
from .stored import Stored

__all__ = ["FirstLoads"]


class FirstLoads:
    """What the attempts at the runs of a chain loaded first of each dataset.

    Args:
        chain: The sessions, oldest first.
    """

    def __init__(self, chain: Sequence[Link]) -> None:
        self._chain = chain
        self._known: dict[tuple[int, int], Mapping[str, DatasetOperation]] = {}

    def same(self, evidence: Evidence, dataset: str, here: Stored) -> bool | None:
        """Compare a dataset with what a node's attempt loaded; None if unknown."""
        key = evidence.link, evidence.attempt
        if key not in self._known:
            state, run = self._chain[evidence.link]
            wanted = run.run_id, evidence.attempt
            found = (r for r in state.runs if (r.run_id, r.attempt) == wanted)
            self._known[key] = next((r.first_loads for r in found), {})
        load = self._known[key].get(dataset)
        return None if load is None else load.fingerprint.same_data(here.fingerprint)
