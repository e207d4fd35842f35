"""Reading commands as history grows: CPU time and memory of whole processes.

Each command takes turns with a bare read of the bytes that it is about: a read of the
file, or scandir and stat of all journals. The ratio within each round counts.

`python tests/benchmarks/commands.py FOLDER` makes the journals in a folder, if they are
not there yet, measures all commands once and prints the figures.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from measure import Dose, Group, Subject, Target, run_group
from samples import (
    RUN,
    begin,
    end,
    journal_of,
    long_run,
    many_runs,
    node,
    started,
    write,
)

from kedro_journal.events import WriterOpened
from kedro_journal.journal import session_timestamp
from kedro_journal.journal.liveness import boot_id, host_name

_COMMAND: Final = "from kedro_journal.cli import main; main()"
_PASS: Final = "import click, msgspec"
_SCAN: Final = """
import os
for entry in os.scandir(sys.argv[1]):
    if entry.name[0] != "." and entry.is_dir(follow_symlinks=False):
        os.stat(f"{entry.path}/journal.jsonl")
"""
_READ: Final = """
file = open(sys.argv[1], "rb", buffering=0)
while file.read(65536):
    pass
"""
_ASK: Final = """
sys.path.insert(0, sys.argv[1])
import ask_child
ask_child.main(sys.argv[2], int(sys.argv[3]), sys.argv[4] == "asks")
"""
# The memory of the process alone: ru_maxrss counts its parent before exec as well.
_TOLD: Final = """
import atexit, sys
def told():
    used = os.times()
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM")).split()[1]
    print(used.user + used.system, peak, file=sys.stderr)
import os
atexit.register(told)
"""
_BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
_OLDEST: Final = "2026-01-01T00.00.00.000Z"
_DEAD_PID: Final = 2**22 + 1  # above the largest that Linux gives
_ROUNDS: Final = 3
_listed: Final[set[Path]] = set()  # directories that were listed once


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Yield the groups of this module, one after the other."""
    size = dose.size
    yield _of_sessions(folder, size(10_000, 500), size(1_000, 50))
    records = size(10**6, 10**4)
    for shape in ("chunks", "nodes", "runs"):
        yield _of_records(folder, shape, records)
    yield _of_lines(folder, size(2**40, 2**30), size(64, 1))
    yield _of_nodes(folder, size(500, 50))


def _of_sessions(folder: Path, number: int, crashes: int) -> Group:
    many = sessions(folder / "sessions", number)
    crashed = sessions(folder / "crashed", crashes, crashed=True)
    scan = f"scandir + stat of {number:,} sessions"
    newest, every = f"list, {number:,} sessions", f"list --all, {number:,} sessions"
    lost, old = f"list --all, {crashes:,} crashed", f"show <old>, {number:,} sessions"
    return Group(
        "commands by number of sessions",
        "",
        (
            Subject("python, import click and msgspec", child(_PASS)),
            Subject(scan, child(_SCAN, str(many))),
            Subject(newest, command("list", directory=many)),
            Subject(every, command("list", "--all", directory=many)),
            Subject(lost, command("list", "--all", directory=crashed)),
            Subject(old, command("show", _OLDEST, directory=many)),
        ),
        (
            Target("list --all <= 350 ms", f"{every}: CPU, ms", 350, unit="ms"),
            Target("list --all <= 80 MB", f"{every}: memory, MB", 80, unit="MB"),
            Target("list of crashed <= 200 ms", f"{lost}: CPU, ms", 200, unit="ms"),
            Target("show <old> <= 150 ms", f"{old}: CPU, ms", 150, unit="ms"),
        ),
        rounds=_ROUNDS,
    )


def _of_records(folder: Path, shape: str, records: int) -> Group:
    directory = long(folder / shape, shape, records)
    of = f"{records:,} records, {shape}"
    show, tail = f"show, {of}", f"tail, {of}"
    limit = {"chunks": 2000, "nodes": 1500, "runs": 1000}[shape]
    read = f"bare read, {of}"
    return Group(
        f"commands by records: {shape}",
        "",
        (
            Subject(read, child(_READ, str(journal_of(directory / RUN)))),
            Subject(show, command("show", "latest", directory=directory)),
            Subject(f"replay, {of}", command("replay", "latest", directory=directory)),
            Subject(tail, command("tail", "latest", directory=directory)),
        ),
        (
            Target(f"{show} <= {limit} ms", f"{show}: CPU, ms", limit, unit="ms"),
            Target(f"{tail} <= 120 ms", f"{tail}: CPU, ms", 120, unit="ms"),
        ),
        rounds=_ROUNDS,
    )


