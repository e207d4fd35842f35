"""A session is gone on from what it really completed: real runs, real deaths."""

from __future__ import annotations

import signal

import pytest

from kedro_journal.errors import NothingLeft, NotResumable

from .conftest import TIMEOUT_S, Project, as_json
from .test_endings import PROBE, wait_for_node

FILES = """
import os, signal
from kedro.pipeline import Node, Pipeline

def split(title): return 1, 2
def left(x): return {"left": x}
def right(x, how):
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "raise":
        raise LookupError("boom")
    return {"right": x}
def join(a, b): return {**a, **b}

def make_pipelines():
    return {"__default__": Pipeline([
        Node(split, "params:title", ["one", "two"], name="split"),
        Node(left, "one", "left_file", name="left"),
        Node(right, ["two", "params:how"], "right_file", name="right"),
        Node(join, ["left_file", "right_file"], "joined", name="join"),
    ])}
"""
CATALOG = "".join(
    f"{name}:\n  type: json.JSONDataset\n  filepath: data/08_reporting/{name}.json\n"
    for name in ("left_file", "right_file", "joined")
)


@pytest.fixture
def files(project: Project) -> Project:
    """Four nodes: the first keeps its outputs in memory, the others in files."""
    project.nodes(FILES)
    (project.path / "conf/base/parameters.yml").write_text("title: t\nhow: raise\n")
    (project.path / "conf/base/catalog.yml").write_text(CATALOG)
    return project


def decisions(project: Project, *more: str) -> dict[str, str]:
    plan = as_json(project.journal("resume", "--dry-run", "--json", *more))
    return {one["name"]: one["decision"] for one in plan["decisions"]}


def results(project: Project) -> dict[str, bytes]:
    folder = project.path / "data/08_reporting"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.json"))}


@pytest.mark.kedro
@pytest.mark.parametrize("how", ["raise", "die"])
@pytest.mark.parametrize("level", [0, 1])
def test_only_what_is_left_and_what_it_needs_from_memory_runs(
    files: Project, how: str, level: int
) -> None:
    if level == 0:
        files.level_0()
    assert 0 == files.kedro("run", "--params", "how=go").returncode
    expected = results(files)
    files.clear_outputs()
    assert 0 != files.kedro("run", "--params", f"how={how}").returncode
    broken = files.state()

    sessions = sorted(files.sessions_path.iterdir())
    assert {
        "split": "redo", "left": "done", "right": "to do", "join": "to do",
    } == decisions(files)  # fmt: skip
    assert sessions == sorted(files.sessions_path.iterdir())

    done = files.journal("resume", "--params", "how=go")
    assert 0 == done.returncode, done.stderr
    state = files.state()
    assert ("completed", broken.session_id) == (state.verdict, state.parent_session_id)
    assert {"split", "right", "join"} == set(state.runs[0].nodes)
    assert expected == results(files)
    assert state.resumed is not None
    assert ("left",) == state.resumed.done

    again = files.journal("resume")
    assert 0 != again.returncode or "nothing" in (again.stdout + again.stderr).lower()
    assert state.session_id == files.ids()[-1]


@pytest.mark.kedro
def test_a_killed_run_of_the_demo_is_resumed_to_the_same_report(
    project: Project, expected_outputs: dict[str, bytes]
) -> None:
    nodes = project.path / "src/journal_demo/pipelines/data_science/nodes.py"
    whole = nodes.read_text()
    nodes.write_text(whole.replace(
        "def train_model(", "def _train(", 1) + "\n\ndef train_model(*args):\n"
        "    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )  # fmt: skip
    assert -signal.SIGKILL == project.kedro("run").returncode
    assert "crashed" == project.state().verdict
    nodes.write_text(whole)

    done = project.journal("resume")
    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert "completed" == state.verdict
    assert "clean_bookings" not in state.runs[0].nodes
    assert expected_outputs == project.outputs()


@pytest.mark.kedro
def test_deleted_and_changed_outputs_are_made_again(files: Project) -> None:
    assert 1 == files.kedro("run").returncode
    left = files.path / "data/08_reporting/left_file.json"
    kept = left.read_bytes()
    left.unlink()
    assert "redo" == decisions(files)["left"]
    left.write_bytes(kept + b"  ")
    assert "redo" == decisions(files)["left"]


@pytest.mark.kedro
def test_what_was_changed_is_reported_refused_or_redone(files: Project) -> None:
    assert 1 == files.kedro("run").returncode
    probe = files.path / "src/journal_demo/probe.py"
    probe.write_text(FILES.replace('{"left": x}', '{"left": x + 0}'))

    plan = as_json(files.journal("resume", "--dry-run", "--json"))
    assert ("code", "left") in {(d["kind"], d["subject"]) for d in plan["drift"]}
    assert "done" == decisions(files)["left"]
    refused = files.journal("resume", "--dry-run", "--on-drift", "refuse")
    assert 6 == refused.returncode
    assert "left" in refused.stderr
    assert "redo" == decisions(files, "--on-drift", "redo")["left"]


@pytest.mark.kedro
def test_a_living_session_is_refused_unless_forced(project: Project) -> None:
    project.nodes(PROBE)
    process = project.start("run", "--params", "how=wait")
    try:
        wait_for_node(project, "act", process)
        refused = project.journal("resume", "--dry-run")
        assert 6 == refused.returncode
        assert "is alive" in refused.stderr
        forced = project.journal("resume", "--dry-run", "--force")
        assert 0 == forced.returncode, forced.stderr
    finally:
        process.kill()
        process.communicate(timeout=TIMEOUT_S)


@pytest.mark.kedro
def test_of_two_resumes_at_once_one_is_refused(
    files: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kedro_journal.session.resume import Chain, find_chain
    from kedro_journal.session.resumption import claim

    assert 1 == files.kedro("run").returncode
    monkeypatch.chdir(files.path)

    def find() -> Chain:
        return find_chain(project_path=files.path)

    _, lock = claim(find)
    try:
        with pytest.raises(NotResumable):
            claim(find)
        assert 6 == files.journal("resume").returncode
    finally:
        lock.release()
    claim(find)[1].release()


@pytest.mark.kedro
def test_a_run_is_run_again_and_its_command_is_told(files: Project) -> None:
    assert 0 == files.kedro("run", "--params", "how=go").returncode
    first = files.state()
    told = files.journal("command")
    assert "kedro run --params how=go\n" == told.stdout

    answer = as_json(files.journal("rerun", "--json"))
    assert first.session_id == answer["parent_session_id"]
    assert ["split", "left", "right", "join"] == answer["nodes"]
    state = files.state(answer["session_id"])
    assert ("completed", {"how": "go"}) == (state.verdict, state.runtime_params)


@pytest.mark.kedro
def test_a_secret_has_to_be_given_again(files: Project) -> None:
    assert 1 == files.kedro("run", "--params", "token=hunter2canary").returncode
    refused = files.journal("resume", "--dry-run")
    assert 6 == refused.returncode
    assert "token" in refused.stderr
    given = files.journal("resume", "--dry-run", "--params", "token=hunter2canary")
    assert 0 == given.returncode, given.stderr


def test_nothing_left_is_a_kind_of_not_resumable() -> None:
    with pytest.raises(NotResumable, match="every node completed"):
        raise NothingLeft("s", None)
    with pytest.raises(NothingLeft):
        raise NothingLeft("s", None)
