"""Replay: the whole journal, and the second look at a long one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Dose, Group, Subject, Target, output_of, peer
from samples import RUN, journal_of, long_run, many_runs, write

_HERE = Path(__file__).parent
_SIZES = (10_000, 100_000, 1_000_000)


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    folders = {}
    for size in _SIZES[: 2 if dose.quick else 3]:
        folders[size] = folder / f"long-{size}" / RUN
        write(journal_of(folders[size]), long_run(size))
    yield _ladder(folders)
    yield _shapes(folder, dose.size(100_000, 20_000))
    yield _eventsourcing(folders[10_000])


def _child(what: str, folder: Path) -> dict[str, float]:
    """Measure in a process of its own: memory counts as well."""
    script = _HERE / "replay_child.py"
    told = output_of([sys.executable, str(script), what, str(folder)])
    answer: dict[str, float] = json.loads(told)
    return answer


def _figure(what: str, folder: Path, key: str = "ns") -> Callable[[], float]:
    return lambda: _child(what, folder)[key]


def _both(what: str, folder: Path) -> Callable[[], dict[str, float]]:
    def measure() -> dict[str, float]:
        found = _child(what, folder)
        return {"ns/event": found["ns"], "MB added": found["mb"]}

    return measure


def _ladder(folders: dict[int, Path]) -> Group:
    subjects: list[Subject] = []
    targets: list[Target] = []
    for size, folder in folders.items():
        bare, ours = f"msgspec typed decode, {size:,}", f"replay, {size:,}"
        subjects += [
            Subject(bare, _both("bare", folder)),
            Subject(ours, _both("replay", folder)),
        ]
        targets.append(
            Target(
                f"replay of {size:,} <= 2.5 x bare typed decode",
                f"{ours}: ns/event",
                2.5,
                f"{bare}: ns/event",
            )
        )
    first, last = min(folders), max(folders)
    targets += [
        Target(
            f"linear: {last:,} <= 1.15 x {first:,}, an event",
            f"replay, {last:,}: ns/event",
            1.15,
            f"replay, {first:,}: ns/event",
        ),
        Target(
            f"memory added at {last:,} <= 4 MB",
            f"replay, {last:,}: MB added",
            4,
            unit="MB",
        ),
    ]
    if last >= 1_000_000:
        folder = folders[last]
        subjects += [
            peer("duckdb scan", ["duckdb"], lambda: _figure("duckdb", folder)),
            peer("polars scan", ["polars"], lambda: _figure("polars", folder)),
        ]
    return Group(
        "replay to the full state", "ns/event", tuple(subjects), tuple(targets)
    )


def _shapes(folder: Path, count: int) -> Group:
    wide, narrow = folder / "wide" / RUN, folder / "narrow" / RUN
    write(journal_of(wide), many_runs(1, count // 10))
    write(journal_of(narrow), many_runs(count // 100, 10))
    names = f"1 run of {count // 10:,} nodes", f"{count // 100:,} runs of 10 nodes"
    return Group(
        "replay by shape",
        "ns/event",
        (
            Subject(names[0], _figure("replay", wide)),
            Subject(names[1], _figure("replay", narrow)),
        ),
        (Target("many nodes no slower than few", names[0], 1.1, names[1]),),
    )


def _eventsourcing(folder: Path) -> Group:
    names = "eventsourcing repository.get, 10,000", "replay, 10,000"
    return Group(
        "replay and eventsourcing",
        "ns/event",
        (
            peer(names[0], ["eventsourcing"], lambda: _figure("eventsourcing", folder)),
            Subject(names[1], _figure("replay", folder)),
        ),
        (
            Target(
                "eventsourcing >= 15 x replay", names[0], 15, names[1], at_least=True
            ),
        ),
    )
