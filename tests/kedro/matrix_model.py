"""What the matrix is made of: ways of running, endings, and what is told of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import kedro

KEDRO_VERSION: Final = tuple(int(n) for n in re.findall(r"\d+", kedro.__version__)[:2])


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


@dataclass(frozen=True)
class Differs:
    """Ways of which something else is told.

    Attributes:
        ways: Which, in words.
        where: The same.
        endings: At which endings.
        changes: What is told instead.
        reason: Why.
    """

    ways: str
    where: Callable[[Way], bool]
    endings: Collection[str]
    changes: Mapping[str, Any]
    reason: str


@dataclass(frozen=True)
class Cannot:
    """Ways that cannot end so.

    Attributes:
        ways: Which, in words.
        where: The same.
        endings: The endings.
        reason: Why.
    """

    ways: str
    where: Callable[[Way], bool]
    endings: Collection[str]
    reason: str
