"""A small world in which runs die: nodes, datasets, a disk, journals. Nothing is real.

What a node saves is a text that says what it was made from. So it can be seen whether
a resumed run ends with what a run without a death would have made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final, Literal

from kedro_journal.analysis import Link, Stored
from kedro_journal.analysis.evidence import bare, collect
from kedro_journal.events import (
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    PlannedNode,
    Record,
    RunStarted,
    SessionCreated,
    SessionResumed,
)
from kedro_journal.state import SessionState, fold

__all__ = ["EPOCH", "File", "Journal", "Kind", "Phase", "World", "node"]

EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)
Kind = Literal["memory", "file", "versioned"]
Phase = Literal["loading", "running", "failed", "computed", "saving", "saved one"]
_STEP: Final = timedelta(seconds=10)


def node(name: str, inputs: Collection[str], outputs: Collection[str]) -> PlannedNode:
    """Make a node."""
    return PlannedNode(
        name=name,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        function=f"nodes.{name}",
        source_sha256=f"sha of {name}",
    )


class Lost(Exception):
    """A node wanted to load what is not there."""


@dataclass
class File:
    """Something on the disk."""

    content: str
    written_at: datetime


@dataclass(repr=False)
class Journal:
    """The journal of one session, as it is written."""

    session_id: str
    run_id: str
    records: list[Record] = field(default_factory=list)

    def __repr__(self) -> str:
        """What happened, in few words."""
        told = [
            f"{r.seq}:{r.type}"
            f"({getattr(r.event, 'node', '')} {getattr(r.event, 'dataset', '')})"
            for r in self.records
        ]
        return f"{self.session_id}: {' '.join(told)}"

    def add(self, event: Event, at: datetime) -> None:
        """Append an event."""
        seq = len(self.records) + 1
        record = Record(seq=seq, at=at, writer="w1", prev="", crc="", event=event)  # type: ignore[arg-type]
        self.records.append(record)

    def state(self) -> SessionState:
        """Give the state that it adds up to."""
        return fold(self.records)

    def link(self) -> Link:
        """Give it as a link of a chain."""
        state = self.state()
        run = state.last_run
        assert run is not None
        return Link(state, run)


@dataclass(repr=False)
class World:
    """Where runs happen.

    Attributes:
        nodes: The pipeline, in execution order.
        kinds: What each dataset is, by its bare name; free inputs are files.
        exact: Journals have the modification times of what was saved.
        disk: What is there, by dataset and version; no version is an empty one.
    """

    nodes: Sequence[PlannedNode]
    kinds: Mapping[str, Kind]
    exact: bool = True
    disk: dict[tuple[str, str], File] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Its nodes, and what is on the disk."""
        nodes = [f"{n.inputs} -> {n.name} -> {n.outputs}" for n in self.nodes]
        disk = [f"{name}/{v} {f.content}" for (name, v), f in self.disk.items()]
        return "\n".join([*nodes, str(self.kinds), *disk])

    def __post_init__(self) -> None:
        self._ticks: Iterator[int] = count(1)
        self.code: dict[str, int] = {}
        self.makers = {bare(o): n.name for n in self.nodes for o in n.outputs}
        for one in self.nodes:
            for name in map(bare, one.inputs):
                if name not in self.makers and not name.startswith("params:"):
                    self.write(name, f"raw {name}")

    def tick(self) -> datetime:
        """Let time go by."""
        return EPOCH + _STEP * next(self._ticks)

    def write(self, name: str, content: str, version: str = "") -> datetime:
        """Write a file, whoever does."""
        at = self.tick()
        self.disk[name, version] = File(content, at)
        return at

    def kind(self, dataset: str) -> Kind:
        """Say what a dataset is."""
        return self.kinds.get(bare(dataset), "file")

    # -- running ---------------------------------------------------------------------

    def begin(
        self, session_id: str, nodes: Collection[str], parent: Journal | None = None
    ) -> Journal:
        """Begin a run of some nodes, in a new session."""
        journal = Journal(session_id, f"run {session_id}")
        journal.add(SessionCreated(session_id=session_id), self.tick())
        if parent is not None:
            resumed = SessionResumed(
                parent_session_id=parent.session_id, parent_run_id=parent.run_id
            )
            journal.add(resumed, self.tick())
        self.start_run(journal, nodes)
        return journal

    def start_run(
        self, journal: Journal, nodes: Collection[str], attempt: int = 1
    ) -> None:
        """Begin an attempt at the run."""
        planned = tuple(n for n in self.nodes if n.name in nodes)
        event = RunStarted(run_id=journal.run_id, attempt=attempt, nodes=planned)
        journal.add(event, self.tick())

    def execute(
        self,
        journal: Journal,
        name: str,
        memory: dict[str, str],
        *,
        pins: Mapping[str, str] | None = None,
        until: Phase | None = None,
        attempt: int = 1,
    ) -> None:
        """Run one node, to its end or to the phase in which its process dies.

        Raises:
            Lost: An input is not there.
        """
        (one,) = (n for n in self.nodes if n.name == name)
        key = {"run_id": journal.run_id, "attempt": attempt, "node": name}

        def say(make: Callable[..., Event], **facts: object) -> None:
            journal.add(make(**key, **facts), self.tick())

        loaded = []
        for dataset in one.inputs:
            say(DatasetLoading, dataset=dataset)
            if until == "loading":
                return
            content, version = self._load(dataset, memory, pins or {})
            loaded.append(content)
            say(DatasetLoaded, dataset=dataset, version=version or None)
        say(NodeStarted)
        if until == "running":
            return
        if until == "failed":
            say(NodeFailed, error=ErrorInfo(type="ValueError"))
            return
        say(NodeComputed)
        if until == "computed":
            return
        for number, output in enumerate(one.outputs):
            say(DatasetSaving, dataset=output)
            whole = until != "saving"
            made = self._content(one, output, loaded)
            facts = self._save(output, made if whole else "half", journal, memory)
            if not whole:
                return
            say(DatasetSaved, dataset=output, **facts)
            if until == "saved one" and number < len(one.outputs) - 1:
                return
        if until != "saved one":
            say(NodeCompleted)

    def _content(self, one: PlannedNode, output: str, loaded: list[str]) -> str:
        code = self.code.get(one.name, 0)
        return f"{bare(output)} by {one.name}.{code} of ({', '.join(loaded)})"

    def _load(
        self, dataset: str, memory: Mapping[str, str], pins: Mapping[str, str]
    ) -> tuple[str, str]:
        name = bare(dataset)
        if name.startswith("params:"):
            return name, ""
        if self.kind(name) == "memory":
            if name not in memory:
                raise Lost(name)
            return memory[name], ""
        version = pins.get(dataset, "")
        if self.kind(name) == "versioned" and not version:
            version = max((v for n, v in self.disk if n == name), default="")
        if (name, version) not in self.disk:
            raise Lost(name)
        return self.disk[name, version].content, version

    def _save(
        self, output: str, content: str, journal: Journal, memory: dict[str, str]
    ) -> dict[str, object]:
        name = bare(output)
        if self.kind(name) == "memory":
            memory[name] = content
            return {}
        version = journal.session_id if self.kind(name) == "versioned" else ""
        at = self.write(name, content, version)
        facts: dict[str, object] = {"path": f"{name}/{version}"}
        if version:
            facts["version"] = version
        if self.exact:
            facts["modified_us"] = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                microseconds=1
            )
        return facts

    # -- what a planner and a judge look at ------------------------------------------

    def stored(self, chain: Sequence[Link]) -> dict[str, Stored]:
        """Tell of each dataset what a catalog would."""
        known = collect(chain)
        found: dict[str, Stored] = {}
        for dataset in {d for n in self.nodes for d in (*n.inputs, *n.outputs)}:
            if dataset.startswith("params:"):
                continue
            if self.kind(dataset) == "memory":
                found[dataset] = Stored(persistent=False)
                continue
            maker = self.makers.get(bare(dataset))
            version = known.version_of(dataset, maker) or ""
            here = self.disk.get((bare(dataset), version))
            found[dataset] = Stored(
                persistent=True,
                versioned=self.kind(dataset) == "versioned",
                path=f"{bare(dataset)}/{version}",
                exists=here is not None,
                modified_at=here.written_at if here is not None else None,
            )
        return found

    def expected(self) -> dict[str, str]:
        """Give what a run without a death leaves in each persistent output."""
        memory: dict[str, str] = {}
        for one in self.nodes:
            loaded = [memory.get(bare(d), f"raw {bare(d)}") for d in one.inputs]
            loaded = [
                bare(d) if d.startswith("params:") else content
                for d, content in zip(one.inputs, loaded, strict=True)
            ]
            for output in one.outputs:
                memory[bare(output)] = self._content(one, output, loaded)
        return {
            name: content
            for name, content in memory.items()
            if self.kind(name) != "memory"
        }

    def left(self, chain: Sequence[Link]) -> dict[str, str | None]:
        """Give what is in each persistent output, in the version of the chain."""
        known = collect(chain)
        found: dict[str, str | None] = {}
        for name, maker in self.makers.items():
            if self.kind(name) == "memory":
                continue
            version = known.version_of(name, maker) or ""
            here = self.disk.get((name, version))
            found[name] = here.content if here is not None else None
        return found
