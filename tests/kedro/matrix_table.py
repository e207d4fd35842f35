"""The matrix: ways of running x endings, and what the journal has to tell of each.

An ending says what is told of it in general; `EXCEPTIONS` say where a way of running
makes something else of it, and why; `IMPOSSIBLE` names what cannot be. Nothing here
starts a process.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

import kedro

KEDRO_VERSION: Final = tuple(int(n) for n in re.findall(r"\d+", kedro.__version__)[:2])
DATASET_ERROR: Final = "kedro.io.core.DatasetError"
BROKEN_POOL: Final = "concurrent.futures.process.BrokenProcessPool"
PARALLEL: Final = "ParallelRunner"
THREAD: Final = "ThreadRunner"


@dataclass(frozen=True)
class Way:
    """A way of running.

    Attributes:
        id: Its name.
        kind: run, script, bare, kedro's session, service, notebook or server.
        level: 1 with our session class, 0 with nothing set up.
        runner: The runner.
        method: How its workers are started.
        since: The first Kedro that has it.
    """

    id: str
    kind: str
    level: int
    runner: str = "SequentialRunner"
    method: str = ""
    since: tuple[int, int] = (1, 0)

    @property
    def via(self) -> str:
        """Which of our parts sees it: session or hooks."""
        named_in_settings = self.kind in ("run", "notebook")
        if named_in_settings and KEDRO_VERSION < (1, 3):
            return "hooks"  # Kedro does not heed SESSION_CLASS yet
        return "session" if self.level else "hooks"

    @property
    def env(self) -> dict[str, str]:
        """Its environment variables."""
        return {"KEDRO_MP_CONTEXT": self.method} if self.method else {}


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


@dataclass(frozen=True)
class Told:
    """What the journal tells, and the exit code that goes with it.

    Attributes:
        verdict: Of the session.
        run: Status of its run; empty if none began.
        node, phase, dataset: How the node that acts ended: status, phase, dataset.
        error: Class of the error; the session's own if no run began.
        says: What stands in its message.
        at: When the session's own error came.
        reason, signal, code: What interrupted the run.
        journaled: Whether there is a journal.
        exit_code: Of the process, as without us.
        answer: Of the HTTP server.
    """

    verdict: str
    run: str = ""
    node: str = "pending"
    phase: str = ""
    dataset: str | None = None
    error: str = ""
    says: str = ""
    at: str = ""
    reason: str = ""
    signal: int | None = None
    code: int | None = None
    journaled: bool = True
    exit_code: int = 0
    answer: str = ""


class Exits(NamedTuple):
    """Exit codes by kind of way, and the answer of the HTTP server."""

    run: int
    script: int
    notebook: int = 0  # an exception ends a cell of it
    server: int = 0  # and a request, but not the server
    answer: str = "failure"


def unchanged(path: Path) -> None:
    """Leave the project as it is."""


@dataclass(frozen=True)
class Ending:
    """A way to end.

    Attributes:
        id: Its name.
        told: What the journal tells, but for the exceptions.
        exits: How the process ends.
        how: What the node that acts is told to do.
        pipeline: Name of the pipeline, empty for the default one.
        signal: What is sent when that node waits.
        whom: To whom: process, group, or the worker that runs the node.
        env: Environment variables.
        prepare: Changes the project.
    """

    id: str
    told: Told
    exits: Exits
    how: str = "go"
    pipeline: str = ""
    signal: int | None = None
    whom: str = "process"
    env: Mapping[str, str] = field(default_factory=dict, hash=False)
    prepare: Callable[[Path], None] = unchanged


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

Where = Callable[[Way], bool]


def is_parallel(way: Way) -> bool:
    """Nodes run in worker processes."""
    return way.runner == PARALLEL


def is_command(way: Way) -> bool:
    """Hooks and the command line see it."""
    return way.via == "hooks" and way.kind == "run"


def is_hooks_alone(way: Way) -> bool:
    """Nothing but hooks sees it."""
    return way.via == "hooks" and way.kind != "run"


EXCEPTIONS: Final[tuple[tuple[Where, Collection[str], Mapping[str, Any], str], ...]] = (
    (
        is_command,
        ("unknown pipeline", "broken configuration"),
        {"at": "command"},
        "No session of ours lived to see it: it is the command that tells.",
    ),
    (
        is_hooks_alone,
        ("unknown pipeline", "broken configuration"),
        {"journaled": False},
        "Hooks alone see nothing that comes before a run.",
    ),
    (
        lambda way: way.kind == "notebook" and way.via == "session",
        ("broken configuration",),
        {"verdict": "no run", "error": "", "says": "", "at": ""},
        "`%reload_kedro` fails at Kedro's own context and leaves no session to run in.",
    ),
    (
        is_parallel,
        ("oom kill",),
        {
            "verdict": "failed", "run": "failed", "node": "interrupted",
            "phase": "running", "error": BROKEN_POOL, "exit_code": 1,
        },
        "What was killed is a worker; the session lives to tell.",
    ),
    (
        lambda way: way.runner == THREAD,
        ("ctrl-c",),
        {"node": "completed", "phase": ""},
        "Threads cannot be stopped: Kedro waits for the node, then stops.",
    ),
    (
        lambda way: way.kind == "server",
        ("ctrl-c", "sigterm"),
        {
            "verdict": "completed", "run": "completed", "node": "completed",
            "phase": "", "error": "", "reason": "", "signal": None,
            "answer": "success",
        },
        "A server that is asked to stop waits for the requests it is at.",
    ),
    (
        lambda way: way.kind == "server",
        ("keyboard interrupt", "sys.exit"),
        {"reason": "exit", "error": "", "code": None},
        "It ends the server's event loop; no hook and no session of ours sees it.",
    ),
    (
        lambda way: way.kind == "kedro's session",
        ("sys.exit",),
        {"reason": "exit", "error": "", "code": None},
        "Python keeps no `SystemExit` for those who look when the process ends.",
    ),
)  # fmt: skip

IMPOSSIBLE: Final[tuple[tuple[Where, Collection[str], str], ...]] = (
    (
        lambda way: not is_parallel(way),
        ("worker killed",),
        "There are no worker processes; `oom kill` kills the one that there is.",
    ),
    (
        lambda way: way.runner == "SequentialRunner",
        ("goes on",),
        "One node runs at a time, and the first failure ends the run.",
    ),
    (
        lambda way: (os.cpu_count() or 1) < 2,
        ("goes on",),
        "Kedro starts no more workers than there are CPUs; two nodes have to meet.",
    ),
    (
        lambda way: KEDRO_VERSION < way.since,
        tuple(ending.id for ending in ENDINGS),
        "This Kedro is older than the way of running.",
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
        for where, endings, reason in IMPOSSIBLE:
            if self.ending.id in endings and where(self.way):
                return reason
        return ""

    @property
    def told(self) -> Told:
        """What the journal has to tell, exceptions applied."""
        kind = self.way.kind
        exits = self.ending.exits._asdict()
        code = exits[kind if kind in ("run", "notebook", "server") else "script"]
        answer = exits["answer"] if kind == "server" else ""
        told = replace(self.ending.told, exit_code=code, answer=answer)
        for where, endings, changes, _ in EXCEPTIONS:
            if self.ending.id in endings and where(self.way):
                told = replace(told, **changes)
        return told


def matrix(ways: Iterable[Way] = WAYS) -> tuple[Cell, ...]:
    """Give every cell, those that cannot be included."""
    return tuple(Cell(way, ending) for ending in ENDINGS for way in ways)


CELLS: Final = tuple(cell for cell in matrix() if not cell.impossible)

# What is always run: every way and every ending at least once, and where they differ.
ALWAYS: Final[Mapping[str, Collection[str]]] = {
    "run-0-sequential": [ending.id for ending in ENDINGS],
    "run-1-sequential": [ending.id for ending in ENDINGS],
    "run-0-thread": ["ctrl-c", "goes on"],
    "run-1-thread": ["save fails"],
    "run-0-fork": ["load fails", "sigterm", "worker killed"],
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
