"""The matrix: ways of running x endings, and what the journal has to tell of each.

Each ending says what is told of it in general; `EXCEPTIONS` say where a way of running
makes something else of it, and why; `IMPOSSIBLE` names what cannot be. Nothing here
starts a process.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from .matrix_model import KEDRO_VERSION, Cannot, Differs, Ending, Exits, Told, Way

DATASET_ERROR: Final = "kedro.io.core.DatasetError"
BROKEN_POOL: Final = "concurrent.futures.process.BrokenProcessPool"
PARALLEL: Final = "ParallelRunner"
THREAD: Final = "ThreadRunner"


RUNNERS: Final = {
    "sequential": ("SequentialRunner", ""),
    "thread": (THREAD, ""),
    "fork": (PARALLEL, "fork"),
    "spawn": (PARALLEL, "spawn"),
}
WAYS: Final = (
    *(
        Way(f"run-{level}-{name}", "run", level, *runner)
        for level in (0, 1)
        for name, runner in RUNNERS.items()
    ),
    Way("script-with", "script", 1),
    Way("script-bare", "bare", 1),  # no `with`
    Way("script-kedro", "kedro's session", 0),
    Way("service", "service", 1, since=(1, 4)),
    Way("notebook-0", "notebook", 0),
    Way("notebook-1", "notebook", 1),
    Way("server", "server", 0, since=(1, 4)),
)


def lose_table(path: Path) -> None:
    """Take an input away."""
    (path / "data/table.csv").unlink()


def block_report(path: Path) -> None:
    """Put a folder where an output is to be written."""
    (path / "data/report.csv").mkdir()


def break_parameters(path: Path) -> None:
    """Write parameters that do not parse."""
    (path / "conf/base/parameters.yml").write_text("how: {go: [\n")


def break_catalog(path: Path) -> None:
    """Name a dataset class that does not exist."""
    (path / "conf/base/catalog.yml").write_text("table: {type: no.such.Dataset}\n")


FAILS: Final = Exits(run=1, script=1)
STOPS: Final = Exits(run=1, script=-signal.SIGINT, answer="none")
DIES: Final = Exits(-9, -9, -9, -9, "none")
FAILED: Final = Told("failed", "failed", "failed")
NO_RUN: Final = Told("failed", at="run")
INTERRUPTED: Final = Told(
    "interrupted", "interrupted", "interrupted", "running", reason="KeyboardInterrupt",
    error="KeyboardInterrupt",
)  # fmt: skip
CRASHED: Final = Told("crashed", "running", "running")

ENDINGS: Final = (
    Ending(
        "completed",
        Told("completed", "completed", "completed"),
        Exits(0, 0, answer="success"),
    ),
    Ending(
        "node raises",
        replace(FAILED, phase="running", error="LookupError", says="boom in a node"),
        FAILS,
        how="raise",
    ),
    Ending(
        "load fails",
        replace(
            FAILED,
            phase="loading",
            dataset="table",
            error=DATASET_ERROR,
            says="table.csv",
        ),
        FAILS,
        prepare=lose_table,
    ),
    Ending(
        "save fails",
        replace(
            FAILED,
            phase="saving",
            dataset="report",
            error=DATASET_ERROR,
            says="report.csv",
        ),
        FAILS,
        prepare=block_report,
    ),
    Ending(
        "unknown pipeline",
        replace(NO_RUN, error="ValueError", says="nope"),
        FAILS,
        pipeline="nope",
    ),
    Ending(
        "broken configuration",
        replace(NO_RUN, error="yaml.parser.ParserError", says="parameters.yml"),
        FAILS,
        prepare=break_parameters,
    ),
    Ending(  # Kedro makes datasets when the run has begun
        "broken catalog",
        replace(FAILED, node="pending", error=DATASET_ERROR, says="no.such"),
        FAILS,
        prepare=break_catalog,
    ),
    Ending(
        "missing input",
        replace(FAILED, node="pending", error="ValueError", says="nowhere"),
        FAILS,
        env={"MATRIX_INPUT": "1"},
    ),
    Ending(
        "ctrl-c", INTERRUPTED, STOPS, how="wait", signal=signal.SIGINT, whom="group"
    ),
    Ending("keyboard interrupt", INTERRUPTED, STOPS, how="interrupt"),
    Ending(
        "sys.exit",
        replace(INTERRUPTED, reason="SystemExit", error="SystemExit", code=3),
        Exits(run=3, script=3, answer="none"),
        how="exit",
    ),
    Ending(
        "sigterm",
        replace(INTERRUPTED, reason="SIGTERM", error="", signal=signal.SIGTERM),
        Exits(-15, -15, -15, -15, "none"),
        how="wait",
        signal=signal.SIGTERM,
    ),
    Ending("sigkill", CRASHED, DIES, how="wait", signal=signal.SIGKILL),
    Ending(
        "memory error",
        replace(FAILED, phase="running", error="MemoryError"),
        FAILS,
        how="memory",
    ),
    Ending("oom kill", CRASHED, DIES, how="die"),  # of the process that runs the node
    Ending(
        "worker killed",
        replace(FAILED, node="interrupted", phase="running", error=BROKEN_POOL),
        FAILS,
        how="wait",
        signal=signal.SIGKILL,
        whom="worker",
    ),
    Ending(
        "plugin before",
        replace(FAILED, node="pending", error="OSError", says="another plugin"),
        FAILS,
        env={"MATRIX_PLUGIN": "before the run"},
    ),
    Ending(
        "plugin in",
        replace(FAILED, phase="saving", error="OSError", says="another plugin"),
        FAILS,
        env={"MATRIX_PLUGIN": "in the run"},
    ),
    Ending(
        "plugin after",
        Told(
            "failed",
            "completed",
            "completed",
            error="OSError",
            says="another plugin",
            at="after the run",
        ),
        FAILS,
        env={"MATRIX_PLUGIN": "after the run"},
    ),
    Ending(
        "goes on",
        replace(FAILED, phase="running", error="LookupError"),
        FAILS,
        how="raise beside",
        env={"MATRIX_PLUGIN": "lets go"},
    ),
)


def is_parallel(way: Way) -> bool:
    """Nodes run in worker processes."""
    return way.runner == PARALLEL


def is_command(way: Way) -> bool:
    """Hooks and the command line see it."""
    return way.via == "hooks" and way.kind == "run"


def is_server(way: Way) -> bool:
    """Kedro's HTTP server runs it."""
    return way.kind == "server"


