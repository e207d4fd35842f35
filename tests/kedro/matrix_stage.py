"""Plays the cells of the matrix: real processes and real signals, several at once."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kedro_journal import SessionState
from kedro_journal.journal import Verification

from .conftest import IPYTHON, KEDRO, TIMEOUT_S, Project
from .matrix_model import KEDRO_VERSION, Ending, Way
from .matrix_project import copy_project, environment
from .matrix_table import Cell

_WAITING: Final = re.compile(r"WAITING (\d+)")
_SERVING: Final = re.compile(r"running on (http://\S+)")
_STOPPING: Final = re.compile(r"(Shutting down|Waiting for)")

SCRIPT: Final = """
from pathlib import Path
from kedro.framework.startup import bootstrap_project
from {module} import {cls}

if __name__ == "__main__":
    bootstrap_project(Path.cwd())
    {body}
"""


@dataclass(frozen=True)
class Played:
    """What came of a cell.

    Attributes:
        exit_code: Of the process; the negative number of the signal it died of.
        answer: What the HTTP server answered, empty without one or without an answer.
        output: What was printed.
        seen_waiting: The state that a reader saw while the node waited.
        states: The sessions on record when the process was gone.
        verifications: Their journals' health.
    """

    exit_code: int
    answer: str
    output: str
    seen_waiting: SessionState | None
    states: tuple[SessionState, ...]
    verifications: tuple[Verification, ...]


class Stage:
    """Plays cells ahead of the tests that ask for them, as many as there are CPUs.

    Args:
        template: The project that each of them copies.
        folder: Where the copies are made.
        ahead: What to play before it is asked for, and whether with the plugin
            switched on. Any other cell is played when it is.
    """

    def __init__(
        self, template: Project, folder: Path, ahead: Iterable[tuple[Cell, bool]] = ()
    ) -> None:
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1)
        self._template, self._folder = template, folder
        self._played: dict[tuple[Cell, bool], Future[Played]] = {}
        for cell, journaled in ahead:
            self._start(cell, journaled)

    def played(self, cell: Cell, *, journaled: bool = True) -> Played:
        """Wait for a cell to be played."""
        if (cell, journaled) not in self._played:
            self._start(cell, journaled)
        return self._played[cell, journaled].result()

    def _start(self, cell: Cell, journaled: bool) -> None:
        self._played[cell, journaled] = self._pool.submit(
            self._play, cell, journaled, len(self._played)
        )

    def close(self) -> None:
        """Play no more."""
        self._pool.shutdown(cancel_futures=True)

    def _play(self, cell: Cell, journaled: bool, number: int) -> Played:
        path = self._folder / str(number) / "journal-demo"
        ending = cell.ending
        project = copy_project(
            self._template, path, level=cell.way.level, how=ending.how
        )
        ending.prepare(project.path)
        env = {**environment(project), **cell.way.env, **ending.env}
        if not journaled:
            env["KEDRO_JOURNAL_DISABLE"] = "1"
        return Performance(project, cell, env).play()


class Performance:
    """One process, what it prints, and what is done to it."""

    def __init__(self, project: Project, cell: Cell, env: dict[str, str]) -> None:
        self._project, self._cell = project, cell
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._is_over = False
        command, typed = COMMANDS[cell.way.kind](project, cell.way, cell.ending)
        self._process = subprocess.Popen(
            command,
            cwd=project.path,
            env=project.environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._process.stdin.write(typed)
        self._process.stdin.close()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def play(self) -> Played:
        """Play it to its end."""
        seen: SessionState | None = None
        try:
            request = self._request() if self._cell.way.kind == "server" else None
            if self._cell.ending.signal is not None:
                worker = int(self._wait_for(_WAITING))
                states = self._project.states()
                seen = states[0] if states else None
                self._send(self._cell.ending.signal, worker)
                if request is None and self._cell.told.node == "completed":
                    self._let_go()
            if request is not None:
                self._stop_server(request)
            self._process.wait(TIMEOUT_S)
            states = self._project.states()
        finally:
            # Workers that outlive the process are not part of how it ended.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(TIMEOUT_S)
            self._reader.join(TIMEOUT_S)
        return Played(
            exit_code=self._process.returncode,
            answer=request.result(TIMEOUT_S) if request is not None else "",
            output="".join(self._lines),
            seen_waiting=seen,
            states=tuple(states),
            verifications=tuple(
                self._project.verification(state.session_id) for state in states
            ),
        )

    def _send(self, number: int, worker: int) -> None:
        whom = self._cell.ending.whom
        if whom == "group":
            os.killpg(self._process.pid, number)
        elif whom == "worker":
            os.kill(worker, number)
        else:
            self._process.send_signal(number)

    def _request(self) -> Future[str]:
        """Ask the server for a run, without waiting for its end."""
        url = self._wait_for(_SERVING)
        answer: Future[str] = Future()
        body = json.dumps(pipelines(self._cell.ending)).encode()
        headers = {"Content-Type": "application/json"}

        def ask() -> None:
            request = urllib.request.Request(f"{url}/run", body, headers)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as found:
                    answer.set_result(str(json.load(found)["status"]))
            except OSError:
                answer.set_result("none")

        threading.Thread(target=ask).start()
        return answer

    def _stop_server(self, request: Future[str]) -> None:
        """Let a run that waits end; then stop the server as Ctrl-C does."""
        if self._cell.told.run == "completed" and self._cell.ending.signal:
            self._wait_for(_STOPPING)
            self._let_go()
            return
        request.result(TIMEOUT_S)
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def _let_go(self) -> None:
        """Let the node that waits end."""
        (self._project.path / "go").write_text("")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def _wait_for(self, pattern: re.Pattern[str]) -> str:
        """Wait until a line is printed, and give what is in its parentheses."""

        def found() -> re.Match[str] | None:
            return next(filter(None, map(pattern.search, self._lines)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() or self._is_over, TIMEOUT_S)
            match = found()
        if match is None:
            raise AssertionError(f"no {pattern.pattern!r}: {''.join(self._lines)}")
        return match[1]


def pipelines(ending: Ending) -> dict[str, object]:
    """Give the argument of `session.run` that names the pipeline."""
    if not ending.pipeline:
        return {}
    if KEDRO_VERSION < (1, 3):
        return {"pipeline_name": ending.pipeline}
    return {"pipeline_names": [ending.pipeline]}


def run_command(project: Project, way: Way, ending: Ending) -> tuple[list[str], str]:
    """Type `kedro run`."""
    more = ["--pipeline", ending.pipeline] if ending.pipeline else []
    return [*KEDRO, "run", "--runner", way.runner, *more], ""


def server_command(project: Project, way: Way, ending: Ending) -> tuple[list[str], str]:
    """Start Kedro's HTTP server on a port that is free."""
    return [*KEDRO, "server", "start", "--port", "0"], ""


def notebook_command(
    project: Project, way: Way, ending: Ending
) -> tuple[list[str], str]:
    """Type cells into IPython; an exception ends a cell, not the process."""
    typed = f"%load_ext kedro.ipython\nsession.run(**{pipelines(ending)})\n"
    return IPYTHON, typed


def script_command(project: Project, way: Way, ending: Ending) -> tuple[list[str], str]:
    """Write a script and run it."""
    named = pipelines(ending)
    module = "kedro_journal.session"
    cls = "KedroServiceSession" if way.kind == "service" else "KedroSession"
    body = f"with {cls}.create() as session:\n        session.run(**{named})"
    if way.kind == "kedro's session":
        module = "kedro.framework.session"
    elif way.kind == "bare":
        body = f"KedroSession.create().run(**{named})"
    script = project.path / "script.py"
    script.write_text(SCRIPT.format(module=module, cls=cls, body=body))
    return [sys.executable, str(script)], ""


COMMANDS: Final[dict[str, Callable[[Project, Way, Ending], tuple[list[str], str]]]] = {
    "run": run_command,
    "server": server_command,
    "notebook": notebook_command,
    "script": script_command,
    "bare": script_command,
    "kedro's session": script_command,
    "service": script_command,
}
