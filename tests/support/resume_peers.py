"""Twelve broken runs, taken up again in three ways: `python tests/support/resume_peers.py`.

Every run is really broken, in a process of its own; every way gets a copy of what is
left of it. Prints a table in Markdown.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent))

from storms import resume as storm
from storms import resume_child
from storms.resume_child import Death
from storms.resume_project import PACKAGE, Case, write_project

import kedro_journal

__all__ = ["WAYS", "compare", "table"]

NEWER: Final = "2999-01-01T00.00.00.000Z"
Nodes = list[tuple[str, list[str], list[str]]]
LINE: Final[Nodes] = [
    ("load", ["raw0"], ["rows"]),
    ("clean", ["rows"], ["table"]),
    ("train", ["table", "params:word"], ["model"]),
    ("score", ["model", "raw1"], ["scores"]),
    ("report", ["scores", "table"], ["page"]),
]
FORK: Final[Nodes] = [
    ("load", ["raw0"], ["rows"]),
    ("left", ["rows"], ["l1"]),
    ("right", ["rows"], ["r1"]),
    ("more", ["r1"], ["r2"]),
    ("join", ["l1", "r2"], ["page"]),
]


@dataclass
class Broken:
    """One run, how it breaks, and what happens before it is taken up again.

    Attributes:
        what: The same in words.
        death: Where it dies or raises.
        nodes: The pipeline.
        memory: Datasets that live in memory.
        versioned: Datasets that keep versions.
        runner: Class of the runner.
        before: What was there before the run.
        after: What happens after its end.
        env: The environment in which it is taken up again.
        data: Where its outputs are to be then.
    """

    what: str
    death: Death
    nodes: Nodes = field(default_factory=lambda: LINE)
    memory: tuple[str, ...] = ()
    versioned: tuple[str, ...] = ()
    runner: str = "SequentialRunner"
    before: Callable[[Path, Case], None] | None = None
    after: Callable[[Path], None] | None = None
    env: str | None = None
    data: dict[str, str] = field(default_factory=dict)

    def case(self) -> Case:
        """Give the project."""
        made = Case(self.nodes, runner=self.runner)
        for _, _, outputs in self.nodes:
            for output in outputs:
                made.kinds[output] = "file"
                if output in self.memory:
                    made.kinds[output] = "memory"
                elif output in self.versioned:
                    made.kinds[output] = "versioned"
        return made


def _ran_yesterday(folder: Path, case: Case) -> None:
    """A whole run with yesterday's input; today there is another one."""
    raw = folder / "data" / "raw0"
    today = raw.read_text()
    raw.write_text("yesterday's rows")
    resume_child.fork(folder, lambda: resume_child.run(case, Death()))
    raw.write_text(today)
    (folder / resume_child.RAN).unlink()


def _newer_version(folder: Path) -> None:
    """Another run saves a newer version."""
    path = folder / "data" / "model" / NEWER / "model"
    path.parent.mkdir(parents=True)
    path.write_text("a model of somebody else")


def _delete(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "data" / name).unlink()


def _change(name: str) -> Callable[[Path], None]:
    return lambda folder: _overwrite(folder / "data" / name)


def _overwrite(path: Path) -> None:
    path.write_text("edited by hand")


MOVED: Final = {"table": "elsewhere/table"}
OTHER: Final = {
    name: f"other/{name}"
    for name in ("raw0", "raw1", "rows", "table", "model", "scores", "page")
}


def _move(environment: str, places: dict[str, str]) -> Callable[[Path], None]:
    """Let datasets be elsewhere, where old files are; raw data are as they were."""

    def move(folder: Path) -> None:
        catalog = json.loads((folder / "conf/base/catalog.yml").read_text())
        for name, place in places.items():
            catalog[name]["filepath"] = place
            path = folder / place
            path.parent.mkdir(exist_ok=True)
            raw = folder / "data" / name
            path.write_text(raw.read_text() if name[:3] == "raw" else f"old {name}")
        path = folder / "conf" / environment / "catalog.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(catalog))

    return move


RUNS: Final = (
    Broken("a node raises", Death("a node", 4, raises=True)),
    Broken(
        "a node raises; what it needs was in memory",
        Death("a node", 4, raises=True),
        memory=("rows", "model"),
    ),
    Broken("a save raises, half written", Death("half a file", 3, raises=True)),
    Broken("killed in a node", Death("a node", 4)),
    Broken("killed in a node; memory", Death("a node", 4), memory=("table", "model")),
    Broken("killed in a save, half written", Death("half a file", 3)),
    Broken(
        "a node raises; then a newer version is saved",
        Death("a node", 4, raises=True),
        versioned=("model",),
        after=_newer_version,
    ),
    Broken(
        "killed, where a branch was completed (ThreadRunner)",
        Death("half a file", 4),
        nodes=FORK,
        memory=("rows",),
        runner="ThreadRunner",
    ),
    Broken(
        "a node raises; then an output is edited",
        Death("a node", 5, raises=True),
        after=_change("table"),
    ),
    Broken(
        "killed; yesterday's outputs are still there",
        Death("a node", 3),
        before=_ran_yesterday,
    ),
    Broken(
        "a node raises; then an output is moved, where an old one is",
        Death("a node", 4, raises=True),
        after=_move("base", MOVED),
        data=MOVED,
    ),
    Broken(
        "a node raises; gone on with in another environment, with old data",
        Death("a node", 4, raises=True),
        after=_move("other", OTHER),
        env="other",
        data=OTHER,
    ),
)


