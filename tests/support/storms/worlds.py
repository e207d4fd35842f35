"""Random worlds run, die or fail, are edited and resumed until they are done.

Each run is a process of its own, on a real Kedro project. What a resume promises:

- It runs to its end, or it is refused by name: nothing ran, and no data was touched.
- In the end, the data at every place of a persistent output equals what a run from the
  start makes with the code, the parameters, the pipeline and the inputs as they are
  now. A node that updates a file in place did so once. Of an increment, the nodes
  loaded exactly what is confirmed.
- With `on_drift="redo"` that holds for any edit; with "report" it holds
  where no node that completed, and nothing that follows from one, depends on what was
  edited. Outputs that are added, renamed, changed or gone are not left to the caller.
- With `on_drift="refuse"`, an edit that a completed node depends on is refused.
- It runs the nodes that its plan names, and no others.

A world that breaks one of these keeps its folder: a project that reproduces it, with
the journals, and `story.txt`.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import kedro_journal
from kedro_journal.state import SessionState

from . import worlds_child as child
from .account import Account, Say, Suite
from .resume import warm_up
from .resume_child import RAN
from .worlds_child import Blow
from .worlds_edits import Edits
from .worlds_model import World, bare, draw, features
from .worlds_project import CHECKPOINT, write_data, write_project
from .worlds_truth import expected

__all__ = ["SUITE", "find_teeth", "run", "tell"]

RESUMES_MAX: Final = 5
REFUSALS: Final = (
    "would process the same data twice",
    "would load an empty increment",
    "share stored data, and Kedro would run them in another order",
)
_SAY_S: Final = 10.0
_NAMES: Final = re.compile(r"\b[a-z]\d+[a-z]?(@\w+)?\b|\b(?:f_)?[a-z]+\d+[a-z]*\b|\d+")


@dataclass
class Story:
    """One world and what befalls it."""

    folder: Path
    world: World
    rng: random.Random
    account: Account
    name: str
    sabotage: str = ""
    lines: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    seen: int = 0
    done: bool = False

    def tell(self) -> None:
        """Run it, strike it, edit and resume it until it is done; judge."""
        write_project(self.folder, self.world)
        self.edits = Edits(self.folder, self.world, self.rng)
        blow = self._blow(likely=True)
        self.say(f"run at level {self.world.level} with {self.runner}: {blow}")
        level = self.world.level
        found = child.fork(
            self.folder, blow, lambda: child.run(blow, self.runner, level)
        )
        self._ran()
        self._count(found, blow)
        if found.said.get("error") and not found.struck:
            self.error(f"the run failed: {found.said['error'][-600:]}")
            return
        if not found.struck:
            self.account.add("not struck")
            self._judge()
            return
        for number in range(RESUMES_MAX):
            if self._go_on(last=number == RESUMES_MAX - 1):
                break
        if self.done:
            self._judge()

    @property
    def runner(self) -> str:
        return self.world.runner

    def say(self, what: str) -> None:
        """Add a line to what happened."""
        self.lines.append(what)

    def error(self, what: str) -> None:
        """Note a promise that is broken."""
        self.say(f"WRONG: {what}")
        self.wrong.append(what)

    def _blow(self, *, likely: bool) -> Blow:
        rng = self.rng
        if not likely and rng.random() < 0.55:
            return Blow()
        if rng.random() < 0.08:
            return Blow("any time", after_s=rng.uniform(0.05, 0.5))
        where = rng.choice(child.WHERE)
        how = rng.choice(("kill", "kill", "raise", "raise", "exit", "interrupt"))
        nodes = len(self.world.nodes)
        most = {"a node": nodes, "a record": 9 * nodes, "after a record": 9 * nodes}
        if "confirm" in where:
            most[where] = 1
        if "record" in where:
            how = "kill"
        times = 1
        if self.runner == "retry" and how == "raise":
            # A runner that tries again after half a save is wrong by itself.
            where, times = "a node", rng.choice((1, 3))
        return Blow(where, rng.randint(1, most.get(where, 2 * nodes)), how, times)

    def _count(self, found: child.Result, blow: Blow) -> None:
        if found.struck:
            self.account.count += 1
            how = "any time" if blow.after_s else f"{blow.how} at {blow.where}"
            self.account.add(how)
            self.account.add(f"runner {self.runner}")
            self.account.add(f"level {self.world.level}")

    def states(self) -> list[SessionState]:
        """Return the sessions, oldest first."""
        return list(kedro_journal.sessions(directory=self.folder / "sessions"))[::-1]

    def _ran(self) -> list[str]:
        """Return the nodes that ran since this was last asked."""
        path = self.folder / RAN
        every = path.read_text().split() if path.exists() else []
        new, self.seen = every[self.seen :], len(every)
        return new

    def _go_on(self, *, last: bool) -> bool:
        """Edit and resume; return whether the story is over."""
        for what in self.edits.make(self.states(), self.rng.random()):
            self.account.add(f"edit: {what.split(':')[0]}")
            self.say(f"edit: {what}")
        if self.edits.to_redo:
            drift = self.rng.choice(("redo", "redo", "refuse"))
        else:
            drift = self.rng.choice(("report", "report", "report", "redo", "refuse"))
        blow = Blow() if last else self._blow(likely=False)
        if drift == "refuse" and self.states() and self._refuses():
            return True
        if drift == "refuse":
            drift = "redo"
        return self._resume(blow, drift)

    def _refuses(self) -> bool:
        """Resume with `refuse`: with an edit of what completed it has to be refused.

        Return whether it was not refused: the story is over.
        """
        before = self._data()
        found = child.fork(
            self.folder,
            Blow(),
            lambda: child.resume(Blow(), self.runner, "refuse", self.sabotage),
        )
        self.say(f"resume with refuse: {found.said}")
        reason = found.said.get("refused", "")
        if reason:
            if "the project is not as it was" in reason and not self.edits.any:
                self.error(f"refused, and nothing was edited: {reason}")
            self._check_untouched(before)
            return False
        if self.edits.to_refuse:
            self.error(f"not refused after {self.edits.to_refuse}: {found.said}")
        if "error" in found.said:
            self.error(f"the resumed run failed: {found.said['error'][-600:]}")
        self.done = "error" not in found.said
        return True

    def _resume(self, blow: Blow, drift: str) -> bool:
        before, runs = self._data(), self._runs()
        if not self.states():
            self.account.add("dead before any run")
            return True
        complete = self.edits.completed(self.states())
        (self.folder / "plan.json").unlink(missing_ok=True)
        found = child.fork(
            self.folder,
            blow,
            lambda: child.resume(blow, self.runner, drift, self.sabotage),
        )
        self._count(found, blow)
        if runs > 1:
            self.account.add("resumes of a resume")
        again = self._ran()
        said = found.said.get("error", "").strip().splitlines()[-1:] or found.said
        self.say(f"resume with {drift}, {blow}: ran {again}, {said}")
        if self._runs() > runs and drift == "redo":
            self.edits.to_redo = self.edits.to_refuse = ""
        plan = self.folder / "plan.json"
        planned: dict[str, str] = json.loads(plan.read_text()) if plan.exists() else {}
        self._needless(planned, again, complete, before)
        if "refused" in found.said:
            return self._refused(found.said["refused"], before, again)
        if set(again) - set(planned):
            self.error(f"{sorted(set(again) - set(planned))} ran, and was not planned")
        if self.runner != "retry" and len(again) != len(set(again)):
            self.error(f"a node ran twice in one session: {again}")
        if found.killed:
            return False
        if "error" in found.said:
            if not found.struck:
                self.error(f"the resumed run failed: {found.said['error'][-900:]}")
            return not found.struck
        if found.struck and self.runner != "retry":
            return False  # a runner that goes on after a failed node; or at the end
        if set(again) != set(found.said["to_run"]):
            self.error(f"{sorted(found.said['to_run'])} were planned, {again} ran")
        self.account.add("resumed to the end")
        self.done = True
        return True

    def _runs(self) -> int:
        return sum(bool(state.runs) for state in self.states())

    def _refused(self, reason: str, before: dict[str, str], again: list[str]) -> bool:
        """Judge a refusal; perhaps put back what was consumed, and go on."""
        self._check_untouched(before)
        if again:
            self.error(f"refused, and ran {again}")
        if "no run of it was begun" in reason and not self._runs():
            self.account.add("dead before any run")
            return True
        if not any(one in reason for one in REFUSALS):
            self.error(f"refused: {reason}")
            return True
        kind = _NAMES.sub("*", reason.split(";", maxsplit=1)[0])
        self.account.add(f"refused: {kind}")
        if self.edits.put_back or self.rng.random() < 0.4:
            return True
        self.edits.put_back = True
        self.say("put back what was consumed")
        for name in self.world.raw:
            folder = self.folder / "data" / name
            if self.world.kinds[name] == "incremental":
                (folder / CHECKPOINT).unlink(missing_ok=True)
        write_data(self.folder, self.world)
        return False

    def _data(self) -> dict[str, str]:
        root = self.folder / "data"
        return {
            str(path.relative_to(root)): path.read_text()
            for path in root.rglob("*")
            if path.is_file()
        }

    def _check_untouched(self, before: dict[str, str]) -> None:
        if self._data() != before:
            self.error("refused, and data was touched")

    def _needless(
        self,
        planned: dict[str, str],
        again: list[str],
        complete: set[str],
        before: dict[str, str],
    ) -> None:
        """Count the nodes that ran and made what was there, by reason."""
        after = self._data()
        for name in set(again):
            self.account.add("nodes run")
            if name not in complete or name not in planned:
                continue
            outputs = next(n.outputs for n in self.world.nodes if n.name == name)
            same = True
            for output in map(bare, outputs):
                kind, place = self.world.kinds[output], self.world.place(output)
                if kind in ("memory", "versioned"):
                    same = False
                mine = [p for p in after if p == place or p.startswith(f"{place}/")]
                same = same and all(before.get(p) == after[p] for p in mine)
            if same:
                reason = _NAMES.sub("*", planned[name])
                self.account.add(f"needless: {reason}")

    # -- judging ---------------------------------------------------------------------

    def _confirmed(self, name: str) -> str:
        path = self.folder / "data" / name / CHECKPOINT
        return path.read_text() if path.exists() else self.world.checkpoint

    def _judge(self) -> None:
        self.account.add("judged")
        truth = expected(self.world, self._confirmed)
        kinds = {self.world.place(n): (n, k) for n, k in self.world.outputs().items()}
        for place, wanted in truth.items():
            name, kind = kinds[place]
            found = self._found(place, name, kind)
            if found != wanted:
                self.error(f"{name} ({kind}) is {_short(found)}, not {_short(wanted)}")
        for name, kind in self.world.kinds.items():
            confirmed = self._confirmed(name) if kind == "incremental" else "-"
            if confirmed == self.world.checkpoint:
                self.error(f"{name} was not confirmed")

    def _found(self, place: str, name: str, kind: str) -> Any:
        path = self.folder / "data" / place
        if kind == "versioned":
            version = None
            maker = self.world.makers[name].name
            for state in self.states():
                for run in state.runs:
                    node = run.nodes.get(maker)
                    save = node.saves.get(name) if node is not None else None
                    if save is not None and not save.is_open:
                        version = save.version
            path = path / str(version) / name
        if path.is_dir():
            return {one.stem: one.read_text() for one in path.glob("*.txt")}
        return path.read_text() if path.exists() else None

    def keep(self) -> None:
        """Write what happened into the folder of the project."""
        text = "\n".join(["python -m storms: see tests/README.md", *self.lines])
        (self.folder / "story.txt").write_text(f"{self.name}\n{text}\n")
        (self.folder / "world.json").write_text(
            json.dumps(asdict(self.world), indent=1)
        )


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 160 else f"{text[:90]}...{text[-50:]}"


def tell(seed: str, folder: Path, account: Account, sabotage: str = "") -> Story:
    """Go through one story; its folder stays if a promise is broken."""
    rng = random.Random(seed)
    world = draw(rng)
    world.level = random.Random(f"{seed} level").choice((0, 1))
    for kind in set(world.kinds.values()):
        account.add(f"worlds with {kind}")
    for what in features(world):
        account.add(f"worlds with {what}")
    name = f"{seed} ({len(world.nodes)} nodes, {world.runner})"
    story = Story(folder, world, rng, account, name, sabotage)
    story.tell()
    account.violations += [f"{name} in {folder}: {what}" for what in story.wrong]
    if story.wrong:
        story.keep()
    else:
        shutil.rmtree(folder)
    return story


def run(count: int, folder: Path, seed: int, say: Say) -> Account:
    """Strike at least so many runs; see `account.Run`."""
    warm_up()
    account, said, number = Account(), time.monotonic(), 0
    kept = folder.with_name("resume-worlds-that-were-wrong")
    while account.count < count and number < 4 * count:
        number += 1
        story = tell(f"{seed}-{number}", folder / str(number), account)
        if story.wrong:
            where = kept / f"{seed}-{number}"
            shutil.rmtree(where, ignore_errors=True)
            shutil.copytree(story.folder, where)
            say(f"WRONG: {where}: {story.wrong[0][:300]}")
        if time.monotonic() - said > _SAY_S:
            said = time.monotonic()
            say(f"{account.count} struck, {len(account.violations)} promises broken")
    account.figures["worlds"] = number
    account.figures = dict(sorted(account.figures.items()))
    return account


def find_teeth(folder: Path, sabotage: str, most: int = 150) -> Account:
    """Strike until a planner that is broken on purpose is caught."""
    warm_up()
    account = Account()
    for number in range(most):
        tell(f"teeth-{number}", folder / str(number), account, sabotage)
        if account.violations:
            break
    return account


SUITE = Suite(
    "worlds",
    "a run dies or fails, its project is edited, and it is resumed",
    "deaths and failures",
    full=1000,
    small=15,
    run=run,
)
