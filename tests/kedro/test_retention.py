"""The setting prune, at the end of real runs of both levels."""

from __future__ import annotations

import os
import time

import pytest

from kedro_journal.journal import JournalDirectory
from kedro_journal.recording.retention import STAMP_NAME

from .conftest import Project

NODES = """
from kedro.pipeline import Node, Pipeline

def make_pipelines():
    return {"__default__": Pipeline([Node(lambda: 1, None, "one", name="one")])}
"""
SETTING = {"KEDRO_JOURNAL_PRUNE": "--keep 1"}


@pytest.mark.kedro
def test_the_end_of_a_run_starts_to_prune(project: Project) -> None:
    project.nodes(NODES)
    where = JournalDirectory(project.sessions_path)

    def left(wanted: int) -> list[str]:
        deadline = time.monotonic() + 60
        while len(where.ids()) != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        return where.ids()

    project.kedro("run")
    assert not (where.path / STAMP_NAME).exists()
    second = project.kedro("run", env=SETTING)
    newest = where.ids()[-1]
    assert second.returncode == 0, second.stderr
    assert left(1) == [newest]

    os.utime(where.path / STAMP_NAME, (0, 0))
    project.level_0()
    third = project.kedro("run", env=SETTING)
    assert third.returncode == 0, third.stderr
    assert newest not in left(1)
    assert project.state().verdict == "completed"
