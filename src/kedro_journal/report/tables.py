"""Tables of a page: what the template needs to draw, sort and filter them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Cell", "Table"]

_SHORT = 28  # characters


class Cell(NamedTuple):
    """One cell.

    Attributes:
        text: What it shows; escaped by the template.
        role: good, bad, warn, busy, dim or empty.
        key: The number to sort by; None to sort by the text.
        header: It names its row.
    """

    text: str
    role: str = ""
    key: float | None = None
    header: bool = False

    @property
    def sort(self) -> str:
        """The number to sort by as JavaScript reads it; empty for none."""
        if self.key is None or not math.isfinite(self.key):
            return ""
        return f"{self.key:.6g}"


class Table(NamedTuple):
    """A table.

    Attributes:
        name: Its id on the page.
        titles: Its headings.
        rows: Its rows, one cell for each heading.
        total: How many rows there are; more than `rows` if some are left out.
    """

    name: str
    titles: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    total: int

    @property
    def is_number(self) -> tuple[bool, ...]:
        """Which columns hold numbers, to be aligned to the right."""
        return tuple(
            any(row[i].key is not None for row in self.rows)
            for i in range(len(self.titles))
        )

    @property
    def is_short(self) -> tuple[bool, ...]:
        """Which columns are so narrow that no cell of them is to be wrapped."""
        return tuple(
            all(len(row[i].text) <= _SHORT for row in self.rows)
            for i in range(len(self.titles))
        )

    @property
    def shown(self) -> tuple[int, ...]:
        """The columns that are not empty in every row."""
        columns = range(len(self.titles))
        return tuple(i for i in columns if any(row[i].text for row in self.rows))
