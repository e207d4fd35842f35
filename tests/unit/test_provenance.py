"""Where parameters stand in files, and which place wins."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kedro_journal.capture.configuration import ConfigFile
from kedro_journal.capture.provenance import (
    SOURCES_MAX,
    parameter_sources,
    yaml_places,
)
from kedro_journal.events import CommandLine, ParameterSource

BASE = """\
# what the model is
model:
  lr: 0.1
  depth: 3
  "odd key": {a: 1, b: [1, 2]}
seed: 1
1: number
shared: &shared
  x: 1
  y: 2
merged:
  <<: *shared
  y: 3
rate: "${globals:rate}"
block: ${globals:block}
empty: {}
none:
"""


def file(text: str | None, within: str = "parameters.yml", env: str = "base") -> Any:
    return ConfigFile(f"conf/{env}/{within}", within, env, text, secret=False)


def context(runtime: dict[str, Any] | None = None, **loader: Any) -> Any:
    return SimpleNamespace(
        _runtime_params=runtime or {}, config_loader=SimpleNamespace(**loader)
    )


def told(
    parameters: dict[str, Any],
    *files: ConfigFile,
    runtime: dict[str, Any] | None = None,
    command: CommandLine | None = None,
    **loader: Any,
) -> dict[str, ParameterSource]:
    found = parameter_sources(context(runtime, **loader), parameters, files, command)
    assert list(found) == sorted(found, key=lambda source: source.name)
    return {source.name: source for source in found}


def test_every_key_of_a_file_is_found_with_its_line() -> None:
    places = yaml_places(BASE, "f")
    lines = {".".join(key): place.line for key, place in places.items()}
    assert lines == {
        "model.lr": 3, "model.depth": 4, "model.odd key.a": 5, "model.odd key.b": 5,
        "seed": 6, "1": 7, "shared.x": 9, "shared.y": 10, "merged.x": 9,
        "merged.y": 13, "rate": 14, "block": 15, "empty": 16, "none": 17,
    }  # fmt: skip
    assert places["rate",].expression == "${globals:rate}"


def test_json_has_lines_too() -> None:
    assert yaml_places('{\n "a": {\n  "b": 1}\n}', "f")["a", "b"].line == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "a: [",
        "a: !unknown {b",
        "text",
        "\0",
        "&a [*a]",
        "a: &a {b: *a}",
    ],
)
def test_what_is_no_mapping_of_keys_has_no_places(text: str) -> None:
    assert all(len(key) < 40 for key in yaml_places(text, "f"))


def test_a_file_that_contains_itself_ends() -> None:
    assert yaml_places("a: &a\n  b: 1\n  c: *a\n", "f")["a", "b"].line == 2


def test_the_environment_wins_over_the_base_and_runtime_over_both() -> None:
    parameters = {"model": {"lr": 9, "depth": 4}, "seed": 1}
    found = told(
        parameters,
        file(BASE),
        file("model:\n  lr: 1\n  depth: 4\n", env="local"),
        runtime={"model": {"lr": 9}},
        command=CommandLine(given=("params",)),
    )
    assert found["model.lr"] == ParameterSource(
        "model.lr",
        source="--params",
        overrides=("conf/local/parameters.yml:2", "conf/base/parameters.yml:3"),
    )
    assert found["model.depth"].source == "conf/local/parameters.yml"
    assert found["model.depth"].overrides == ("conf/base/parameters.yml:4",)
    assert (found["seed"].line, found["seed"].overrides) == (6, ())


@pytest.mark.parametrize(
    ("command", "source"),
    [
        (None, "runtime_params"),
        (CommandLine(), "runtime_params"),
        (CommandLine(given=("params",)), "--params"),
        (
            CommandLine(config_file="run.yml", from_config=("params",)),
            "--config run.yml",
        ),
    ],
)
def test_runtime_parameters_come_from_the_call_the_flag_or_the_file_of_flags(
    command: CommandLine | None, source: str
) -> None:
    found = told({"new": 1}, runtime={"new": 1}, command=command)
    assert found["new"].source == source


def test_a_part_of_what_an_interpolation_gave_comes_from_where_that_stands() -> None:
    found = told({"block": {"a": {"b": 1}}, "rate": 2}, file(BASE))
    assert (found["block.a.b"].line, found["block.a.b"].expression) == (
        15,
        "${globals:block}",
    )
    assert found["rate"].expression == "${globals:rate}"


def test_what_stands_in_no_file_has_no_source() -> None:
    assert told({"made": {"by": "a hook"}}, file(BASE))["made.by"].source == ""


@pytest.mark.parametrize(
    ("within", "is_one"),
    [
        ("parameters.yml", True),
        ("parameters_science.json", True),
        ("parameters/deep/down.yml", True),
        ("deep/parameters_more.yml", True),
        ("catalog.yml", False),
        ("my_parameters.yml", False),
        ("deep/globals.yml", False),
    ],
)
def test_files_are_parameters_by_the_patterns_of_the_loader(
    within: str, is_one: bool
) -> None:
    found = told({"a": 1}, file("a: 1\n", within))
    assert bool(found["a"].source) == is_one


def test_patterns_of_the_project_count() -> None:
    patterns = {"parameters": ["settings*"]}
    found = told({"a": 1}, file("a: 1\n", "settings.yml"), config_patterns=patterns)
    assert found["a"].source == "conf/base/settings.yml"


def test_thousands_of_parameters_are_told_by_their_top_level() -> None:
    parameters = {f"k{n}": {"a": 1, "b": 2} for n in range(SOURCES_MAX // 2 + 1)}
    text = "".join(f"k{n}:\n  a: 1\n  b: 2\n" for n in range(SOURCES_MAX // 2 + 1))
    found = told(parameters, file(text))
    assert "k7" in found
    assert "k7.a" not in found
    assert len(found) == SOURCES_MAX // 2 + 1


def test_a_file_that_cannot_be_read_is_passed_over() -> None:
    assert told({"a": 1}, file(None))["a"].source == ""
