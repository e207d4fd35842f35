"""What identifies loaded and saved data is recorded, as the other plugins leave it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import kedro_journal
from kedro_journal.events import DatasetLoaded, Fingerprint
from kedro_journal.state import RunState

from .conftest import Project
from .test_runners import WAYS

pytest.importorskip("kedro_datasets")

PROBE = """
import os
from functools import partial
from kedro.pipeline import Node, Pipeline, pipeline

def same(rows): return rows
def split(rows): return {f"part{n}": str(n) for n in range(3)}
def total(parts): return {"total": sum(int(load()) for load in parts.values())}
def fails(rows, other):
    if os.path.exists("FAIL"): raise ValueError("as told")
    return rows

def make_pipelines():
    return {"__default__": Pipeline([
        Node(same, "raw", "rows@out", name="copy"),
        Node(same, "raw", "kept", name="again"),
        Node(split, "rows@json", "parts", name="split"),
        Node(total, "parts", "cached", name="total"),
        Node(same, "cached", "wild.out", name="wild"),
        Node(fails, ["wild.out", "kept"], "end", name="end"),
    ])}
"""
JSON = "type: json.JSONDataset\n  filepath: data/"
CATALOG = f"""
raw:
  {JSON}raw.json
rows@out:
  {JSON}rows.json
rows@json:
  {JSON}rows.json
parts:
  type: partitions.PartitionedDataset
  path: data/parts
  dataset: text.TextDataset
  filename_suffix: .txt
cached:
  type: CachedDataset
  dataset:
    type: json.JSONDataset
    filepath: data/cached.json
"wild.{{name}}":
  {JSON}{{name}}.json
end:
  {JSON}end.json
  versioned: true
"""
PARALLEL = CATALOG.replace(
    "type: CachedDataset\n  dataset:\n    type: json.JSONDataset\n    filepath:",
    "type: json.JSONDataset\n  filepath:",
)


@pytest.fixture
def data(project: Project) -> Project:
    """A project with every kind of dataset that has a location, and one in memory."""
    project.nodes(PROBE)
    (project.path / "conf/base/catalog.yml").write_text(CATALOG)
    (project.path / "conf/base/parameters.yml").write_text("{}\n")
    (project.path / "data/raw.json").write_text("[1, 2]")
    return project


def file(path: Path) -> Fingerprint:
    found = path.stat()
    return Fingerprint(None, found.st_size, found.st_mtime_ns // 1000)


def folder(path: Path) -> Fingerprint:
    """Take the fingerprint in another way than the package does."""
    digest, files = hashlib.sha256(), sorted(path.glob("*.txt"))
    for one in files:
        size, modified_us = one.stat().st_size, one.stat().st_mtime_ns // 1000
        digest.update(f"{one.name}\0{size}\0{modified_us}\0\n".encode())
    newest = max(one.stat().st_mtime_ns for one in files) // 1000
    size = sum(one.stat().st_size for one in files)
    return Fingerprint(None, size, newest, len(files), digest.hexdigest())


def check(project: Project, run: RunState) -> None:
    """Assert that each save and each first load shows what is on the disk now."""
    path = project.path / "data"
    wanted = {
        "raw": file(path / "raw.json"),
        "rows@out": file(path / "rows.json"),
        "rows@json": file(path / "rows.json"),
        "parts": folder(path / "parts"),
        "cached": file(path / "cached.json"),
        "wild.out": file(path / "out.json"),
    }
    assert {*wanted} - {"rows@out"} == {*run.first_loads}
    saves = {n: s for node in run.nodes.values() for n, s in node.saves.items()}
    for name, fingerprint in wanted.items():
        for found in (run.first_loads.get(name), saves.get(name)):
            if found is not None:
                assert fingerprint.same_data(found.fingerprint), name
                assert fingerprint.size_bytes == found.size_bytes
    (end,) = (path / "end.json").glob("*/end.json")
    assert file(end).same_data(saves["end"].fingerprint)
    assert end == project.path / str(saves["end"].path)
    assert Fingerprint() == saves["kept"].fingerprint


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("arguments", "env"), WAYS)
def test_first_loads_and_saves_have_a_fingerprint(
    data: Project, arguments: list[str], env: dict[str, str], level: int
) -> None:
    if level == 0:
        data.level_0()
    if "ParallelRunner" in arguments:  # it takes no CachedDataset
        (data.path / "conf/base/catalog.yml").write_text(PARALLEL)

    done = data.kedro("run", *arguments, env=env)

    assert done.returncode == 0, done.stdout
    assert "kedro-journal" not in done.stdout + done.stderr
    (run,) = data.state().runs
    check(data, run)
    events = [
        record.event
        for record in kedro_journal.records("latest", directory=data.sessions_path)
        if isinstance(record.event, DatasetLoaded) and record.event.dataset == "raw"
    ]
    assert len(events) == 2
    if "ParallelRunner" not in arguments:  # where each process has a first load
        # In threads the record of the later load may be appended first.
        assert [False, True] == sorted(event.path is not None for event in events)


LATER = """
from pathlib import Path
from kedro.framework.hooks import hook_impl

