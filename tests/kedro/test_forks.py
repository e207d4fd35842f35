"""Forked children, daemons and signals: a process ends only what it began."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kedro_journal import SessionState

from .conftest import (
    KEDRO,
    TIMEOUT_S,
    Mischief,
    Project,
    Way,
    check_complete,
    ways,
)

# A hook of the user's. It runs after ours, so that what ours wrote is written by then.
UNWOUND = """
import os
from kedro.framework.hooks import hook_impl

class Unwound:
    @hook_impl
    def on_node_error(self):
        open("unwound", "w").close()

HOOKS = (Unwound(),)
"""
SESSION_CLASS = "from kedro_journal.session import KedroSession as SESSION_CLASS\n"
# A pool thread of a forked child waits for work for ever: it has to be killed.
CHILD_RAISES = """
pid = os.fork()
if not pid:
    raise {error}
if threading.current_thread() is not threading.main_thread():
    while not os.path.exists("unwound"):
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
"""


def at_level(project: Project, level: int, settings: str = "") -> None:
    """Give the project these settings, with our session class at level 1."""
    project.settings((SESSION_CLASS if level else "") + settings)


def await_closed(project: Project) -> SessionState:
    """Wait until a daemon has closed the project's session."""
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        if project.sessions_path.exists():
            states = project.states()
            if states and states[0].status == "closed":
                return states[0]
        time.sleep(0.05)
    pytest.fail("the session was not closed")


# -- children of a node --------------------------------------------------------------


