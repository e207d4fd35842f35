"""Python commands in forks of a process that has the users' libraries imported.

Most tests of real runs start `kedro` or a script several times, and half of the time of
each is the import of pandas and of what Kedro needs. Here a process imports these once
and forks for each command. Kedro, this package and the project are imported by the fork
itself: nothing of a test's subject is shared.

A command that needs another interpreter, or another environment of the interpreter, is
started as any program is. `PRELOADED=0` does that with all of them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["Preloaded"]

LIBRARIES: Final = (
    "pandas", "omegaconf", "dynaconf", "jinja2", "rich.console", "rich.logging",
    "rich.traceback", "rich.pretty", "requests", "click", "cookiecutter.main", "yaml",
    "pluggy", "fsspec", "attrs", "cachetools", "concurrent.futures",
    "multiprocessing.managers", "multiprocessing.pool",
)  # fmt: skip
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
_MESSAGE_MAX_BYTES: Final = 1 << 20


class Preloaded:
    """Runs commands to their end, one at a time: see `takes`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def turn(self, command: Sequence[str], env: Mapping[str, str]) -> Iterator[bool]:
        """Say for a block whether a command can be run here.

        It cannot while another thread runs one: a test of two commands at once needs
        both to run.
        """
        if not (self.takes(command, env) and self._turn.acquire(blocking=False)):
            yield False
            return
        try:
            yield True
        finally:
            self._turn.release()

    def takes(self, command: Sequence[str], env: Mapping[str, str]) -> bool:
        """Return whether a command is of the kind that is run here."""
        if os.environ.get("PRELOADED") == "0" or os.name != "posix":
            return False
        ours = {k: v for k, v in os.environ.items() if k.startswith("PYTHON")}
        theirs = {k: v for k, v in env.items() if k.startswith("PYTHON")}
        if ours != theirs or command[0] != sys.executable:
            return False
        return command[1] == "-m" or command[1].endswith(".py")

    def run(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        typed: str,
        timeout_s: float,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as `subprocess.run` does with `capture_output`.

        Raises:
            subprocess.TimeoutExpired: It ran for longer; it was killed.
        """
        control = self._control()
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(typed.encode())
            given.seek(0)
            asked = {"argv": command[1:], "cwd": str(cwd), "env": dict(env)}
            message = json.dumps(asked).encode()
            fds = [file.fileno() for file in (given, out, err)]
            socket.send_fds(control, [message], fds)
            pid = int(control.recv(64))
            control.settimeout(timeout_s)
            try:
                status = int(control.recv(64))
            except TimeoutError as error:
                os.kill(pid, signal.SIGKILL)
                control.settimeout(None)
                control.recv(64)
                raise subprocess.TimeoutExpired(command, timeout_s) from error
            control.settimeout(None)
            texts = []
            for file in (out, err):
                file.seek(0)
                texts.append(file.read().decode())
        return subprocess.CompletedProcess(list(command), status, *texts)

    def close(self) -> None:
        """End the process that forks."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None:
            self._process.wait(10)

    def _control(self) -> socket.socket:
        if self._socket is None:
            mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            for end in (mine, its):
                size = _MESSAGE_MAX_BYTES
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, size)
            arguments = [sys.executable, __file__, str(its.fileno())]
            self._process = subprocess.Popen(
                arguments, pass_fds=[its.fileno()], start_new_session=False
            )
            its.close()
            self._socket = mine
        return self._socket


def _serve(control: socket.socket) -> list[str]:
    """Fork for each command; return its arguments in the fork."""
    while True:
        message, fds, _, _ = socket.recv_fds(control, _MESSAGE_MAX_BYTES, 3)
        if not message:
            os._exit(0)
        asked: dict[str, Any] = json.loads(message)
        pid = os.fork()
        if pid == 0:
            control.close()
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
            os.closerange(3, max(fds) + 1)
            os.environ.clear()
            os.environ.update(asked["env"])
            os.chdir(asked["cwd"])
            return list(asked["argv"])
        for fd in fds:
            os.close(fd)
        control.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        control.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(argv: list[str]) -> None:
    """Run a module or a script as the interpreter does for its command line."""
    if argv[0] == "-m":
        sys.argv = argv[1:]
        sys.path[0] = str(Path.cwd())
        runpy.run_module(argv[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = argv
        sys.path[0] = str(Path(argv[0]).parent)
        runpy.run_path(argv[0], run_name="__main__")


def _main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path[0] = ""
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    argv = _serve(control)
    for number in _SIGNALS:
        is_int = number == signal.SIGINT
        default = signal.default_int_handler if is_int else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number == signal.SIGPIPE else default)
    _become(argv)


if __name__ == "__main__":
    _main()
