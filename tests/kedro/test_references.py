"""Which session `latest` is, after what people do between two runs."""

from __future__ import annotations

import shutil

import pytest

from .breakable import REPORT, Breakable
from .conftest import Project, as_json

pytestmark = pytest.mark.kedro
SERVICE = """
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro_journal.session import KedroServiceSession
with KedroServiceSession.create(session_id="zz-service", project_path=".") as session:
    session.run()
"""


@pytest.mark.parametrize("level", [0, 1])
def test_the_latest_is_the_run_that_broke(project: Project, level: int) -> None:
    """Not the service of before, a copy, a mistyped command or a failed resume."""
    broken = Breakable(project)
    if level == 0:
        project.level_0()
    assert project.python(SERVICE).returncode == 0
    assert broken.run(die="judge:kill").returncode == -9
    assert broken.ran() == ["split", "clean", "train", "judge"]
    service, killed = (row["session_id"] for row in reversed(listed(project)))
    assert service == "zz-service"
    sessions = project.sessions_path
    shutil.copytree(sessions / service, sessions / f"{killed}-backup")
    shutil.copytree(sessions / killed, sessions / f"{killed} (1)")
    (sessions / "latest").symlink_to(killed)
    assert project.kedro("run", "--no-such-option").returncode == 2
    assert project.journal("resume", "--env", "nope").returncode != 0

    shown = project.journal("show", "--json")
    assert as_json(shown)["session_id"] == killed
    assert "that ran nothing" in shown.stderr
    assert project.journal("show", "last-good", "--json").returncode == 0
    assert as_json(project.journal("show", "last-failed", "--json")) == as_json(shown)
    assert as_json(project.journal("show", "@-1", "--json"))["session_id"] == service

    done = broken.resume()
    assert done.returncode == 0, done.stderr
    assert f"session {killed} (skipped " in done.stderr
    assert broken.ran() == ["judge", "report"]
    assert broken.report() == REPORT
    refused = broken.resume(str(sessions / f"{killed} (1)"))
    assert refused.returncode == 6
    assert f"it is a copy of session {killed}" in refused.stderr
    assert broken.ran() == []


def listed(project: Project) -> list[dict[str, str]]:
    found: list[dict[str, str]] = as_json(project.journal("list", "--json"))
    return found
