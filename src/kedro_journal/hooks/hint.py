"""One line after a failed command: where the account of the failure is."""

from __future__ import annotations

import atexit
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from kedro_journal._outside import suppress

__all__ = ["print_at_exit"]


def print_at_exit(folders: Sequence[Path], arguments: Sequence[str]) -> None:
    """Print the hint on stderr when this process exits.

    Python prints the traceback of a failed command after Kedro has called its command
    hooks, so only the exit of the process comes after the traceback.

    Args:
        folders: Session folders of the command, oldest first.
        arguments: The arguments of the command. Nothing is printed if they are not
            those of this process: code that calls Kedro's command line as a library
            handles the failure itself.
    """
    if list(arguments) != sys.argv[1:]:
        return
    pid = os.getpid()

    def print_hints() -> None:
        if os.getpid() != pid:
            return  # a forked child
        for folder in dict.fromkeys(folders):
            with suppress(Exception):
                text = _hint(folder)
                if text and sys.stderr is not None:
                    sys.stderr.write(f"{text}\n")

    atexit.register(print_hints)


def _hint(folder: Path) -> str:
    """Return the line about a session; empty if it did not fail."""
    from kedro_journal.replaying import replay_folder
    from kedro_journal.views.sessions import Listed, broke
    from kedro_journal.views.terminal import escape

    state = replay_folder(folder, salvage=True)
    if state.verdict not in ("failed", "interrupted", "crashed"):
        return ""
    parts = (": " if span.text == "  " else span.text for span in broke(Listed(state)))
    where = " ".join("".join(parts).split())
    what = f"{state.verdict}: {where}".rstrip(".") if where else state.verdict
    command = f"kedro-journal show {shlex.quote(state.session_id)}"
    return f"kedro-journal: {escape(what)}. See `{escape(command)}`"
