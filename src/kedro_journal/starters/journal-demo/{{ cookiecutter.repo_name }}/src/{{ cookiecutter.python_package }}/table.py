"""A small table, so that the project needs no data frame library."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass
class Table:
    """Named columns, and rows that map each column name to a cell."""

    columns: list[str]
    rows: list[Row]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def head(self, n: int = 5) -> "Table":
        """Return the first ``n`` rows as a table."""
        return Table(list(self.columns), self.rows[:n])

    def column(self, name: str) -> list[Any]:
        """Return the cells of one column, top to bottom."""
        return [row[name] for row in self.rows]

    def __repr__(self) -> str:
        return f"Table({len(self)} rows: {', '.join(self.columns)})"

    def __str__(self) -> str:
        """Render all rows in aligned columns; take ``head()`` of a long table."""
        cells = [self.columns]
        for row in self.rows:
            cells.append([_as_text(row[name]) for name in self.columns])
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
        return "\n".join(lines)


def _as_text(cell: Any) -> str:
    return "" if cell is None else str(cell)
