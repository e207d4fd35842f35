"""Runners with arguments, the configuration source and the project, resumed."""

from __future__ import annotations

import tarfile

import pytest

from .breakable import REPORT, Breakable
from .conftest import Project

pytestmark = pytest.mark.kedro

RUNNERS = """
from pathlib import Path
from kedro.runner import SequentialRunner, ThreadRunner

class Named(SequentialRunner):
    def __init__(self, queue, is_async=False):
        super().__init__(is_async=is_async)
        self._queue = queue
        with open("made.txt", "a") as file:
            file.write(f"{queue} {is_async}\\n")
    def __repr__(self):
        return f"Named(workers={self._queue})"
"""


@pytest.fixture(params=[0, 1])
def broken(request: pytest.FixtureRequest, project: Project) -> Breakable:
    found = Breakable(project)
    (project.path / "src/journal_demo/runners.py").write_text(RUNNERS)
    if request.param == 0:
        project.level_0()
    return found


@pytest.mark.parametrize("command", ["resume", "rerun"])
def test_the_commands_runner_parameters_are_used_again(
    broken: Breakable, command: str
) -> None:
    done = broken.run(
        "--runner=journal_demo.runners.Named",
        "--runner-params=queue=gpu,is_async=true",
        die="judge:raise",
    )
    assert done.returncode == 1
    if "No such option" in done.stdout + done.stderr:
        pytest.skip("this Kedro has no --runner-params")
    run = broken.project.state().runs[-1]
    assert run.runner == "journal_demo.runners.Named"
    assert (run.is_async, run.runner_arguments) == (True, {"queue": "gpu"})

    assert broken.project.journal(command).returncode == 0
    assert (broken.path / "made.txt").read_text() == "gpu True\n" * 2
    assert broken.report() == REPORT


@pytest.mark.parametrize("command", ["resume", "rerun"])
def test_a_runner_that_code_made_is_used_again(broken: Breakable, command: str) -> None:
    broken.project.python(
        "from pathlib import Path\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "bootstrap_project(Path.cwd())\n"
        "from kedro.framework.project import settings\n"
        "from journal_demo.runners import Named\n"
        "with settings.SESSION_CLASS.create() as session:\n"
        "    session.run(runner=Named('gpu', is_async=True))\n",
        env={"DIE": "judge:raise"},
    )
    call = broken.project.journal("command").stdout
    assert "runner=Named(queue='gpu', is_async=True)" in call

    assert broken.project.journal(command).returncode == 0
    assert (broken.path / "made.txt").read_text() == "gpu True\n" * 2


def test_a_runner_that_cannot_be_made_is_refused_and_can_be_given(
    broken: Breakable,
) -> None:
    broken.project.python(
        "from pathlib import Path\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "bootstrap_project(Path.cwd())\n"
        "from kedro.framework.project import settings\n"
        "from kedro.runner import SequentialRunner\n"
        "class Mine(SequentialRunner):\n"
        "    pass\n"
        "with settings.SESSION_CLASS.create() as session:\n"
        "    session.run(runner=Mine())\n",
        env={"DIE": "judge:raise"},
    )
    before = broken.folders()
    for command in ("resume", "rerun"):
        done = broken.project.journal(command)
        assert done.returncode == 6
        assert "__main__.Mine" in done.stderr
        assert "--runner" in done.stderr
        assert "Traceback" not in done.stderr
    assert broken.folders() == before  # no session was made for it

    given = ("--runner=ThreadRunner", "--runner-params=max_workers=2")
    assert broken.resume(*given).returncode == 0
    assert broken.project.state().runs[-1].runner_arguments["max_workers"] == 2


@pytest.mark.parametrize("form", ["folder", "archive", "url"])
def test_the_configuration_source_is_used_again(broken: Breakable, form: str) -> None:
    conf, other = broken.path / "conf", broken.path / "elsewhere"
    archive = broken.path / "conf.tar.gz"
    (conf / "base/parameters.yml").write_text("word: packed\ndeep: {word: low}\n")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(conf, arcname="conf")
    given = {"folder": "elsewhere", "archive": "conf.tar.gz"}.get(form, "")
    if form == "folder":
        conf.rename(other)
        conf.mkdir()
        (conf / "base").mkdir()
        (conf / "local").mkdir()
    if form == "url":
        given = f"file://{archive}"
        pytest.importorskip("fsspec")
    (conf / "base/parameters.yml").write_text("word: plain\ndeep: {word: low}\n")
    done = broken.run(f"--conf-source={given}", die="judge:raise")
    if form == "url" and "packed" not in str(broken.project.states()[:1]):
        pytest.skip("this Kedro takes no URL of an archive")
    assert done.returncode == 1
    source = broken.project.state().conf_source
    assert source == (given if form == "url" else str(broken.path / given))

    assert broken.resume().returncode == 0
    assert "packed" in broken.report()

    assert broken.run(f"--conf-source={given}", die="judge:raise").returncode == 1
    (other if form == "folder" else archive).rename(broken.path / "gone")
    refused = broken.resume()
    assert refused.returncode == 6
    assert "--conf-source" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_project_is_on_record(broken: Breakable) -> None:
    broken.run()
    state = broken.project.state()

    assert state.project_path == str(broken.path.resolve())
    assert state.package_name == "journal_demo"
    assert state.project_name
    assert state.conf_source == str(broken.path.resolve() / "conf")
    assert state.distribution is None
