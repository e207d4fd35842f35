"""The matrix: ways of running x endings, and what the journal must say of each."""

from __future__ import annotations

import re
import shutil
import signal as signals
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import kedro

KEDRO_VERSION: Final = tuple(int(n) for n in re.findall(r"\d+", kedro.__version__)[:2])


@dataclass(frozen=True)
class Way:
    id: str
    kind: str
    level: int
    runner: str = "SequentialRunner"
    method: str = ""
    since: tuple[int, int] = (1, 0)

    @property
    def env(self) -> dict[str, str]:
        return {"KEDRO_MP_CONTEXT": self.method} if self.method else {}


def nothing(path: Path) -> None:
    pass


@dataclass(frozen=True)
class Ending:
    id: str
    how: str = "go"
    pipeline: str = ""
    signal: int | None = None
    whom: str = "process"
    plugin: str = ""
    more_env: tuple[tuple[str, str], ...] = ()
    prepare: Callable[[Path], None] = nothing

    @property
    def env(self) -> dict[str, str]:
        found = dict(self.more_env)
        if self.plugin:
            found["MATRIX_PLUGIN"] = self.plugin
        return found


@dataclass(frozen=True)
class Cell:
    way: Way
    ending: Ending


PARALLEL = "ParallelRunner"
WAYS = [
    *(
        Way(f"run-{level}-{name}", "run", level, runner, method)
        for level in (0, 1)
        for name, runner, method in [
            ("sequential", "SequentialRunner", ""),
            ("thread", "ThreadRunner", ""),
            ("fork", "ParallelRunner", "fork"),
            ("spawn", "ParallelRunner", "spawn"),
        ]
    ),
    Way("script-with", "script", 1),
    Way("script-bare", "bare", 1),
    Way("script-kedro", "kedro's session", 0),
    Way("service", "service", 1, since=(1, 4)),
    Way("notebook-0", "notebook", 0),
    Way("notebook-1", "notebook", 1),
    Way("server", "server", 0, since=(1, 4)),
]


def lose_table(path: Path) -> None:
    (path / "data/table.csv").unlink()


def block_report(path: Path) -> None:
    (path / "data/report.csv").mkdir()


def break_parameters(path: Path) -> None:
    (path / "conf/base/parameters.yml").write_text("how: {go: [\n")


def break_catalog(path: Path) -> None:
    (path / "conf/base/catalog.yml").write_text("table: {type: no.such.Dataset}\n")


ENDINGS = [
    Ending("completed"),
    Ending("node raises", "raise"),
    Ending("load fails", prepare=lose_table),
    Ending("save fails", prepare=block_report),
    Ending("unknown pipeline", pipeline="nope"),
    Ending("broken configuration", prepare=break_parameters),
    Ending("broken catalog", prepare=break_catalog),
    Ending("missing input", more_env=(("MATRIX_INPUT", "1"),)),
    Ending("ctrl-c", "wait", signal=signals.SIGINT, whom="group"),
    Ending("keyboard interrupt", "interrupt"),
    Ending("sys.exit", "exit"),
    Ending("sigterm", "wait", signal=signals.SIGTERM),
    Ending("sigkill", "wait", signal=signals.SIGKILL),
    Ending("memory error", "memory"),
    Ending("oom kill", "die"),
    Ending("worker killed", "wait", signal=signals.SIGKILL, whom="worker"),
    Ending("plugin before", plugin="before the run"),
    Ending("plugin in", plugin="in the run"),
    Ending("plugin after", plugin="after the run"),
    Ending("goes on", "raise beside", plugin="lets go"),
]
