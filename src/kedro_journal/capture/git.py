"""The code that ran, as git knows it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from kedro_journal._outside import let_through, suppress
from kedro_journal.events import Git
from kedro_journal.journal.port import REAL_OS

from .compat import credential_patterns
from .diff import safe_diff

if TYPE_CHECKING:
    from kedro_journal.recording.recorder import Recorder

__all__ = ["DIFF_MAX_BYTES", "git_state"]

DIFF_NAME: Final = "git.diff"
DIFF_MAX_BYTES: Final = 1024 * 1024
_TIMEOUT_S: Final = 5.0


def git_state(path: Path, *, diff_for: Recorder | None = None) -> Git | None:
    """Ask git for the commit, the branch and whether anything is uncommitted.

    One command, see git-status(1) `--porcelain=v2 --branch`. None without git, outside
    a repository, or if git takes longer than five seconds.

    Args:
        path: A folder in the repository.
        diff_for: Keep the uncommitted changes of tracked files beside this recorder's
            journal, redacted, cut at 1 MiB.
    """
    status = _git(path, "status", "--porcelain=v2", "--branch")
    if status is None:
        return None
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
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=path,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        let_through(error)
        return None
    return done.stdout