class Formatter:
    @hook_impl(trylast=True)
    def after_dataset_saved(self, dataset_name):
        if dataset_name in ("rows@out", "cached"):
            path = Path("data") / (dataset_name.partition("@")[0] + ".json")
            path.write_text(path.read_text() + "     ")
        if dataset_name == "parts":
            Path("data/parts/part2.txt").write_text("2 ")
    @hook_impl(hookwrapper=True)
    def after_dataset_loaded(self, dataset_name):
        yield
        path = Path("data/raw.json")
        if dataset_name == "raw" and path.read_text() == "[1, 2]":
            path.write_text("[1,  2]")

HOOKS = (Formatter(),)
"""
OURS = "from kedro_journal.session import KedroSession\nSESSION_CLASS = KedroSession\n"


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("runner", ["Sequential", "Thread", "Parallel"])
def test_what_a_hook_of_the_project_does_to_the_data_is_not_a_change(
    data: Project, level: int, runner: str
) -> None:
    data.settings(LATER + (OURS if level else ""))
    catalog = PARALLEL if runner == "Parallel" else CATALOG
    text = catalog + f"kept:\n  {JSON}kept.json\n"
    (data.path / "conf/base/catalog.yml").write_text(text)
    (data.path / "FAIL").touch()
    # Loaded once: of two loads at the same time, either may be the first.
    data.nodes(
        PROBE.replace('Node(same, "raw", "kept"', 'Node(same, "rows@json", "kept"')
    )
    done = data.kedro("run", "-r", f"{runner}Runner")
    assert done.returncode == 1, done.stdout
    (run,) = data.state().runs
    assert "ValueError" == run.nodes["end"].error.type  # type: ignore[union-attr]
    (data.path / "FAIL").unlink()

    plan = data.journal("resume", "--dry-run", "--json")

    assert '"drift": []' in plan.stdout.replace('"drift":[]', '"drift": []'), (
        plan.stdout
    )
    done = data.journal("resume")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ["end"] == list(data.state().runs[0].nodes)


RAISES = """
from kedro.framework.hooks import hook_impl

class Bad:
    @hook_impl(WHEN)
    def after_dataset_ENDED(self, dataset_name):
        if dataset_name == "WHICH":
            raise LookupError("mine")

HOOKS = (Bad(),)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    ("runner", "when"),
    [("Sequential", "tryfirst"), ("Thread", "trylast"), ("Parallel", "tryfirst")],
)
def test_a_save_is_recorded_though_a_hook_raises_after_it(
    data: Project, level: int, runner: str, when: str
) -> None:
    bad = RAISES.replace("WHEN", f"{when}=True").replace("ENDED", "saved")
    data.settings(bad.replace("WHICH", "rows@out") + (OURS if level else ""))
    (data.path / "conf/base/catalog.yml").write_text(PARALLEL)

    done = data.kedro("run", "-r", f"{runner}Runner", "--nodes", "copy")

    assert done.returncode == 1
    assert "LookupError" in done.stdout + done.stderr
    state = data.state()
    assert () == state.anomalies
    node = state.runs[0].nodes["copy"]
    assert file(data.path / "data/rows.json").same_data(
        node.saves["rows@out"].fingerprint
    )
    # Kedro was not through with it.
    assert ("failed", "saving") == (node.status, node.phase)
    assert node.error is not None
    assert "LookupError" == node.error.type


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_load_is_recorded_though_a_hook_raises_after_it(
    data: Project, level: int
) -> None:
    bad = RAISES.replace("WHEN", "tryfirst=True").replace("ENDED", "loaded")
    data.settings(bad.replace("WHICH", "raw") + (OURS if level else ""))

    assert data.kedro("run", "--nodes", "copy").returncode == 1

    state = data.state()
    node = state.runs[0].nodes["copy"]
    assert file(data.path / "data/raw.json").same_data(node.loads["raw"].fingerprint)
    assert ("failed", "loading") == (node.status, node.phase)
