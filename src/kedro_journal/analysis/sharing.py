"""Which nodes write and read the same stored data. Pure.

Data is identified by its place, not by the name of a dataset. Two catalog entries may
share a file, a node may update a file in place, and a node may append to a table. What
is stored at such a place is described by its *contents*: the nodes whose saves are in
it. A node that runs again needs the contents that it has in a run from the start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kedro_journal.events import PlannedNode
from kedro_journal.state.model import DatasetOperation

from .evidence import Link, bare
from .places import is_elsewhere, saved_at
from .stored import Stored

__all__ = ["LastSave", "Sharing"]

Contents = frozenset[str]
_Moment = tuple[int, int]  # a session of the chain and a record
_ORIGINAL: Final = ""  # what was there before the first run of the chain
_FOREIGN: Final = "\0"  # what another program wrote
_MASKED: Final = "[redacted"  # two such paths may look the same
_BEFORE: Final[Contents] = frozenset({_ORIGINAL})


class LastSave(NamedTuple):
    """The last save at a place in a chain.

    Attributes:
        node: Name of the node.
        save: The save.
    """

    node: str
    save: DatasetOperation


class Sharing:
    """The places that several datasets of a pipeline share, and what is stored there.

    Args:
        chain: The sessions, oldest first.
        nodes: The pipeline, in execution order.
        stored: What is known of each dataset.
    """

    def __init__(
        self,
        chain: Sequence[Link],
        nodes: Sequence[PlannedNode],
        stored: Mapping[str, Stored],
    ) -> None:
        self._nodes, self._stored = nodes, stored
        self._named = {node.name: node for node in nodes}
        self._places = {name: _place(name, one) for name, one in stored.items()}
        self._by_path = {
            one.path: self._places[name]
            for name, one in stored.items()
            if one.path and self._places[name]
        }
        self._folders = {self._places[n] for n, one in stored.items() if one.is_folder}
        self._savers: dict[str, set[str]] = {}
        for node in nodes:
            for output in node.outputs:
                place = self._places.get(output, "")
                self._savers.setdefault(place, set()).add(node.name)
        self._last: dict[str, LastSave] = {}
        saves = list(self._saves(chain))
        gone = {
            place
            for place, name, *_ in saves
            if name not in self._savers.get(place, ())
        }
        self._overlaps = self._shared(gone)
        self._now: dict[str, Contents] = {}
        self._first: dict[str, _Moment] = {}
        for place, name, save, link in saves:
            self._last[place] = LastSave(name, save)
            self._first.setdefault(place, (link, save.started_seq))
            self._write(self._now, place, name)
        for place in self._overlaps:
            self._compare(chain, place)
        self._wanted: dict[tuple[str, str], Contents] = {}
        self._final: dict[str, Contents] = {}
        for node in nodes:
            for place in self._reads(node):
                self._wanted[node.name, place] = self._final.get(place, _BEFORE)
            for place in self._writes(node):
                self._write(self._final, place, node.name)

    # -- which places are shared -----------------------------------------------------

    def _shared(self, gone: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return the places whose contents need care, with those that overlap them.

        Args:
            gone: Places where nodes saved that do not save there any more.
        """
        datasets: dict[str, set[str]] = {}
        appended = set()
        for name, place in self._places.items():
            if place:
                datasets.setdefault(place, set()).add(bare(name))
                if self._stored[name].appends:
                    appended.add(place)
        overlaps: dict[str, tuple[str, ...]] = {place: (place,) for place in datasets}
        parents: list[str] = []
        for place in sorted(datasets, key=lambda one: one.split("/")):
            while parents and not _is_in(place, parents[-1]):
                parents.pop()
            for parent in parents:
                overlaps[parent] += (place,)
                overlaps[place] += (parent,)
            parents.append(place)
        found = {}
        for place, others in overlaps.items():
            names = set().union(*(datasets[one] for one in others))
            written = any(one in self._savers for one in others)
            several = len(names) > 1 and written
            if several or place in appended or place in gone:
                found[place] = others
        return found

    def _reads(self, node: PlannedNode) -> list[str]:
        """Return the shared places whose contents the outcome of a node depends on."""
        names = [
            *node.inputs,
            *(
                output
                for output in node.outputs
                if output in self._stored and self._stored[output].appends
            ),
        ]
        places = (self._places.get(name, "") for name in names)
        return [place for place in dict.fromkeys(places) if place in self._overlaps]

    def _writes(self, node: PlannedNode) -> list[str]:
        places = (self._places.get(name, "") for name in node.outputs)
        return [place for place in dict.fromkeys(places) if place in self._overlaps]

    def _write(self, contents: dict[str, Contents], place: str, name: str) -> None:
        """Change contents as a save of a node at a place does."""
        if place not in self._overlaps:
            return
        node = self._named.get(name)
        adds = node is not None and place in self._reads(node)
        before = contents.get(place, _BEFORE) if adds else frozenset()
        if place in self._folders and not adds:
            before = contents.get(place, _BEFORE) - {_ORIGINAL}
        for other in self._overlaps[place]:
            partly = other != place  # a folder that it is in, or a file of it
            old = contents.get(other, _BEFORE) if partly else before
            contents[other] = old | {name}

    # -- what is stored there --------------------------------------------------------

    def _saves(
        self, chain: Sequence[Link]
    ) -> Iterator[tuple[str, str, DatasetOperation, int]]:
        """Yield the saves of a chain in their order: place, node, save, session."""
        for link, (state, run) in enumerate(chain):
            found = [
                (node.name, save)
                for attempt in state.runs
                if attempt.run_id == run.run_id
                for node in attempt.nodes.values()
                for save in node.saves.values()
            ]
            for name, save in sorted(found, key=lambda one: one[1].started_seq):
                place = self._by_path.get(saved_at(state, save), "")
                here = self._stored.get(save.dataset)
                if not place and here is not None:
                    moved = is_elsewhere(state, save, here)
                    place = "" if moved else self._places[save.dataset]
                if place:
                    yield place, name, save, link

    def _compare(self, chain: Sequence[Link], place: str) -> None:
        """Correct the contents of a place by the fingerprint of what is there."""
        last = self._last.get(place)
        if last is None:
            return
        names = [name for name, one in self._places.items() if one == place]
        here = self._stored[names[0]]
        for link, (_, run) in enumerate(chain):
            first = run.first_loads
            for load in (first[name] for name in names if name in first):
                earlier = (link, load.fingerprint_seq) < self._first[place]
                if earlier and load.fingerprint.same_data(here.fingerprint):
                    self._now[place] = _BEFORE  # the original was put back
                    return
        if here.exists is False:
            self._now[place] = frozenset({_FOREIGN})
        elif last.save.fingerprint.same_data(here.fingerprint) is False:
            self._now[place] = self._now[place] | {_FOREIGN}

    def last_save(self, dataset: str) -> LastSave | None:
        """Return the last save in the chain at the place of a dataset."""
        place = self._places.get(dataset, "")
        return self._last.get(place) if place else None

    def is_shared(self, dataset: str) -> bool:
        """Return whether the place of a dataset is one that several share."""
        return self._places.get(dataset, "") in self._overlaps

    # -- what a plan needs -----------------------------------------------------------

    def before(self, node: PlannedNode) -> set[str]:
        """Return the nodes whose saves at shared places a node depends on."""
        wanted = (self._wanted[node.name, place] for place in self._reads(node))
        return set().union(*wanted) - {_ORIGINAL, node.name}

    def missing(self, run: Collection[str]) -> dict[str, str]:
        """Return further nodes that have to run, each with the reason.

        Args:
            run: Nodes that run.
        """
        return self._simulate(run)[0]

    def impossible(self, run: Collection[str]) -> dict[str, str]:
        """Return the nodes that cannot run again, each with the reason.

        Args:
            run: All nodes that run: `missing` has nothing to add.
        """
        return self._simulate(run)[1]

    def pairs(self, run: Collection[str]) -> tuple[tuple[str, str], ...]:
        """Return pairs of nodes that run and have to keep their order.

        Args:
            run: All nodes that run.
        """
        found: dict[tuple[str, str], None] = {}
        touched: dict[str, list[tuple[str, bool]]] = {}
        for node in self._nodes:
            if node.name not in run:
                continue
            writes = {
                other for one in self._writes(node) for other in self._overlaps[one]
            }
            for place in sorted({*self._reads(node), *writes}):
                before = touched.setdefault(place, [])
                for name, wrote in before:
                    if (wrote or place in writes) and name != node.name:
                        found[name, node.name] = None
                before.append((node.name, place in writes))
        return tuple(found)

    def between(self, run: Collection[str]) -> dict[str, str]:
        """Return nodes that keep others in order, each with the reason.

        Two nodes may depend on each other through a node that need not run. Without
        that one, a runner may start them in another order, or at the same time.
        """
        pairs = self.pairs(run)
        found: dict[str, str] = {}
        for first, second in pairs:
            if second in self._after(first, run):
                continue
            every = self._after(first, self._named)
            if second not in every:
                continue  # in a run from the start they have no order, either
            for name in every - set(run):
                if second in self._after(name, self._named):
                    found.setdefault(
                        name, f"{second} has to run after {first}, and follows from it"
                    )
        return found

    def _after(self, name: str, run: Collection[str]) -> set[str]:
        """Return the nodes that follow from a node, if these are all that run."""
        made = set(map(bare, self._named[name].outputs))
        found: set[str] = set()
        for node in self._nodes:
            if node.name in run and not made.isdisjoint(map(bare, node.inputs)):
                found.add(node.name)
                made |= set(map(bare, node.outputs))
        return found

    def _simulate(self, run: Collection[str]) -> tuple[dict[str, str], dict[str, str]]:
        now = dict(self._now)
        needed: dict[str, str] = {}
        refused: dict[str, str] = {}
        for node in self._nodes:
            if node.name not in run:
                continue
            for place in self._reads(node):
                wanted = self._wanted[node.name, place]
                if now.get(place, _BEFORE) == wanted:
                    continue
                if _ORIGINAL in wanted:
                    refused[node.name] = self._lost(node, place, now)
                    continue
                reason = f"{node.name} needs what it saved, which was overwritten"
                needed |= dict.fromkeys(wanted - set(run), reason)
            for place in self._writes(node):
                self._write(now, place, node.name)
        for place, wanted in self._final.items():
            have = now.get(place, _BEFORE)
            if have in (_BEFORE, wanted):
                continue
            left = wanted - have if have < wanted else wanted
            reason = "what it saved was overwritten, or is overwritten when others run"
            for name in left - set(run) - {_ORIGINAL}:
                needed.setdefault(name, reason)
            if _FOREIGN in have and _ORIGINAL in wanted:
                node = next(n for n in self._nodes if n.name in wanted)
                refused[node.name] = self._lost(node, place, now)
        return needed, refused

    def _lost(self, node: PlannedNode, place: str, now: Mapping[str, Contents]) -> str:
        """Return why the original of what a node works on is not there."""
        dataset = next(
            name
            for name in (*node.inputs, *node.outputs)
            if self._places.get(name) == place
        )
        last = self._last.get(place)
        by = f"{last.node} (record {last.save.started_seq})" if last else "another node"
        changed = _FOREIGN in now.get(place, _BEFORE)
        more = ", and was changed after that" if changed else ""
        return (
            f"node {node.name} would process the same data twice: {dataset} was "
            f"overwritten in place by node {by}{more}"
        )


def _place(name: str, one: Stored) -> str:
    """Return what identifies the data of a dataset; empty if nothing can share it."""
    if not one.persistent or one.versioned:
        return ""  # each version has a place of its own
    if one.place:
        return one.place
    if one.path and _MASKED not in one.path:
        return one.path
    return f"dataset:{bare(name)}" if one.appends else ""


def _is_in(place: str, folder: str) -> bool:
    return place.startswith(folder.rstrip("/") + "/")
