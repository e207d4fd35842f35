"""Every runner and every start method: complete journals, outputs as without us."""

from __future__ import annotations

import pytest

from .conftest import Project, check_complete

WAYS = [
    pytest.param(["-r", "SequentialRunner"], {}, id="sequential"),
    pytest.param(["--runner-params", "is_async=True"], {}, id="sequential-async"),
    pytest.param(["-r", "ThreadRunner"], {}, id="thread"),
    pytest.param(
        ["-r", "ParallelRunner"], {"KEDRO_MP_CONTEXT": "fork"}, id="parallel-fork"
    ),
    pytest.param(
        ["-r", "ParallelRunner"], {"KEDRO_MP_CONTEXT": "spawn"}, id="parallel-spawn"
    ),
    pytest.param(
        ["-r", "ParallelRunner", "--runner-params", "is_async=True"],
        {"KEDRO_MP_CONTEXT": "forkserver"},
        id="parallel-forkserver-async",
    ),
]


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("arguments", "env"), WAYS)
def test_a_run_is_journaled_whole_and_its_outputs_are_as_without_us(
    project: Project,
    expected_outputs: dict[str, bytes],
    arguments: list[str],
    env: dict[str, str],
    level: int,
) -> None:
    if level == 0:
        project.level_0()

    done = project.kedro("run", *arguments, env=env)

    assert done.returncode == 0, done.stdout
    assert "kedro-journal" not in done.stdout + done.stderr
    state = project.state()
    assert ("hooks", "session")[level] == state.via
    assert "completed" == state.verdict
    (run,) = state.runs
    assert {"completed"} == {node.status for node in run.nodes.values()}
    assert 14 == len(run.nodes)
    assert "local" == run.env
    check_complete(project, state)
    assert expected_outputs == project.outputs()
    if "ParallelRunner" in arguments:
        workers = {node.writer for node in run.nodes.values()}
        assert "w1" not in workers
        roles = {state.writers[name].role for name in workers}
        assert {"worker"} == roles


@pytest.mark.kedro
def test_saved_datasets_are_recorded_with_path_size_and_version(
    project: Project,
) -> None:
    assert 0 == project.kedro("run").returncode

    state = project.state()
    nodes = state.runs[0].nodes
    model = nodes["train_model"].saves["model"]
    assert state.session_id == model.version
    path = project.path / str(model.path)
    assert path.stat().st_size == model.size_bytes
    assert state.session_id == nodes["evaluate_model"].loads["model"].version
    assert nodes["clean_weather"].saves["weather"].path is None


@pytest.mark.kedro
def test_the_version_that_a_worker_loaded_is_recorded(project: Project) -> None:
    env = {"KEDRO_MP_CONTEXT": "spawn"}
    assert 0 == project.kedro("run", "-r", "ParallelRunner", env=env).returncode

    state = project.state()
    node = state.runs[0].nodes["evaluate_model"]
    assert state.session_id == node.loads["model"].version
