"""What reading commands print is as the published schemas say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from kedro_journal.cli import journal
from kedro_journal.events import ContextLoaded, SessionClosed
from kedro_journal.views.output_schema import OUTPUTS, output_path, output_schema
from tests.cli.conftest import Journals

PUBLISHED = Path(__file__).parents[2] / "journal_schema"
COMPLETED, FAILED = "2026-11-20T05.00.00.000Z", "2026-11-21T05.00.00.000Z"
WITH_PARAMETERS = "2026-11-19T05.00.00.000Z"
COMMANDS = {
    "list": ["list"],
    "wait": ["wait", COMPLETED],
    "show": ["show", FAILED],
    "show-chain": ["show", FAILED, "--chain"],
    "replay": ["replay", COMPLETED, "--at", "5"],
    "tail": ["tail", FAILED],
    "diff": ["diff", COMPLETED, FAILED],
    "trace": ["trace", WITH_PARAMETERS, "parameters"],
    "verify": ["verify", FAILED],
    "pack": ["pack", COMPLETED],
    "query": ["query", "select * from sessions"],
    "prune": ["prune", "--older", "1d", "--dry-run"],
    "doctor": ["doctor"],
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outputs") / "sessions"
    journals = Journals(path)
    context = ContextLoaded(env="local", parameters={"lr": 0.1, "seed": 7})
    journals.begin(WITH_PARAMETERS, context, SessionClosed())
    journals.completed(COMPLETED)
    journals.failed(FAILED)
    journals.let_go()
    return path


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_published_schema_is_a_schema(name: str) -> None:
    published = json.loads((PUBLISHED / output_path(name)).read_text(encoding="utf-8"))

    Draft202012Validator.check_schema(published)
    assert published == output_schema(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_its_schema_says(
    name: str, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(directory.parent)
    if name == "query":
        pytest.importorskip("duckdb", reason="duckdb is not installed")
    command = [*COMMANDS[name], "--json", "--directory", str(directory)]

    done = CliRunner().invoke(journal, command)

    texts = done.stdout.splitlines() if name == "tail" else [done.stdout]
    assert texts, done.stderr
    for text in texts:
        Draft202012Validator(output_schema(name)).validate(json.loads(text))


def test_a_key_that_is_missing_is_found(directory: Path) -> None:
    done = CliRunner().invoke(
        journal, ["list", "--json", "--directory", str(directory)]
    )
    rows = json.loads(done.stdout)
    del rows[0]["verdict"]

    errors = list(Draft202012Validator(output_schema("list")).iter_errors(rows))

    assert [error.validator for error in errors] == ["required"]


def test_keys_of_the_output_are_all_in_its_schema(directory: Path) -> None:
    done = CliRunner().invoke(
        journal, ["show", FAILED, "--json", "--directory", str(directory)]
    )
    schema = output_schema("show")
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]

    assert set(json.loads(done.stdout)) == set(root["properties"])
