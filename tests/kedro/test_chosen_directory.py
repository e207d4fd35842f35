"""A journal directory that the user configured, though it is open to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Project


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_volume_that_everybody_may_write_to_is_used_and_said(
    project: Project, tmp_path: Path, level: int
) -> None:
    if level == 0:
        project.level_0()
    volume = tmp_path / "volume"
    volume.mkdir()
    volume.chmod(0o777)
    env = {"KEDRO_JOURNAL_DIRECTORY": str(volume)}

    done = project.kedro("run", env=env)
    listed = project.journal("list", "--json", env=env)

    assert done.returncode == 0
    said = " ".join((done.stdout + done.stderr).split())
    assert said.count("they may replace or remove journals") == 1
    assert '"verdict": "completed"' in listed.stdout
