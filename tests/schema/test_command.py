"""`kedro-journal schema` prints, writes and compares the published schemas."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kedro_journal.cli import journal
from kedro_journal.cli.subcommands.schema import every_schema, schema
from kedro_journal.events import EVENT_TYPES
from kedro_journal.events.schema import event_schema, record_schema

PUBLISHED = Path(__file__).parents[2] / "journal_schema"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(schema, arguments)


def test_without_a_type_it_prints_the_schema_of_a_line():
    result = run()

    assert result.exit_code == 0
    assert json.loads(result.stdout) == record_schema()


@pytest.mark.parametrize("wanted", ["node.failed", "node.failed.v1"])
def test_a_type_is_found_with_and_without_its_version(wanted: str):
    result = run(wanted)

    assert json.loads(result.stdout) == event_schema("node.failed")


def test_what_is_printed_is_what_is_published():
    for name, cls in EVENT_TYPES.items():
        file = PUBLISHED / f"events/{name}.v{cls.VERSION}.json"
        assert run(name).stdout_bytes == file.read_bytes()


def test_an_unknown_type_is_refused_with_the_nearest_one():
    result = run("node.faild")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Did you mean node.failed?" in result.stderr


def test_the_list_names_every_type_and_version():
    text = run("--list").stdout
    entries = json.loads(run("--list", "--json").stdout)

    assert [line.split() for line in text.splitlines()] == [
        [entry["type"], f"v{entry['version']}"] for entry in entries
    ]
    assert [entry["file"] for entry in entries] == list(every_schema())


def test_output_writes_every_schema_once(tmp_path: Path):
    first, second = run("--output", str(tmp_path)), run("--output", str(tmp_path))

    assert len(first.stdout.splitlines()) == len(every_schema())
    assert second.stdout == ""
    for path, text in every_schema().items():
        assert (tmp_path / path).read_text(encoding="utf-8") == text


def test_output_that_cannot_be_written_is_one_line(tmp_path: Path):
    (tmp_path / "events").write_text("in the way", encoding="utf-8")

    result = CliRunner().invoke(journal, ["schema", "--output", str(tmp_path)])

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"kedro-journal: {tmp_path / 'events'}: File exists."
    ]


def test_check_finds_no_drift_in_what_is_published():
    result = run("--check", str(PUBLISHED))

    assert result.exit_code == 0, result.output


def test_check_lists_every_difference(tmp_path: Path):
    run("--output", str(tmp_path))
    (tmp_path / "record.v1.json").unlink()
    (tmp_path / "events/node.failed.v1.json").write_text("{}", encoding="utf-8")
    (tmp_path / "events/node.exploded.v1.json").write_text("{}", encoding="utf-8")

    result = run("--check", str(tmp_path))

    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"missing: {tmp_path / 'record.v1.json'}",
        f"differs: {tmp_path / 'events/node.failed.v1.json'}",
        f"unknown: {tmp_path / 'events/node.exploded.v1.json'}",
    ]


def test_two_questions_at_once_are_refused():
    assert run("node.failed", "--list").exit_code == 2


def test_it_never_imports_kedro():
    code = (
        "import sys; from kedro_journal.cli.subcommands.schema import schema; "
        "schema(['node.failed'], standalone_mode=False); "
        "assert 'kedro' not in sys.modules, 'kedro was imported'"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
