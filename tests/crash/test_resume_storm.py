"""Runs of random pipelines are killed with SIGKILL and resumed until they are done."""

from __future__ import annotations

from pathlib import Path

import pytest
from storms import resume
from storms.resume_child import SABOTAGES

pytestmark = [pytest.mark.storm, pytest.mark.kedro]


def quiet(_: str) -> None:
    """Say nothing."""


def test_killed_runs_end_as_if_nothing_had_happened(tmp_path: Path) -> None:
    account = resume.run(resume.SUITE.small, tmp_path, 1, quiet)

    assert account.violations == []
    assert account.count >= resume.SUITE.small
    for what in ("at half a file", "at a node", "at before a record", "deleted"):
        assert account.figures[what], what
    for runner in ("SequentialRunner", "ThreadRunner", "ParallelRunner"):
        assert account.figures[runner], runner


@pytest.mark.parametrize("sabotage", SABOTAGES)
def test_the_storm_sees_a_planner_that(sabotage: str, tmp_path: Path) -> None:
    account = resume.find_teeth(tmp_path, sabotage)

    assert account.violations, account
