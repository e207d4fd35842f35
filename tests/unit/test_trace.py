"""`trace` answers where a value came from, from the state alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kedro_journal.errors import NothingToTrace
from kedro_journal.events import (
    CatalogEntry,
    CommandLine,
    ContextLoaded,
    DatasetLoaded,
    DatasetLoading,
    DatasetSaved,
    DatasetSaving,
    Event,
    NodeComputed,
    NodeStarted,
    ParameterSource,
    Record,
    RunStarted,
    SessionCreated,
)
from kedro_journal.state import SessionState, Trace, fold, trace

CREATED = SessionCreated(
    session_id="s",
    runtime_params={"model": {"lr": 0.5}},
    environment={"KEDRO_ENV": "prod"},
    command=CommandLine(
        argv=("kedro", "run", "--env", "prod"),
        flags={"env": "prod", "tags": "", "only_missing_outputs": False, "runner": "R"},
        given=("env",),
        config_file="flags.yml",
        from_config=("runner",),
    ),
)
CONTEXT = ContextLoaded(
    parameters={"model": {"lr": 0.5, "depth": 3}, "seed": 1, "free": {"x": 1}},
    parameter_sources=(
        ParameterSource("model.lr", source="--params", overrides=("conf/a.yml:3",)),
        ParameterSource(
            "model.depth", source="conf/a.yml", line=4, expression="${globals:d}"
        ),
        ParameterSource("seed", source="conf/a.yml", line=6),
        ParameterSource("free"),
    ),
    catalog=(CatalogEntry("table", type="csv.CSVDataset", path="data/t.csv"),),
    environment={"BUCKET": "b"},
    credential_environment=("TOKEN",),
)


def state(*events: Event) -> SessionState:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return fold(
        Record(seq=seq, at=at, writer="w1", prev="0" * 8, crc="0" * 8, event=event)  # type: ignore[arg-type]
        for seq, event in enumerate((CREATED, CONTEXT, *events), 1)
    )


def one(name: str, *events: Event, run_id: str | None = None) -> Trace:
    (found,) = state(*events).trace(name, run_id=run_id)
    return found


def test_a_parameter_is_told_by_file_and_line() -> None:
    for name in ("params:model.depth", "model.depth"):
        found = one(name)
        assert (found.name, found.value) == ("params:model.depth", 3)
        assert found.origin == "conf/a.yml:4"
        assert found.steps == ("by ${globals:d}",)
    assert (
        str(found) == "params:model.depth = 3\n  from conf/a.yml:4\n  by ${globals:d}"
    )


def test_a_flag_wins_over_the_file_and_both_are_told() -> None:
    found = one("params:model.lr")
    assert found.origin == "the command line: --params"
    assert found.steps == ("wins over conf/a.yml:3",)


def test_a_mapping_is_told_value_by_value() -> None:
    assert [t.name for t in state().trace("params:model")] == [
        "params:model.depth",
        "params:model.lr",
    ]
    assert len(state().trace("parameters")) == 4


def test_a_parameter_of_no_file_is_said_to_be_of_none() -> None:
    assert one("free.x").origin.startswith("not known")


def test_a_runs_own_parameters_come_first() -> None:
    runs = (
        RunStarted(run_id="r1", runtime_params={"seed": 7}),
        RunStarted(run_id="r2", runtime_params={}),
    )
    found = one("seed", *runs, run_id="r1")
    assert (found.value, found.origin) == (7, "runtime parameters of run r1")
    assert found.steps == ("wins over conf/a.yml:6",)
    assert one("seed", *runs).value == 1


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("--env", "the command line: kedro run --env prod"),
        ("--only-missing-outputs", "its default"),
        ("--runner", "the file flags.yml, given by --config"),
        ("runner", "the file flags.yml, given by --config"),
    ],
)
def test_a_flag_is_given_defaulted_or_from_a_file(name: str, origin: str) -> None:
    found = one(name)
    assert (found.kind, found.origin) == ("flag", origin)


def test_variables_are_told_by_why_they_are_recorded() -> None:
    assert one("$KEDRO_ENV").value == "prod"
    assert one("$BUCKET").steps == ("configuration refers to it",)
    assert one("$TOKEN").value is None
    assert one("KEDRO_ENV").kind == "variable"


def test_a_dataset_is_told_by_who_saved_and_loaded_it() -> None:
    names = {"run_id": "r", "node": "n"}
    found = one(
        "fitted",
        RunStarted(run_id="r"),
        DatasetLoading(dataset="table", **names),
        DatasetLoaded(dataset="table", version="v1", **names),
        NodeStarted(**names),
        NodeComputed(**names),
        DatasetSaving(dataset="fitted", **names),
        DatasetSaved(dataset="fitted", path="m.pkl", version="v2", **names),
    )
    assert (found.kind, found.value, found.origin) == (
        "dataset",
        "m.pkl",
        "node n, record 9",
    )
    assert found.steps == ("saved as version v2",)
    table = one(
        "table",
        RunStarted(run_id="r"),
        DatasetLoading(dataset="table", **names),
        DatasetLoaded(dataset="table", version="v1", **names),
    )
    assert table.value == "data/t.csv"
    assert table.origin.startswith("outside")
    assert "loaded by node n in version v1, record 5" in table.steps


@pytest.mark.parametrize("name", ["params:modl.lr", "--evn", "$KEDRO_EN", "tabel", ""])
def test_a_name_that_is_not_on_record_is_refused_with_those_that_look_like_it(
    name: str,
) -> None:
    with pytest.raises(NothingToTrace) as caught:
        trace(state(), name)
    assert (caught.value.name, caught.value.session_id) == (name, "s")
    assert bool(caught.value.close) == bool(name)


def test_a_name_of_parameters_and_of_a_dataset_is_traced_as_both() -> None:
    entry = CatalogEntry("model", type="json.JSONDataset", path="data/model.json")
    both = ContextLoaded(parameters=CONTEXT.parameters, catalog=(entry,))

    found = trace(state(both), "model")

    assert [one.name for one in found][-2:] == ["params:model.lr", "model"]
    assert {one.kind for one in found} == {"parameter", "dataset"}
