"""`debug`: a node that failed is called again with the inputs that it had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Project

PIPELINE = """
from kedro.pipeline import Node, Pipeline
from kedro_journal.session import get_current_session

def make(title): return [title, "b"]
def chunks(rows):
    for row in rows:
        yield [row]
def model(rows): return {"rows": rows}
def parts(rows): return {row: {"row": row} for row in rows}
def table(rows): return ",".join(rows)
def fail(model, rows, chunk, parts, table, limit, token="none"):
    found = {name: load() for name, load in parts.items()}
    session_id = get_current_session().session_id
    raise ValueError(f"over {limit}")

def make_pipelines():
    inputs = ["model", "rows", "chunk", "parts", "table@text", "params:limit"]
    return {"__default__": Pipeline([
        Node(make, "params:title", "rows", name="make"),
        Node(chunks, "rows", "chunk", name="chunks"),
        Node(model, "rows", "model", name="model"),
        Node(parts, "rows", "parts", name="parts"),
        Node(table, "rows", "table@csv", name="table"),
        Node(fail, inputs, "result", name="fail"),
    ])}
"""
CATALOG = """
model:
  type: json.JSONDataset
  filepath: data/06_models/model.json
  versioned: true
parts:
  type: partitions.PartitionedDataset
  path: data/02_intermediate/parts
  dataset: json.JSONDataset
  filename_suffix: .json
table@csv:
  type: text.TextDataset
  filepath: data/02_intermediate/table.txt
table@text:
  type: text.TextDataset
  filepath: data/02_intermediate/table.txt
result:
  type: json.JSONDataset
  filepath: data/08_reporting/result.json
"""


@pytest.fixture
def broken(project: Project) -> Project:
    project.nodes(PIPELINE)
    (project.path / "conf/base/catalog.yml").write_text(CATALOG, encoding="utf-8")
    parameters = "title: a\nlimit: 3\n"
    (project.path / "conf/base/parameters.yml").write_text(parameters)
    return project


def debug(
    project: Project, *args: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kedro_journal", "debug", *args]
    return project._run(command, None, typed)


def files(project: Project) -> dict[Path, tuple[int, int]]:
    found = {}
    for name in ("data", "sessions"):
        for path in (project.path / name).rglob("*"):
            if ".index" not in path.parts:  # a cache of what `list` says
                facts = path.stat()
                found[path] = (facts.st_size, facts.st_mtime_ns)
    return found


TYPED = """p 'model', model
p 'rows', rows
p 'chunk', chunk
p 'found', found
p 'table', table
p 'session', session_id
q
"""


@pytest.mark.parametrize("runner", ["SequentialRunner", "ParallelRunner"])
def test_the_debugger_stops_at_the_line_with_the_recorded_inputs(
    broken: Project, runner: str
) -> None:
    assert broken.kedro("run", "--runner", runner).returncode == 1
    session_id = broken.state().session_id
    newer = broken.path / "data/06_models/model.json/2999-01-01T00.00.00.000Z"
    newer.mkdir()
    (newer / "model.json").write_text('{"rows": ["another version"]}')
    (broken.path / "data/02_intermediate/table.txt").write_text("changed meanwhile")
    before = files(broken)

    done = debug(broken, "--yes", typed=TYPED)

    assert done.returncode == 0, done.stderr
    assert f"session {session_id}, node fail: failed while running" in done.stderr
    assert "differs: table@text is not what was loaded" in done.stderr
    assert '-> raise ValueError(f"over {limit}")' in done.stdout
    for line in (
        "('model', {'rows': ['a', 'b']})",
        "('rows', ['a', 'b'])",
        "('chunk', ['b'])",
        "('found', {'a': {'row': 'a'}, 'b': {'row': 'b'}})",
        "('table', 'changed meanwhile')",
        f"('session', '{session_id}')",
    ):
        assert line in done.stdout
    assert files(broken) == before


def test_nothing_runs_before_the_question_is_answered(broken: Project) -> None:
    broken.kedro("run")

    done = debug(broken)

    assert done.returncode == 2
    assert "these nodes run first: make, chunks." in done.stderr
    assert "give --yes" in done.stderr


def test_a_masked_parameter_has_to_be_given_again(broken: Project) -> None:
    text = PIPELINE.replace('"params:limit"]', '"params:limit", "params:token"]')
    broken.nodes(text)
    broken.kedro("run", "--params", "token=planted-secret-1")

    refused = debug(broken, "--yes")
    given = debug(
        broken, "--yes", "--params", "token=again", typed="p 'token', token\nq\n"
    )

    assert refused.returncode == 6
    assert "--params token=" in refused.stderr
    assert "('token', 'again')" in given.stdout


def test_a_cell_and_a_shell_have_the_same_inputs(broken: Project) -> None:
    broken.kedro("run")

    cell = debug(broken, "--print-cell")
    code = cell.stdout.replace("node.call()", "print('inputs:', inputs['rows'])")
    done = broken.python(code)
    shell = debug(broken, "--yes", "--shell", typed="print('shell:', rows, limit)\n")

    assert cell.stdout.startswith("from kedro_journal.session import open_node\n")
    assert "inputs: ['a', 'b']" in done.stdout, done.stderr
    assert "shell: ['a', 'b'] 3" in shell.stdout
    assert len(broken.ids()) == 1


def test_what_cannot_be_debugged_is_refused_by_name(broken: Project) -> None:
    broken.kedro("run")
    session_id = broken.state().session_id

    unknown = debug(broken, session_id, "fial")
    broken.nodes(PIPELINE.replace('"result", name="fail"', '"result", name="other"'))
    gone = debug(broken, session_id)

    assert unknown.returncode == 3
    assert "has no node 'fial'" in unknown.stderr
    assert "fail" in unknown.stderr
    assert gone.returncode == 6
    assert "is not debugged: its pipeline has no node 'fail' any more" in gone.stderr
