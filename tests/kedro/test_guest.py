"""A guest in the user's process: it keeps, needs and costs nothing of theirs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import kedro_journal
from kedro_journal.events import RunCompleted

from .conftest import Project

LEVELS = pytest.mark.parametrize("level", [0, 1])
RUNNERS = pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner"])

# Big values and exceptions are watched by weak references.
BIG = """
import weakref
from kedro.pipeline import Node, Pipeline

WATCHED, FAILS = [], []

class Big:
    def __init__(self): self.data = bytearray(1_000_000)
    def __deepcopy__(self, memo): return self

class Oops(RuntimeError): pass

def watched(value):
    WATCHED.append(weakref.ref(value))
    return value

def first(title): return watched(Big())
def second(big):
    copy = watched(Big())
    if FAILS: raise watched(Oops("no"))
    return copy

def make_pipelines():
    return {"__default__": Pipeline([
        Node(first, "params:title", "big", name="first"),
        Node(second, "big", "out", name="second"),
    ])}
"""

SESSIONS = """
import gc, json, os, sys, threading
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro.framework.project import settings
from kedro.runner import {runner}
from journal_demo import probe

def run(session): session.run(runner={runner}())
def in_block():
    with settings.SESSION_CLASS.create(Path.cwd()) as session: run(session)
def in_block_again():
    try:
        in_block()
    except ValueError:
        pass
def bare(): run(settings.SESSION_CLASS.create(Path.cwd()))
def chained():
    try:
        in_block()
    except RuntimeError as error:
        raise RuntimeError("further out") from error
def go(way):
    try:
        way()
    except RuntimeError:
        pass

def verdict():
    import kedro_journal
    return kedro_journal.replay("latest").verdict

def descriptors(): return len(os.listdir("/proc/self/fd"))
"""

COUNT = """
journaled = os.environ.get("KEDRO_JOURNAL_DISABLE") != "1"
for fails in ([], [1]):
    probe.FAILS[:] = fails
    for way in (in_block, bare, chained):
        go(way)
result = []
for fails in ([], [1]):
    probe.FAILS[:] = fails
    for way in (in_block, bare, chained):
        gc.collect()
        gc.disable()
        probe.WATCHED.clear()
        files, threads = descriptors(), threading.active_count()
        for _ in range(3):
            go(way)
        alive = sum(ref() is not None for ref in probe.WATCHED)
        ended = verdict() if journaled else None
        gc.enable()
        gc.collect()
        left = sum(ref() is not None for ref in probe.WATCHED)
        more = descriptors() - files, threading.active_count() - threads
        result.append([way.__name__, bool(fails), alive, left, *more, ended])