def is_hooks_alone(way: Way) -> bool:
    """Nothing but hooks sees it."""
    return way.via == "hooks" and way.kind != "run"


EXCEPTIONS: Final = (
    Differs(
        "`kedro run`, level 0",
        is_command,
        ("unknown pipeline", "broken configuration"),
        {"at": "command"},
        "No session of ours lived to see it: it is the command that tells.",
    ),
    Differs(
        "level 0 without a command",
        is_hooks_alone,
        ("unknown pipeline", "broken configuration"),
        {"journaled": False},
        "Hooks alone see nothing that comes before a run.",
    ),
    Differs(
        "notebook, level 1",
        lambda way: way.kind == "notebook" and way.via == "session",
        ("broken configuration",),
        {"verdict": "no run", "error": "", "says": "", "at": ""},
        "`%load_ext kedro.ipython` fails in Kedro's context, with no session to run.",
    ),
    Differs(
        "ParallelRunner",
        is_parallel,
        ("oom kill",),
        {
            "verdict": "failed", "run": "failed", "node": "interrupted",
            "phase": "running", "error": BROKEN_POOL, "exit_code": 1,
        },
        "What was killed is a worker; the session lives to tell.",
    ),
    Differs(
        "ThreadRunner",
        lambda way: way.runner == THREAD,
        ("ctrl-c",),
        {"node": "completed", "phase": ""},
        "A thread cannot be stopped: Kedro waits for its node, then ends the run.",
    ),
    Differs(
        "HTTP server",
        is_server,
        ("ctrl-c", "sigterm"),
        {
            "verdict": "completed", "run": "completed", "node": "completed",
            "phase": "", "error": "", "reason": "", "signal": None,
            "answer": "success",
        },
        "A server that is asked to stop waits for the requests that it is at.",
    ),
    Differs(
        "HTTP server",
        is_server,
        ("keyboard interrupt", "sys.exit"),
        {"reason": "exit", "error": "", "code": None},
        "It ends the server's event loop, where neither hooks nor sessions see it.",
    ),
)  # fmt: skip

