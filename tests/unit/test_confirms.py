"""Watching a catalog's confirmations leaves the catalog as it was."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

pytest.importorskip("kedro")

from kedro.io import DataCatalog

from kedro_journal.capture.confirms import unwatch_confirms, watch_confirms


class Told:
    """A watcher that notes what it is told."""

    def __init__(self, *, wants: bool = True) -> None:
        self.wants = wants
        self.calls: list[tuple[str, str]] = []

    def confirming(self, name: str) -> bool:
        self.calls.append(("confirming", name))
        return self.wants

    def confirmed(self, name: str) -> None:
        self.calls.append(("confirmed", name))

    def not_confirmed(self, name: str, error: Exception) -> None:
        self.calls.append((type(error).__name__, name))


class Days:
    """A dataset that can be confirmed, unless it is told not to."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.count = 0

    def confirm(self) -> None:
        if self.error is not None:
            raise self.error
        self.count += 1


class Catalog(DataCatalog):
    """A catalog of datasets of the test's own."""

    def __getitem__(self, name: str) -> Any:
        return self.__dict__["days"][name]


def catalog_of(**days: Days) -> Any:
    made = Catalog()
    made.__dict__["days"] = days
    return made


def test_a_confirmation_is_told_and_takes_place() -> None:
    catalog, told = catalog_of(days=Days()), Told()
    before = dict(vars(catalog))
    assert watch_confirms(catalog, told)

    assert catalog.confirm("days") is None
    assert catalog.confirm(ds_name="days") is None

    assert [("confirming", "days"), ("confirmed", "days")] * 2 == told.calls
    assert catalog["days"].count == 2
    unwatch_confirms(catalog, told)
    assert before == vars(catalog)
    unwatch_confirms(catalog, told)
    assert before == vars(catalog)


def test_an_error_is_told_and_raised_as_it_is() -> None:
    error = OSError("full")
    catalog, told = catalog_of(days=Days(error)), Told()
    assert watch_confirms(catalog, told)

    with pytest.raises(OSError, match="full") as caught:
        catalog.confirm("days")

    assert caught.value is error
    assert [("confirming", "days"), ("OSError", "days")] == told.calls


def test_an_interruption_is_not_told_as_an_error() -> None:
    catalog, told = catalog_of(days=Days(KeyboardInterrupt())), Told()
    assert watch_confirms(catalog, told)
    with pytest.raises(KeyboardInterrupt):
        catalog.confirm("days")
    assert [("confirming", "days")] == told.calls


def test_wrong_arguments_raise_what_the_catalog_raises() -> None:
    catalog, told = catalog_of(), Told(wants=False)
    assert watch_confirms(catalog, told)
    with pytest.raises(TypeError):
        catalog.confirm()
    with pytest.raises(TypeError):
        catalog.confirm("a", "b")
    assert ["confirming"] * 2 == [kind for kind, _ in told.calls]


@pytest.mark.parametrize("first", [0, 1])
def test_several_nodes_watch_one_catalog_and_leave_in_any_order(first: int) -> None:
    catalog, told = catalog_of(days=Days()), [Told(), Told(wants=False)]
    before = dict(vars(catalog))
    assert all(watch_confirms(catalog, one) for one in told)
    catalog.confirm("days")
    unwatch_confirms(catalog, told[first])
    catalog.confirm("days")
    unwatch_confirms(catalog, told[1 - first])
    catalog.confirm("days")
    assert before == vars(catalog)
    assert [[2, 2], [4, 1]][first] == [len(one.calls) for one in told]
    assert catalog["days"].count == 3


def test_a_pickled_catalog_has_its_own_method() -> None:
    catalog, told = DataCatalog(), Told()
    assert watch_confirms(catalog, told)
    made = pickle.loads(pickle.dumps(catalog))
    assert made.confirm.__self__ is made
    assert made.confirm.__func__ is DataCatalog.confirm
    assert told.calls == []


def test_a_deep_copy_confirms_its_own_datasets_and_tells_nobody() -> None:
    catalog, told = catalog_of(days=Days()), Told()
    assert watch_confirms(catalog, told)
    made = copy.deepcopy(catalog)
    unwatch_confirms(catalog, told)
    made.confirm("days")
    assert [0, 1] == [catalog["days"].count, made["days"].count]
    assert told.calls == []


def test_a_method_that_somebody_else_put_there_is_called_and_put_back() -> None:
    catalog, told, calls = catalog_of(), Told(), list[str]()
    own = vars(catalog)["confirm"] = calls.append
    assert watch_confirms(catalog, told)
    catalog.confirm("days")
    assert ["days"] == calls
    unwatch_confirms(catalog, told)
    assert vars(catalog)["confirm"] == own


class Slots:
    __slots__ = ()

    def confirm(self, name: str) -> None: ...


class Fixed:
    """An attribute of the instance is not found on this one."""

    @property
    def confirm(self) -> Any:
        return str

    @confirm.setter
    def confirm(self, value: Any) -> None: ...


@pytest.mark.parametrize("catalog", [Slots(), Fixed(), object()])
def test_a_catalog_that_cannot_be_watched_is_left_alone(catalog: Any) -> None:
    before = dict(getattr(catalog, "__dict__", {}))
    assert not watch_confirms(catalog, Told())
    assert before == getattr(catalog, "__dict__", {})
