"""Ask git, where a project is, which files two commits differ in."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through
from kedro_journal.events import Git

__all__ = ["files_between"]

_TIMEOUT_S: Final = 5
_SHA: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")


def files_between(project: Path, was: Git, now: Git) -> tuple[str, ...] | None:
    """Return the files of a project that two commits differ in, by name.

    Args:
        project: Root of the project, which is in the repository.
        was, now: The commits; nothing else of them is looked at.

    Returns:
        None if that is not known: there is no git, or no such project or commit here.
    """
    if not _SHA.match(was.sha) or not _SHA.match(now.sha) or not project.is_dir():
        return None
    command = ["git", "diff", "--no-ext-diff", "--no-textconv", "--name-only", "-z"]
    try:
        done = subprocess.run(
            [*command, "--relative", was.sha, now.sha, "--"],
            cwd=project,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError) as error:
        let_through(error)
        return None
    names = done.stdout.decode("utf-8", "replace").split("\0")
    return tuple(name for name in names if name)
