"""The code that ran, as git knows it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from msgspec.structs import replace

from kedro_journal._clock import monotonic_s
from kedro_journal._outside import let_through, suppress
from kedro_journal.events import Git
from kedro_journal.journal.port import REAL_OS

if TYPE_CHECKING:
    from kedro_journal.recording.recorder import Recorder

__all__ = ["DIFF_MAX_BYTES", "GitQuery", "git_state"]

DIFF_NAME: Final = "git.diff"
DIFF_MAX_BYTES: Final = 1024 * 1024
_TIMEOUT_S: Final = 5.0
_Command = subprocess.Popen[str]


class GitQuery:
    """Asks git for the commit, the branch and whether anything is uncommitted.

    The command runs beside the caller, which has other facts to gather: see
    git-status(1) `--porcelain=v2 --branch`. Leaving the `with` block ends the command,
    so that no child process stays.

    Args:
        path: A folder in the repository.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._status = _start(path, "status", "--porcelain=v2", "--branch")
        self._deadline_s = monotonic_s() + _TIMEOUT_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *of_the_block: object) -> None:
        _end(self._status)

    def state(self, *, diff_for: Recorder | None = None) -> Git | None:
        """Return the answer.

        None without git, outside a repository, or if git has taken longer than five
        seconds since the query was made.

        Args:
            diff_for: Keep the uncommitted changes of tracked files beside this
                recorder's journal, redacted, cut at 1 MiB.
        """
        status = _output(self._status, max(0.0, self._deadline_s - monotonic_s()))
        return None if status is None else _state_of(self._path, status, diff_for)


def git_state(path: Path, *, diff_for: Recorder | None = None) -> Git | None:
    """Ask git and wait for the answer; see `GitQuery`."""
    with GitQuery(path) as query:
        return query.state(diff_for=diff_for)


def _state_of(path: Path, status: str, diff_for: Recorder | None) -> Git:
    sha, branch, dirty = "", None, False
    for line in status.splitlines():
        if line.startswith("# branch.oid "):
            sha = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            name = line.removeprefix("# branch.head ")
            branch = None if name == "(detached)" else name
        elif not line.startswith("#"):
            dirty = True
    found = Git(sha="" if sha == "(initial)" else sha, branch=branch, dirty=dirty)
    if dirty and found.sha and diff_for is not None and diff_for.folder is not None:
        return replace(found, diff_file=_keep_diff(path, diff_for, diff_for.folder))
    return found


def _keep_diff(path: Path, recorder: Recorder, folder: Path) -> str:
    diff = _git(path, "diff", "--no-color", "--no-ext-diff", "HEAD")
    if not diff:
        return ""
    # Imported here: few projects ask for the diff.
    from .compat import credential_patterns
    from .diff import safe_diff

    lines: list[str] = []
    size = 0
    for line in safe_diff(diff.split("\n"), credential_patterns()):
        safe = recorder.redactor.text(line)
        size += len(safe.encode("utf-8", "replace")) + 1
        if size > DIFF_MAX_BYTES:
            lines.append(f"(cut at {DIFF_MAX_BYTES} bytes)")
            break
        lines.append(safe)
    data = ("\n".join(lines) + "\n").encode("utf-8", "replace")
    with suppress(OSError):  # a full disk: the journal says so, too
        REAL_OS.write_new(folder / DIFF_NAME, data)
        return DIFF_NAME
    return ""


def _git(path: Path, *arguments: str) -> str | None:
    command = _start(path, *arguments)
    try:
        return _output(command, _TIMEOUT_S)
    finally:
        _end(command)


def _start(path: Path, *arguments: str) -> _Command | None:
    try:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        let_through(error)
        return None


def _output(command: _Command | None, timeout_s: float) -> str | None:
    """Return what a command wrote; None if it failed or takes longer than that."""
    if command is None:
        return None
    try:
        told, _ = command.communicate(timeout=timeout_s)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        let_through(error)
        return None
    return told if command.returncode == 0 else None


def _end(command: _Command | None) -> None:
    """End a command that still runs, and close its pipe."""
    if command is None or command.returncode is not None:
        return
    with suppress(OSError):
        command.kill()
    with command:  # closes the pipe, and waits for the end
        pass