print("RESULT", json.dumps(result))
"""


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    """Read what a script printed after `RESULT`."""
    lines = [x for x in done.stdout.splitlines() if x.startswith("RESULT ")]
    assert lines, done.stdout + done.stderr
    return json.loads(lines[-1].removeprefix("RESULT "))


def prepare(project: Project, nodes: str, level: int) -> None:
    """Give the project a pipeline in memory, at a level."""
    project.nodes(nodes)
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    (project.path / "conf/base/catalog.yml").write_text("")
    if level == 0:
        project.level_0()


@pytest.mark.kedro
@LEVELS
@RUNNERS
def test_nothing_of_a_run_is_kept_when_it_has_ended(
    project: Project, level: int, runner: str
) -> None:
    """The garbage collector is off: no reference of ours is in a cycle either."""
    prepare(project, BIG, level)
    script = SESSIONS.format(runner=runner) + COUNT
    without = answer(project.python(script, {"KEDRO_JOURNAL_DISABLE": "1"}))

    found = answer(project.python(script))

    for ours, plain in zip(found, without, strict=True):
        way, failed, alive, left, files, threads, verdict = ours
        assert (way, failed) == tuple(plain[:2])
        assert alive <= plain[2], f"{way}: {alive} objects, {plain[2]} without us"
        assert (0, 0, 0) == (left, files, threads), way
        collected = plain[2] == 0  # else Kedro itself keeps the session in a cycle
        if collected:
            assert ("failed" if failed else "completed") == verdict, way


@pytest.mark.kedro
@LEVELS
def test_a_failed_session_is_closed_when_its_block_ends(
    project: Project, level: int
) -> None:
    """Though somebody keeps the session object and the exception."""
    prepare(project, BIG, level)
    script = SESSIONS.format(runner="SequentialRunner") + (
        "probe.FAILS.append(1)\n"
        "try:\n"
        "    with settings.SESSION_CLASS.create(Path.cwd()) as session: run(session)\n"
        "except RuntimeError as error: kept = error\n"
        "import kedro_journal\n"
        "state = kedro_journal.replay('latest')\n"
        "print('RESULT', json.dumps([state.status, state.verdict]))\n"
    )

    assert ["closed", "failed"] == answer(project.python(script))


@pytest.mark.kedro
def test_a_failed_session_that_runs_again_is_on_record_twice(project: Project) -> None:
    """Hooks alone: within the block it is one more attempt, after it a session."""
    prepare(project, BIG, 0)
    script = SESSIONS.format(runner="SequentialRunner") + (
        "probe.FAILS.append(1)\n"
        "try:\n"
        "    with settings.SESSION_CLASS.create(Path.cwd()) as session:\n"
        "        try: run(session)\n"
        "        except RuntimeError: pass\n"
        "        run(session)\n"
        "except RuntimeError: pass\n"
        "probe.FAILS.clear()\n"
        "run(session)\n"
    )

    done = project.python(script)

    assert 0 == done.returncode, done.stderr
    again, first = project.states()
    assert ("completed", 1) == (again.verdict, len(again.runs))
    assert ("failed", 2) == (first.verdict, len(first.runs))


@pytest.mark.kedro
def test_a_block_that_is_left_by_ctrl_c_is_interrupted_at_once(
    project: Project,
) -> None:
    prepare(project, BIG.replace("RuntimeError): pass", "KeyboardInterrupt): pass"), 0)
    script = SESSIONS.format(runner="SequentialRunner") + (
        "probe.FAILS.append(1)\n"
        "try:\n"
        "    with settings.SESSION_CLASS.create(Path.cwd()) as session: run(session)\n"
        "except KeyboardInterrupt: print('RESULT', json.dumps(verdict()))\n"
    )

    assert "interrupted" == answer(project.python(script))


FROZEN = """
import pandas
from kedro.framework.startup import bootstrap_project
from pathlib import Path
bootstrap_project(Path.cwd())
from kedro.framework.project import settings
from kedro.runner import {runner}
{imports}
from journal_demo import probe
with {clock}:
    for fails in ([], [1], []):
        probe.FAILS[:] = fails
        try:
            with settings.SESSION_CLASS.create(Path.cwd()) as session:
                session.run(runner={runner}())
        except RuntimeError:
            pass
