"""Which cells of a parametrized test run by default.

A test of a real run is often parametrized by level, runner and kind of fault. All of
their combinations take too long for every change. By default each value of each other
parameter runs in at least one combination of its test. The tests of a file take turns
with levels and runners: each test runs in at least one, and all of them occur in the
file. `-m all_cells` runs every combination.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pytest

__all__ = ["left_out"]

Value = tuple[str, str]

Cells = dict[pytest.Item, frozenset[Value]]

TURNS = frozenset({"level.", "runner.", "way.level", "way.runner"})
"""Parameters of which a file has every value, and a test perhaps one."""


def left_out(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the items that add no value to those that are chosen."""
    files: dict[str, dict[str, Cells]] = defaultdict(lambda: defaultdict(dict))
    found: set[pytest.Item] = set()
    for item in items:
        if values := _values(item):
            test = item.nodeid.partition("[")[0]
            files[test.partition("::")[0]][test][item] = values
            found.add(item)
    for tests in files.values():
        found -= _choose(tests)
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


def _choose(tests: Mapping[str, Cells]) -> set[pytest.Item]:
    """Choose cells of the tests of one file until every value occurs as it must.

    Of the cells that add as many values, the one is taken whose levels and runners
    occurred least in the file. Tests begin at different cells. The greedy choice is not
    minimal. It depends on nothing but the names and the order of the cells, so that all
    processes of one run choose the same.
    """
    used: Counter[Value] = Counter()
    chosen: set[pytest.Item] = set()

    def take(order: Sequence[pytest.Item], cells: Cells, missing: set[Value]) -> None:
        best = max(
            order,
            key=lambda item: (
                len(cells[item] & missing),
                -sum(used[value] for value in cells[item] if value[0] in TURNS),
            ),
        )
        chosen.add(best)
        used.update(cells[best])
        missing -= cells[best]

    whole: Cells = {}
    for name, cells in tests.items():
        whole |= cells
        begin = zlib.crc32(name.encode()) % len(cells)
        order = [*list(cells)[begin:], *list(cells)[:begin]]
        every = set().union(*cells.values())
        missing = {value for value in every if value[0] not in TURNS}
        take(order, cells, missing)
        while missing:
            take(order, cells, missing)
    left = set().union(*whole.values()) - used.keys()
    while left:
        take(list(whole), whole, left)
    return chosen
