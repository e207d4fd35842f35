"""Tenfold regressions: each figure against a bare one taken in turn, by CPU time.

Nothing here is a target: those are measured by tests/benchmarks. The bounds are ten
times as wide, so that neither a slow machine nor a busy one passes them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
from journals import create, put, seal_all

from kedro_journal.events import (
    DatasetSaved,
    DatasetSaving,
    Event,
    PlannedNode,
    RunStarted,
)
from kedro_journal.journal.codec import encode_event
from kedro_journal.replaying import replay_folder

SAVED = DatasetSaved(
    run_id="2026-11-22T05.11.30.123Z",
    node="data_science.train_model_node",
    dataset="regressor",
    duration_s=0.00323412,
    path="/home/user/project/data/06_models/regressor.pickle",
    size_bytes=134217,
)
ROUNDS = 5


def ratio(one: Callable[[], object], bare: Callable[[], object]) -> float:
    """Give the CPU time of one by that of the other: the least of a few rounds each."""
    times: dict[Callable[[], object], list[float]] = {one: [], bare: []}
    for _ in range(ROUNDS):
        for call, spent in times.items():
            began = time.process_time()
            call()
            spent.append(time.process_time() - began)
    return min(times[one]) / max(min(times[bare]), 1e-9)


def test_an_append_is_no_hundred_bare_writes(tmp_path: Path) -> None:
    writer = create(tmp_path / "s")
    writer.append(SAVED)
    line = encode_event(SAVED) + b" " * 130
    fd = os.open(tmp_path / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        found = ratio(
            lambda: [writer.append(SAVED) for _ in range(1000)],
            lambda: [os.write(fd, line) for _ in range(1000)],
        )
    finally:
        os.close(fd)
    assert found < 80


def test_a_replay_is_no_thirty_bare_decodings(tmp_path: Path) -> None:
    plan = (PlannedNode(name=SAVED.node),)
    saving = DatasetSaving(run_id=SAVED.run_id, node=SAVED.node, dataset=SAVED.dataset)
    found: list[Event] = [RunStarted(run_id=SAVED.run_id, nodes=plan)]
    lines = seal_all(found + [saving, SAVED] * 3000)
    put(tmp_path / "s", b"".join(lines))
    decode = msgspec.json.Decoder(dict).decode
    assert replay_folder(tmp_path / "s").seq == len(lines)
    took = ratio(
        lambda: replay_folder(tmp_path / "s"),
        lambda: [decode(line) for line in lines],
    )
    assert took < 25


def test_a_replay_takes_no_longer_for_each_of_many_nodes(tmp_path: Path) -> None:
    def journal(nodes: int, times: int) -> Path:
        names = [f"node_{number}" for number in range(nodes)]
        plan = tuple(PlannedNode(name=name) for name in names)
        found: list[Event] = [RunStarted(run_id="r", nodes=plan)]
        for name in names:
            saving = DatasetSaving(run_id="r", node=name, dataset="d")
            found += [saving] * times
        put(tmp_path / f"{nodes}", b"".join(seal_all(found)))
        return tmp_path / f"{nodes}"

    few, many = journal(5, 800), journal(2000, 2)
    assert ratio(lambda: replay_folder(many), lambda: replay_folder(few)) < 30
