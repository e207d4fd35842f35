"""A session whose plan or request has a masked name is refused by that name."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kedro_journal.errors import NotResumable
from kedro_journal.events import PlannedNode
from kedro_journal.session.resume.planning import _refuse_masked_names, run_filters


def chain(plan: PlannedNode) -> Any:
    run = SimpleNamespace(nodes={plan.name: SimpleNamespace(plan=plan)})
    last = SimpleNamespace(session_id="s")
    return SimpleNamespace(links=[SimpleNamespace(run=run)], last=last)


@pytest.mark.parametrize(
    "plan",
    [
        PlannedNode(name="load_[redacted]~3f9a1c20"),
        PlannedNode(name="load", inputs=("raw_[redacted]",)),
        PlannedNode(name="load", outputs=("x", "raw_[redacted]~1")),
    ],
)
def test_a_masked_name_is_refused(plan: PlannedNode) -> None:
    with pytest.raises(NotResumable, match=r"\[redacted\]"):
        _refuse_masked_names(chain(plan))


def test_other_names_are_not() -> None:
    _refuse_masked_names(chain(PlannedNode(name="load", inputs=("raw",))))


def asked(**values: Any) -> Any:
    run = {"filters": {}, "pipelines": (), "load_versions": (), "left_out": ()}
    return SimpleNamespace(**{**run, **values})


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"filters": {"node_names": ["load_[redacted]"]}}, "node_names"),
        ({"filters": {"tags": ["a", "[redacted]"]}}, "tags"),
        ({"filters": {"from_inputs": ["raw_[redacted]"]}}, "from_inputs"),
        ({"filters": {"node_namespaces": ["[redacted]"]}}, "node_namespaces"),
        ({"pipelines": ("a_[redacted]~3f9a1c20",)}, "a_"),
        ({"load_versions": (("raw_[redacted]~1", "2024"),)}, "raw_"),
        ({"load_versions": (("raw", "[redacted]"),)}, "masked"),
    ],
)
def test_a_masked_name_that_was_asked_for_is_refused(
    values: dict[str, Any], named: str
) -> None:
    last = SimpleNamespace(session_id="s")
    held: Any = SimpleNamespace(links=[], last=last, folder=Path("x", "s"))
    with pytest.raises(NotResumable, match=named):
        run_filters(held, "s", asked(**values))


def test_what_is_not_masked_is_passed_on() -> None:
    last = SimpleNamespace(session_id="s")
    held: Any = SimpleNamespace(links=[], last=last, folder=Path("x", "s"))
    filters = {"tags": ["a"]}
    assert run_filters(held, "s", asked(filters=filters)) == filters
