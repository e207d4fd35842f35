"""`report` and `show --timeline` on journals on disk."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from .conftest import Call, Journals
from .test_group_commands import put


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A journal directory with a failed session of a group, and a completed one."""
    directory = tmp_path / "sessions"
    put(directory, 1, "split", "train!", ends="failed", here=True)
    put(directory, 2, "train", here=True)
    return directory


def test_a_report_is_written_whole(call: Call, project: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    result = call("report", "s01", "-o", str(out), "--directory", str(project))
    assert 0 == result.exit_code, result.output
    assert "" == result.stdout
    assert "Wrote" in result.stderr
    text = out.read_text("utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert text.rstrip().endswith("</html>")
    assert "ValueError: boom" in text
    assert "node.failed" in text or "failed while running" in text
    assert 0o600 == stat.S_IMODE(out.stat().st_mode)
    assert [out] == [one for one in tmp_path.iterdir() if one.is_file()]


def test_a_report_replaces_a_file_and_keeps_its_mode(
    call: Call, project: Path, tmp_path: Path
) -> None:
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    real.write_text("before")
    real.chmod(0o644)
    link.symlink_to(real)
    call("report", "s02", "-o", str(link), "--directory", str(project))
    assert link.is_symlink()
    assert "s02" in real.read_text("utf-8")
    assert 0o644 == stat.S_IMODE(real.stat().st_mode)


def test_a_report_to_stdout_and_without_events(call: Call, project: Path) -> None:
    where = ("--directory", str(project))
    result = call("report", "s01", "-o", "-", *where)
    assert 'id="events"' in result.stdout
    result = call("report", "s01", "-o", "-", "--no-events", *where)
    assert result.stdout.startswith("<!DOCTYPE html>")
    assert 'id="events"' not in result.stdout


def test_a_report_of_a_group(call: Call, project: Path) -> None:
    where = ("--directory", str(project))
    result = call("report", "--group", "latest", "-o", "-", *where)
    assert 0 == result.exit_code, result.output
    assert "s01" in result.stdout
    assert "s02" in result.stdout
    assert 2 == call("report", "s01", "--group", "latest", *where).exit_code


def test_a_report_of_a_damaged_journal_says_so(call: Call, project: Path) -> None:
    (journal,) = project.glob("s01/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    lines[3] = b"x" * 20 + lines[3][20:]
    journal.write_bytes(b"".join(lines))
    result = call("report", "s01", "-o", "-", "--directory", str(project))
    assert 0 == result.exit_code, result.output
    assert "The journal is damaged." in result.stdout


def test_a_report_that_cannot_be_written_leaves_nothing(
    call: Call, project: Path, tmp_path: Path
) -> None:
    out = tmp_path / "none" / "out.html"
    result = call("report", "s01", "-o", str(out), "--directory", str(project))
    assert 1 == result.exit_code
    assert "No such file or directory" in result.stderr


def test_a_timeline_stands_instead_of_the_page(call: Call, project: Path) -> None:
    where = ("--directory", str(project))
    text = call("show", "s01", "--timeline", *where).stdout
    assert "s01  failed" in text
    assert "All nodes together: load" in text
    assert "Parameters in force" not in text
    assert (
        "train" in call("show", "s01", "--timeline", "--only", "failed", *where).stdout
    )
    text = call("show", "s02", "--timeline", "--only", "failed", *where).stdout
    assert "No node failed." in text
    assert 2 == call("show", "s01", "--only", "slow", *where).exit_code


def test_a_timeline_as_json(call: Call, project: Path) -> None:
    where = ("--directory", str(project))
    data = json.loads(call("show", "s01", "--timeline", "--json", *where).stdout)
    (chart,) = data["timeline"]
    assert ["split", "train"] == [bar["name"] for bar in chart["bars"]]
    assert "timeline" not in json.loads(call("show", "s01", "--json", *where).stdout)
    group = json.loads(
        call("show", "--group", "latest", "--timeline", "--json", *where).stdout
    )
    assert {"split", "train"} == {bar["name"] for bar in group["timeline"]["bars"]}


def test_a_timeline_of_a_group(call: Call, project: Path) -> None:
    text = call(
        "show", "--group", "latest", "--timeline", "--directory", str(project)
    ).stdout
    assert "train" in text
    assert "load" in text


def test_a_session_at_work(call: Call, journals: Journals) -> None:
    journals.begin("busy")
    result = call("report", "busy", "-o", "-", "--directory", str(journals.path))
    assert "running" in result.stdout
