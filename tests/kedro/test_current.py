"""Which session is current: in nodes, workers, child processes and after a crash."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

import kedro_journal
from kedro_journal import SessionState

from .conftest import TIMEOUT_S, Project

WAITING = """
import threading
from kedro.pipeline import Node, Pipeline

def act(how):
    threading.Event().wait(120)

def make_pipelines():
    return {"__default__": Pipeline([Node(act, "params:how", "one", name="act")])}
"""

ASKING = """
import os
from pathlib import Path
from kedro.pipeline import Node, Pipeline

def ask(x, name):
    import kedro_journal
    from kedro_journal.session import get_current_session
    session = get_current_session()
    store = session.store
    text = "|".join([
        session.session_id, kedro_journal.current().session_id, str(store["env"]),
        str(store["runtime_params"]["who"]), str(os.getpid()),
    ])
    Path("asked").mkdir(exist_ok=True)
    Path("asked", name).write_text(text)
    return text

def ask_a(x): return ask(x, "a")
def ask_b(x): return ask(x, "b")
def ask_c(a, b): return ask(a, "c")

def make_pipelines():
    return {"__default__": Pipeline([
        Node(ask_a, "params:who", "a", name="ask_a"),
        Node(ask_b, "params:who", "b", name="ask_b"),
        Node(ask_c, ["a", "b"], "c", name="ask_c"),
    ])}
"""

WAYS = [
    pytest.param("SequentialRunner", "fork", id="sequential"),
    pytest.param("ThreadRunner", "fork", id="thread"),
    pytest.param("ParallelRunner", "fork", id="fork"),
    pytest.param("ParallelRunner", "spawn", id="spawn"),
    pytest.param("ParallelRunner", "forkserver", id="forkserver"),
]


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("runner", "method"), WAYS)
def test_inside_nodes_the_current_session_is_the_one_that_runs_them(
    project: Project, runner: str, method: str, level: int
) -> None:
    project.nodes(ASKING)
    if level == 0:
        project.level_0()
    done = project.kedro(
        "run", "-r", runner, "--env", "staging", "--params", "who=me",
        env={"KEDRO_MP_CONTEXT": method},
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout
    state = project.state()
    for name in "abc":
        text = (project.path / "asked" / name).read_text()
        session_id, current_id, env, who, _ = text.split("|")
        assert (state.session_id, state.session_id) == (session_id, current_id)
        assert ("staging", "me") == (env, who)


@pytest.mark.kedro
def test_two_sessions_in_two_threads_are_told_apart(project: Project) -> None:
    project.nodes(ASKING.replace('"asked", name', '"asked", name + str(x)'))
    done = project.python(
        "import threading\n"
        "from kedro_journal.session import KedroSession\n"
        "from kedro_journal.capture.project import configure\n"
        "configure('journal_demo', None)\n"
        "sessions = [KedroSession.create(env='local', runtime_params={'who': f'w{n}'})\n"
        "            for n in range(4)]\n"
        "def go(s):\n"
        "    with s:\n"
        "        s.run()\n"
        "threads = [threading.Thread(target=go, args=(s,)) for s in sessions]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print('|'.join(s.session_id for s in sessions))\n"
    )
    assert 0 == done.returncode, done.stderr
    ids = done.stdout.strip().splitlines()[-1].split("|")
    for number, session_id in enumerate(ids):
        for name in "ab":
            text = (project.path / "asked" / f"{name}w{number}").read_text()
            assert session_id == text.split("|")[0]


LOOK = """
import json, kedro_journal
from kedro_journal.session import get_current_session
try:
    get_current_session()
    without = None
except RuntimeError as error:
    without = str(error)
session = get_current_session(recover=True)
current, latest = kedro_journal.current(recover=True), kedro_journal.replay("latest")
print(json.dumps({
    "without": without,
    "ids": [session.session_id, current.session_id, latest.session_id],
    "params": [session.store["runtime_params"], current.runtime_params],
    "env": [session.store["env"], current.env],
    "flags": current.command.flags["params"],
    "argv": list(current.command.argv),
    "git": [current.git.sha, current.git.branch, current.git.dirty],
    "verdict": current.verdict,
    "context": session.load_context().params["how"],
}))
"""


def wait_for_node(
    project: Project, node: str, process: subprocess.Popen[str]
) -> SessionState:
    """Wait until the journal itself says that a node is running."""
    deadline = time.monotonic() + TIMEOUT_S
    while not (ids := project.ids()):  # it has to appear before it can be followed
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no session appeared: {process.communicate()[0]}")
        time.sleep(0.01)
    for record in kedro_journal.follow(ids[-1], directory=project.sessions_path):
        if record.type == "node.started" and record.event.node == node:  # type: ignore[union-attr]
            return project.state(ids[-1])
    pytest.fail(f"{node} never started: {process.communicate()[0]}")


@pytest.mark.kedro
def test_another_process_recovers_the_session_alive_and_crashed(
    project: Project,
) -> None:
    project.nodes(WAITING)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "-A"]):
        subprocess.run([*git, *command], cwd=project.path, check=True)
    commit = [*git, "commit", "-qm", "x"]
    subprocess.run(commit, cwd=project.path, check=True, capture_output=True)
    sha = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=project.path, check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    process = project.start("run", "--env", "staging", "--params", "how=wait")
    session_id = wait_for_node(project, "act", process).session_id

    def look() -> dict[str, object]:
        done = project.python(LOOK)
        assert 0 == done.returncode, done.stderr
        found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
        return found

    alive = look()
    process.kill()
    process.communicate(timeout=TIMEOUT_S)
    crashed = look()

    assert ("running", "crashed") == (alive["verdict"], crashed["verdict"])
    for seen in (alive, crashed):
        assert "There is no active Kedro session." == seen["without"]
        assert [session_id] * 3 == seen["ids"]
        assert [{"how": "wait"}] * 2 == seen["params"]
        assert ["staging"] * 2 == seen["env"]
        assert {"how": "wait"} == seen["flags"]
        assert "how=wait" in seen["argv"]  # type: ignore[operator]
        assert "wait" == seen["context"]
    # The run's own journal must not make the tree dirty; the script did.
    assert [sha, "main", False] == alive["git"]


@pytest.mark.kedro
def test_a_child_process_of_a_node_finds_its_session(project: Project) -> None:
    project.nodes(
        "import subprocess, sys\n"
        "from kedro.pipeline import Node, Pipeline\n"
        "CODE = 'from kedro_journal.session import get_current_session as g;'\\\n"
        "       'print(g().session_id)'\n"
        "def ask(x):\n"
        "    out = subprocess.check_output([sys.executable, '-c', CODE], text=True)\n"
        "    return out.splitlines()[-1]  # Kedro logs to stdout when it is imported\n"
        "def keep(x):\n"
        "    open('child', 'w').write(x)\n"
        "def make_pipelines():\n"
        "    return {'__default__': Pipeline([\n"
        "        Node(ask, 'params:who', 'a', name='ask'),\n"
        "        Node(keep, 'a', None, name='keep')])}\n"
    )
    assert 0 == project.kedro("run", "--params", "who=me").returncode
    state = project.state()
    assert state.session_id == (project.path / "child").read_text().strip()
    assert "completed" == state.runs[0].nodes["keep"].status