"""
CLOCKS = {
    "still": ("import freezegun", "freezegun.freeze_time('2026-02-28 23:59:59.999')"),
    "ticking": ("import freezegun", "freezegun.freeze_time('2030-01-01', tick=True)"),
    "steps": ("import freezegun", "freezegun.freeze_time('1999-01-01', auto_tick_seconds=9)"),
    "machine": ("import time_machine", "time_machine.travel(0, tick=False)"),
}  # fmt: skip


@pytest.mark.kedro
@LEVELS
@RUNNERS
@pytest.mark.parametrize("clock", CLOCKS)
def test_sessions_are_journaled_while_time_is_frozen(
    project: Project, level: int, runner: str, clock: str
) -> None:
    imports, how = CLOCKS[clock]
    pytest.importorskip(imports.split()[-1])
    prepare(project, BIG, level)

    done = project.python(FROZEN.format(runner=runner, imports=imports, clock=how))

    assert 0 == done.returncode, done.stderr
    assert "cannot journal" not in done.stdout + done.stderr
    assert "not recorded" not in done.stdout + done.stderr
    states = sorted(project.states(), key=lambda state: state.session_id)
    assert ["completed", "failed", "completed"] == [s.verdict for s in states]
    for state in states:
        assert project.verification(state.session_id).findings == ()
        assert all(0 <= (run.duration_s or 0) < 60 for run in state.runs)


@pytest.mark.kedro
def test_journals_are_read_while_time_is_frozen(project: Project) -> None:
    """The classes of states are looked into for the first time, and then again."""
    pytest.importorskip("freezegun")
    prepare(project, BIG, 1)
    assert 0 == project.kedro("run").returncode
    script = (
        "import freezegun, kedro_journal\n"
        "for _ in range(2):\n"
        "    with freezegun.freeze_time('2030-01-01'):\n"
        "        assert [s.verdict for s in kedro_journal.sessions()] == ['completed']\n"
        "        assert kedro_journal.replay('latest').verdict == 'completed'\n"
        "        assert list(kedro_journal.records('latest'))\n"
        "    assert kedro_journal.replay('latest').verdict == 'completed'\n"
    )

    done = project.python(script)

    assert 0 == done.returncode, done.stderr


LOOK = """
import sys
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro.framework.project import settings
from kedro.framework.session import KedroSession
from kedro.framework.hooks import manager
hooks = []
class Asks:
    pass
opened = []
sys.addaudithook(lambda name, args: opened.append(str(args[0])) if name == "open" else None)
from kedro.framework.hooks import hook_impl
class Look:
    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params, pipeline, catalog):
        m = session._hook_manager
        hooks.extend(type(p).__module__ for p in m.get_plugins() if m.get_hookcallers(p))
session = settings.SESSION_CLASS.create(Path.cwd())
session._hook_manager.register(Look())
session.run()
import json
print("RESULT", json.dumps([
    sorted(m for m in sys.modules if m.startswith("kedro_journal")),
    [h for h in hooks if h.startswith("kedro_journal")],
    [  # pluggy and Kedro read what is installed
        p for p in opened if "kedro_journal" in p
        and not p.endswith((".py", ".pyc")) and "dist-info" not in p
    ],
    "msgspec" in sys.modules,
]))
"""
CHECK = [
    "kedro_journal",
    "kedro_journal._lazy",
    "kedro_journal._switch",
    "kedro_journal._version",
    "kedro_journal.session",
    "kedro_journal.session.entry",
]


@pytest.mark.kedro
@pytest.mark.parametrize("value", ["1", "true", "ON", "perhaps"])
def test_switched_off_only_the_check_is_imported(project: Project, value: str) -> None:
    prepare(project, BIG, 0)

    done = project.python(LOOK, {"KEDRO_JOURNAL_DISABLE": value})

    modules, hooks, opened, msgspec = answer(done)
    said = done.stdout.count("Nothing is") + done.stderr.count("Nothing is")
    if value == "perhaps":
        assert 1 == said
        modules.remove("kedro_journal.recording")
        modules.remove("kedro_journal.recording.say")
        modules.remove("kedro_journal._outside")
    else:
        assert 0 == said
    assert CHECK == modules
    assert ([], [], False) == (hooks, opened, msgspec)
    assert not project.sessions_path.exists()


@pytest.mark.kedro
@LEVELS
@pytest.mark.parametrize("where", ["variable", "table"])
def test_switched_off_no_hook_is_bound(
    project: Project, level: int, where: str
) -> None:
    prepare(project, BIG, level)
    env = {}
    if where == "table":
        path = project.path / "pyproject.toml"
        path.write_text(path.read_text() + "\n[tool.kedro_journal]\ndisable = true\n")
    else:
        env = {"KEDRO_JOURNAL_DISABLE": "1"}

    _, hooks, opened, _ = answer(project.python(LOOK, env))

    assert ([], []) == (hooks, opened)
    assert not project.sessions_path.exists()


@pytest.mark.kedro
@LEVELS
@pytest.mark.parametrize("runner", ["SequentialRunner", "ParallelRunner"])
def test_an_unknown_value_journals_nothing_and_says_so_once(
    project: Project, level: int, runner: str
) -> None:
    project.nodes(BIG.replace("bytearray(1_000_000)", "b''"))
    prepare(project, PLAIN, level)
    env = {"KEDRO_JOURNAL_DISABLE": "perhaps", "COLUMNS": "1000"}

    done = project.kedro("run", "--runner", runner, env=env)

    text = done.stdout + done.stderr
    assert 0 == done.returncode, text
    assert 1 == text.count("Nothing is journaled"), text
    for word in ("KEDRO_JOURNAL_DISABLE", "perhaps", "true", "off"):
        assert word in text
    assert not project.sessions_path.exists()


PLAIN = """
from kedro.pipeline import Node, Pipeline

