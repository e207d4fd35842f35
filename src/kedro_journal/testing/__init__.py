"""Helpers for tests: fold events without a file, and the contract of every journal.

Nothing here imports pytest: the contract's tests are plain methods, whose one argument
is a fixture that the subclass provides.
"""

from .contract import JournalContract
from .events import fold, records

__all__ = ["JournalContract", "fold", "records"]
