"""Which cells of a parametrized test run by default.

A test of a real run is often parametrized by level, runner and kind of fault. All of
their combinations take too long for every change. By default each value of each
parameter runs in at least one combination. `-m all_cells` runs every combination.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import pytest

__all__ = ["left_out"]

Value = tuple[str, str]


def left_out(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the items that add no value of a parameter to those chosen before."""
    tests: dict[str, dict[pytest.Item, frozenset[Value]]] = defaultdict(dict)
    for item in items:
        if values := _values(item):
            tests[item.nodeid.partition("[")[0]][item] = values
    found: set[pytest.Item] = set()
    for name, cells in tests.items():
        found |= cells.keys() - _cover(name, cells)
    return found


def _values(item: pytest.Item) -> frozenset[Value]:
    """Return which value of each parameter a cell has; a tuple of a way is split."""
    spec = getattr(item, "callspec", None)
    if spec is None:
        return frozenset()
    found: set[Value] = set()
    for name, value in spec.params.items():
        fields = value._asdict() if hasattr(value, "_asdict") else {"": value}
        found |= {(f"{name}.{field}", repr(part)) for field, part in fields.items()}
    return frozenset(found)


def _cover(name: str, cells: dict[pytest.Item, frozenset[Value]]) -> set[pytest.Item]:
    """Choose cells until every value occurs; tests begin at different cells.

    The greedy choice is not minimal. It depends on nothing but the names and the order
    of the cells, so that all processes of one run choose the same.
    """
    order: Sequence[pytest.Item] = list(cells)
    begin = zlib.crc32(name.encode()) % len(order)
    order = [*order[begin:], *order[:begin]]
    missing = set().union(*cells.values())
    chosen: set[pytest.Item] = set()
    while missing:
        best = max(order, key=lambda item: len(cells[item] & missing))
        chosen.add(best)
        missing -= cells[best]
    return chosen