IMPOSSIBLE: Final = (
    Cannot(
        "all but ParallelRunner",
        lambda way: not is_parallel(way),
        ("worker killed",),
        "There are no worker processes; `oom kill` kills the one that there is.",
    ),
    Cannot(
        "SequentialRunner",
        lambda way: way.runner == "SequentialRunner",
        ("goes on",),
        "One node runs at a time, and the first failure ends the run.",
    ),
    Cannot(
        "all, on one CPU",
        lambda _: (os.cpu_count() or 1) < 2,
        ("goes on",),
        "Kedro starts no more workers than there are CPUs, and two nodes have to meet.",
    ),
    Cannot(
        "service session and HTTP server, before Kedro 1.4",
        lambda way: KEDRO_VERSION < way.since,
        tuple(ending.id for ending in ENDINGS),
        "Kedro has neither yet.",
    ),
)


@dataclass(frozen=True)
class Cell:
    """A way of running and an ending."""

    way: Way
    ending: Ending

    @property
    def id(self) -> str:
        """Its name."""
        return f"{self.way.id}, {self.ending.id}"

    @property
    def impossible(self) -> str:
        """Why it cannot be, empty if it can."""
        for cannot in IMPOSSIBLE:
            if self.ending.id in cannot.endings and cannot.where(self.way):
                return cannot.reason
        return ""

    @property
    def told(self) -> Told:
        """What the journal has to tell, exceptions applied."""
        kind = self.way.kind
        exits = self.ending.exits._asdict()
        code = exits[kind if kind in ("run", "notebook", "server") else "script"]
        answer = exits["answer"] if kind == "server" else ""
        told = replace(self.ending.told, exit_code=code, answer=answer)
        for differs in EXCEPTIONS:
            if self.ending.id in differs.endings and differs.where(self.way):
                told = replace(told, **differs.changes)
        return told


def matrix(ways: Iterable[Way] = WAYS) -> tuple[Cell, ...]:
    """Give every cell, those that cannot be included."""
    return tuple(Cell(way, ending) for ending in ENDINGS for way in ways)


CELLS: Final = tuple(cell for cell in matrix() if not cell.impossible)

# What is always run: every way and every ending at least once, and where they differ.
# The two levels take turns; `node raises` and `ctrl-c` are run at both.
_BOTH: Final = ("node raises", "ctrl-c")
_TURNS: Final = [ending.id for ending in ENDINGS if ending.id not in _BOTH]
ALWAYS: Final[Mapping[str, Collection[str]]] = {
    "run-0-sequential": [*_BOTH, *_TURNS[0::2]],
    "run-1-sequential": [*_BOTH, *_TURNS[1::2]],
    "run-0-thread": ["ctrl-c", "goes on"],
    "run-1-thread": ["save fails"],
    "run-0-fork": ["load fails", "sys.exit", "sigterm", "worker killed"],
    "run-1-fork": ["node raises", "oom kill"],
    "run-0-spawn": ["plugin in"],
    "run-1-spawn": ["worker killed"],
    "script-with": ["ctrl-c"],
    "script-bare": ["sigterm", "plugin after"],
    "script-kedro": ["sys.exit", "unknown pipeline", "plugin before"],
    "service": ["node raises", "sigterm"],
    "notebook-0": ["keyboard interrupt"],
    "notebook-1": ["node raises", "broken configuration"],
    "server": ["completed", "plugin before", "sigterm"],
}


def is_always(cell: Cell) -> bool:
    """Tell whether a cell is run in every run of the tests."""
    return cell.ending.id in ALWAYS[cell.way.id]
