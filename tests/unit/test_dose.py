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


def levels(name: str) -> tuple[int, ...]:
    made = cells(name, level=[0, 1], runner=["a", "b", "c"])
    dropped = left_out(made)
    return tuple(i.callspec.params["level"] for i in made if i not in dropped)


def test_tests_begin_at_different_cells_and_processes_agree() -> None:
    assert len({levels(name) for name in "abcdefgh"}) > 1
    assert levels("a") == levels("a")
