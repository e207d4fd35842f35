"""git is asked beside other work; it never outlives the question."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from kedro_journal.capture import git
from kedro_journal.capture.git import GitQuery, git_state

WHO = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    for command in (
        ("init", "-q", "-b", "work"),
        (*WHO, "commit", "-q", "--allow-empty", "-m", "first"),
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


@pytest.fixture
def slow_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a git in the way that does not end."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nexec sleep 600\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")


def has_ended(query: GitQuery) -> bool:
    command = query._status
    return command is None or (
        command.returncode is not None
        and command.stdout is not None
        and command.stdout.closed
    )


def test_the_answer_is_that_of_git(repository: Path) -> None:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=repository, check=True, capture_output=True
    )
    with GitQuery(repository) as query:
        found = query.state()

    assert found is not None
    assert (found.sha, found.branch, found.dirty) == (
        told.stdout.decode().strip(),
        "work",
        False,
    )
    assert has_ended(query)
    (repository / "new.txt").touch()
    found = git_state(repository)
    assert found is not None
    assert found.dirty


def test_outside_a_repository_there_is_no_answer(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    assert git_state(tmp_path / "missing") is None
    assert git_state(tmp_path / "null\0byte") is None


@pytest.mark.usefixtures("slow_git")
def test_a_git_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git, "_TIMEOUT_S", 0.05)
    with GitQuery(tmp_path) as query:
        assert query.state() is None

    assert has_ended(query)


@pytest.mark.usefixtures("slow_git")
def test_a_query_whose_block_fails_leaves_no_child(tmp_path: Path) -> None:
    query = GitQuery(tmp_path)
    with pytest.raises(KeyboardInterrupt), query:
        raise KeyboardInterrupt

    assert has_ended(query)
