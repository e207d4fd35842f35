"""Notes and log records: on record with the run and the node that they belong to."""

from __future__ import annotations

import pytest

from kedro_journal.state import Note, SessionState

from .conftest import Project
from .test_current import WAYS

NOTING = """
import logging, threading
import kedro_journal
from kedro.pipeline import Node, Pipeline

log = logging.getLogger("mill.nodes")

def work(name, rows):
    kedro_journal.note(f"in {name}", rows=rows, password="hunter2hunter2")
    helper = threading.Thread(target=kedro_journal.note, args=(f"beside {name}",))
    helper.start(); helper.join()
    log.warning("warned in %s", name)
    log.info("not this")
    try:
        raise LookupError("lost " + name)
    except LookupError:
        log.exception("caught")
    for number in range(300):
        log.warning("flood %d", number)
    return rows

def make(x): return work("make", 1)
def left(x): return work("left", 2)
def right(x): return work("right", 3)

def make_pipelines():
    return {"__default__": Pipeline([
        Node(make, "params:title", "a", name="make"),
        Node(left, "a", "b", name="left"),
        Node(right, "a", "c", name="right"),
    ])}
"""


def texts(state: SessionState, beginning: str) -> dict[str, Note]:
    return {n.text: n for n in state.notes if n.text.startswith(beginning)}


