"""What the sessions of a chain prove about each node. Pure.

A chain is a session and those that resumed it, oldest first. The last that a node did
counts, for as long as nothing that it was made from was made again later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from kedro_journal.events import PlannedNode
from kedro_journal.state.model import NodeState, RunState, SessionState

__all__ = ["Evidence", "Known", "Link", "bare", "collect", "refused_output"]


class Link(NamedTuple):
    """One session of a chain, and the run in it that the next one resumes."""

    state: SessionState
    run: RunState


class Evidence(msgspec.Struct, frozen=True):
    """The last that a node did in a chain.

    Attributes:
        link: Number of the session in the chain, from 0.
        session_id: That session.
        attempt: The attempt at its run.
        node: The node.
    """

    link: int
    session_id: str
    attempt: int
    node: NodeState

    @property
    def is_complete(self) -> bool:
        """Its function returned and every output was saved."""
        return self.node.status == "completed"


class Known(NamedTuple):
    """What a chain proves.

    Attributes:
        nodes: The last that each node did, by name.
        unreached: Nodes that a later session set out to run again and did not get to,
            with that session.
        planned: What was last planned of each node, with the number of the session.
    """

    nodes: Mapping[str, Evidence]
    unreached: Mapping[str, str]
    planned: Mapping[str, tuple[int, PlannedNode]]

    def version_of(self, dataset: str, maker: str | None) -> str | None:
        """Return the version that the chain saved, or loaded if no node makes it.

        Args:
            dataset: The dataset, with or without the part behind the @.
            maker: The node that makes it, if one does.
        """
        if maker is not None:
            known = self.nodes.get(maker)
            for operation in known.node.saves.values() if known else ():
                same = bare(operation.dataset) == bare(dataset)
                if same and not operation.is_open:
                    return operation.version
            return None
        version = None
        for known in self.nodes.values():
            load = known.node.loads.get(dataset)
            if load is not None and load.version:
                version = load.version
        return version


def bare(dataset: str) -> str:
    """Return a dataset's name without the transcoding part after the @."""
    return dataset.partition("@")[0]


def collect(chain: Sequence[Link]) -> Known:
    """Find out what the sessions of a chain prove, oldest first."""
    nodes: dict[str, Evidence] = {}
    unreached: dict[str, str] = {}
    planned: dict[str, tuple[int, PlannedNode]] = {}
    for number, (state, run) in enumerate(chain):
        mine: dict[str, Evidence] = {}
        asked: set[str] = set()
        for attempt in state.runs:
            if attempt.run_id != run.run_id:
                continue
            for name, node in attempt.nodes.items():
                if node.plan is not None:
                    planned[name] = number, node.plan
                    asked.add(name)
                if node.status not in ("pending", "skipped"):
                    mine[name] = Evidence(
                        number, state.session_id, attempt.attempt, node
                    )
        nodes |= mine
        for name in mine:
            unreached.pop(name, None)
        if number:  # it was to run no more than it had to
            unreached |= dict.fromkeys(asked - mine.keys(), state.session_id)
    return Known(nodes, unreached, planned)


def refused_output(node: NodeState) -> str:
    """Return the output that a validation refused; nothing of it was written.

    Empty if none was.
    """
    data = node.error.data if node.error is not None else None
    if data is None or data.mode != "save" or not data.dataset:
        return ""
    save = node.saves.get(data.dataset)
    return data.dataset if save is not None and save.is_open else ""
