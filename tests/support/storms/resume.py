"""Random pipelines are killed at a random moment, and resumed until they are done.

Each run is a process of its own, workers and all, that dies of SIGKILL at a record, at
half a file or in a node. In between, files are deleted and changed and newer versions
turn up. In the end every output must be byte for byte what it would have been; no node
whose outputs were all stored may have run twice; and each plan must have said exactly
what then ran.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import shutil
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import kedro_journal
from kedro_journal.state import SessionState

from . import resume_child
from .account import Account, Say, Suite
from .resume_child import RAN, Death, Where
from .resume_project import Case, make_case, write_project

__all__ = ["SUITE", "find_teeth", "run", "storm"]

DEATHS: Final[tuple[Where, ...]] = (
    "before a record",
    "before a record",
    "after a record",
    "half a file",
    "half a file",
    "a node",
)
RESUMES_MAX: Final = 6
WARM: Final = (
    "filelock",
    "fsspec.implementations.local",
    "kedro.config",
    "kedro.framework.cli",
    "kedro.framework.context",
    "kedro.io",
    "kedro.runner",
    "kedro_datasets",
    "kedro_telemetry.plugin",
    "kedro_journal.session.session",
    "pandas",
)
NEWER: Final = "2999-01-01T00.00.00.000Z"
_SAY_S: Final = 10.0


@dataclass
class Story:
    """One pipeline and what befalls it."""

    folder: Path
    case: Case
    rng: random.Random
    account: Account
    sabotage: str
    ran: list[str] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    spoilt: set[str] = field(default_factory=set)
    name: str = ""

    def tell(self) -> None:
        """Run it, kill it, resume it until it is done; judge."""
        write_project(self.folder, self.case)
        death = self._death(likely=True)
        found = resume_child.fork(
            self.folder, lambda: resume_child.run(self.case, death)
        )
        self._account(found.killed, death)
        if not found.killed:
            if "error" in found.said:
                self._wrong(f"the run failed: {found.said['error'][-500:]}")
            return
        for number in range(RESUMES_MAX):
            self._settle()
            self._spoil()
            last = number == RESUMES_MAX - 1
            if self._resume(self._death(likely=False) if not last else Death()):
                break
        self._judge()

    def _death(self, *, likely: bool) -> Death:
        if not likely and self.rng.random() < 0.6:
            return Death()
        where = self.rng.choice(DEATHS)
        stored = sum(kind != "memory" for kind in self.case.kinds.values())
        most = {"half a file": stored, "a node": len(self.case.nodes)}
        return Death(where, self.rng.randint(1, most.get(where, self.case.steps)))

    def _account(self, killed: bool, death: Death) -> None:
        if killed:
            self.account.count += 1
            self.account.add(f"at {death.where}")
            self.account.add(self.case.runner)

    def _states(self) -> list[SessionState]:
        where = self.folder / "sessions"
        return list(kedro_journal.sessions(directory=where))[::-1]

    def _ran(self) -> list[str]:
        """Give the nodes that ran since this was last asked."""
        path = self.folder / RAN
        every = path.read_text().split() if path.exists() else []
        new = every[len(self.ran) :]
        self.ran = every
        return new

    def _settle(self) -> None:
        """Note what completed with all that it made stored: it must not run again."""
        self._ran()
        stored = {n for n, kind in self.case.kinds.items() if kind != "memory"}
        outputs = {name: set(made) for name, _, made in self.case.nodes}
        for state in self._states():
            for run in state.runs:
                for name, node in run.nodes.items():
                    if node.status == "completed" and outputs[name] <= stored:
                        self.settled.add(name)
        self.settled -= {self.case.makers[name] for name in self.spoilt}

    def _spoil(self) -> None:
        """Delete or change some of what was stored, or save newer versions."""
        if self.rng.random() < 0.6:
            return
        makers = self.case.makers
        for name, kind in self.case.kinds.items():
            if kind == "memory" or self.rng.random() > 0.2:
                continue
            path = self._path(name)
            if kind == "versioned" and self.rng.random() < 0.5:
                newer = self.folder / "data" / name / NEWER / name
                if path is not None and not newer.exists():
                    newer.parent.mkdir(parents=True)
                    newer.write_text("a newer version")
                    self.account.add("newer versions")
                continue
            if path is None or not path.exists() or name in self.spoilt:
                continue
            if makers[name] not in self.settled:
                continue  # it may be half a file: what is done to it is not seen
            self.spoilt.add(name)
            self.settled.discard(makers[name])
            if self.rng.random() < 0.5:
                path.unlink()
                self.account.add("deleted")
            else:
                path.write_text("changed")
                self.account.add("changed")

    def _path(self, name: str) -> Path | None:
        """Find what the sessions saved last of a dataset; None if nothing yet."""
        path = self.folder / "data" / name
        if self.case.kinds[name] != "versioned":
            return path
        version = None
        for state in self._states():
            for run in state.runs:
                node = run.nodes.get(self.case.makers[name])
                save = node.saves.get(name) if node is not None else None
                if save is not None and not save.is_open:
                    version = save.version
        return None if version is None else path / version / name

    def _resume(self, death: Death) -> bool:
        """Go on; tell whether it came to its end."""
        before = len(self._states())
        (self.folder / "plan.json").unlink(missing_ok=True)
        found = resume_child.fork(
            self.folder, lambda: resume_child.resume(death, self.sabotage)
        )
        self._account(found.killed, death)
        again = self._ran()
        for name in sorted(self.settled & set(again)):
            self._wrong(f"{name} was stored, and ran again")
        for name in {name for name in again if again.count(name) > 1}:
            self._wrong(f"{name} ran twice in one session")
        self.account.add("nodes run again", len(again))
        if found.killed:
            return False
        said = found.said
        if "error" in said:
            self._wrong(f"the resumed run failed: {said['error'][-700:]}")
            return True
        if "refused" in said:
            started = any(state.runs for state in self._states())
            if started or "no run of it was begun" not in said["refused"]:
                self._wrong(f"refused: {said['refused']}")
            self.account.add("dead before any run")
            self.case.kinds.clear()  # nothing was promised
            return True
        if sorted(said["to_run"]) != sorted(again):
            self._wrong(f"{said['to_run']} were planned, {again} ran")
        states = self._states()
        if said["to_run"] and len(states) != before + 1:
            self._wrong("it made no session, or several")
        if said["to_run"] and states[-1].verdict != "completed":
            self._wrong(f"the resumed session {states[-1].verdict}")
        self.account.add("resumed to the end")
        return True

    def _judge(self) -> None:
        if not self.case.kinds:
            return
        for name, text in self.case.expected().items():
            path = self._path(name)
            there = path is not None and path.exists()
            if not there or path is None or path.read_text() != text:
                what = path.read_text()[:40] if there and path else "nothing"
                self._wrong(f"{name} is wrong: {what!r}")

    def _wrong(self, what: str) -> None:
        self.account.violations.append(f"{self.name}: {what}")


def storm(seed: str, folder: Path, account: Account, sabotage: str = "") -> None:
    """Go through one story."""
    rng = random.Random(seed)
    case = make_case(rng)
    name = f"{seed} ({len(case.nodes)} nodes, {case.runner})"
    before = len(account.violations)
    Story(folder, case, rng, account, sabotage, name=name).tell()
    if len(account.violations) == before:
        shutil.rmtree(folder)


def warm_up() -> None:
    """Import what every process needs, once."""
    os.environ["DO_NOT_TRACK"] = "1"
    os.environ.pop("KEDRO_ENV", None)
    logs = Path(__file__).with_name("resume_logging.yml")
    os.environ["KEDRO_LOGGING_CONFIG"] = str(logs)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a forked process wants no threads
    warnings.simplefilter("ignore")
    for name in WARM:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def run(
    count: int, folder: Path, seed: int, say: Say, *, sabotage: str = ""
) -> Account:
    """Kill at least so many runs; see `account.Run`."""
    warm_up()
    account = Account()
    said, number = time.monotonic(), 0
    while account.count < count and number < 4 * count:
        number += 1
        storm(f"{seed}-{number}", folder / str(number), account, sabotage)
        if time.monotonic() - said > _SAY_S:
            said = time.monotonic()
            say(f"{account.count} killed, {len(account.violations)} promises broken")
    account.figures["pipelines"] = number
    return account


def find_teeth(folder: Path, sabotage: str, most: int = 100) -> Account:
    """Kill until a planner that is sabotaged is caught."""
    warm_up()
    account = Account()
    for number in range(most):
        storm(f"teeth-{number}", folder / str(number), account, sabotage)
        if account.violations:
            break
    return account


SUITE = Suite(
    "resume",
    "a run is killed and resumed",
    "kills",
    full=500,
    small=14,
    run=run,
)