def _of_lines(folder: Path, sparse: int, millions: int) -> Group:
    hole, empty = hostile(folder, sparse, millions)
    return Group(
        "commands by bytes that are no records",
        "",
        tuple(
            Subject(f"{name}, {what}", command(name, _OLDEST, directory=directory))
            for what, directory in (
                (f"a hole of {sparse // 2**30:,} GiB", hole),
                (f"{millions} million empty lines", empty),
            )
            for name in ("list", "show", "tail", "verify")
        ),
        rounds=1,
    )


def _of_nodes(folder: Path, number: int) -> Group:
    folder.mkdir(parents=True, exist_ok=True)
    here = str(Path(__file__).parent)
    return Group(
        "session.state inside nodes",
        "",
        tuple(
            Subject(
                f"{number} nodes, each {what} for session.state",
                child(_ASK, here, str(folder), str(number), what),
            )
            for what in ("does not ask", "asks")
        ),
        rounds=_ROUNDS,
    )


def sessions(directory: Path, number: int, *, crashed: bool = False) -> Path:
    """Write so many sessions of 118 records, closed ones or crashed ones."""
    if directory.exists():
        return directory
    names = [f"data_science.node_{count}" for count in range(10)]
    for count in range(number):
        at = _BEGAN + timedelta(minutes=count)
        session_id = session_timestamp(at)
        events = [*begin(session_id), *started(session_id, names)]
        for name in names:
            events += node(session_id, name)
        if crashed:
            events[1] = WriterOpened(
                pid=_DEAD_PID, host=host_name(), boot_id=boot_id(), role="owner"
            )
        else:
            events += end(session_id)
        write(journal_of(directory / session_id), iter(events), at)
    time.sleep(2.1)  # only what has settled is kept from one list to the next
    return directory


def long(directory: Path, shape: str, records: int) -> Path:
    """Write one session of so many records, in a directory of its own.

    Args:
        directory: Where.
        shape: chunks (100 nodes), nodes (one for each nine records) or runs (one of
            11 nodes for each hundred records).
        records: How many, about.
    """
    if not directory.exists():
        events = long_run(records)
        if shape == "nodes":
            events = many_runs(1, records // 9)
        elif shape == "runs":
            events = many_runs(records // 100, 11)
        write(journal_of(directory / RUN), events)
    return directory


def hostile(folder: Path, sparse: int, millions: int) -> tuple[Path, Path]:
    """Write a session with a hole of so many bytes, and one of empty lines."""
    hole, empty = folder / "hole", folder / "empty"
    if not hole.exists():
        os.truncate(journal_of(sessions(hole, 1) / _OLDEST), sparse)
    if not empty.exists():
        with journal_of(sessions(empty, 1) / _OLDEST).open("ab") as file:
            for _ in range(millions):
                file.write(b"\n" * 10**6)
    return hole, empty


def child(code: str, *arguments: str) -> Callable[[], dict[str, float]]:
    """Return a measurement of a Python process: its CPU time and peak memory."""

    def measure() -> dict[str, float]:
        line = [sys.executable, "-c", _TOLD + code, *arguments]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        seconds, peak = done.stderr.splitlines()[-1].split()
        return {"CPU, ms": float(seconds) * 1e3, "memory, MB": float(peak) / 1024}

    return measure


def command(*arguments: str, directory: Path) -> Callable[[], dict[str, float]]:
    """Return a measurement of `kedro-journal` with these arguments.

    A list of all sessions is measured from the second time on.
    """
    if arguments[0] == "list":
        arguments = tuple(one for one in arguments if one != _OLDEST)
    measure = child(_COMMAND, *arguments, "--directory", str(directory))
    if "--all" not in arguments:
        return measure

    def second() -> dict[str, float]:
        if directory not in _listed:
            _listed.add(directory)
            measure()
        return measure()

    return second


def main() -> None:
    """Measure everything once in a folder that stays."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = Path(sys.argv[1])
    for group in groups(Dose(rounds=1, quick="--quick" in sys.argv), folder):
        if not all(word in group.name for word in sys.argv[2:] if word[0] != "-"):
            continue
        found, _ = run_group(group, group.rounds if "-r" in sys.argv else 1, str)
        for name, summary in found.items():
            print(f"{name:70} {min(summary.values):10.1f}", flush=True)


if __name__ == "__main__":
    main()