def first(title): return [title]
def second(rows): return len(rows)

def make_pipelines():
    return {"__default__": Pipeline([
        Node(first, "params:title", "rows", name="first"),
        Node(second, "rows", "count", name="second"),
    ])}
"""

# As kedro-dagster 0.8.1 calls them: `run_results`, and no `run_result`.
OTHER_CALLER = """
import warnings
from pathlib import Path
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro.framework.project import pipelines, settings
from kedro.io import MemoryDataset
warnings.simplefilter("ignore")
session = settings.SESSION_CLASS.create(Path.cwd())
context = session.load_context()
catalog, hook = context.catalog, context._hook_manager.hook
pipeline = pipelines["__default__"]
for name in pipeline.datasets() - pipeline.inputs():
    catalog[name] = MemoryDataset()
params = dict(
    run_id="one", project_path=str(Path.cwd()), env="local", kedro_version="1",
    pipeline_name="__default__", load_versions=None, runtime_params=None, runner=None,
)
hook.before_pipeline_run(run_params=params, pipeline=pipeline, catalog=catalog)
for node in pipeline.nodes:
    inputs = {}
    for name in node.inputs:
        hook.before_dataset_loaded(dataset_name=name, node=node)
        inputs[name] = catalog.load(name)
        hook.after_dataset_loaded(dataset_name=name, data=inputs[name], node=node)
    shared = dict(node=node, catalog=catalog, inputs=inputs, is_async=False, run_id="one")
    hook.before_node_run(**shared)
    outputs = node.run(inputs)
    hook.after_node_run(outputs=outputs, **shared)
    for name, data in outputs.items():
        hook.before_dataset_saved(dataset_name=name, data=data, node=node)
        catalog.save(name, data)
        hook.after_dataset_saved(dataset_name=name, data=data, node=node)
