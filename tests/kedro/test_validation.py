"""Data that does not pass its validation: what failed is recorded, no value of it is."""

from __future__ import annotations

import json

import pytest

import kedro_journal
from kedro_journal.events import DatasetValidated

from .conftest import Project

pytest.importorskip("kedro.validation", reason="Kedro validates datasets from 1.6 on")

PEOPLE = [f"person{number}@mail{number}.example" for number in range(50)]
NODES = """
import logging
from kedro.pipeline import Node, Pipeline

def check(people):
    from kedro.validation import CheckFailure, DataValidationError
    try:
        raise ValueError(f"could not convert string to float: {people[0]!r}; all: {people}")
    except ValueError as error:
        failure = CheckFailure(
            message=f"bad {people}", check="is_short", column="email",
            failure_count=len(people), failure_examples=people[:5],
        )
        raise DataValidationError(f"bad {people}", failures=[failure]) from error

def plain_check(people):
    raise ValueError(f"not allowed: {people}")

def give(x): return x

def make_pipelines():
    return {"__default__": Pipeline([
        Node(give, "people", "copy", name="give"),
    ])}
"""


def make(project: Project, mode: str, severity: str, check: str) -> None:
    project.nodes(NODES)
    (project.path / "people.json").write_text(json.dumps(PEOPLE))
    validator = {
        "class": f"{project.package}.probe.{check}",
        "on": [mode],
        "severity": severity,
    }
    catalog = {
        "people": {"type": "json.JSONDataset", "filepath": "people.json"},
        "copy": {"type": "json.JSONDataset", "filepath": "data/copy.json"},
    }
    catalog["people" if mode == "load" else "copy"]["validator"] = validator  # type: ignore[assignment]
    (project.path / "conf/base/catalog.yml").write_text(json.dumps(catalog))
    settings = project.path / "pyproject.toml"
    settings.write_text(
        settings.read_text() + '\n[tool.kedro_journal]\nlog_level = "INFO"\n'
    )


def check_no_value(project: Project) -> None:
    for path in project.sessions_path.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not [one for one in PEOPLE if one.encode() in data], path


@pytest.mark.kedro
@pytest.mark.parametrize("check", ["check", "plain_check"])
@pytest.mark.parametrize(
    ("runner", "level", "mode"),
    [
        ("SequentialRunner", 0, "load"),
        ("ThreadRunner", 1, "save"),
        ("ParallelRunner", 1, "load"),
        ("ParallelRunner", 0, "save"),
    ],
)
def test_a_failed_validation_is_told_without_its_values(
    project: Project, runner: str, level: int, mode: str, check: str
) -> None:
    make(project, mode, "error", check)
    if level == 0:
        project.level_0()
    done = project.kedro("run", "-r", runner)
    assert 1 == done.returncode
    assert PEOPLE[0] in done.stdout + done.stderr

    check_no_value(project)
    error = project.state().runs[0].nodes["give"].error
    assert error is not None
    data = error.data
    assert data is not None
    assert (data.dataset, data.mode) == ("people" if mode == "load" else "copy", mode)
    assert data.validator.endswith(f"probe.{check}")
    told = [(one.check, one.column, one.count) for one in data.checks]
    assert told == ([("is_short", "email", 50)] if check == "check" else [])
    plan = json.loads(project.journal("resume", "--dry-run", "--json").stdout)
    (node,) = plan["decisions"]
    assert "to do" == node["decision"]
    if mode == "save":
        assert "did not pass validation and was not written" in node["reason"]


@pytest.mark.kedro
@pytest.mark.parametrize("check", ["check", "plain_check"])
@pytest.mark.parametrize("runner", ["SequentialRunner", "ParallelRunner"])
def test_a_warning_of_a_validation_is_a_fact(
    project: Project, runner: str, check: str
) -> None:
    make(project, "save", "warn", check)
    assert 0 == project.kedro("run", "-r", runner).returncode

    check_no_value(project)
    (event,) = (
        record.event
        for record in kedro_journal.records("latest", directory=project.sessions_path)
        if isinstance(record.event, DatasetValidated)
    )
    assert ("copy", "give", "warned") == (event.dataset, event.node, event.outcome)
    assert event.failure is not None
    assert ("save", "copy") == (event.failure.mode, event.failure.dataset)
    assert event.failure.cases_total == (50 if check == "check" else 0)
    assert (
        "did not pass validation on save" in project.journal("tail", "-n", "50").stdout
    )
    shown = project.journal("show").stdout
    assert "Validation warnings" in shown
    assert "copy did not pass on save" in shown
    (warning,) = project.state().validation_warnings
    assert event.failure == warning.failure


@pytest.mark.kedro
def test_a_changed_secret_is_drift(project: Project) -> None:
    project.nodes(
        "from kedro.pipeline import Node, Pipeline\n"
        "def first(x): return 1\n"
        "def second(x): raise RuntimeError('no')\n"
        "def make_pipelines():\n"
        "    return {'__default__': Pipeline([\n"
        "        Node(first, 'params:api_key', 'kept', name='first'),\n"
        "        Node(second, 'kept', 'end', name='second')])}\n"
    )
    base = project.path / "conf/base"
    catalog = {"kept": {"type": "json.JSONDataset", "filepath": "data/kept.json"}}
    (base / "catalog.yml").write_text(json.dumps(catalog))
    (base / "parameters.yml").write_text("api_key: hunter2-one\n")
    assert 1 == project.kedro("run").returncode
    plan = ("resume", "--dry-run", "--json", "--on-drift", "redo")

    def drift() -> list[tuple[str, str]]:
        found = json.loads(project.journal(*plan).stdout)["drift"]
        return [
            (one["subject"], one["detail"])
            for one in found
            if "params" in one["subject"]
        ]

    assert [] == drift()
    (base / "parameters.yml").write_text("api_key: hunter2-two\n")
    assert [("params:api_key", "its value, which is masked, changed")] == drift()
    other = {"XDG_CONFIG_HOME": str(project.path / "another")}
    found = json.loads(project.journal(*plan, env=other).stdout)["drift"]
    assert any("is not known" in one["detail"] for one in found)
