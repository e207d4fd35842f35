"""Pages for contributors name what exists, and the examples run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

import kedro_journal

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "kedro_journal"
EXAMPLES = ROOT / "docs" / "examples"
_CODE = re.compile(r"`([^`\n]+)`")
_MODULE = re.compile(r"[a-z_]+(/[a-z_]+)*\.py|(cli/subcommands|report)/")
_PAGES = ("CONTRIBUTING.md", "docs/contributing/architecture.md")


def _names(page: str) -> list[str]:
    return _CODE.findall((ROOT / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", _PAGES)
def test_every_module_that_a_page_names_exists(page: str) -> None:
    named = [name for name in _names(page) if _MODULE.fullmatch(name)]

    missing = [
        name
        for name in named
        if not any((base / name).exists() for base in (SOURCE, ROOT))
    ]
    assert len(named) > 10
    assert missing == []


@pytest.mark.parametrize("page", _PAGES)
def test_every_function_that_follows_its_module_exists(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    pairs = re.findall(r"`([A-Za-z_.]+)` in `([a-z_/]+\.py)`", text)

    missing = [
        (name, module)
        for name, module in pairs
        if not re.search(
            rf"^\s*(def |class |){name.rpartition('.')[2]}\b",
            (SOURCE / module).read_text(encoding="utf-8"),
            re.MULTILINE,
        )
    ]
    assert missing == []


def test_every_package_is_on_the_map() -> None:
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    text = (ROOT / "docs/contributing/architecture.md").read_text(encoding="utf-8")
    rows = " ".join(line.split("|")[1] for line in text.splitlines() if "|" in line)

    assert packages - {"starters", "testing"} - set(_CODE.findall(rows)) == set()


def test_the_commands_before_a_commit_are_those_of_the_gate() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    for hook in hooks["repos"][0]["hooks"]:
        for tool in re.findall(r"\.venv/bin/[a-z-]+", hook["entry"]):
            assert tool in gate


def test_the_workflow_runs_every_python_that_the_package_names() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {
        found[1]
        for text in project["classifiers"]
        if (found := re.search(r"Python :: (3\.\d+)$", text))
    }

    assert named <= set(workflow["jobs"]["tests"]["strategy"]["matrix"]["python"])


def test_the_menu_of_the_site_has_every_page() -> None:
    def pages(menu: object) -> set[str]:
        if isinstance(menu, str):
            return {menu}
        items = menu.values() if isinstance(menu, dict) else menu
        return set().union(*(pages(item) for item in items))

    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    docs = ROOT / "docs"
    there = {path.relative_to(docs).as_posix() for path in docs.rglob("*.md")}

    assert pages(site["nav"]) == there


def test_the_post_mortem_names_the_node_and_the_error(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "post_mortem.py", project],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ": failed\n  node check_quality" in done.stdout
    assert "r2 on the test days is 0.7023" in done.stdout
    assert "--params learning_rate=0.1" in done.stdout


def test_every_cell_of_the_notebook_runs(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    notebook = json.loads((EXAMPLES / "look_at_a_session.ipynb").read_text("utf-8"))
    scope: dict[str, object] = {}

    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for cell in cells:
        exec(compile("".join(cell["source"]), "cell", "exec"), scope)

    assert len(cells) > 5
    assert scope["state"].verdict == "failed"


def test_the_hook_names_the_node_that_broke(
    project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scope: dict[str, object] = {"__name__": "hooks"}
    exec(compile((EXAMPLES / "hooks.py").read_text("utf-8"), "hooks", "exec"), scope)
    failed = kedro_journal.replay("latest", project_path=project)
    monkeypatch.setattr(kedro_journal, "current", lambda: failed)

    scope["Alert"]().on_pipeline_error()

    (record,) = caplog.records
    assert "check_quality broke" in record.getMessage()
    assert f"kedro-journal resume {failed.session_id}" in record.getMessage()