hook.after_pipeline_run(
    run_results=None, run_params=params, pipeline=pipeline, catalog=catalog
)
"""


@pytest.mark.kedro
@LEVELS
def test_another_caller_of_hooks_may_leave_out_the_result(
    project: Project, level: int
) -> None:
    prepare(project, PLAIN, level)

    done = project.python(OTHER_CALLER)

    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert "completed" == state.verdict
    records = kedro_journal.records("latest", directory=project.sessions_path)
    assert [("count",)] == [
        record.event.outputs
        for record in records
        if isinstance(record.event, RunCompleted)
    ]
    assert {"completed"} == {n.status for n in state.runs[-1].nodes.values()}


CALL_THAT_FAILS = """try:
        raise RuntimeError("broken")
    except RuntimeError as error:
        hook.on_node_error(error=error, **shared)
        raise
    outputs = node.run(inputs)"""


@pytest.mark.kedro
@LEVELS
def test_a_run_of_another_caller_fails_with_its_node(
    project: Project, level: int
) -> None:
    """As by kedro-dagster: no `on_pipeline_error` in the process of a failed job."""
    prepare(project, PLAIN, level)
    failing = CALL_THAT_FAILS.replace(
        "try:", "try:\n        assert node.name == 'first'"
    )
    failing = failing.replace(
        'raise RuntimeError("broken")', "outputs = node.run(inputs)"
    )
    failing = failing.replace("RuntimeError", "AssertionError")
    failing = failing.rsplit("    outputs", 1)[0]

    done = project.python(OTHER_CALLER.replace("outputs = node.run(inputs)", failing))

    assert 1 == done.returncode, done.stderr
    assert "AssertionError" in done.stderr
    state = project.state()
    assert "failed" == state.verdict
    run = state.runs[-1]
    assert "failed" == run.status
    assert run.error is not None
    assert "AssertionError" == run.error.type
    statuses = {node.name: node.status for node in run.nodes.values()}
    assert {"first": "completed", "second": "failed"} == statuses


@pytest.mark.kedro
@LEVELS
def test_a_run_that_is_left_to_other_processes_is_not_called_interrupted(
    project: Project, level: int
) -> None:
    """As by kedro-dagster's multiprocess executor: each node has its own process."""
    prepare(project, PLAIN, level)
    begun, rest = OTHER_CALLER.split("for node in pipeline.nodes:\n")
    one_node = begun.replace("hook.before_pipeline_run(", "dict(") + (
        "for node in pipeline.nodes[:1]:\n" + rest.split("hook.after_pipeline")[0]
    )

    failing = one_node.replace("outputs = node.run(inputs)", CALL_THAT_FAILS)
    again = failing.replace("    raise\n", "    hook.before_node_run(**shared)\n")
    scripts = (begun, one_node, again, failing)

    done = [project.python(script) for script in scripts]

    assert [0, 0, 0, 1] == [d.returncode for d in done], done
    states = project.states()
    if level == 1:  # hooks alone begin no journal in a node's process
        assert "RuntimeError: broken" in done[-1].stderr
        *states, failed = sorted(states, key=lambda state: state.session_id)
        assert "failed" == failed.verdict
        assert failed.error is not None
        assert "RuntimeError" == failed.error.type
        assert "broken" in project.journal("show", failed.session_id).stdout
    assert {"unknown"} == {state.verdict for state in states}
    assert (1, 3)[level] == len(states)
    said = []
    for state in states:
        shown = project.journal("show", state.session_id).stdout
        assert "nterrupted" not in shown
        assert "run ended is not recorded here" in shown
        assert () == state.anomalies
        said.append("Other processes may have run the nodes" in shown)
    assert said.count(True) == 1  # the others have events of that run
    listed = project.journal("list").stdout
    assert "unknown" in listed


@pytest.mark.kedro
def test_options_of_another_program_are_not_those_of_kedro(project: Project) -> None:
    prepare(project, PLAIN, 0)
    host = project.path / "host.py"
    host.write_text(
        "import click\n"
        "from pathlib import Path\n"
        "from kedro.framework.startup import bootstrap_project\n"
        "from kedro.framework.session import KedroSession\n"
        "@click.command('run')\n"
        "@click.option('--params')\n"
        "@click.option('--is-async', 'is_async', is_flag=True)\n"
        "def run(params, is_async):\n"
        "    bootstrap_project(Path.cwd())\n"
        "    given = {'title': 'other'}\n"
        "    with KedroSession.create(Path.cwd(), runtime_params=given) as session:\n"
        "        session.run()\n"
        "run()\n"
    )
    command = [sys.executable, str(host), "--params", "title=x", "--is-async"]

    done = project._run(command, None)

    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert not state.runs[-1].is_async
    assert state.command is not None
    assert ({}, ()) == (state.command.flags, state.command.given)
