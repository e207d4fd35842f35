"""Other plugins that raise, and hooks that are called as nobody should call them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from .conftest import Mischief, Way, make_mischief, said, ways

# Raises in the hook that the variable BAD names, before or after ours is called.
BAD_PLUGIN = """
import os
from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.hooks import hook_impl

wanted, _, order = os.environ.get("BAD", "").partition(":")
first = {"tryfirst": True} if order == "first" else {"trylast": True}

def bad(**facts):
    raise RuntimeError(f"a plugin in {wanted}")

ARGUMENTS = {
    "after_context_created": "context",
    "after_catalog_created": "catalog",
    "before_pipeline_run": "run_params",
    "after_pipeline_run": "run_result",
    "on_pipeline_error": "error",
    "before_node_run": "node",
    "after_node_run": "outputs",
    "on_node_error": "error",
    "before_dataset_loaded": "dataset_name",
    "after_dataset_loaded": "data",
    "before_dataset_saved": "data",
    "after_dataset_saved": "dataset_name",
    "before_command_run": "command_args",
    "after_command_run": "exit_code",
}

def make(marker):
    names = {}
    exec(f"def hook(self, {ARGUMENTS[wanted]}): bad()", {"bad": bad}, names)
    return type("Bad", (), {wanted: marker(**first)(names["hook"])})()

hooks = cli_hooks = None
if wanted.endswith("command_run"):
    cli_hooks = make(cli_hook_impl)
elif wanted:
    hooks = make(hook_impl)
hooks = hooks or type("Nothing", (), {})()
cli_hooks = cli_hooks or type("Nothing", (), {})()
"""
# Runs many commands, each in a process forked from one that has imported Kedro.
FORKS = """
import json, os, sys
import kedro.framework.cli.cli
import kedro.framework.session, kedro.io, kedro.runner, kedro.pipeline

def command(env, arguments):
    os.environ.update(env)
    sys.argv = ["kedro", *arguments]
    kedro.framework.cli.cli.main()

codes = []
for name, env, arguments in json.load(open("commands.json")):
    sys.stdout.flush()
    if not (pid := os.fork()):
        out = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1); os.dup2(out, 2)
        code = 1
        try:
            command(env, arguments)
        except SystemExit as exit:
            code = exit.code if isinstance(exit.code, int) else int(exit.code is not None)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            import atexit
            atexit._run_exitfuncs()
            sys.stdout.flush(); sys.stderr.flush()
            os._exit(code)
    codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
