"""What a storm is, and the exact account that it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Account", "Run", "Say", "Suite"]

Say = Callable[[str], None]
"""Takes a line of progress."""

Run = Callable[[int, Path, int, Say], "Account"]
"""Takes how many, an empty folder, a seed, and where progress goes."""


@dataclass
class Account:
    """What a storm did, and what it found wrong.

    Attributes:
        count: How often the fault really struck.
        figures: What else was counted, in the order to print.
        violations: Promises that were broken, one line each; none is the promise.
        skipped: What could not be done here, and why.
    """

    count: int = 0
    figures: dict[str, int | float | str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, name: str, number: int = 1) -> None:
        """Count something."""
        known = self.figures.get(name, 0)
        assert isinstance(known, int)
        self.figures[name] = known + number


@dataclass(frozen=True)
class Suite:
    """One kind of fault.

    Attributes:
        name: Its name on the command line.
        fault: What is done, as the table in the docs says it.
        unit: What `count` counts.
        full: How many in the full storm.
        small: How many in the tests.
        run: Does it.
    """

    name: str
    fault: str
    unit: str
    full: int
    small: int
    run: Run
