"""Hostile input: every reader ends, in little memory, and believes nothing."""

from __future__ import annotations

import gc
import io
import random
from pathlib import Path

import pytest
from fuzzing import growth
from fuzzing.lines import Chain, Raw
from fuzzing.mutate import mutant
from fuzzing.readers import Case
from fuzzing.stories import genuine
from fuzzing.views import target_commands
from storms.fuzz import SUITE, storm


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


def test_the_fuzzer_itself_keeps_nothing_of_what_it_fed(tmp_path: Path) -> None:
    """Else its own memory would be taken for that of the readers."""
    path = tmp_path / "sessions" / "s" / "journal.jsonl"
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_bytes(genuine())
    case = Case("healthy", path.parent, path, path.stat().st_size, random.Random(1))

    def streams() -> int:
        target_commands(case)
        gc.collect()
        return sum(issubclass(type(one), io.IOBase) for one in gc.get_objects())

    assert streams() == streams() == streams()


def test_a_mutation_that_cannot_be_written_is_left_out() -> None:
    """What a parser in C reads may be nested deeper than the fuzzer can write."""
    chain = Chain()
    chain.add("note.added", {"text": Raw("[" * 900 + "]" * 900)})
    for seed in range(300):
        assert mutant(random.Random(seed), [chain.data]) is not None


def test_time_grows_as_the_file_does(tmp_path: Path) -> None:
    """Four times as many attempts, or datasets of a node, in four times as long."""
    units = ("attempts", "datasets of a node")
    found = list(growth.measure(tmp_path, units=units))
    assert len(found) == 2 * 7
    assert [one for one in found if one[2] > growth.RATIO_MAX] == []
