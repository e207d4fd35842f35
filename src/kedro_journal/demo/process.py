"""Commands that the demo starts, watched through the journals that they write."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory

__all__ = ["Child", "as_typed", "await_session", "left_out", "start_kedro"]

_LOOK_S: Final = 0.02  # between two looks for a journal that is not begun yet


class Child:
    """A `kedro` that was started. Its output is kept, not shown."""

    def __init__(self, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self._process = process
        self._output = output

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait(self) -> int:
        """Wait for its end and give its exit code."""
        return self._process.wait()

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end, but not for long; tell whether it came."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None

    def kill(self) -> int:
        """End it with no chance to tidy up: SIGKILL. Gives its exit code."""
        self._process.kill()
        return self._process.wait()

    def output(self) -> str:
        """Return what it has printed."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")


@contextlib.contextmanager
def start_kedro(
    arguments: Sequence[str],
    cwd: Path,
    more: Mapping[str, str] | None = None,
    *,
    program: str = "kedro",
    answer: bool = False,
) -> Iterator[Child]:
    """Start `kedro ARGUMENTS` with this Python; it does not outlive the block.

    Args:
        arguments: Of the program.
        cwd: Its working directory.
        more: Environment variables, besides those that do not disturb.
        program: kedro or kedro-journal.
        answer: Keep of its output what it prints on stdout alone.
    """
    environment = {
        name: value for name, value in os.environ.items() if not _disturbs(name)
    }
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", program.replace("-", "_"), *arguments],
            cwd=cwd,
            env={**environment, "DO_NOT_TRACK": "1", "NO_COLOR": "1", **(more or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL if answer else subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: we end it
        )
        try:
            yield Child(process, output)
        finally:
            if process.poll() is None:
                _kill_group(process)
            process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _disturbs(name: str) -> bool:
    """Return whether a variable would change what the demo runs."""
    return name.startswith("KEDRO_") or name == "FORCE_COLOR"


def left_out() -> list[str]:
    """Name the user's settings of Kedro that the demo's runs do not get."""
    return sorted(name for name in os.environ if name.startswith("KEDRO_"))


def await_session(where: JournalDirectory, known: Sequence[str], child: Child) -> str:
    """Wait until a child has begun a journal, and give the id of its session.

    Args:
        where: The journal directory.
        known: Sessions that were there before.
        child: It.

    Raises:
        JournalError: It ended without a journal.
    """
    while True:
        ended = child.ends_within(_LOOK_S)
        new = [name for name in where.ids() if name not in known]
        if new:
            return new[0]
        if ended:
            message = f"{where.path}: the run ended without a journal."
            raise JournalError(message)


def as_typed(program: str, *arguments: str) -> str:
    """Write a command as it can be typed here: `kedro` or `kedro-journal` with words.

    Where the shell would not find this installation's program by its name, the command
    says which Python has it.
    """
    found, here = shutil.which(program), Path(sys.executable).parent
    # pipx and others put a link to it on the PATH.
    where = {Path(found).parent, Path(found).resolve().parent} if found else set()
    if here in where:
        command = [program]
    elif (here / program).exists():
        command = [str(here / program)]
    else:
        command = [sys.executable, "-m", program.replace("-", "_")]
    return shlex.join([*command, *arguments])
