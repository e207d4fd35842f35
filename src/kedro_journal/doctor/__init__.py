"""What is guaranteed where journals are written: tried out, not looked up.

check -> report -> guarantee. Probes do I/O, in child processes with a time limit;
what they found are values, and what follows from them is worked out by pure functions.
Imports no Kedro: whatever loads it is a process of its own.
"""

from .examine import Means, examine
from .model import Check, Guarantee, Report, Status

__all__ = ["Check", "Guarantee", "Means", "Report", "Status", "examine"]