print(json.dumps(codes))
"""
# Kedro's own tracebacks take a second to draw.
PLAIN_LOGGING = """
version: 1
disable_existing_loggers: False
handlers: {console: {class: logging.StreamHandler, stream: ext://sys.stdout}}
root: {handlers: [console], level: INFO}
"""
NODE_HOOKS = (
    "after_context_created", "after_catalog_created", "before_pipeline_run",
    "after_pipeline_run", "before_node_run", "after_node_run",
    "before_dataset_loaded", "after_dataset_loaded", "before_dataset_saved",
    "after_dataset_saved",
)  # fmt: skip
ERROR_HOOKS = ("on_node_error", "on_pipeline_error")
COMMAND_HOOKS = ("before_command_run", "after_command_run")
HOOKS = (*NODE_HOOKS, *ERROR_HOOKS, *COMMAND_HOOKS)


def install_bad_plugin(folder: Path) -> None:
    """Make a distribution of another plugin, found by Kedro as any other is."""
    info = folder / "bad_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / "bad_plugin.py").write_text(BAD_PLUGIN)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: bad-plugin\nVersion: 1.0\n"
    )
    (info / "entry_points.txt").write_text(
        "[kedro.hooks]\nbad-plugin = bad_plugin:hooks\n"
        "[kedro.cli_hooks]\nbad-plugin = bad_plugin:cli_hooks\n"
    )


def last_line(text: str) -> str:
    """What the command said last of an exception."""
    lines = [
        line
        for line in text.splitlines()
        if "Error: " in line.partition(": ")[0] + ": "
    ]
    return lines[-1] if lines else ""


Ended = dict[str, tuple[int, str]]
"""By hook: exit code and output of the command in which it raised."""


def run_all(project: Mischief, hooks: list[str], runner: str, **more: str) -> Ended:
    """Run the project once for each hook that is to raise."""
    plugin = project.path.parent / "plugin"
    install_bad_plugin(plugin)
    project.told("if os.environ['BAD'].startswith('on_'): raise LookupError('mine')")
    commands = []
    for hook in hooks:
        env = {"BAD": hook, "KEDRO_JOURNAL_DIRECTORY": f"sessions/{hook}", **more}
        commands.append((hook, env, ["run", "-r", runner]))
    (project.path / "commands.json").write_bytes(msgspec.json.encode(commands))
    (project.path / "plain.yml").write_text(PLAIN_LOGGING)
    rest = os.environ.get("PYTHONPATH", "")
    paths = os.pathsep.join(filter(None, [str(plugin), rest]))
    env = {"PYTHONPATH": paths, "KEDRO_LOGGING_CONFIG": "plain.yml"}
    done = project.python(FORKS, env=env)
    assert 0 == done.returncode, done.stderr
    codes = msgspec.json.decode(done.stdout.splitlines()[-1], type=list[int])
    outputs = [(project.path / hook).read_text() for hook in hooks]
    return dict(zip(hooks, zip(codes, outputs, strict=True), strict=True))


@pytest.fixture(scope="module")
def without(generated: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """How these commands end without us."""
    project = make_mischief(generated, tmp_path_factory.mktemp("without"))
    project.level_0()
    hooks = [f"{hook}:last" for hook in HOOKS]
    return run_all(project, hooks, "SequentialRunner", KEDRO_JOURNAL_DISABLE="1")


@pytest.mark.kedro
@pytest.mark.parametrize("order", ["first", "last"])
@ways("0-Sequential", "1-Thread")
def test_another_plugin_raises_in_each_hook(
    mischief: Mischief, without: Ended, way: Way, order: str
) -> None:
    """Exit code and exception are those without us, and the record says failed."""
    if way.level == 0:
        mischief.level_0()
    mischief.sessions_path.mkdir(mode=0o700)
    ended = run_all(mischief, [f"{hook}:{order}" for hook in HOOKS], way.runner)

    for hook, (code, output) in ended.items():
        known_code, known_output = without[f"{hook.partition(':')[0]}:last"]
        assert known_code == code == 1, (hook, output)
        assert last_line(known_output) == last_line(output) != "", (hook, output)
        assert "kedro-journal:" not in output, output
        check_record(mischief, hook)


def check_record(project: Mischief, hook: str) -> None:
    """Assert that the journal of a run that a plugin stopped is sound and says so."""
    import kedro_journal

    directory = project.sessions_path / hook
    name = hook.partition(":")[0]
    if name == "before_command_run":  # Kedro stops before anything of ours is asked
        assert list(kedro_journal.sessions(directory=directory)) == []
        return
    state = kedro_journal.replay("latest", directory=directory)
    assert kedro_journal.verify("latest", directory=directory).findings == (), hook
    assert state.anomalies == (), hook
    if name == "after_command_run":  # the run was over, and well
        assert state.verdict == "completed", hook
        return
    assert (state.verdict, state.status) == ("failed", "closed"), hook
    texts = [
        error.message
        for error in (state.error, *(r.error for r in state.runs))
        if error
    ]
    assert any("a plugin in" in text or "mine" in text for text in texts), hook


# Every hook of ours with arguments that nobody would give, in odd orders.
GARBAGE = """
import inspect, itertools, logging, os, sys, threading
from unittest.mock import MagicMock
from pathlib import Path
sys.path.insert(0, {support!r})
import hostile
from pluggy import Result
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
from kedro.framework.hooks import specs
from kedro.framework.cli.hooks import specs as cli_specs
from kedro_journal.hooks.plugin import PluginHooks, CliHooks, hooks, cli_hooks
{imports}

class Node:
    name, inputs, outputs, tags, func = "n", ["a"], ["b"], set(), len

NODE = Node()
GARBAGE = [
    None, 0, "", "x", [], {{}}, {{"run_id": None}}, {{"run_id": ["x"]}}, {{"session_id": "x"}},
    object(), Node, NODE, ValueError("x"), hostile.Nowhere(), MagicMock(),
    hostile.LiesAboutItself(), hostile.VALUES["raises as mapping"]()["odd"], hostile.Mute(),
]
called, raised = 0, []

def methods(owner, all_specs):
    for spec in all_specs:
        for name, function in inspect.getmembers(spec, inspect.isfunction):
            method = getattr(owner, name, None)
            around = getattr(owner, "around_" + name, None)
            if method is not None:
                yield name, method
            elif around is not None and name.startswith("after_dataset"):
                yield name, through(around)

def through(around):
    # As pluggy calls a wrapper.
    def call(dataset_name, node):
        calls, outcome = around(dataset_name=dataset_name, node=node), Result(None, None)
        next(calls)
        try:
            calls.send(outcome)
        except StopIteration:
            pass
        outcome.get_result()
    call.__self__ = around.__self__
    return call

def call(name, method, arguments):
    global called
    called += 1
    try:
        method(**arguments)
    except BaseException as error:
        raised.append((type(method.__self__).__name__, name, repr(list(map(type, arguments.values()))), type(error).__name__, str(error)[:300]))

def assault(owner, all_specs):
    for name, method in methods(owner, all_specs):
        wanted = list(inspect.signature(method).parameters)
        for value in GARBAGE:
            call(name, method, dict.fromkeys(wanted, value))
        for value, (number, odd) in itertools.product((NODE, "x"), enumerate(wanted)):
            for other in GARBAGE:
                arguments = dict.fromkeys(wanted, value)
                arguments[odd] = other
                call(name, method, arguments)

node_specs = [s for _, s in inspect.getmembers(specs, inspect.isclass) if s.__module__ == specs.__name__]
command_specs = [s for _, s in inspect.getmembers(cli_specs, inspect.isclass) if s.__module__ == cli_specs.__name__]
bound = []

def all_of_ours():
    for owner in bound:
        assault(owner, node_specs)
    assault(hooks, node_specs)
    assault(PluginHooks(), node_specs)
    assault(CliHooks(), command_specs)

with KedroSession.create() as session:
    session.run()
    bound += [p for p in session._hook_manager.get_plugins() if type(p).__name__ == "SessionHooks"]
    assert bound
    names = {{name for owner in (*bound, cli_hooks) for name, _ in methods(owner, [*node_specs, *command_specs])}}
    all_of_ours()
    threads = [threading.Thread(target=all_of_ours) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
all_of_ours()  # after its end
print("called", called, "names", sorted(names))
for item in sorted(set(raised)): print("RAISED", *item)
print("raised", len(raised))
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_no_hook_of_ours_raises_whatever_it_is_given(
    mischief: Mischief, level: int
) -> None:
    import hostile

    support = str(Path(hostile.__file__).parent)
    package = "kedro_journal" if level else "kedro.framework"
    imports = f"from {package}.session import KedroSession"
    done = mischief.python(GARBAGE.format(support=support, imports=imports))

    assert 0 == done.returncode, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    assert "raised 0" == lines[-1], "\n".join(lines[-30:])
    (told,) = [line for line in lines if line.startswith("called ")]
    assert int(told.split()[1]) > 10_000
    for name in (*NODE_HOOKS, *ERROR_HOOKS, *COMMAND_HOOKS):
        assert f"'{name}'" in told
    session = mischief.states()[-1]
    assert mischief.verification(session.session_id).ok
    assert "Traceback" not in done.stderr


# A plugin that calls session hooks twice, out of order, and from another thread.
CALLS = """
import threading
from kedro.framework.hooks import hook_impl

class Caller:
    @hook_impl
    def after_context_created(self, context):
        self.manager = context._hook_manager
        threading.Thread(target=self.call, args=("after_context_created",), kwargs={"context": context}).start()
        self.call("after_context_created", context=None)
    def call(self, name, **arguments):
        for plugin, _ in list(self.manager.list_name_plugin()):
            owner = self.manager.get_plugin(plugin)
            method = getattr(owner, name, None)
            if type(owner).__module__.startswith("kedro_journal") and method:
                import inspect
                wanted = inspect.signature(method).parameters
                method(**{n: arguments.get(n) for n in wanted})
    @hook_impl
    def before_pipeline_run(self, run_params, pipeline, catalog):
        self.facts = dict(run_params=run_params, pipeline=pipeline, catalog=catalog, run_result={}, error=ValueError("not true"))
        self.call("after_node_run", node=pipeline.nodes[-1], run_id=run_params["run_id"])
        self.call("before_node_run", run_id=run_params["run_id"])
    @hook_impl
    def before_node_run(self, node, run_id, catalog):
        if node.name == "act":
            self.call("before_node_run", node=node, run_id=run_id, catalog=catalog)
            self.call("on_node_error", node=node, run_id="another", error=KeyError("not true"))
            self.call("after_dataset_saved", node=node, dataset_name="nothing")
        if node.name == "more1":
            for name in ("after_node_run", "after_dataset_saved", "after_node_run"):
                self.call(name, node=node, run_id=run_id, dataset_name="more2")
    @hook_impl
    def after_pipeline_run(self, run_params):
        for _ in range(2):
            self.call("after_pipeline_run", **self.facts)
            self.call("on_pipeline_error", **self.facts)
            self.call("before_node_run", node=self.facts["pipeline"].nodes[0], run_id=run_params["run_id"])

HOOKS = (Caller(),)
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_plugin_that_calls_our_hooks_out_of_order_breaks_nothing(
    mischief: Mischief, level: int
) -> None:
    ours = (
        "from kedro_journal.session import KedroSession\nSESSION_CLASS = KedroSession\n"
    )
    mischief.settings(CALLS + (ours if level else ""))
    done = mischief.kedro("run")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["none", "acted", "last"] == mischief.result()
    # Of what does not fit, each kind is said once.
    assert len(set(said(done))) == len(said(done)) <= 4
    assert all("The run goes on" in text for text in said(done))
    state = mischief.state()
    assert mischief.verification().ok
    assert "closed" == state.status
    assert "completed" == state.runs[0].status
