"""What the processes of a world do: run, die or fail at some moment, resume."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import select
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from .resume_child import begins
from .worlds_truth import chunks, outcome

__all__ = ["WHERE", "Blow", "Result", "called", "fork", "reached", "resume", "run"]

WHERE: Final = (
    *("a record", "after a record", "half a file", "a node") * 2,
    "after a file",
    "before a confirm",
    "after a confirm",
)
_TIMEOUT_S: Final = 90.0


class Blow(NamedTuple):
    """What strikes a process.

    Attributes:
        where: At what.
        count: At which of them, from 1; 0 for never.
        how: kill, raise, exit or interrupt.
        times: How often, one after the other.
        after_s: Or it is killed after so many seconds.
    """

    where: str = "never"
    count: int = 0
    how: str = "kill"
    times: int = 1
    after_s: float = 0.0


class Result(NamedTuple):
    """What became of a process.

    Attributes:
        killed: It died of SIGKILL.
        struck: The blow struck.
        said: What it said, if it came to its end.
    """

    killed: bool
    struck: bool
    said: dict[str, Any]


def reached(where: str) -> None:
    """Let the blow strike here, if this is the moment."""
    try:
        blow, main = json.loads(Path("blow.json").read_text())
    except FileNotFoundError:
        return
    blow = Blow(*blow)
    if blow.where != where or not blow.count:
        return
    with Path("blows.txt").open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(".")
        file.flush()
        count = os.fstat(file.fileno()).st_size
    if not blow.count <= count < blow.count + blow.times:
        return
    if blow.how == "kill":
        os.killpg(0, signal.SIGKILL)
    elif blow.how == "exit":
        sys.exit(3)
    elif blow.how == "interrupt":
        os.kill(main, signal.SIGINT)
    else:
        message = "told to"
        raise ValueError(message)


def called(name: str, code: int, forms: Sequence[str], inputs: Sequence[Any]) -> Any:
    """Be the function of a node."""
    begins(name)
    made = outcome(name, code, forms, inputs)
    reached("a node")
    return made


def yielded(
    name: str, code: int, forms: Sequence[str], inputs: Sequence[Any]
) -> Iterator[Any]:
    """Be the function of a generator node."""
    begins(name)
    for number, chunk in enumerate(chunks(name, code, forms, inputs)):
        if number == 1:
            reached("a node")
        yield chunk


def fork(folder: Path, blow: Blow, work: Callable[[], dict[str, Any]]) -> Result:
    """Do work in a forked process in a folder, and wait for what it says."""
    for name in ("said.json", "error.txt", "blows.txt"):
        (folder / name).unlink(missing_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            os.chdir(folder)
            Path("blow.json").write_text(json.dumps([blow, os.getpid()]))
            signal.signal(signal.SIGINT, signal.default_int_handler)
            answer = work()
            Path("said.json").write_text(json.dumps(answer))
        except BaseException:
            Path("error.txt").write_text(traceback.format_exc())
        finally:
            os._exit(0)
    hangs = _wait(pid, blow)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    count = (
        (folder / "blows.txt").stat().st_size if (folder / "blows.txt").exists() else 0
    )
    struck = bool(blow.count) and count >= blow.count
    if hangs:
        return Result(False, struck, {"error": "it hung, and was killed"})
    if os.WIFSIGNALED(status):
        return Result(True, True, {})
    if not (folder / "said.json").exists():
        return Result(False, struck, {"error": (folder / "error.txt").read_text()})
    return Result(False, struck, json.loads((folder / "said.json").read_text()))


def _wait(pid: int, blow: Blow) -> bool:
    """Wait for a process, and kill it in time; return whether it hung."""
    fd = os.pidfd_open(pid)
    try:
        ended = select.select([fd], [], [], blow.after_s or _TIMEOUT_S)[0]
        if not ended:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        return not ended and not blow.after_s
    finally:
        os.close(fd)


def _prepare(blow: Blow, runner: str) -> Any:
    """Make ready for the project in the working directory; return a runner."""
    from kedro import runner as runners
    from kedro.framework.startup import bootstrap_project

    from kedro_journal.journal import JournalWriter

    sys.dont_write_bytecode = True
    os.environ["KEDRO_MP_CONTEXT"] = "spawn" if runner == "spawn" else "fork"
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    bootstrap_project(Path.cwd())
    if "a record" in blow.where:
        append = JournalWriter.append_encoded

        def append_and_die(self: Any, *batch: Any, **more: Any) -> Any:
            if batch[0].event.TYPE not in ("session.created", "writer.opened"):
                reached("a record")
            records = append(self, *batch, **more)
            reached("after a record")
            return records

        JournalWriter.append_encoded = append_and_die  # type: ignore[method-assign]
    if runner in ("fork", "spawn"):
        return runners.ParallelRunner(max_workers=2)
    if runner == "thread":
        return runners.ThreadRunner(max_workers=2)
    if runner in ("retry", "soft"):
        from stormy import runners as own  # type: ignore[import-not-found]

        return own.Retry() if runner == "retry" else own.Soft()
    return runners.SequentialRunner(is_async=runner == "async")


def run(blow: Blow, runner: str, level: int) -> dict[str, Any]:
    """Run the pipeline from its start, at level 0 in a session of Kedro's own class."""
    made = _prepare(blow, runner)
    with _session(level) as session:
        session.run(runner=made)
    return {}


def _session(level: int) -> Any:
    if level:
        from kedro_journal.session import KedroSession

        return KedroSession.create("stormy", Path.cwd())
    from kedro.framework.session import KedroSession as KedrosOwn

    return KedrosOwn.create(project_path=Path.cwd())


def resume(blow: Blow, runner: str, on_drift: Any, sabotage: str) -> dict[str, Any]:
    """Resume what is there."""
    from kedro_journal.errors import NothingLeft, NotResumable
    from kedro_journal.session import KedroSession

    from .worlds_teeth import break_planner

    _prepare(blow, runner)
    break_planner(sabotage)
    plan = Path("plan.json")
    plan.unlink(missing_ok=True)
    try:
        with KedroSession.resume(project_path=Path.cwd(), on_drift=on_drift) as session:
            found = session.plan
            assert found is not None
            told = {one.name: one.reason for one in found.decisions}
            ran = {name: told[name] for name in found.to_run}
            plan.write_text(json.dumps(ran))
            session.run()
    except NothingLeft:
        return {"to_run": {}}
    except NotResumable as error:
        return {"refused": error.reason}
    return {"to_run": ran}