@dataclass
class Outcome:
    """What a way made of a broken run.

    Attributes:
        ran: Nodes that ran again.
        wrong: Outputs that are not what they should be.
        failure: Why it failed, if it did.
    """

    ran: int = 0
    wrong: list[str] = field(default_factory=list)
    failure: str = ""

    def __str__(self) -> str:
        if self.failure:
            return self.failure
        nodes = f"{self.ran} node{'s' * (self.ran != 1)}"
        return f"{nodes}, **wrong: {', '.join(self.wrong)}**" if self.wrong else nodes


def _plain_run(broken: Broken, **arguments: Any) -> dict[str, Any]:
    """`kedro run` with arguments."""
    from kedro.framework.session import KedroSession

    resume_child.prepare(Death())
    with KedroSession.create(project_path=Path.cwd(), env=broken.env) as session:
        session.run(runner=resume_child.runner_of(broken.case()), **arguments)
    return {}


def _hinted(broken: Broken, hint: str) -> dict[str, Any]:
    """Do what Kedro's log said; without a hint, all of it runs again."""
    return _plain_run(broken, from_nodes=hint.split(",") if hint else None)


def _missing(broken: Broken, hint: str) -> dict[str, Any]:
    del hint
    return _plain_run(broken, only_missing_outputs=True)


def _ours(broken: Broken, hint: str) -> dict[str, Any]:
    del hint
    return resume_child.resume(Death(), env=broken.env)


Way = Callable[[Broken, str], dict[str, Any]]
WAYS: Final[dict[str, Way]] = {
    "Kedro's `--from-nodes` hint": _hinted,
    "`--only-missing-outputs`": _missing,
    "`kedro-journal resume`": _ours,
}


def _broken_run(case: Case, death: Death) -> dict[str, Any]:
    """Run, and keep what Kedro's log proposes."""
    said: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    resume_child.prepare(death)
    logging.disable(logging.NOTSET)
    logging.getLogger("kedro").addHandler(Keep(logging.WARNING))
    from kedro_journal.session import KedroSession

    try:
        with KedroSession.create(PACKAGE, Path.cwd()) as session:
            session.run(runner=resume_child.runner_of(case))
    except Exception as error:
        found = re.search(r'--from-nodes "([^"]*)"', "\n".join(said))
        return {"raised": str(error), "hint": found[1] if found else ""}
    return {}


def compare(folder: Path) -> list[tuple[Broken, list[Outcome]]]:
    """Break every run, and take it up in every way."""
    storm.warm_up()
    found = []
    for number, broken in enumerate(RUNS):
        case = broken.case()
        origin = folder / f"{number}"
        write_project(origin, case)
        if broken.before is not None:
            broken.before(origin, case)
        done = resume_child.fork(origin, lambda: _broken_run(case, broken.death))  # noqa: B023
        assert done.killed or "raised" in done.said, (broken.what, done.said)
        if broken.after is not None:
            broken.after(origin)
        hint = done.said.get("hint", "")
        (origin / resume_child.RAN).unlink()
        found.append(
            (broken, [_try(origin, broken, way, hint) for way in WAYS.values()])
        )
    return found


def _try(origin: Path, broken: Broken, way: Way, hint: str) -> Outcome:
    case = broken.case()
    copy = origin.with_name(f"{origin.name} {way.__name__}")
    shutil.copytree(origin, copy)
    done = resume_child.fork(copy, lambda: way(broken, hint))
    ran = copy / resume_child.RAN
    outcome = Outcome(len(ran.read_text().split()) if ran.exists() else 0)
    if "error" in done.said:
        outcome.failure = f"fails: {done.said['error'].strip().splitlines()[-1][:60]}"
        return outcome
    for name, text in case.expected().items():
        path = copy / broken.data.get(name, f"data/{name}")
        if case.kinds[name] == "versioned":
            path = _saved(copy, name)
        if not path.exists() or path.read_text() != text:
            outcome.wrong.append(name)
    return outcome


def _saved(folder: Path, name: str) -> Path:
    """Find the version that the project's sessions saved last."""
    for state in kedro_journal.sessions(directory=folder / "sessions"):
        for run in reversed(state.runs):
            for node in run.nodes.values():
                save = node.saves.get(name)
                if save is not None and save.version:
                    return folder / "data" / name / save.version / name
    return folder / "nothing"


def table(found: list[tuple[Broken, list[Outcome]]]) -> str:
    """Write the comparison in Markdown."""
    rows = [f"| the run | {' | '.join(WAYS)} |", "|---|" + "---|" * len(WAYS)]
    rows += [
        f"| {broken.what} | {' | '.join(map(str, outcomes))} |"
        for broken, outcomes in found
    ]
    columns = list(zip(*(outcomes for _, outcomes in found), strict=True))
    sums = [
        f"**{sum(o.ran for o in column)} nodes, {sum(bool(o.wrong) for o in column)} "
        f"wrong, {sum(bool(o.failure) for o in column)} failed**"
        for column in columns
    ]
    return "\n".join([*rows, f"| **all twelve** | {' | '.join(sums)} |"]) + "\n"


def main() -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="resume-peers-"))
    try:
        sys.stdout.write(table(compare(folder)))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
