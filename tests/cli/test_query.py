"""query: SQL over the journals, and the recipes of its page."""

from __future__ import annotations

import builtins
import json
import re
from pathlib import Path

import pytest

from kedro_journal.events import (
    ContextLoaded,
    DatasetSaved,
    RunCompleted,
    SessionClosed,
)

from .conftest import RUN, run_of
from .test_prune import OLD, OTHER

PAGE = Path(__file__).parents[2] / "docs/how-to/query.md"
THIRD = "2026-11-19T05.00.00.000Z"


@pytest.fixture
def ask(call, journals):
    pytest.importorskip("duckdb", reason="duckdb, the extra [query], is not installed")
    context = ContextLoaded(
        env="local", parameters={"model": {"lr": 0.1, "name": "x"}, "list": [1, 2]}
    )
    saved = DatasetSaved(
        dataset="it's", node="split", run_id=RUN, duration_s=0.5, size_bytes=7
    )
    journals.begin(
        THIRD,
        context,
        *run_of("split"),
        saved,
        RunCompleted(run_id=RUN, duration_s=2.0),
        SessionClosed(exit_code=0),
    )
    journals.completed(OLD)
    path = journals.failed(OTHER)
    journals.let_go()
    path.write_bytes(path.read_bytes()[:-5] + b"\n")  # the last is no JSON
    call("tag", OLD, "best", "--directory", journals.path)

    def run(sql: str):
        result = call("query", sql, "--json", "--directory", journals.path)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_the_views_say_what_the_sessions_did(ask, call, journals):
    assert ask(
        "select session_id, verdict, tags, damaged from sessions order by 1"
    ) == [
        {"session_id": THIRD, "verdict": "completed", "tags": [], "damaged": False},
        {"session_id": OLD, "verdict": "completed", "tags": ["best"], "damaged": False},
        {"session_id": OTHER, "verdict": "crashed", "tags": [], "damaged": True},
    ]
    runs = ask(
        "select status, duration_s, nodes, pipelines, error_type from runs "
        "order by session_id"
    )
    assert [one["status"] for one in runs] == ["completed", "completed", "failed"]
    assert runs[0]["duration_s"] == 2.0
    assert runs[1]["nodes"] == 2
    assert runs[2]["error_type"] == "DatasetError"
    nodes = ask("select node, status, duration_s, tries from nodes order by all")
    assert nodes == [
        {"node": "split", "status": "completed", "duration_s": 1.5, "tries": 1},
        {"node": "split", "status": "completed", "duration_s": 1.5, "tries": 1},
        {"node": "split", "status": "not started", "duration_s": None, "tries": 0},
        {"node": "train", "status": "completed", "duration_s": 1.5, "tries": 1},
    ]
    assert ask("select dataset, operation, size_bytes from datasets") == [
        {"dataset": "it's", "operation": "saved", "size_bytes": 7}
    ]
    assert ask("select name, value from parameters order by name") == [
        {"name": "list", "value": "[1,2]"},
        {"name": "model.lr", "value": "0.1"},
        {"name": "model.name", "value": "x"},
    ]
    assert ask("select count(*) as n from records where type = 'run.started'") == [
        {"n": 3}
    ]
    (first,) = ask("select min(recorded_at) as t from records")
    assert first["t"].endswith("Z")

    text = call("query", "select verdict from sessions", "--directory", journals.path)
    none = call(
        "query", "select verdict from sessions limit 0", "--directory", journals.path
    )
    assert text.stdout.split()[:2] == ["verdict", "completed"]
    assert none.stdout == "No rows. Columns: verdict\n"


def test_nothing_can_be_changed(ask, call, journals, tmp_path):
    for sql in (
        "copy (select 1) to 'x.csv'",
        "select 1; select 2",
        "create table t as select 1",
        "attach 'x.db'",
        "",
    ):
        result = call("query", sql, "--directory", journals.path)
        assert result.exit_code == 2
        assert "reads and changes nothing" in result.stderr
    wrong = call("query", "select nope from sessions", "--directory", journals.path)
    assert wrong.exit_code == 2
    assert "DuckDB" in wrong.stderr
    assert {one.name for one in tmp_path.iterdir()} == {"sessions"}


def test_a_folder_without_sessions_and_a_strange_name(call, tmp_path, journals):
    pytest.importorskip("duckdb", reason="duckdb, the extra [query], is not installed")
    (tmp_path / "empty").mkdir()
    count = ("query", "select count(*) as n from nodes", "--json", "--directory")
    assert json.loads(call(*count, "empty").stdout) == [{"n": 0}]
    journals.completed(OLD)
    journals.let_go()
    journals.path.rename(tmp_path / "it's [1] *")
    assert json.loads(call(*count, "it's [1] *").stdout) == [{"n": 2}]


def test_without_the_extra_the_error_names_it(call, journals, monkeypatch):
    journals.completed(OLD)
    real = builtins.__import__

    def missing(name, *more):
        if name == "duckdb":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", missing)
    result = call("query", "select 1", "--directory", journals.path)

    assert result.exit_code == 1
    assert "pip install 'kedro-journal[query]'" in result.stderr


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_the_recipes_of_the_page_work(engine, ask, tmp_path):
    pytest.importorskip(engine, reason=f"{engine} is not installed")
    blocks = re.findall(r"```py\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (recipe,) = [one for one in blocks if f"import {engine}" in one]
    names: dict[str, object] = {}
    exec(recipe, names)

    assert names[f"{engine}_means"] == [("split", 1.5), ("train", 1.5)]


def test_the_page_names_the_columns(ask):
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| `([^`]*)` \|$", PAGE.read_text("utf-8"), re.M
    )
    assert len(rows) == 6
    for view, columns in rows:
        ask(f"select {columns} from {view} limit 1")
