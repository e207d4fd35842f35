"""One measurement of a replay in a process of its own; prints it as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from kedro_journal.events import EVENT_TYPES
from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.replaying.folder import replay_folder


def memory_kb(key: str) -> int:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith(key))
    return int(line.split()[1])


def bare(folder: Path) -> int:
    """Read every line and decode it, typed, in one step: nothing is checked."""
    lines = []
    for name, cls in EVENT_TYPES.items():
        lines.append(
            msgspec.defstruct(
                f"Line_{name}",
                [
                    ("v", int),
                    ("seq", int),
                    ("at", datetime),
                    ("w", str),
                    ("prev", str),
                    ("data", cls),
                    ("crc", str),
                ],
                tag_field="type",
                tag=name,
                gc=False,
            )
        )
    union: Any = lines[0]
    for line in lines[1:]:
        union = union | line
    decode = msgspec.json.Decoder(union).decode
    count = 0
    with (folder / JOURNAL_NAME).open("rb", buffering=256 * 1024) as file:
        for text in file:
            decode(text)
            count += 1
    return count


def replay(folder: Path) -> int:
    return replay_folder(folder).seq


def duckdb(folder: Path) -> int:
    import duckdb as db

    path = str(folder / JOURNAL_NAME)
    rows = db.sql(
        "SELECT type, count(*) n, max(seq) FROM read_json("
        f"'{path}', format='newline_delimited', "
        "columns={seq: 'BIGINT', type: 'VARCHAR'}) GROUP BY type"
    ).fetchall()
    return sum(row[1] for row in rows)


def polars(folder: Path) -> int:
    import polars as pl

    schema = {"seq": pl.Int64, "type": pl.String}
    rows = (
        pl.scan_ndjson(folder / JOURNAL_NAME, schema=schema)
        .group_by("type")
        .agg(pl.len().alias("n"), pl.col("seq").max())
        .collect()
    )
    return int(rows["n"].sum())


def eventsourcing(folder: Path) -> float:
    """Save 10,000 events first; only getting the aggregate back is timed."""
    del folder
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Session(Aggregate):
        def __init__(self) -> None:
            self.seen = 0

        @event("Saved")
        def saved(self, node: str, dataset: str, duration_s: float) -> None:
            self.seen += 1

    application: Application[Any] = Application()
    session = Session()
    for number in range(10_000):
        session.saved(node=f"n{number % 100}", dataset="d", duration_s=0.1)
    application.save(session)
    began = time.perf_counter()
    application.repository.get(session.id)
    return (time.perf_counter() - began) / 10_000 * 1e9


def first(folder: Path) -> int:
    for path in folder.iterdir():
        if path.name != JOURNAL_NAME:
            path.unlink()
    return replay_folder(folder).seq


def again(folder: Path) -> int:
    return replay_folder(folder).seq


CALLS: dict[str, Callable[[Path], int]] = {
    "bare": bare,
    "replay": replay,
    "duckdb": duckdb,
    "polars": polars,
    "first": first,
    "again": again,
}


def main() -> None:
    what, folder = sys.argv[1], Path(sys.argv[2])
    if what == "eventsourcing":
        print(json.dumps({"ns": eventsourcing(folder)}))
        return
    before = memory_kb("VmRSS")
    began = time.perf_counter()
    count = CALLS[what](folder)
    took_s = time.perf_counter() - began
    added = memory_kb("VmHWM") - before
    print(
        json.dumps({"ns": took_s / count * 1e9, "ms": took_s * 1e3, "mb": added / 1024})
    )


main()