@pytest.mark.kedro
@pytest.mark.parametrize(
    ("runner", "error"),
    [
        ("Sequential", "RuntimeError('in the child')"),
        ("Sequential", "KeyboardInterrupt"),
        ("Sequential", "SystemExit(3)"),
        ("Thread", "RuntimeError('in the child')"),
    ],
)
@pytest.mark.parametrize("level", [0, 1])
def test_a_child_that_fails_does_not_end_its_parents_run(
    mischief: Mischief, level: int, runner: str, error: str
) -> None:
    at_level(mischief, level, UNWOUND)
    mischief.told(CHILD_RAISES.format(error=error))
    done = mischief.kedro("run", "-r", f"{runner}Runner")

    assert 0 == done.returncode, done.stdout
    state = mischief.state()
    assert ("completed", "closed", None) == (state.verdict, state.status, state.error)
    assert "w1" == "".join(state.writers), "the child wrote nothing"
    assert 1 == len(mischief.ids())
    check_complete(mischief, state)


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_child_that_goes_on_with_the_run_does_not_speak_for_it(
    mischief: Mischief, level: int
) -> None:
    at_level(mischief, level)
    mischief.told("pid = os.fork()\nif pid:\n    os.waitpid(pid, 0)")
    done = mischief.kedro("run")

    assert 0 == done.returncode, done.stdout
    state = mischief.state()
    assert "completed" == state.verdict
    assert "w1" == "".join(state.writers)
    check_complete(mischief, state)


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential")
def test_a_child_that_outlives_its_parent_changes_nothing(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(
        "pid = os.fork()\n"
        "if not pid:\n"
        "    null = os.open(os.devnull, os.O_RDWR)\n"
        "    for fd in (0, 1, 2): os.dup2(null, fd)\n"
        "    Path('pid').write_text(str(os.getpid()))\n"
        "    while not os.path.exists('go'): time.sleep(0.01)\n"
        "    raise RuntimeError('in the child')\n"
        "while not os.path.exists('pid'): time.sleep(0.01)\n"
    )
    assert 0 == mischief.go(way).returncode
    before = mischief.types()
    child = int((mischief.path / "pid").read_text())
    (mischief.path / "go").touch()
    deadline = time.monotonic() + TIMEOUT_S
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    assert before == mischief.types()
    assert "completed" == mischief.state().verdict
    assert 1 == len(mischief.ids()), "no session of the child's own"


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential", "1-Thread", "0-Parallel")
def test_a_note_of_a_child_is_on_record_and_nothing_else_of_it(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(
        "import kedro_journal\n"
        "pid = os.fork()\n"
        "if not pid:\n"
        "    kedro_journal.note('from the child')\n"
        "    os._exit(0)\n"
        "os.waitpid(pid, 0)\n"
    )
    done = mischief.go(way)

    assert 0 == done.returncode, done.stdout
    state = mischief.state()
    assert "completed" == state.verdict
    assert ["from the child"] == [note.text for note in state.notes]
    assert "act" == state.notes[0].node
    check_complete(mischief, state)


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential", "0-Thread", "1-Parallel")
def test_a_child_in_c_code_ends_at_once_by_terminate(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(
        "import multiprocessing\n"
        "process = multiprocessing.get_context('fork').Process(\n"
        "    target=sum, args=(range(10**12),), daemon=None)\n"
        "multiprocessing.current_process()._config['daemon'] = False\n"
        "process.start()\n"
        "time.sleep(0.3)\n"  # it is in C code then; nothing can say so
        "process.terminate()\n"
        "process.join(20)\n"
        "Path('code').write_text(str(process.exitcode))\n"
        "process.kill()\n"
    )
    done = mischief.go(way)

    assert 0 == done.returncode, done.stdout
    assert "-15" == (mischief.path / "code").read_text()
    assert "completed" == mischief.state().verdict


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential", "0-Thread")
def test_a_session_of_a_childs_own_does_not_wait_for_the_parents_command(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(
        "import multiprocessing\n"
        "from kedro.framework.session import KedroSession\n"
        "def other():\n"
        "    with KedroSession.create(os.getcwd()) as session:\n"
        "        session.run(node_names=['first'])\n"
        "context = multiprocessing.get_context('fork')\n"
        "process = context.Process(target=other)\n"
        "process.start()\n"
        "process.join()\n"
        "assert process.exitcode is not None\n"
    )
    done = mischief.go(way)

    assert 0 == done.returncode, done.stdout
    found = [(state.verdict, state.status) for state in mischief.states()]
    assert [("completed", "closed")] * 2 == found


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_child_that_fails_before_the_run_is_no_failed_session(
    project: Project, level: int
) -> None:
    at_level(
        project,
        level,
        "import os\n"
        "from kedro.framework.hooks import hook_impl\n"
        "class Forks:\n"
        "    @hook_impl\n"
        "    def after_context_created(self):\n"
        "        pid = os.fork()\n"
        "        if not pid:\n"
        "            raise RuntimeError('in the child')\n"
        "        os.waitpid(pid, 0)\n"
        "HOOKS = (Forks(),)\n",
    )
    done = project.kedro("run")

    assert 0 == done.returncode, done.stdout
    (state,) = project.states()
    assert ("completed", None) == (state.verdict, state.error)
    check_complete(project, state)


FORKING_RUNNER = """
import os
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner
from kedro.runner.task import Task

class ForkRunner(SequentialRunner):
    def _run(self, pipeline, catalog, hook_manager=None, run_id=None, **more):
        for node in pipeline.nodes:
            pid = os.fork()
            if not pid:
                Task(node=node, catalog=catalog, hook_manager=hook_manager,
                     is_async=False, run_id=run_id).execute()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0

def one(title): return {"title": title}
def two(rows): return {**rows, "two": 2}

def make_pipelines():
    return {"__default__": Pipeline([
        Node(one, "params:title", "one", name="one"),
        Node(two, "one", "two", name="two"),
    ])}
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_what_the_children_of_a_forking_runner_run_is_on_record(
    mischief: Mischief, level: int
) -> None:
    at_level(mischief, level)
    mischief.nodes(FORKING_RUNNER)
    dataset = "  type: journal_demo.datasets.JSONDataset\n  filepath: data/{0}.json\n"
    (mischief.path / "conf/base/catalog.yml").write_text(
        "".join(f"{name}:\n{dataset.format(name)}" for name in ("one", "two"))
    )
    done = mischief.kedro("run", "-r", "journal_demo.probe.ForkRunner")

    assert 0 == done.returncode, done.stdout
    state = mischief.state()
    assert "completed" == state.verdict
    assert ["owner", "worker", "worker"] == [w.role for w in state.writers.values()]
    check_complete(mischief, state)


# -- a child that runs the session, and daemons --------------------------------------

DAEMON = """
import os
from kedro.framework.startup import bootstrap_project
from kedro_journal.session import KedroSession
bootstrap_project(os.getcwd())

def become_daemon():
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
"""


@pytest.mark.kedro
@pytest.mark.parametrize(
    "body",
    [
        "with KedroSession.create() as session:\n    become_daemon()\n    session.run()",
        "session = KedroSession.create()\nbecome_daemon()\nsession.run()",
    ],
    ids=["in a block", "without one"],
)
def test_a_daemon_takes_the_session_over(project: Project, body: str) -> None:
    assert 0 == project.python(DAEMON + body).returncode

    state = await_closed(project)
    assert "completed" == state.verdict
    roles = [writer.role for writer in state.writers.values()]
    assert ("owner", "owner") == (roles[0], roles[-1])
    check_complete(project, state)


DAEMON_IN_HOOK = """
import os
from kedro.framework.hooks import hook_impl

class Daemon:
    @hook_impl
    def {hook}(self):
        if os.fork():
            os._exit(0)
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)

HOOKS = (Daemon(),)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("hook", ["after_context_created", "before_pipeline_run"])
@pytest.mark.parametrize("level", [0, 1])
def test_a_command_that_becomes_a_daemon_is_journaled_to_its_end(
    project: Project, level: int, hook: str
) -> None:
    at_level(project, level, DAEMON_IN_HOOK.format(hook=hook))
    assert 0 == project.kedro("run").returncode

    state = await_closed(project)
    assert "completed" == state.verdict
    assert 1 == len(project.ids())
    check_complete(project, state)


@pytest.mark.kedro
def test_a_child_that_survives_a_killed_owner_does_not_take_over(
    project: Project,
) -> None:
    """The owner went on after the fork: it crashed, whatever the child does later."""
    done = project.python(
        DAEMON + "session = KedroSession.create()\n"
        "reading, writing = os.pipe()\n"
        "if not os.fork():\n"
        "    null = os.open(os.devnull, os.O_RDWR)\n"
        "    for fd in (0, 1, 2): os.dup2(null, fd)\n"
        "    os.read(reading, 1)\n"
        "    import time\n"
        "    parent = int(open('owner').read())\n"
        "    while os.path.exists(f'/proc/{parent}'):\n"
        "        time.sleep(0.01)\n"
        "    with session:\n"
        "        pass\n"
        "    open('left', 'w').close()\n"
        "    os._exit(0)\n"
        "session.note('the owner goes on')\n"
        "open('owner', 'w').write(str(os.getpid()))\n"
        "os.write(writing, b'.')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert -9 == done.returncode
    deadline = time.monotonic() + TIMEOUT_S
    while not (project.path / "left").exists() and time.monotonic() < deadline:
        time.sleep(0.01)

    state = project.state()
    assert ("crashed", "created") == (state.verdict, state.status)
    assert ["owner"] == [writer.role for writer in state.writers.values()]


# -- signals -------------------------------------------------------------------------


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential")
def test_a_handler_of_the_users_that_calls_the_one_before_decides(
    mischief: Mischief, way: Way
) -> None:
    mischief.told(
        "before = signal.getsignal(signal.SIGTERM)\n"
        "def stop(number, frame):\n"
        "    Path('noted').touch()\n"
        "    if callable(before): before(number, frame)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
    )
    done = mischief.go(way)

    assert 0 == done.returncode, done.stdout
    assert (mischief.path / "noted").exists()
    state = mischief.state()
    assert "completed" == state.verdict
    check_complete(mischief, state)


@pytest.mark.kedro
@ways("0-Sequential", "1-Sequential", "1-Thread", "0-Parallel")
def test_process_1_goes_on_after_sigterm_and_so_does_its_journal(
    mischief: Mischief, way: Way
) -> None:
    namespace = ["unshare", "--pid", "--fork", "--mount-proc"]
    tried = subprocess.run([*namespace, "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("needs the right to make a PID namespace")
    at_level(mischief, way.level)
    mischief.told("os.kill(1, signal.SIGTERM)\n")
    done = mischief.run_under(namespace, "run", "-r", way.runner)

    assert 0 == done.returncode, done.stdout
    state = mischief.state()
    assert "completed" == state.verdict
    check_complete(mischief, state)


INTERRUPTED = """
import os, signal, time
from kedro.framework.hooks import hook_impl

class Interrupts:
    @hook_impl
    def {hook}(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(60)

HOOKS = (Interrupts(),)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("hook", ["after_context_created", "after_catalog_created"])
@pytest.mark.parametrize("level", [0, 1])
def test_ctrl_c_before_the_run_interrupts_the_session(
    project: Project, level: int, hook: str
) -> None:
    at_level(project, level, INTERRUPTED.format(hook=hook))
    done = project.kedro("run")

    assert 1 == done.returncode
    state = project.state()
    assert "interrupted" == state.verdict
    assert state.error is not None
    assert "KeyboardInterrupt" == state.error.type


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_what_click_reports_before_the_run_is_what_failed(
    project: Project, level: int
) -> None:
    at_level(
        project,
        level,
        INTERRUPTED.format(hook="after_context_created").replace(
            "os.kill(os.getpid(), signal.SIGINT)",
            "import click; raise click.ClickException('not today')",
        ),
    )
    done = project.kedro("run")

    assert 1 == done.returncode
    state = project.state()
    assert "failed" == state.verdict
    assert state.error is not None
    assert state.error.type.endswith("ClickException")
    assert "not today" == state.error.message


STORM = """
import os, signal, time
from kedro.framework.hooks import hook_impl
from kedro_journal.journal.port import Os

real = Os.sync
def sync(self, fd):
    if os.path.exists("ending"):
        os.kill(os.getpid(), signal.SIGINT)
    return real(self, fd)
Os.sync = sync

class Fails:
    @hook_impl
    def before_node_run(self):
        open("ending", "w").close()
        raise KeyboardInterrupt

HOOKS = (Fails(),)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_more_ctrl_c_while_the_end_is_recorded_changes_no_exit_code(
    project: Project, level: int
) -> None:
    at_level(project, level, STORM)
    done = project.kedro("run")

    assert 1 == done.returncode, done.stdout + done.stderr
    if level == 0:
        state = project.state()
        assert ("interrupted", "closed") == (state.verdict, state.status)


# -- commands with several sessions --------------------------------------------------

SEVERAL = """
import click
from kedro.framework.cli.utils import CONTEXT_SETTINGS
from kedro.framework.project import settings

@click.group(context_settings=CONTEXT_SETTINGS, name="several")
def cli():
    pass

@cli.command()
def run():
    for code in ("", "raise RuntimeError('the second')"):
        with settings.SESSION_CLASS.create(runtime_params={"code": code}) as session:
            session.run()
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_only_the_session_that_failed_is_failed(mischief: Mischief, level: int) -> None:
    at_level(mischief, level)
    path = mischief.path / "src" / mischief.package / "cli.py"
    path.write_text(SEVERAL)
    done = mischief.kedro("run")

    assert 1 == done.returncode
    found = [state.verdict for state in mischief.states()]
    assert ["failed", "completed"] == found


# -- without Kedro -------------------------------------------------------------------


def test_a_process_that_blocks_the_signal_dies_of_it_all_the_same() -> None:
    code = (
        "import signal\n"
        "from kedro_journal.recording import signals\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})\n"
        "signals.die(signal.SIGTERM)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert -signal.SIGTERM == done.returncode


def test_an_ignored_signal_stays_ignored(project: Project) -> None:
    """As under nohup: what starts `kedro` decides."""
    project.nodes(
        "import os, signal\n"
        "from kedro.pipeline import Node, Pipeline\n"
        "def stop(title):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    return title\n"
        "def make_pipelines():\n"
        "    return {'__default__': Pipeline(\n"
        "        [Node(stop, 'params:title', 'out', name='stop')])}\n"
    )
    (project.path / "conf/base/parameters.yml").write_text("title: none\n")
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT TERM; exec "$@"', "sh", *KEDRO, "run"],
        cwd=project.path,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert 0 == done.returncode, done.stdout
    assert "completed" == project.state().verdict
