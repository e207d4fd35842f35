"""Doctor: what is guaranteed where journals are written. Tried out, not looked up.

What it owns: the checks of a machine and a folder, and what follows from them.

    probe (in a child process, with a time limit) -> Check -> Report -> Guarantee

Main modules:
    examine: every check, in order. model: `Check`, `Report`, `Guarantee`.
    guarantees: what survives which failure here. Pure.
    bench, child, partner, whole: folders and processes that probes use.
    place, mounts, operations, locks: the folder, its file system, and what they do.
    software, settings, handler, _loads: what is installed and configured.
    sessions, find: the journals that exist; where a leaked value is in them.

Invariants:
    A probe works in a folder of its own and removes it. No journal is changed.
    A probe that hangs is given up, and the report says so.
    Kedro is imported in a child process only.

Writes to its own probe folders alone.
"""

from .examine import Means, examine
from .model import Check, Guarantee, Report, Status

__all__ = ["Check", "Guarantee", "Means", "Report", "Status", "examine"]
