"""Many sessions: the list of all, and the newest of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from measure import Dose, Group, Subject, Target, peer
from samples import begin, end, journal_of, node, started, write

from kedro_journal.journal import JournalDirectory, session_timestamp
from kedro_journal.replaying.index import listed


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    count = dose.size(10_000, 1_000)
    directory = folder / "sessions"
    _make(directory, count)
    yield _list(directory, count)
    yield _list_beside(directory, folder, count)


def _make(directory: Path, count: int) -> None:
    """Write so many sessions of 100 events, about."""
    directory.mkdir(mode=0o700, parents=True)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    names = [f"data_science.node_{number}" for number in range(10)]
    for number in range(count):
        session_id = session_timestamp(began + timedelta(minutes=number))
        events = [*begin(session_id), *started(session_id, names)]
        for name in names:
            events += node(session_id, name)
        write(journal_of(directory / session_id), iter(events + end(session_id)))


def _ms(call: Callable[[], Any]) -> Callable[[], float]:
    def measure() -> float:
        began = time.perf_counter()
        call()
        return (time.perf_counter() - began) * 1e3

    return measure


def _scan(directory: Path) -> int:
    """Look at each journal, and nothing more."""
    total = 0
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.name[0] != "." and entry.is_dir(follow_symlinks=False):
                total += os.stat(f"{entry.path}/journal.jsonl").st_size  # noqa: PTH116
    return total


def _all(directory: Path) -> int:
    return sum(row.state.verdict == "completed" for row in _rows(directory))


def _newest(directory: Path) -> int:
    rows = islice(_rows(directory), 20)
    return sum(row.state.verdict == "completed" for row in rows)


def _rows(directory: Path) -> Iterator[Any]:
    """Give what the command `list` gives its view, newest first."""
    return listed(JournalDirectory(directory))


def _mlflow(folder: Path, count: int) -> Callable[[], float]:
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.create_experiment("benchmark")
    for number in range(count):
        run = client.create_run(experiment)
        metrics = [Metric("rmse", 0.1 * number, number, 0)]
        params = [Param("model", "linear"), Param("size", "0.2")]
        tags = [RunTag("node", "train")]
        client.log_batch(run.info.run_id, metrics, params, tags)
        client.set_terminated(run.info.run_id)

    def search() -> None:
        token, found = None, 0
        while found < count:
            page = client.search_runs([experiment], max_results=5000, page_token=token)
            found += len(page)
            token = page.token

    return _ms(search)


def _list(directory: Path, count: int) -> Group:
    names = f"scandir + stat of {count:,}", f"list all {count:,}", "list the newest 20"
    time.sleep(2.1)  # only what has settled is kept from one list to the next
    _all(directory)
    return Group(
        "list of sessions",
        "ms",
        (
            Subject(names[0], _ms(lambda: _scan(directory))),
            Subject(names[1], _ms(lambda: _all(directory))),
            Subject(names[2], _ms(lambda: _newest(directory))),
        ),
        (
            Target("list all <= 2 x scandir + stat", names[1], 2, names[0]),
            Target("newest 20 <= 5 ms", names[2], 5, unit="ms"),
        ),
    )


def _list_beside(directory: Path, folder: Path, count: int) -> Group:
    """Apart from the others: to collect the garbage of MLflow's million objects before
    each measurement empties every cache, and a list of the newest takes that long again.
    """
    runs = min(count, 2_000)
    ours, theirs = (
        f"list all {count:,}, beside MLflow",
        f"MLflow search_runs of {runs:,} runs, x {count // runs}",
    )

    def searched() -> Callable[[], float]:
        search = _mlflow(folder, runs)
        return lambda: search() * count / runs

    return Group(
        "list of sessions and MLflow",
        "ms",
        (
            Subject(ours, _ms(lambda: _all(directory))),
            peer(theirs, ["mlflow", "sqlalchemy"], searched),
        ),
        (Target("MLflow >= 10 x list all", theirs, 10, ours, at_least=True),),
    )
