"""A project with two journals, for the examples in the documentation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kedro_journal.events import (
    CatalogEntry,
    CommandLine,
    ContextLoaded,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    ErrorInfo,
    Event,
    Frame,
    Git,
    JournalHeader,
    NodeCompleted,
    NodeComputed,
    NodeFailed,
    NodeStarted,
    NoteAdded,
    PlannedNode,
    RunCompleted,
    RunFailed,
    RunStarted,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    Versions,
    WriterOpened,
)
from kedro_journal.journal import JournalDirectory, JournalWriter

GOOD = "2026-11-21T22.40.02.871Z"
FAILED = "2026-11-22T05.11.30.123Z"
_ERROR = ErrorInfo(
    type="demand_forecast.exceptions.ModelQualityError",
    message="Model rejected: r2 on the test days is 0.7023",
    frames=(
        Frame(
            file="src/demand_forecast/pipelines/data_science/nodes.py",
            line=121,
            function="check_quality",
            source='raise ModelQualityError("r2", r2, threshold)',
        ),
    ),
)
_PLAN = (
    PlannedNode(name="split_rows", inputs=("features",), outputs=("train_rows",)),
    PlannedNode(name="train_model", inputs=("train_rows",), outputs=("model",)),
    PlannedNode(name="check_quality", inputs=("model",), outputs=("verdict",)),
)


def _node(run_id: str, plan: PlannedNode, version: str | None) -> list[Event]:
    (source,), (target,) = plan.inputs, plan.outputs
    name = plan.name
    return [
        DatasetLoading(run_id=run_id, node=name, dataset=source),
        DatasetLoaded(run_id=run_id, node=name, dataset=source, duration_s=0.01),
        NodeStarted(run_id=run_id, node=name),
        NodeComputed(run_id=run_id, node=name, duration_s=1.25),
        DatasetSaving(run_id=run_id, node=name, dataset=target),
        DatasetSaved(
            run_id=run_id,
            node=name,
            dataset=target,
            duration_s=0.02,
            version=version,
            path=f"data/{target}.json",
            size_bytes=18211,
        ),
        NodeCompleted(run_id=run_id, node=name, duration_s=1.27),
    ]


def _story(session_id: str, *, fails: bool) -> list[Event]:
    *first, last = _PLAN
    run: list[Event] = []
    for plan in first:
        run += _node(session_id, plan, session_id)
    if fails:
        run += _node(session_id, last, None)[:3]
        run.append(NodeFailed(run_id=session_id, node=last.name, error=_ERROR))
        run.append(RunFailed(run_id=session_id, error=_ERROR, duration_s=3.1))
    else:
        run += _node(session_id, last, session_id)
        run.append(RunCompleted(run_id=session_id, duration_s=4.2))
    return [
        SessionCreated(
            session_id=session_id,
            group_id="scheduled__2026-11-21",
            project_path="/home/ada/demand-forecast",
            package_name="demand_forecast",
            env="staging",
            runtime_params={"learning_rate": 0.1},
            command=CommandLine(argv=("run", "--env=staging"), name="run"),
            git=Git(sha="3f8a1f0c5d7b9e24c6a80d1f3b5e7c9a2d4f6081", branch="main"),
            versions=Versions(python="3.12.7", kedro="1.7.0", kedro_journal="0.1.0"),
        ),
        SessionActivated(),
        ContextLoaded(
            env="staging",
            parameters={"learning_rate": 0.1, "warehouse": {"password": "[redacted]"}},
            catalog=(CatalogEntry(name="model", versioned=True),),
        ),
        RunStarted(run_id=session_id, env="staging", nodes=_PLAN),
        *run,
        NoteAdded(text="seen by ada", fields={"station": 3}),
        SessionDeactivated(),
        SessionClosed(reason="command", exit_code=int(fails)),
    ]


def make_project(root: Path) -> Path:
    """Make a project with one session that completed and one that failed."""
    (root / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "demand_forecast"\n', encoding="utf-8"
    )
    directory = JournalDirectory(root / "sessions")
    for number, session_id in enumerate((GOOD, FAILED)):
        claimed, folder = directory.claim(session_id)
        writer = JournalWriter(
            folder,
            WriterOpened(pid=41873, host="atlas", user="ada", python="3.12.7"),
            header=JournalHeader(
                session_id=claimed,
                uid=f"019ab3f1-2c5b-7d3e-9a41-6f0c2d8e7b1{number}",
                salt=f"9f2c51d07ab84e6693d1c0ee5a7f4b2{number}",
                package_version="0.1.0",
            ),
        )
        at = datetime(2026, 11, 21 + number, 5, 11, 30, tzinfo=UTC)
        for step, event in enumerate(_story(claimed, fails=claimed == FAILED)):
            writer.append(event, at=at + timedelta(milliseconds=40 * step))
        writer.close()
    return root


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory is a project with two journals."""
    made = make_project(tmp_path)
    monkeypatch.chdir(made)
    return made
