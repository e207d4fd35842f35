"""What the processes of the resume storm do: run, die at a random moment, go on.

They are forked from a process that has imported Kedro already.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import multiprocessing
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from .resume_project import PACKAGE, Case

__all__ = [
    "RAN",
    "Death",
    "Result",
    "begins",
    "fork",
    "prepare",
    "reached",
    "resume",
    "run",
    "runner_of",
]

RAN: Final = "ran.txt"
Where = Literal["before a record", "after a record", "half a file", "a node", "never"]


class Death(NamedTuple):
    """Where a process dies.

    Attributes:
        where: At what.
        count: At which of them, from 1.
        raises: It is an exception that is raised there.
    """

    where: Where = "never"
    count: int = 0
    raises: bool = False


class Result(NamedTuple):
    """What became of a process.

    Attributes:
        killed: It died of SIGKILL.
        said: What it said, if it came to its end.
    """

    killed: bool
    said: dict[str, Any]


_death: Death = Death()
_counter: Synchronized[int] | None = None


def begins(name: str) -> None:
    """Keep an account of the nodes that ran, apart from any journal."""
    fd = os.open(RAN, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(fd, f"{name}\n".encode())
    os.close(fd)


def reached(where: Where) -> None:
    """Die here, workers and all, if this is the moment."""
    if where != _death.where or _counter is None:
        return
    with _counter.get_lock():
        _counter.value += 1
        now = _counter.value
    if now == _death.count and _death.raises:
        message = "told to"
        raise ValueError(message)
    if now == _death.count:
        os.killpg(0, signal.SIGKILL)


def fork(folder: Path, work: Callable[[], dict[str, Any]]) -> Result:
    """Do work in a forked process in a folder, and wait for what it says."""
    said = folder / "said.json"
    said.unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.setsid()
            os.chdir(folder)
            answer = work()
            said.write_text(json.dumps(answer))
            code = 0
        except BaseException:
            Path("error.txt").write_text(traceback.format_exc())
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # Kedro's manager process, which nobody ended
    if os.WIFSIGNALED(status):
        return Result(True, {})
    if not said.exists():
        return Result(False, {"error": (folder / "error.txt").read_text()})
    return Result(False, json.loads(said.read_text()))


def prepare(death: Death) -> None:
    """Make ready for the project in the working directory."""
    from kedro.framework.startup import bootstrap_project

    from kedro_journal.journal import JournalWriter

    global _death, _counter  # noqa: PLW0603 - one for the process and its workers
    _death = death
    _counter = multiprocessing.Value(ctypes.c_int, 0)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    bootstrap_project(Path.cwd())
    append = JournalWriter.append_encoded

    def append_and_die(self: Any, *batch: Any, **more: Any) -> Any:
        if batch[0].event.TYPE not in ("session.created", "writer.opened"):
            reached("before a record")
        records = append(self, *batch, **more)
        reached("after a record")
        return records

    if death.where in ("before a record", "after a record"):
        JournalWriter.append_encoded = append_and_die  # type: ignore[method-assign]


def runner_of(case: Case) -> Any:
    from kedro import runner

    cls = getattr(runner, case.runner)
    if case.runner == "ParallelRunner":
        return cls(max_workers=2)
    return cls(is_async=case.is_async)


def run(case: Case, death: Death) -> dict[str, Any]:
    """Run the pipeline from its start."""
    from kedro_journal.session import KedroSession

    prepare(death)
    with KedroSession.create(PACKAGE, Path.cwd()) as session:
        session.run(runner=runner_of(case))
    return {}


def resume(
    death: Death, sabotage: str = "", *, env: str | None = None
) -> dict[str, Any]:
    """Go on from what is there."""
    from kedro_journal.errors import NothingLeft, NotResumable
    from kedro_journal.session import KedroSession

    prepare(death)
    _sabotage(sabotage)
    try:
        with KedroSession.resume(project_path=Path.cwd(), env=env) as session:
            plan = session.plan
            assert plan is not None
            Path("plan.json").write_text(json.dumps(plan.to_run))
            session.run()
    except NothingLeft:
        return {"to_run": []}
    except NotResumable as error:
        return {"refused": error.reason}
    return {"to_run": plan.to_run}


def _sabotage(what: str) -> None:
    """Plan as others do: the storm must see it."""
    import msgspec

    from kedro_journal.analysis import resume as planner

    judge = planner._Planner.judge

    def by_existence(self: Any, node: Any) -> Any:
        found = judge(self, node)
        stored = [self.stored[name] for name in node.outputs if name in self.stored]
        kept = [one for one in stored if one.persistent]
        if found.decision == "suspect" and kept and all(one.exists for one in kept):
            return msgspec.structs.replace(found, decision="done")
        return found

    def by_return(self: Any, node: Any) -> Any:
        found, known = judge(self, node), self.known.nodes.get(node.name)
        if found.decision == "suspect" and known is not None:
            return msgspec.structs.replace(found, decision="done")
        return found

    def by_nothing(*args: Any) -> dict[str, str]:
        return {}

    match what:
        case "trusts node.computed":
            planner._Planner.judge = by_return  # type: ignore[method-assign]
        case "trusts a file that exists":
            planner._Planner.judge = by_existence  # type: ignore[method-assign]
        case "forgets about memory":
            planner._Planner.close = by_nothing  # type: ignore[method-assign,assignment]
        case "loads the newest version":
            planner._Planner.versions = by_nothing  # type: ignore[method-assign,assignment]


SABOTAGES: Final[Sequence[str]] = (
    "trusts node.computed",
    "trusts a file that exists",
    "forgets about memory",
    "loads the newest version",
)
