"""What every probe works with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NamedTuple

from kedro_journal.journal import choose_backend
from kedro_journal.journal.lock import LockBackend
from kedro_journal.journal.port import REAL_OS, Os

from .mounts import Kind

__all__ = ["ELSEWHERE", "PREFIX", "BackendName", "Bench", "Chooser", "can_fork"]

BackendName = Literal["auto", "filelock", "fcntl"]
Chooser = Callable[[BackendName], LockBackend]

PREFIX: Final = ".doctor-"
"""How the temporary folders of the doctor begin; no session id begins so."""

ELSEWHERE: Final = "Set `directory` in [tool.kedro_journal] to another place"


class Bench(NamedTuple):
    """A folder of the doctor's own, and the means that the journal uses.

    Attributes:
        folder: Empty at first, removed afterwards.
        port: The operating system.
        choose: Gives a lock backend by its name.
        lock_backend: The name in the settings.
        kind: What sort of file system it is.
    """

    folder: Path
    port: Os = REAL_OS
    choose: Chooser = choose_backend
    lock_backend: BackendName = "auto"
    kind: Kind = "unknown"


def can_fork() -> bool:
    """Return whether there can be a second process to probe with."""
    return hasattr(os, "fork")
