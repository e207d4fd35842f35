"""Hostile input: every reader ends, in little memory, and believes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import growth
from storms.fuzz import SUITE, storm

from kedro_journal.config import load_config
from kedro_journal.errors import ConfigError


def say(line: str) -> None:
    """Nobody listens."""


@pytest.mark.storm
def test_a_storm_of_hostile_input_breaks_no_promise(tmp_path: Path) -> None:
    """Every family of hostile files, then mutations, to every reader and view."""
    account = SUITE.run(SUITE.small, tmp_path, 1, say)
    assert account.violations == []
    assert account.count >= SUITE.small - 1
    figures = account.figures
    assert figures["inputs"] > 30  # all families, and some mutants
    assert figures["calls"] > 9 * 30
    assert figures["largest MB"] == 100
    assert figures["arcs of code"] > 2500
    assert figures["records that were compared"] > 10_000


@pytest.mark.storm
@pytest.mark.parametrize(
    ("sabotage", "family", "seen"),
    [
        ("keep long lines", "a line of 30 MB", "memory: the process grew by"),
        ("compare no checksum", "noise between lines", "checksum"),
        ("escape nothing", "control characters and names", "prints U+"),
        ("import types", "names of code", "a module that it names was imported"),
    ],
)
def test_the_storm_sees_a_protection_that_is_left_out(
    tmp_path: Path, sabotage: str, family: str, seen: str
) -> None:
    """Teeth: the same family, without it red, with it green."""
    account = storm(1, tmp_path, 1, say, sabotage=sabotage, only=(family,))
    assert any(seen in violation for violation in account.violations)


def test_time_grows_as_the_file_does(tmp_path: Path) -> None:
    """Four times as many attempts, or datasets of a node, in four times as long."""
    units = ("attempts", "datasets of a node")
    found = list(growth.measure(tmp_path, units=units))
    assert len(found) == 2 * 7
    assert [one for one in found if one[2] > growth.RATIO_MAX] == []


@pytest.mark.xfail(
    reason="tomllib raises more than it says", raises=(ValueError, RecursionError)
)
@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000 + "]" * 5000])
def test_a_pyproject_that_breaks_the_parser_is_an_error_of_ours(
    tmp_path: Path, value: str
) -> None:
    text = f"[tool.kedro_journal]\nlock_timeout_s = {value}\n"
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError):
        load_config(tmp_path, {})
