"""Follow: from the write of a record to its delivery in another process."""

from __future__ import annotations

import ctypes
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import Dose, Group, Subject, Target
from samples import create, journal_of

from kedro_journal.events import NoteAdded
from kedro_journal.journal.follow import follow_file

_PAUSE_S = 0.004
_IN_MODIFY = 0x2
_POLLING = (
    {"watch": False} if "watch" in inspect.signature(follow_file).parameters else {}
)


def groups(dose: Dose, folder: Path) -> Iterator[Group]:
    """Give the groups of this module, one after the other."""
    count = dose.size(500, 100)
    idle_s = dose.size(10, 3)
    yield _latency(folder, count)
    yield _idle(folder, idle_s)


def _latency(folder: Path, count: int) -> Group:
    numbers = iter(range(1_000_000))

    def measure(kind: str) -> Callable[[], dict[str, float]]:
        def once() -> dict[str, float]:
            return _deliver(kind, folder / f"{kind}-{next(numbers)}", count)

        return once

    ours, polling = "kedro-journal follow", "kedro-journal follow, polling"
    tail = Subject("tail -f", missing="no such command")
    if shutil.which("tail"):
        tail = Subject("tail -f", measure("tail"))
    inotify = Subject("inotify + read", missing="not on this system")
    if sys.platform == "linux":
        inotify = Subject("inotify + read", measure("inotify"))
    return Group(
        "follow, from write to delivery in another process",
        "ms",
        (
            Subject(ours, measure("follow")),
            Subject(polling, measure("polling")),
            tail,
            inotify,
        ),
        (
            Target("follow p50 <= 1 ms", f"{ours}: p50", 1, unit="ms"),
            Target("follow p99 <= 5 ms", f"{ours}: p99", 5, unit="ms"),
            Target("polling p50 <= 10 ms", f"{polling}: p50", 10, unit="ms"),
        ),
    )


def _start(kind: str, folder: Path) -> subprocess.Popen[str]:
    path = journal_of(folder)
    if kind == "tail":
        command = ["tail", "-n", "+1", "-f", str(path)]
    else:
        command = [sys.executable, __file__, kind, str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _deliver(kind: str, folder: Path, count: int) -> dict[str, float]:
    writer = create(folder)
    writer.append(NoteAdded(text="ready"))
    process = _start(kind, folder)
    assert process.stdout is not None
    try:
        while "ready" not in process.stdout.readline():
            pass
        latencies = []
        reader = _told_by_lines if kind == "tail" else _told_in_the_end
        for _ in range(count):
            time.sleep(_PAUSE_S)
            writer.append(NoteAdded(text=f"at {time.monotonic_ns()} "))
            if kind == "tail":
                latencies.append(_told_by_lines(process.stdout.readline()))
        writer.append(NoteAdded(text="end"))
        if reader is _told_in_the_end:
            latencies = _told_in_the_end(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
    latencies.sort()
    return {
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[int(len(latencies) * 0.99)],
    }


def _told_by_lines(text: str) -> float:
    return (time.monotonic_ns() - _sent(text)) / 1e6


def _told_in_the_end(text: str) -> list[float]:
    found: list[float] = json.loads(text)
    return found


def _sent(text: str) -> int:
    return int(text.partition("at ")[2].partition(" ")[0])


def _idle(folder: Path, seconds: int) -> Group:
    numbers = iter(range(1_000_000))

    def measure(kind: str) -> Callable[[], float]:
        def once() -> float:
            here = folder / f"idle-{kind}-{next(numbers)}"
            create(here).append(NoteAdded(text="ready"))
            process = _start(kind, here)
            assert process.stdout is not None
            try:
                while "ready" not in process.stdout.readline():
                    pass
                time.sleep(1)
                before = _cpu_s(process.pid)
                time.sleep(seconds)
                return (_cpu_s(process.pid) - before) / seconds * 100
            finally:
                process.kill()
                process.wait()

        return once

    name = "kedro-journal follow"
    return Group(
        "follow, idle",
        "% of a CPU",
        (
            Subject(name, measure("follow")),
            Subject("kedro-journal follow, polling", measure("polling")),
        ),
        (Target("idle CPU <= 0.1 %", name, 0.1, unit="%"),),
        rounds=3,
    )


def _cpu_s(pid: int) -> float:
    """Give the CPU time of a process, to the nanosecond where the kernel says it."""
    try:
        text = Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii")
        return int(text.split()[0]) / 1e9
    except OSError:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- the other process --------------------------------------------------------------


def _texts(kind: str, path: Path) -> Iterator[str]:
    if kind == "inotify":
        yield from _by_inotify(path)
        return
    options = _POLLING if kind == "polling" else {}
    for record in follow_file(path, **options):  # type: ignore[arg-type]
        if isinstance(record.event, NoteAdded):
            yield record.event.text


def _by_inotify(path: Path) -> Iterator[str]:
    """The bare limit: wait for the kernel's word, read what is new."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_CLOEXEC)
    libc.inotify_add_watch(fd, os.fsencode(path), _IN_MODIFY)
    with path.open(encoding="utf-8") as file:
        while True:
            for line in file.readlines():
                text = line.partition('"text":"')[2].partition('"')[0]
                if text:
                    yield text
            os.read(fd, 4096)


def _follow(kind: str, path: Path) -> None:
    latencies = []
    for text in _texts(kind, path):
        now = time.monotonic_ns()
        if text == "ready":
            print("ready", flush=True)
        elif text == "end":
            print(json.dumps(latencies), flush=True)
            return
        else:
            latencies.append((now - _sent(text)) / 1e6)


if __name__ == "__main__":
    _follow(sys.argv[1], Path(sys.argv[2]))
