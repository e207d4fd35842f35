"""Datasets that a node consumes: Kedro confirms them when it is done. Pure.

An incremental dataset loads what is new since its checkpoint, and a confirmation moves
the checkpoint. After that the same data is not loaded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from kedro_journal.events import PlannedNode
from kedro_journal.state.model import DatasetOperation

from .evidence import Evidence, Known, Link, bare
from .stored import Stored

__all__ = ["Confirming"]

_COARSE: Final = timedelta(milliseconds=20)  # of the times that file systems keep
_ARCHIVED: Final = timedelta(seconds=2)  # of those that tar and zip keep


class _Load(NamedTuple):
    """When a dataset was loaded: the session of the chain, the record and its time."""

    link: int
    seq: int
    at: datetime | None


class Confirming:
    """What the confirmations of a chain mean for nodes that run again.

    Args:
        chain: The sessions, oldest first.
        nodes: The pipeline, in execution order.
        stored: What is known of each dataset.
        known: What the chain proves.

    Attributes:
        set_back: Datasets whose checkpoint is set back, each with the hash of what it
            was before the confirmation.
    """

    def __init__(
        self,
        chain: Sequence[Link],
        nodes: Sequence[PlannedNode],
        stored: Mapping[str, Stored],
        known: Known,
    ) -> None:
        self._nodes, self._stored, self._known = nodes, stored, known
        self._confirmers: dict[str, list[str]] = {}
        for node in nodes:
            for name in node.confirms:
                self._confirmers.setdefault(bare(name), []).append(node.name)
        self._begun: dict[str, tuple[int, int]] = {}
        self._ended: dict[str, tuple[int, int]] = {}
        self._loads: dict[str, dict[str, _Load]] = {}
        self._confirms: dict[str, list[tuple[int, DatasetOperation]]] = {}
        self.set_back: dict[str, str] = {}
        for link, (_, run) in enumerate(chain):
            for ran in run.nodes.values():
                for name, confirm in ran.confirms.items():
                    self._begun[bare(name)] = link, confirm.started_seq
                    self._confirms.setdefault(bare(name), []).append((link, confirm))
                    if not confirm.is_open:
                        self._ended[bare(name)] = link, confirm.ended_seq
                for name, load in ran.loads.items():
                    one = _Load(link, load.ended_seq or load.started_seq, load.ended_at)
                    self._loads.setdefault(bare(name), {})[ran.name] = one

    def _is_consumed(self, node: str, dataset: str) -> bool | None:
        """Return whether what a node loaded was confirmed; None if it is not known."""
        loads = self._loads.get(bare(dataset))
        if not loads or bare(dataset) in self.set_back:
            return False
        load = loads.get(node) or min(loads.values())
        here = self._stored.get(dataset) or self._stored.get(bare(dataset))
        if here is not None and here.keeps_checkpoint:
            if here.checkpoint_at is None:
                return False  # or it was taken back
            before = self._replaced(dataset, load)
            if before is not None and here.checkpoint_sha256 is not None:
                # Times tell nothing of a checkpoint that was put back or copied.
                return here.checkpoint_sha256 != before
            if load.at is not None:
                whole = not here.checkpoint_at.microsecond
                return here.checkpoint_at >= load.at - (_ARCHIVED if whole else _COARSE)
        moment = load.link, load.seq
        if self._ended.get(bare(dataset), (-1, 0)) > moment:
            return True
        return None if self._begun.get(bare(dataset), (-1, 0)) > moment else False

    def _replaced(self, dataset: str, load: _Load) -> str | None:
        """Return the checkpoint that the first confirmation after a load replaced."""
        for link, one in self._confirms.get(bare(dataset), ()):
            if (link, one.started_seq) > (load.link, load.seq):
                return one.content_sha256
        return None

    def is_done(self, node: PlannedNode, evidence: Evidence) -> bool:
        """Return whether a node that did not complete has nothing left to do.

        Kedro confirms after the last save: once it began to, every output is saved.
        """
        began = any(one.started_seq for one in evidence.node.confirms.values())
        saved = {n for n, save in evidence.node.saves.items() if not save.is_open}
        return (
            began
            and saved >= set(node.outputs)
            and all(self._is_consumed(node.name, name) for name in node.confirms)
        )

    def take_back(self, run: Collection[str]) -> dict[str, str]:
        """Plan to set back the checkpoints that hide what nodes have to load again.

        That is done where the chain made the last confirmation, and its journal has
        the checkpoint that was replaced.

        Args:
            run: Nodes that run.

        Returns:
            Nodes that have to confirm again, with the reason; empty if no checkpoint
            was added to `set_back`.
        """
        found: dict[str, str] = {}
        for node, dataset in self._consuming():
            if node.name not in run or not self._is_consumed(node.name, dataset):
                continue
            before = self._before(node.name, dataset)
            if before is None:
                continue
            self.set_back[bare(dataset)] = before
            reason = f"{node.name} has to load again what it confirmed of {dataset}"
            found |= dict.fromkeys(self._confirmers.get(bare(dataset), ()), reason)
        return found

    def _before(self, node: str, dataset: str) -> str | None:
        """Return the checkpoint before the only confirmation of what a node loaded.

        None if it is not known, or if there was another confirmation since.
        """
        here = self._stored.get(dataset) or self._stored.get(bare(dataset))
        loads = self._loads[bare(dataset)]
        load = loads.get(node) or min(loads.values())
        after = [
            one
            for link, one in self._confirms.get(bare(dataset), ())
            if (link, one.started_seq) > (load.link, load.seq)
        ]
        if here is None or here.checkpoint_at is None or len(after) != 1:
            return None
        (one,) = after
        ours = one.ended_at and here.checkpoint_at <= one.ended_at + _COARSE
        known = one.content_sha256 in here.checkpoints
        return one.content_sha256 if ours and known else None

    def undone(self, node: PlannedNode) -> str:
        """Return the dataset whose confirmation by a completed node was taken back.

        Empty if there is none, as far as is known.
        """
        for name in node.confirms:
            here = self._stored.get(name) or self._stored.get(bare(name))
            if here is None or not here.keeps_checkpoint or not here.exists:
                continue  # where nothing is left to load, nothing was taken back
            if self._is_consumed(node.name, name) is False:
                return name
        return ""

    def impossible(self, run: Collection[str]) -> dict[str, str]:
        """Return the nodes that cannot run again, each with the reason."""
        found: dict[str, str] = {}
        for node, dataset in self._consuming():
            if node.name not in run or dataset not in node.inputs:
                continue
            consumed = self._is_consumed(node.name, dataset)
            if consumed is not False:
                seq = self._begun.get(bare(dataset), (0, 0))[1]
                record = f" (record {seq})" * bool(seq)
                was = "was" if consumed else "may have been"
                found[node.name] = (
                    f"node {node.name} would load an empty increment: {dataset} {was} "
                    f"confirmed{record} after it was loaded"
                )
        return found

    def _has_more(self, dataset: str) -> bool:
        """Return whether something is there that is not confirmed, as far as known."""
        here = self._stored.get(dataset) or self._stored.get(bare(dataset))
        return here is not None and here.keeps_checkpoint and bool(here.exists)

    def _consuming(self) -> Iterator[tuple[PlannedNode, str]]:
        for node in self._nodes:
            for dataset in node.inputs:
                here = self._stored.get(dataset)
                kept = here is not None and here.keeps_checkpoint
                if kept or bare(dataset) in self._confirmers:
                    yield node, dataset

    def unread(self, run: Collection[str]) -> dict[str, str]:
        """Return nodes that have to load again what is confirmed, with the reason.

        Kedro confirms what is there at that moment, unless the same process loaded the
        dataset. What arrived, or will arrive, since a node loaded it may not be
        confirmed unread.
        """
        found: dict[str, str] = {}
        for node, dataset in self._consuming():
            by = [n for n in self._confirmers.get(bare(dataset), ()) if n in run]
            evidence = self._known.nodes.get(node.name)
            if not by or evidence is None or not evidence.is_complete:
                continue
            consumed = self._is_consumed(node.name, dataset)
            if consumed is False or (consumed and self._has_more(dataset)):
                found[node.name] = (
                    f"{by[0]} confirms {dataset}: what arrived since it was loaded "
                    "may not be confirmed unread"
                )
        return found
