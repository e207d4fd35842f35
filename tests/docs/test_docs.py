"""The documentation says what the code does: pages, examples, links."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
import pytest
from jsonschema import Draft202012Validator

import kedro_journal
from kedro_journal import errors
from kedro_journal.cli import journal
from kedro_journal.config import ENV_PREFIX, Config
from kedro_journal.events import EVENT_TYPES
from kedro_journal.events.schema import event_schema, record_schema
from kedro_journal.journal import codec, scan
from kedro_journal.state import (
    NODE_TRANSITIONS,
    RUN_TRANSITIONS,
    SESSION_TRANSITIONS,
)

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.rglob("*.md"), ROOT / "journal_schema/README.md", ROOT / "README.md"]
)
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def _without_code(text: str) -> str:
    return _FENCE.sub("", text)


def _blocks(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for number, (info, block) in enumerate(
            _FENCE.findall(page.read_text(encoding="utf-8")), 1
        )
        if info == language
    ]


def _run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_generated_pages_are_what_the_code_says():
    done = _run("docs/generate.py", "--check", cwd=ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_differs_is_named(tmp_path: Path):
    for path in DOCS.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for page in ("concepts/state.md", "contributing/architecture.md"):
        (tmp_path / page).parent.mkdir()
        (tmp_path / page).write_text("# A page\n", encoding="utf-8")
    code = (
        "import generate; generate.EXAMPLES = __import__('pathlib').Path("
        f"{str(ROOT / 'journal_schema/examples')!r}); "
        "raise SystemExit(generate.main(['--check']))"
    )

    done = _run("-c", code, cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    assert "differs: docs/reference/events.md" in done.stdout
    assert "concepts/state.md" not in done.stdout


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_type_is_in_the_reference_with_its_fields(name: str):
    section = _section(_text("reference/events.md"), name)

    for field in msgspec.structs.fields(EVENT_TYPES[name]):
        assert f"| `{field.name}` |" in section
    assert f'"type":"{name}"' in section


def _section(text: str, heading: str) -> str:
    start = text.index(f"\n## {heading}\n")
    end = text.find("\n## ", start + 1)
    return text[start : end if end > 0 else None]


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n != "JournalError"])
def test_every_error_is_in_the_reference_with_its_exit_code(name: str):
    section = _section(_text("reference/errors.md"), name)

    assert f"Exit code {getattr(errors, name).exit_code}." in section
    facts = [n for n in getattr(errors, name).__annotations__ if n != "exit_code"]
    for fact in facts:
        assert f"| `{fact}` |" in section


@pytest.mark.parametrize("key", Config.__struct_fields__)
def test_every_setting_is_in_the_reference_with_its_variable(key: str):
    text = _text("reference/configuration.md")

    assert f"| `{key}` | `{ENV_PREFIX}{key.upper()}` |" in text


@pytest.mark.parametrize("name", journal.list_commands(click.Context(journal)))
def test_every_command_is_in_the_reference_with_its_options(name: str):
    section = _section(_text("reference/cli.md"), name)
    command = journal.get_command(click.Context(journal), name)

    assert command is not None
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            assert parameter.help, parameter.name
            assert parameter.opts[-1] in section


@pytest.mark.parametrize("name", kedro_journal.__all__)
def test_every_public_name_is_in_the_reference(name: str):
    assert f"\n### {name}\n" in _text("reference/api.md")


def test_every_public_name_of_the_session_is_in_the_reference():
    session = pytest.importorskip("kedro_journal.session")
    text = _text("reference/api.md")

    for name in getattr(session, "__all__", ()):
        assert f"\n### {name}\n" in text


@pytest.mark.parametrize(
    "table", [SESSION_TRANSITIONS, RUN_TRANSITIONS, NODE_TRANSITIONS]
)
def test_every_legal_move_is_in_the_page_on_states(table: Any):
    text = _text("concepts/state.md")

    for (source, event), target in table.items():
        assert f"| `{source}` | `{event.TYPE}` | `{target}` |" in text


@pytest.mark.parametrize("kind", get_args(scan.FindingKind))
def test_every_kind_of_finding_is_explained_with_its_severity(kind: str):
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in _text("concepts/format.md").splitlines()
        if line.startswith("|")
    ]

    found = [row[2] for row in rows if len(row) == 5 and row[1] == f"`{kind}`"]
    assert found == [scan._SEVERITY[kind]]


@pytest.mark.parametrize("block", _blocks("python"))
def test_every_python_example_runs(block: str, project: Path):
    done = _run("-W", "error", "-c", block, cwd=project)

    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_the_journals_of_the_examples_fit_the_published_schemas(project: Path):
    record = Draft202012Validator(record_schema())
    for file in project.glob("sessions/*/journal.jsonl"):
        for line in file.read_bytes().splitlines():
            entry = json.loads(line)
            record.validate(entry)
            Draft202012Validator(event_schema(entry["type"])).validate(entry["data"])


def test_the_journals_of_the_examples_tell_a_legal_story(project: Path):
    states = list(kedro_journal.sessions(project_path=project))

    assert [state.verdict for state in states] == ["failed", "completed"]
    assert [state.anomalies for state in states] == [(), ()]


@pytest.mark.parametrize("block", _blocks("python no-run"))
def test_every_other_python_example_is_at_least_python(block: str):
    ast.parse(block)


@pytest.mark.parametrize("block", _blocks("toml"))
def test_every_setting_in_an_example_is_one(block: str):
    table = tomllib.loads(block)["tool"]

    if "kedro_journal" in table:
        msgspec.convert(table["kedro_journal"], Config)


@pytest.mark.parametrize("block", _blocks("json"))
def test_every_line_in_an_example_is_a_record(block: str):
    for text in block.splitlines():
        if '"crc":' in text:
            record = codec.decode(text.encode())
            assert not isinstance(record, codec.BadLine), record.reason
            assert record.type in EVENT_TYPES
        else:
            json.loads(text)


def _anchors(page: Path) -> set[str]:
    headings = _HEADING.findall(_without_code(page.read_text(encoding="utf-8")))
    return {
        re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(page: Path):
    for target in _LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        if anchor and goal.suffix == ".md":
            assert anchor in _anchors(goal), target


def test_the_index_leads_to_every_page():
    reached, todo = set(), [DOCS / "index.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        for target in _LINK.findall(_without_code(page.read_text(encoding="utf-8"))):
            goal = (page.parent / target.partition("#")[0]).resolve()
            if goal.suffix == ".md" and goal.exists() and goal not in reached:
                todo.append(goal)

    ours = {page for page in PAGES if page.is_relative_to(DOCS)}
    assert ours - reached == set()
