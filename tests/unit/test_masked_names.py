"""A session whose plan has a masked name is refused by that name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kedro_journal.errors import NotResumable
from kedro_journal.events import PlannedNode
from kedro_journal.session.resume.planning import _refuse_masked_names


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
