"""What resume, rerun, command and restored sessions pass on is what was given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import Project

pytestmark = pytest.mark.kedro

PARAMETERS = """
from pathlib import Path

PARAMETERS = {
    "ts": 1700000000123456789,
    "odd_integer": 2**53 + 1,
    "nan": float("nan"),
    "infinite": [float("inf"), float("-inf")],
    "empty": {"": {"": None}},
    "text": "y" * 17000,
    "minus": -0.0,
    "raw": b"\\xff\\x00",
    "where": Path("a/b"),
    "ids": list(range(1100)),
    "query": "x" * 40000,
    "table": {f"k{n}": [n, str(n)] if n < 9 else n for n in range(1010)},
    "odd": {1: "one", True: {2.5: None}},
    "pair": (1, "two"),
    "dollar": {"$int": "5", "$truncated": 3},
    "mark": "[... 5 characters more]",
    "lone": "\\ud800",
}
"""
PIPELINE = """
import os
from pathlib import Path
from kedro.pipeline import Node, Pipeline

def first():
    return 1

def second(x, parameters):
    with open("seen.txt", "a") as file:
        file.write(ascii(parameters) + "\\n")
    if Path("broken").exists():
        raise RuntimeError("broken")
    return 2

def third(x):
    return 3

def inner():
    from kedro_journal.session import get_current_session
    return get_current_session().load_context().params

def make_pipelines():
    nodes = [
        Node(first, None, "one", name="first", tags="wanted"),
        Node(second, ["one", "parameters"], "two", name="second", tags="wanted"),
        Node(third, "two", "three", name="third"),
    ]
    return {"__default__": Pipeline(nodes)}
"""
CATALOG = """
one:
  type: pickle.PickleDataset
  filepath: data/one.pkl
two:
  type: pickle.PickleDataset
  filepath: data/two.pkl
three:
  type: pickle.PickleDataset
  filepath: data/three.pkl
"""
SCRIPT = """
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import {runner}
from given import PARAMETERS

if __name__ == "__main__":
    root = {root!r}
    bootstrap_project(root)
    from kedro_journal.session import KedroSession as Ours
    session_class = Ours if {level} else KedroSession
    with session_class.create(
        project_path=root, runtime_params={params}
    ) as session:
        session.run(runner={runner}(), tags={tags})
"""


@pytest.fixture
def given(project: Project) -> Project:
    """A project whose parameters are of every kind that Kedro takes."""
    project.nodes(PIPELINE)
    (project.path / "given.py").write_text(PARAMETERS, encoding="utf-8")
    conf = project.path / "conf" / "base"
    (conf / "catalog.yml").write_text(CATALOG, encoding="utf-8")
    for old in conf.glob("parameters*.yml"):
        old.unlink()
    (conf / "parameters.yml").write_text("{}\n", encoding="utf-8")
    (project.path / "broken").touch()
    return project


def start(
    project: Project,
    *,
    level: int = 1,
    runner: str = "SequentialRunner",
    params: str = "PARAMETERS",
    tags: object = None,
) -> subprocess.CompletedProcess[str]:
    code = SCRIPT.format(
        runner=runner, root=str(project.path), level=level, params=params, tags=tags
    )
    return project.python(code)


def seen(project: Project) -> list[str]:
    path = project.path / "seen.txt"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    "runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"]
)
def test_a_later_run_gets_the_same_values(
    given: Project, level: int, runner: str
) -> None:
    if level == 0:
        given.level_0()
    failed = start(given, level=level, runner=runner)
    assert "RuntimeError: broken" in failed.stderr, failed.stderr
    (given.path / "broken").unlink()
    for command in ("resume", "rerun"):
        done = given.journal(command)
        assert done.returncode == 0, done.stderr
    first, resumed, again = seen(given)
    assert first == resumed == again
    assert "1700000000123456789" in first

    values = given.sessions_path / given.ids()[0] / "values"
    assert sorted(path.suffix for path in values.iterdir()) == [".json"] * 4

    shown = given.journal("command", given.ids()[0])
    assert shown.returncode == 0, shown.stderr
    assert "1700000000123456789" in shown.stdout
    assert "x" * 40000 in shown.stdout
    assert "{'$int': '5', '$truncated': 3}" in shown.stdout


def test_the_filters_of_a_run_are_exact(given: Project) -> None:
    tags = ["wanted", *(f"tag_{n}" for n in range(1010))]
    assert "RuntimeError" in start(given, tags=tags, params="{}").stderr
    (given.path / "broken").unlink()
    for command in ("resume", "rerun"):
        done = given.journal(command)
        assert done.returncode == 0, done.stderr
        assert "third" not in given.state().runs[-1].nodes


def test_what_is_damaged_or_too_large_is_named_and_can_be_given_again(
    given: Project,
) -> None:
    params = '{"large": "x" * 2_000_000, "kept": "y" * 40_000, "small": 1}'
    assert "RuntimeError" in start(given, params=params).stderr
    (given.path / "broken").unlink()
    for command in ("resume", "rerun", "command"):
        done = given.journal(command)
        assert done.returncode == 6, done.stderr
        assert "runtime parameter large" in done.stderr
        assert "too large" in done.stderr
    (session_id,) = given.ids()
    (value,) = (given.sessions_path / session_id / "values").iterdir()
    value.write_text('"another text"', encoding="utf-8")
    refused = given.journal("resume", "--params", "large=x")
    assert refused.returncode == 6, refused.stderr
    assert "runtime parameter kept is in a file" in refused.stderr

    done = given.journal("resume", "--params", "large=x,kept=y")
    assert done.returncode == 0, done.stderr
    assert seen(given)[-1] == "{'large': 'x', 'kept': 'y', 'small': 1}"


RESTORE = """
from pathlib import Path
from kedro.framework.startup import bootstrap_project
from kedro_journal.session import get_current_session
from kedro_journal.errors import NotRecorded

