"""States made by hand: a story is told in events, and folded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from kedro_journal.events import (
    ContextLoaded,
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
    Record,
    RunStarted,
    SessionCreated,
    WriterOpened,
)
from kedro_journal.state import SessionState, fold
from kedro_journal.views import Screen

BEGIN = datetime(2026, 11, 22, 5, 11, 32, tzinfo=UTC)
ID = "2026-11-22T05.11.32.000Z"
RUN = "2026-11-22T05.11.33.000Z"


class Story:
    """Records, one second apart, of a session by process 4321 on host `mill`."""

    begin = BEGIN
    session_id = ID
    run_id = RUN

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.at = BEGIN

    def tell(self, *events: Event, writer: str = "w1") -> Story:
        for event in events:
            seq = len(self.records) + 1
            record = Record(
                seq=seq,
                at=self.at,
                writer=writer,
                prev="0" * 8,
                crc="0" * 8,
                event=event,
            )
            self.records.append(record)
            self.at += timedelta(seconds=1)
        return self

    def created(self, **fields: Any) -> Story:
        known: dict[str, Any] = {
            "session_id": ID,
            "project_path": "/home/ada/mill",
            "host": "mill",
            "pid": 4321,
            "user": "ada",
        }
        return self.tell(
            JournalHeader(session_id=ID, uid="u", salt="s", package_version="0.1"),
            WriterOpened(pid=4321, host="mill"),
            SessionCreated(**{**known, **fields}),
        )

    def context(self, **fields: Any) -> Story:
        return self.tell(ContextLoaded(**fields))

    def started(self, *names: str, run_id: str = RUN, attempt: int = 1) -> Story:
        nodes = tuple(
            PlannedNode(name, source=f"/home/ada/mill/src/nodes.py:{10 + number}")
            for number, name in enumerate(names)
        )
        return self.tell(
            RunStarted(
                run_id=run_id,
                attempt=attempt,
                pipelines=("__default__",),
                runner="kedro.runner.SequentialRunner",
                nodes=nodes,
            )
        )

    def node(self, name: str, upto: str = "completed", **fields: Any) -> Story:
        """Tell of a node up to loading, running, saving or completed."""
        of = {"run_id": RUN, "node": name, **fields}
        self.tell(DatasetLoading(dataset="table", **of))
        if upto == "loading":
            return self
        self.tell(DatasetLoaded(dataset="table", **of), NodeStarted(**of))
        if upto == "running":
            return self
        self.tell(NodeComputed(**of), DatasetSaving(dataset="model", **of))
        if upto == "saving":
            return self
        return self.tell(
            DatasetSaved(dataset="model", **of), NodeCompleted(duration_s=3.21, **of)
        )

    def state(self, liveness: str | None = None) -> SessionState:
        return replace(fold(self.records), liveness=liveness)

    def moments(self) -> dict[int, datetime]:
        return {record.seq: record.at for record in self.records}


@pytest.fixture
def story() -> Story:
    return Story()


@pytest.fixture
def screen() -> Screen:
    """A pipe, an hour after the story began, in UTC."""
    return Screen(BEGIN + timedelta(hours=1), tz=UTC)
