"""Random worlds die or fail, are edited and resumed: nothing wrong comes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from storms import worlds
from storms.worlds_teeth import SABOTAGES

pytestmark = [pytest.mark.storm, pytest.mark.kedro]


def test_worlds_that_are_resumed_end_like_a_run_from_the_start(tmp_path: Path) -> None:
    account = worlds.run(worlds.SUITE.small, tmp_path, 1, lambda _: None)

    assert account.violations == []
    assert account.count >= worlds.SUITE.small
    assert account.figures["judged"] > worlds.SUITE.small // 3
    for kind in ("incremental", "partitions", "transcoded", "versioned", "cached"):
        assert account.figures[f"worlds with {kind}"], kind


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_the_worlds_find_a_planner_that(sabotage: str, tmp_path: Path) -> None:
    account = worlds.find_teeth(tmp_path, sabotage)

    assert account.violations, account
