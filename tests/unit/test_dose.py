"""Which combinations of a parametrized test run by default."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.kedro.dose import left_out


class Way(NamedTuple):
    """Two parameters in one."""

    level: int
    runner: str


class Item:
    """As much of a test as is looked at."""

    def __init__(self, name: str, **params: object) -> None:
        self.nodeid = f"{name}[{params}]"
        if params:
            self.callspec = SimpleNamespace(params=params)


def cells(name: str, **values: list[Any]) -> list[Any]:
    return [
        Item(name, **dict(zip(values, cell, strict=True)))
        for cell in itertools.product(*values.values())
    ]


def test_each_value_runs_and_few_combinations_do() -> None:
    items = cells("t", level=[0, 1], runner=["a", "b", "c"], kind=list(range(5)))
    kept = [item for item in items if item not in left_out(items)]
    for name, values in (("level", 2), ("runner", 3), ("kind", 5)):
        assert len({item.callspec.params[name] for item in kept}) == values
    assert 5 <= len(kept) <= 6


def test_a_way_is_two_parameters() -> None:
    ways = [Way(level, runner) for level in (0, 1) for runner in "abc"]
    items = cells("t", way=ways)
    kept = [i.callspec.params["way"] for i in items if i not in left_out(items)]
    assert len(kept) == 3
    assert {way.level for way in kept} == {0, 1}


def test_one_parameter_and_none_leave_nothing_out() -> None:
    items: list[Any] = [*cells("t", kind=[1, 2, 3]), Item("plain")]
    assert left_out(items) == set()


def kept_levels(items: list[Any]) -> dict[str, list[int]]:
    dropped = left_out(items)
    found: dict[str, list[int]] = {}
    for item in items:
        if item not in dropped:
            test = item.nodeid.partition("[")[0]
            found.setdefault(test, []).append(item.callspec.params["level"])
    return found


def test_tests_of_a_file_take_turns_with_levels() -> None:
    names = [f"f.py::test_{n}" for n in range(8)]
    found = kept_levels([one for name in names for one in cells(name, level=[0, 1])])
    assert list(found) == names
    assert all(len(levels) == 1 for levels in found.values())
    assert sorted(n for levels in found.values() for n in levels) == [0] * 4 + [1] * 4


def test_a_file_has_every_level_and_a_test_every_kind() -> None:
    items = cells("f.py::a", level=[0, 1], kind=list(range(4)))
    items += cells("f.py::b", level=[0, 1]) + cells("g.py::c", level=[0, 1])
    found = kept_levels(items)
    assert sorted(found["f.py::a"]) == [0, 0, 1, 1]
    assert len(found["f.py::b"]) == 1
    assert sorted(found["g.py::c"]) == [0, 1]


def test_tests_begin_at_different_cells_and_processes_agree() -> None:
    def first(name: str) -> int:
        items = cells(name, kind=list(range(3)), level=[0, 1])
        return kept_levels(items)[name][0]

    names = [f"{n}.py::test_{n}" for n in range(8)]
    assert len({first(name) for name in names}) > 1
    assert [first(name) for name in names] == [first(name) for name in names]
