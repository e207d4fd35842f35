"""Which files two commits differ in, asked of a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kedro_journal.events import Git
from kedro_journal.replaying.commits import files_between


def git(folder: Path, *arguments: str) -> str:
    names = ("-c", "user.name=a", "-c", "user.email=a@example.invalid")
    done = subprocess.run(
        ["git", *names, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )  # fmt: skip
    return done.stdout.strip()


def test_the_files_of_the_project_that_differ(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    git(tmp_path, "init", "-q")
    commits = []
    for number in range(2):
        (project / "a b.py").write_text(f"{number}")
        (project / "same.py").write_text("same")
        (tmp_path / "outside.py").write_text(f"{number}")
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", "c")
        commits.append(Git(sha=git(tmp_path, "rev-parse", "HEAD")))
    assert files_between(project, *commits) == ("a b.py",)
    assert files_between(project, commits[0], commits[0]) == ()


def test_what_cannot_be_told_is_none(tmp_path: Path) -> None:
    known = Git(sha="1" * 40)
    assert files_between(tmp_path, known, known) is None  # no repository
    assert files_between(tmp_path / "gone", known, known) is None
    assert files_between(tmp_path, Git(sha="--output=x"), known) is None
