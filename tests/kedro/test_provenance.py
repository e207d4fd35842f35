"""Every value of a real run can be traced to where it came from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess

import pytest

from .conftest import Project, as_json

PARAMETERS = "conf/base/parameters.yml"


def origin(project: Project, *words: str) -> tuple[object, str]:
    found = as_json(project.journal("trace", "--json", "--", *words))
    assert len(found) == 1
    return found[0]["value"], found[0]["origin"]


def line_of(project: Project, text: str, path: str = PARAMETERS) -> int:
    lines = (project.path / path).read_text().splitlines()
    (number,) = [n for n, line in enumerate(lines, 1) if line.strip().startswith(text)]
    return number


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_parameters_are_traced_to_file_environment_and_flag(
    project: Project, level: int
) -> None:
    if level == 0:
        project.level_0()
    done = project.kedro(
        "run", "--pipelines", "data_processing", "--env", "staging",
        "--params", "model.trees=3,extra.key=x",
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout

    epochs = line_of(project, "epochs:")
    assert (80, f"{PARAMETERS}:{epochs}") == origin(project, "params:model.epochs")
    assert (3, "the command line: --params") == origin(project, "model.trees")
    assert ("x", "the command line: --params") == origin(project, "extra.key")
    staging = "conf/staging/parameters.yml"
    line = line_of(project, "minimum_r2:", staging)
    assert (0.85, f"{staging}:{line}") == origin(project, "evaluation.minimum_r2")
    assert "staging" == origin(project, "--env")[0]
    assert "its default" == origin(project, "--runner")[1]


@pytest.mark.kedro
def test_a_file_of_flags_and_the_call_are_told_apart(project: Project) -> None:
    (project.path / "flags.yml").write_text(
        "run:\n  pipelines: data_processing\n  params: model.trees=4\n"
    )
    done = project.kedro("run", "--config", "flags.yml")
    assert 0 == done.returncode, done.stdout
    assert (4, "--config flags.yml") == origin(project, "model.trees")
    assert "the file flags.yml, given by --config" == origin(project, "--pipelines")[1]

    done = project.python(
        "from kedro_journal.session import KedroSession\n"
        "with KedroSession.create('journal_demo', extra_params={'split': {'seed': 9}})"
        " as session:\n"
        "    session.run(pipeline_names=['data_processing'])\n"
        "    (found,) = session.trace('params:split.seed')\n"
        "    print('told', found.value, found.origin)\n"
    )
    assert "told 9 the call: runtime_params (extra_params)" in done.stdout, done.stderr


@pytest.mark.kedro
def test_configuration_files_and_functions_have_hashes_credentials_have_none(
    project: Project,
) -> None:
    (project.path / "conf/local/credentials.yml").write_text("db: {password: abc123}\n")
    assert 0 == project.kedro("run", "--pipelines", "data_processing").returncode
    state = project.state()
    context = state.context
    assert context is not None
    hashes = dict(zip(context.config_sources, context.config_sha256, strict=True))
    text = (project.path / PARAMETERS).read_bytes()
    assert hashlib.sha256(text).hexdigest() == hashes[PARAMETERS]
    assert "" == hashes["conf/local/credentials.yml"]

    before = {n: s.plan for n, s in state.runs[0].nodes.items()}
    assert all(plan is not None and plan.source_sha256 for plan in before.values())
    nodes = project.path / "src/journal_demo/pipelines/data_processing/nodes.py"
    source = nodes.read_text()
    changed = source.replace("def clean_bookings(", "def clean_bookings(", 1)
    body = changed.index('"""', changed.index("def clean_bookings("))
    end = changed.index('"""', body + 3) + 3
    nodes.write_text(changed[:end] + "\n    _ = 1" + changed[end:])
    assert 0 == project.kedro("run", "--pipelines", "data_processing").returncode
    after = {n: s.plan for n, s in project.state().runs[0].nodes.items()}
    differing = [n for n in before if before[n].source_sha256 != after[n].source_sha256]  # type: ignore[union-attr]
    functions = {before[name].function.rpartition(".")[2] for name in differing}  # type: ignore[union-attr]
    assert {"clean_bookings"} == functions


@pytest.mark.kedro
def test_installed_distributions_have_a_hash_and_a_list_on_demand(
    in_memory: Project,
) -> None:
    assert 0 == in_memory.kedro("run").returncode
    hashed = in_memory.state().versions
    assert (64, ()) == (len(hashed.packages_sha256), hashed.packages)

    env = {"KEDRO_JOURNAL_PACKAGES": "list"}
    assert 0 == in_memory.kedro("run", env=env).returncode
    listed = in_memory.state().versions
    assert hashed.packages_sha256 == listed.packages_sha256
    known = {name.lower().replace("_", "-") for name in listed.packages}
    for name in ("kedro", "msgspec", "filelock"):
        assert f"{name}-{importlib.metadata.version(name)}" in known

    env = {"KEDRO_JOURNAL_PACKAGES": "off"}
    assert 0 == in_memory.kedro("run", env=env).returncode
    assert "" == in_memory.state().versions.packages_sha256


@pytest.mark.kedro
def test_uncommitted_changes_are_kept_on_demand_without_secrets(
    in_memory: Project,
) -> None:
    def git(*args: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", *identity, *args], cwd=in_memory.path, check=True)

    git("init", "-q")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    path = in_memory.path / PARAMETERS
    path.write_text("title: changed\npassword: hunter2-canary\n")
    env = {"KEDRO_JOURNAL_GIT_DIFF": "1"}
    assert 0 == in_memory.kedro("run").returncode
    git_before = in_memory.state().git
    assert git_before is not None
    assert (True, "") == (git_before.dirty, git_before.diff_file)

    assert 0 == in_memory.kedro("run", env=env).returncode
    state = in_memory.state()
    assert state.git is not None
    kept = in_memory.sessions_path / state.session_id / state.git.diff_file
    text = kept.read_text()
    assert "+title: changed" in text
    assert "hunter2-canary" not in text
    assert 0o600 == kept.stat().st_mode & 0o777

    git("add", "-A")
    git("commit", "-q", "-m", "second")
    assert 0 == in_memory.kedro("run", env=env).returncode
    clean = in_memory.state().git
    assert clean is not None
    assert (False, "") == (clean.dirty, clean.diff_file)


@pytest.mark.kedro
def test_each_run_of_a_service_session_is_traced_by_its_own_parameters(
    in_memory: Project,
) -> None:
    done = in_memory.python(
        "from kedro_journal.session import KedroServiceSession\n"
        "from kedro.framework.startup import bootstrap_project\n"
        f"bootstrap_project({os.fspath(in_memory.path)!r})\n"
        "with KedroServiceSession.create(project_path="
        f"{os.fspath(in_memory.path)!r}) as session:\n"
        "    ids = []\n"
        "    for title in ('one', 'two'):\n"
        "        session.run(runtime_params={'title': title})\n"
        "    for run in session.state.runs:\n"
        "        (found,) = session.trace('params:title', run_id=run.run_id)\n"
        "        print('told', found.value, '|', found.origin == "
        "f'runtime parameters of run {run.run_id}' or found.origin)\n"
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("told")]
    assert ["told one | True", "told two | True"] == told, done.stdout + done.stderr