bootstrap_project({root!r})
session = get_current_session(recover=True)
store = session.store["runtime_params"]
try:
    print("told", ascii(dict(session.load_context().params)))
    assert ascii(store) == ascii(dict(session.load_context().params))
except NotRecorded as error:
    print("told", error.names, store)
"""


def crash(project: Project, params: str) -> str:
    """Kill a run, restore its session, and tell what its context has."""
    code = PIPELINE.replace('raise RuntimeError("broken")', "os._exit(9)")
    project.nodes(code)
    assert start(project, params=params).returncode == 9
    done = project.python(RESTORE.format(root=str(project.path)))
    assert done.returncode == 0, done.stderr
    (told,) = [one for one in done.stdout.splitlines() if one.startswith("told ")]
    return told.removeprefix("told ")


def test_a_restored_session_has_the_values(given: Project) -> None:
    assert crash(given, "PARAMETERS") == seen(given)[0]


def test_a_restored_session_makes_no_context_of_placeholders(given: Project) -> None:
    told = crash(given, '{"large": "x" * 2_000_000, "api_key": "abcdefgh", "n": 1}')
    assert told == "('large', 'api_key') {'api_key': '[redacted]', 'n': 1}"


def test_a_worker_restores_the_values(given: Project) -> None:
    code = PIPELINE.replace("ascii(parameters)", "ascii(dict(inner()))")
    given.nodes(code)
    done = start(given, runner="ParallelRunner")
    assert "RuntimeError: broken" in done.stderr, done.stderr
    assert "1700000000123456789" in seen(given)[0]
    assert "[... " not in seen(given)[0].replace("'[... 5 characters more]'", "")


def test_a_large_context_is_recorded_whole(given: Project) -> None:
    conf = given.path / "conf" / "base"
    names = "".join(f"p_{n}: {{value: {n}}}\n" for n in range(1010))
    names += "long: [" + "1, " * 1100 + "7]\ntext: '" + "q" * 20_000 + "'\n"
    (conf / "parameters.yml").write_text(names, encoding="utf-8")
    more = "".join(
        f"set_{n}:\n  type: pickle.PickleDataset\n  filepath: data/set_{n}.pkl\n"
        for n in range(300)
    )
    (conf / "catalog.yml").write_text(CATALOG + more, encoding="utf-8")
    assert given.kedro("run").returncode == 1
    (given.path / "broken").unlink()

    context = given.state().context
    assert context is not None
    assert len(context.parameters) == 1012
    assert len(context.catalog) == 303
    assert len(context.parameter_sources) >= 1012
    assert context.parameters["long"][-1] == {"$truncated": 101}
    assert context.parameters["text"].endswith("[... 3616 characters more]")
    assert set(context.parameters_cut) == {"long", "text"}
    assert given.state().left_out == ()

    plan = given.journal("resume", "--dry-run", "--on-drift", "refuse")
    assert plan.returncode == 0, plan.stderr
    (conf / "parameters.yml").write_text(
        names.replace("7]", "8]").replace("p_1009: {value: 1009", "p_1009: {value: 0"),
        encoding="utf-8",
    )
    plan = given.journal("resume", "--dry-run")
    assert "params:p_1009.value: it is 0, and was 1009" in plan.stdout
    assert "params:long: it was changed beyond" in plan.stdout
    assert "params:text" not in plan.stdout


def test_a_long_command_line_is_printed_whole(given: Project) -> None:
    text = "y" * 30_000
    assert given.kedro("run", "--params", f"query={text}").returncode == 1
    shown = given.journal("command")
    assert shown.returncode == 0
    assert f"query={text}" in shown.stdout

    (given.path / "broken").unlink()
    assert given.journal("resume").returncode == 0
    first, resumed = seen(given)
    assert first == resumed


def test_values_are_files_of_the_owner_alone(given: Project) -> None:
    start(given)
    folder = given.sessions_path / given.ids()[0] / "values"
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {Path(path).stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {0o600}
