"""`why`, `explain` and the end of `show`, on real runs that one known cause broke.

A small dose: `python -m broken_runs` with `tests/support` on the path runs all kinds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("kedro")

from broken_runs import causes
from broken_runs.__main__ import case

import kedro_journal

pytestmark = pytest.mark.kedro


def journal(root: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro_journal", *args],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "seed"),
    [("upstream_parameter", 6), ("overwritten", 226), ("credentials", 127)],
)
def test_the_true_cause_comes_first(tmp_path: Path, cause: str, seed: int) -> None:
    score = case(tmp_path, getattr(causes, cause), seed, small=True)
    assert score.rank == 1, score.told


def test_a_resumed_run_is_explained_and_the_origin_of_its_files(tmp_path: Path) -> None:
    score = case(tmp_path, causes.resumed, 130, small=True)
    assert score.rank == 1, score.told
    shown = journal(tmp_path, "show").stdout
    end = shown.rpartition("What changed since session ")[2].splitlines()
    first = score.first.removeprefix("code ")
    assert end[1].startswith(f"  1. code of node {first}: function ")
    assert len(end) <= 5
    answer = kedro_journal.why(directory=tmp_path / "sessions")
    data = json.loads(journal(tmp_path, "why", "--json").stdout)
    assert data["changes"][0]["subject"] == answer.changes[0].subject == first
    (sessions,) = {one.session_id for one in answer.changes[0].records} - {
        answer.session_id
    }
    assert answer.good is not None
    assert sessions == answer.good.session_id

    # The report is of the good run; its inputs are those of that run, down to raw.
    origin = kedro_journal.explain(
        tmp_path / "data/result.json", directory=tmp_path / "sessions"
    )
    assert origin is not None
    assert (origin.node, origin.session_id) == ("report", answer.good.session_id)
    assert origin.bytes == "same"
    leaves, waiting = set(), [origin]
    while waiting:
        one = waiting.pop()
        waiting += one.inputs
        if not one.session_id:
            leaves.add((one.dataset, one.bytes))
    assert {name[:3] for name, _ in leaves} == {"raw"}
    assert {state for _, state in leaves} <= {"same", "changed"}

    # Forward from a raw file, the report is what was made from it.
    raw = min(name for name, _ in leaves)
    made = kedro_journal.made_from(
        tmp_path / f"data/{raw}.json", directory=tmp_path / "sessions"
    )
    assert made is not None
    report = next(one for one in made.made if one.dataset == "result")
    assert (report.node, report.bytes) == ("report", "same")
    assert report.session_id == origin.session_id
    forward = journal(tmp_path, "explain", "--forward", f"data/{raw}.json")
    assert forward.stdout.startswith(f"data/{raw}.json  loaded as {raw} in ")
    assert "\nresult  data/result.json\n   node report, session " in forward.stdout

    (tmp_path / "data/result.json").write_text("[]")
    told = journal(tmp_path, "explain", "data/result.json")
    assert told.returncode == 0
    assert "changed since then: 2 bytes, was" in told.stdout.splitlines()[0]
    assert journal(tmp_path, "explain", "README.md").returncode == 3
