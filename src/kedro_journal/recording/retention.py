"""Apply the setting `prune` when a session ends, in a process of its own.

The run is over then. This process starts a shell that starts the command and ends, and
waits for that shell alone: a few milliseconds. The command is no child of the user's
process, holds none of its descriptors and gets none of its signals.
"""

from __future__ import annotations

import logging
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from kedro_journal._clock import wall_ns
from kedro_journal._outside import let_through
from kedro_journal.errors import JournalError
from kedro_journal.journal import JournalDirectory

from .say import say

__all__ = ["STAMP_NAME", "prune_later"]

STAMP_NAME: Final = ".prune.at"
"""File in the journal directory whose time says when the setting was applied last."""
_PAUSE_S: Final = 300.0
_START_S: Final = 5.0  # that the start may take at most; it takes milliseconds
_DETACH: Final = '"$@" &'


def prune_later(options: str, folder: Path) -> None:
    """Start to prune the directory of a session.

    It is started once in five minutes at most. Never raises an error of ours, and
    reports nothing: the next session tries again.

    Args:
        options: The setting: options of `kedro-journal prune`.
        folder: The folder of the session that ended.
    """
    if os.name == "nt" or not sys.executable:
        return
    try:
        if not _is_due(folder.parent):
            return
        command = [sys.executable, "-P", "-m", "kedro_journal", "prune"]
        command += [*shlex.split(options), "--directory", str(folder.parent)]
        subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=_START_S,
            check=False,
            start_new_session=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError, JournalError) as error:
        let_through(error)
        say(logging.DEBUG, "the setting prune was not applied", error=error)


def _is_due(directory: Path) -> bool:
    """Return whether the setting is to be applied now, and remember that."""
    stamp = JournalDirectory(directory).ensure_own() / STAMP_NAME
    try:
        age_s = wall_ns() / 1e9 - stamp.stat().st_mtime
    except FileNotFoundError:
        age_s = _PAUSE_S
    if 0 <= age_s < _PAUSE_S:
        return False
    stamp.touch(mode=0o600)
    return True
