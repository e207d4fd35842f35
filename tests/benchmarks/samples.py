"""Journals and events that the benchmarks share: real ones, made in bulk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kedro_journal.events import (
    Cursor,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeStarted,
    PlannedNode,
    RunCompleted,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    WriterOpened,
)
from kedro_journal.journal import JournalWriter
from kedro_journal.journal.codec import Encoded, encode_event, seal_batch
from kedro_journal.journal.names import JOURNAL_NAME

RUN = "2026-11-22T05.11.30.123Z"
_START = datetime(2026, 11, 22, 5, 11, 30, 123000, tzinfo=UTC)


def real_event() -> DatasetSaved:
    """Give an event whose line has about 350 bytes."""
    return DatasetSaved(
        run_id=RUN,
        node="data_science.train_model_node",
        dataset="regressor",
        duration_s=0.00323412,
        path="/home/user/project/data/06_models/regressor.pickle",
        size_bytes=134217,
        modified_us=1795324290123456,
    )


def header(session_id: str = RUN) -> JournalHeader:
    return JournalHeader(
        session_id=session_id,
        uid="019b7c1e-0000-7000-8000-000000000000",
        salt="00112233445566778899aabbccddeeff",
        package_version="0",
    )


def opened(role: str = "owner") -> WriterOpened:
    return WriterOpened(
        pid=os.getpid(), host="host", role=role, user="user", python="3.11"
    )


def create(folder: Path, **options: object) -> JournalWriter:
    """Give the writer of a new journal."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return JournalWriter(folder, opened(), header=header(), **options)  # type: ignore[arg-type]


def begin(session_id: str = RUN) -> list[Event]:
    """Give the events before the first run."""
    created = SessionCreated(
        session_id=session_id,
        project_path="/home/user/project",
        package_name="spaceflights",
        env="local",
        runtime_params={"model": {"test_size": 0.2, "random_state": 3}},
        user="user",
        via="command",
    )
    return [header(session_id), opened(), created, SessionActivated()]


def end(run_id: str = RUN, attempt: int = 1) -> list[Event]:
    """Give the events from the end of the run on."""
    done = RunCompleted(run_id=run_id, attempt=attempt, duration_s=12.5)
    return [done, SessionDeactivated(), SessionClosed(reason="close")]


def started(run_id: str, names: list[str]) -> list[Event]:
    """Give the events that begin a run of so many nodes, in parts as Kedro's do."""
    events: list[Event] = []
    for part, first in enumerate(range(0, len(names), 500), 1):
        plans = tuple(
            PlannedNode(
                name=name,
                inputs=(f"{name}.in", "params:model"),
                outputs=(f"{name}.out",),
            )
            for name in names[first : first + 500]
        )
        events.append(
            RunStarted(
                run_id=run_id,
                pipelines=("__default__",),
                runner="SequentialRunner",
                nodes=plans,
                part=part,
            )
        )
    return events


def node(run_id: str, name: str, chunks: int = 1) -> Iterator[Event]:
    """Give the events of one node: two loads, and a save in so many chunks."""
    for dataset in (f"{name}.in", "params:model"):
        yield DatasetLoading(run_id=run_id, node=name, dataset=dataset)
        yield DatasetLoaded(
            run_id=run_id, node=name, dataset=dataset, duration_s=0.0123456
        )
    yield NodeStarted(run_id=run_id, node=name)
    yield NodeComputed(run_id=run_id, node=name, duration_s=0.123456)
    for _ in range(chunks):
        yield DatasetSaving(run_id=run_id, node=name, dataset=f"{name}.out")
        yield DatasetSaved(
            run_id=run_id,
            node=name,
            dataset=f"{name}.out",
            duration_s=0.00323412,
            path=f"/home/user/project/data/{name}.out.parquet",
            size_bytes=134217,
            modified_us=1795324290123456,
        )
    yield NodeCompleted(run_id=run_id, node=name, duration_s=0.1333)


def long_run(count: int) -> Iterator[Event]:
    """Give *count* events, about: one run of 100 nodes that save in chunks.

    The state that they add up to is small, however many they are.
    """
    names = [f"data_science.node_{number:05d}" for number in range(100)]
    chunks = max(1, (count - 20 - 100 * 7) // 200)
    yield from begin()
    yield from started(RUN, names)
    for name in names:
        yield from node(RUN, name, chunks)
    yield from end()


def many_runs(runs: int, nodes: int) -> Iterator[Event]:
    """Give the events of so many runs of so many nodes."""
    names = [f"data_science.node_{number:05d}" for number in range(nodes)]
    yield from begin()
    run_id = RUN
    for number in range(runs):
        run_id = f"{RUN}-{number}"
        yield from started(run_id, names)
        for name in names:
            yield from node(run_id, name)
        if number < runs - 1:
            yield RunCompleted(run_id=run_id, duration_s=12.5)
    yield from end(run_id)


def write(path: Path, events: Iterator[Event], began: datetime = _START) -> int:
    """Write a journal in bulk, as a writer would have; return its number of records.

    Args:
        path: The journal file.
        events: What happened.
        began: The time of the first thousand records.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    last = Cursor()
    with path.open("wb") as file:
        while some := list(itertools.islice(events, 1000)):
            batch = [Encoded(event, encode_event(event)) for event in some]
            now = began + timedelta(milliseconds=last.seq)
            data, records = seal_batch(batch, last, "w1", now)
            file.write(data)
            last = records[-1].cursor
    path.chmod(0o600)
    return last.seq


def journal_of(folder: Path) -> Path:
    return folder / JOURNAL_NAME