@pytest.fixture
def noting(project: Project) -> Project:
    project.nodes(NOTING)
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    return project


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(("runner", "method"), WAYS)
def test_in_every_runner_notes_and_log_records_name_their_node(
    noting: Project, runner: str, method: str, level: int
) -> None:
    if level == 0:
        noting.level_0()
    done = noting.kedro(
        "run", "-r", runner,
        env={"KEDRO_MP_CONTEXT": method, "KEDRO_JOURNAL_LOG_LEVEL": "WARNING"},
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout
    state = noting.state()
    (run,) = state.runs
    of = {"run_id": run.run_id, "attempt": 1}
    for name in ("make", "left", "right"):
        notes = [note for note in state.notes if note.node == name]
        by_text = {note.text: note for note in notes}
        note = by_text[f"in {name}"]
        assert of == {"run_id": note.run_id, "attempt": note.attempt}
        assert ("[redacted]", "", "") == (
            note.fields["password"],
            note.level,
            note.logger,
        )
        warned = by_text[f"warned in {name}"]
        assert ("WARNING", "mill.nodes") == (warned.level, warned.logger)
        assert {"exception": f"LookupError: lost {name}"} == by_text["caught"].fields
        assert "ERROR" == by_text["caught"].level
        # 100 of the node's 302, and one that says how many there were besides.
        journaled = [note for note in notes if note.logger == "mill.nodes"]
        assert 100 == len(journaled)
        (rest,) = [note for note in notes if note.logger == "kedro_journal"]
        assert {"left_out": 202} == rest.fields
        node = run.nodes[name]
        assert node.started_seq < note.seq < warned.seq < rest.seq < node.ended_seq
        assert state.writers[node.writer].name
        # A thread that the node started may be anybody's: only its session is sure.
        beside = texts(state, f"beside {name}")[f"beside {name}"]
        assert (None, None) == (beside.run_id, beside.node)
    assert "not this" not in {note.text for note in state.notes}
    assert b"hunter2" not in b"".join(
        path.read_bytes() for path in noting.sessions_path.rglob("journal.jsonl")
    )
    assert noting.verification().ok
    assert () == state.anomalies


ELSEWHERE = """
import subprocess, sys
import kedro_journal
from kedro.io import AbstractDataset
from kedro.pipeline import Node, Pipeline
from kedro_journal.session import get_current_session

class Noting(AbstractDataset):
    def _load(self):
        kedro_journal.note("loading")
        return 1
    def _save(self, data):
        kedro_journal.note("saving")
    def _describe(self):
        return {}

CODE = "import kedro_journal as k; k.note('in a child', n=1)"

def work(x):
    get_current_session().note("by the session", kind="object")
    subprocess.check_call([sys.executable, "-c", CODE])
    return 2

def make_pipelines():
    return {"__default__": Pipeline([Node(work, "source", "target", name="work")])}
"""
HOOKS = """
import kedro_journal
from kedro.framework.hooks import hook_impl

class Hooks:
    @hook_impl
    def before_pipeline_run(self, run_params):
        kedro_journal.note("before the run")
    @hook_impl
    def before_node_run(self, node):
        kedro_journal.note("before the node")
    @hook_impl
    def after_pipeline_run(self, run_params):
        kedro_journal.note("after the run")
"""


@pytest.mark.kedro
@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("level", [0, 1])
def test_datasets_hooks_and_child_processes_make_notes_too(
    project: Project, level: int, is_async: bool
) -> None:
    project.nodes(ELSEWHERE)
    (project.path / "src" / project.package / "noting.py").write_text(HOOKS)
    kind = f"type: {project.package}.probe.Noting"
    (project.path / "conf/base/catalog.yml").write_text(
        f"source:\n  {kind}\ntarget:\n  {kind}\n"
    )
    settings = project.path / "src" / project.package / "settings.py"
    if level == 0:
        project.level_0()
    settings.write_text(
        f"{settings.read_text()}\nfrom {project.package}.noting import Hooks\n"
        "HOOKS = (Hooks(),)\n"
    )
    done = project.kedro("run", *(["--async"] if is_async else []))

    assert 0 == done.returncode, done.stdout
    state = project.state()
    (run,) = state.runs
    found = {note.text: (note.run_id, note.node) for note in state.notes}
    in_node = (run.run_id, "work")
    assert {
        "before the run": (run.run_id, None),
        "loading": in_node,
        "before the node": in_node,
        "by the session": in_node,
        "in a child": (None, None),  # it knows its session, and no more
        "after the run": (None, None),  # ours came first: the run has ended
    } == {text: place for text, place in found.items() if text != "saving"}
    if is_async:  # a save runs in a thread of which Kedro tells nothing
        assert found["saving"] in (in_node, (None, None))
    else:
        assert in_node == found["saving"]
    (child,) = [w for w in state.writers.values() if w.role == "worker"]
    assert child.pid != state.pid


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("how", ["variable", "setting", "kedro"])
@pytest.mark.parametrize(("runner", "method"), [WAYS[0], WAYS[1], WAYS[3]])
def test_nodes_that_are_not_journaled_run_as_if_they_made_no_notes(
    noting: Project, runner: str, method: str, how: str, level: int
) -> None:
    if level == 0:
        noting.level_0()
    env = {"KEDRO_MP_CONTEXT": method}
    if how == "variable":
        env["KEDRO_JOURNAL_DISABLE"] = "1"
    elif how == "setting":
        path = noting.path / "pyproject.toml"
        text = path.read_text() + "\n[tool.kedro_journal]\ndisable = true\n"
        path.write_text(text)
    else:
        path = noting.path / "src" / noting.package / "settings.py"
        text = path.read_text() + "\nDISABLE_HOOKS_FOR_PLUGINS = ('kedro-journal',)\n"
        path.write_text(text)
    done = noting.kedro("run", "-r", runner, env=env)

    assert 0 == done.returncode, done.stdout
    assert "no active Kedro session" not in done.stdout + done.stderr
    assert not noting.sessions_path.exists()


@pytest.mark.kedro
def test_logging_yml_can_name_the_handler(noting: Project) -> None:
    (noting.path / "conf/logging.yml").write_text(
        "version: 1\n"
        "disable_existing_loggers: false\n"
        "handlers:\n"
        "  console:\n"
        "    class: logging.StreamHandler\n"
        "  journal:\n"
        "    class: kedro_journal.logging.JournalHandler\n"
        "    level: ERROR\n"
        "root:\n"
        "  handlers: [console, journal]\n"
    )
    for method in ("fork", "spawn"):
        done = noting.kedro(
            "run", "-r", "ParallelRunner",
            env={
                "KEDRO_LOGGING_MODULE_ALLOWLIST": "kedro_journal",
                "KEDRO_MP_CONTEXT": method,
                "KEDRO_LOGGING_CONFIG": str(noting.path / "conf/logging.yml"),
            },
        )  # fmt: skip
        assert 0 == done.returncode, done.stdout
        logged = [note for note in noting.state().notes if note.level]
        assert {"ERROR"} == {note.level for note in logged}
        assert ["left", "make", "right"] == sorted(str(note.node) for note in logged)


@pytest.mark.kedro
def test_runs_at_once_keep_their_notes_apart(noting: Project) -> None:
    done = noting.python(
        "import threading\n"
        "from pathlib import Path\n"
        "from kedro_journal.session import KedroServiceSession\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "bootstrap_project(Path.cwd())\n"
        "with KedroServiceSession.create(project_path=Path.cwd()) as session:\n"
        "    session.note('begun', n=1)\n"
        "    runs = [threading.Thread(target=session.run, kwargs={'run_id': f'r{n}'})\n"
        "            for n in range(4)]\n"
        "    [run.start() for run in runs]; [run.join() for run in runs]\n"
        "session.note('too late')\n",
        env={"KEDRO_JOURNAL_LOG_LEVEL": "ERROR"},
    )

    assert 0 == done.returncode, done.stderr
    assert "is closed: a note is left out" in done.stdout + done.stderr
    state = noting.state()
    for kind in ("in ", "caught"):
        made = {
            (note.run_id, note.node)
            for note in state.notes
            if note.text.startswith(kind)
        }
        names = ("make", "left", "right")
        assert {(f"r{n}", name) for n in range(4) for name in names} == made
    assert {"n": 1} == texts(state, "begun")["begun"].fields
    assert "too late" not in texts(state, "")


@pytest.mark.kedro
def test_a_restored_session_takes_notes_while_its_process_lives(
    noting: Project,
) -> None:
    done = noting.python(
        "import subprocess, sys\n"
        "from kedro_journal.session import KedroSession\n"
        "CODE = (\n"
        "    'import sys; from kedro_journal.session import KedroSession\\n'\n"
        '    \'KedroSession(sys.argv[1]).note("from outside", by="ada")\')\n'
        "with KedroSession.create('journal_demo') as session:\n"
        "    call = [sys.executable, '-c', CODE, session.session_id]\n"
        "    subprocess.check_call(call)\n"
        "subprocess.check_call(call)\n"
    )

    assert 0 == done.returncode, done.stderr
    assert "takes no notes: it is closed" in done.stdout + done.stderr
    state = noting.state()
    assert [("from outside", {"by": "ada"})] == [
        (n.text, n.fields) for n in state.notes
    ]
    assert noting.verification().ok


NOISY = """
import logging
from kedro.io import AbstractDataset
from kedro.pipeline import Node, Pipeline

class Noisy(AbstractDataset):
    _SINGLE_PROCESS = False
    def _load(self):
        for number in range(150):
            logging.getLogger("noisy").warning("part %d", number)
        raise OSError("gone")
    def _save(self, data): ...
    def _describe(self): return {}

def use(x): ...

def make_pipelines():
    return {"__default__": Pipeline([Node(use, "source", None, name="use")])}
"""


@pytest.mark.kedro
@pytest.mark.parametrize(("runner", "method"), [WAYS[0], *WAYS[2:]])
def test_what_a_failing_load_logged_too_much_is_counted(
    project: Project, runner: str, method: str
) -> None:
    project.nodes(NOISY)
    (project.path / "conf/base/catalog.yml").write_text(
        f"source:\n  type: {project.package}.probe.Noisy\n"
    )
    env = {"KEDRO_MP_CONTEXT": method, "KEDRO_JOURNAL_LOG_LEVEL": "WARNING"}
    done = project.kedro("run", "-r", runner, env=env)

    assert 1 == done.returncode
    state = project.state()
    notes = [note for note in state.notes if note.node == "use"]
    assert 100 == sum(note.logger == "noisy" for note in notes)
    (rest,) = [note for note in notes if note.logger == "kedro_journal"]
    # In the thread of the node, Kedro itself warns once more before the run ends.
    assert {"left_out": 51 if runner == "SequentialRunner" else 50} == (rest.fields)
