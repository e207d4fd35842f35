"""Projects that make it hard: the run goes on, and the record stays true."""

from __future__ import annotations

import pytest

from .conftest import Project, check_complete, said

REGISTRY = "def make_pipelines():\n    return {{'__default__': Pipeline([{nodes}])}}\n"
HEAD = "from kedro.pipeline import Node, Pipeline\n"


def pipeline(project: Project, functions: str, nodes: str) -> None:
    project.nodes(HEAD + functions + REGISTRY.format(nodes=nodes))


@pytest.mark.kedro
@pytest.mark.parametrize(
    "function",
    [
        "from unittest.mock import Mock\nf = Mock(return_value=1)\n",
        "def f(): return 1\nf.__wrapped__ = f\n",
        (
            "class C:\n"
            "    def __init__(self): self.func = self\n"
            "    def __call__(self): return 1\n"
            "f = C()\n"
        ),
        (
            "class C:\n"
            "    def __getattr__(self, name): raise ValueError(name)\n"
            "    def __call__(self): return 1\n"
            "    __signature__ = None\n"
            "f = C()\n"
        ),
        "import functools\ndef g(x): return x\nf = functools.partial(g, 1)\n",
    ],
    ids=["mock", "wraps itself", "holds itself", "raises", "partial"],
)
def test_any_callable_can_be_a_node(project: Project, function: str) -> None:
    pipeline(project, function, "Node(f, None, 'a', name='odd')")
    without = project.kedro("run", env={"KEDRO_JOURNAL_DISABLE": "1"})
    done = project.kedro("run")

    assert without.returncode == done.returncode
    if done.returncode == 0:
        assert "completed" == project.state().verdict
        check_complete(project, project.state())


@pytest.mark.kedro
def test_a_large_pipeline_is_on_record_whole(project: Project) -> None:
    pipeline(
        project,
        "def f(): return 1\ndef g(*xs): return len(xs)\n",
        "*[Node(f, None, f'd{n}', name=f'n{n}', tags=[f't{t}' for t in range(3)])"
        " for n in range(1010)], *[Node(f, None, f'free{n}', name=f'm{n}')"
        " for n in range(20)],"
        " Node(g, [f'd{n}' for n in range(1010)], 'all', name='join')",
    )
    done = project.kedro("run", env={"KEDRO_LOGGING_CONFIG": ""})

    assert 0 == done.returncode, done.stdout[-2000:]
    state = project.state()
    assert "completed" == state.verdict
    assert (1031, 0) == (len(state.runs[0].nodes), state.unknown_events)
    plan = state.runs[0].nodes["join"].plan
    assert plan is not None
    assert 1010 == len(plan.inputs)


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize(
    ("directory", "word"),
    [
        ("~nosuchuser/x", "is not journaled"),
        (r"a\u0000b", "tool.kedro_journal.directory"),
    ],
)
def test_a_wrong_setting_is_said_and_stops_no_run(
    project: Project, directory: str, word: str, level: int
) -> None:
    if level == 0:
        project.level_0()
    path = project.path / "pyproject.toml"
    path.write_text(
        path.read_text() + f'\n[tool.kedro_journal]\ndirectory = "{directory}"\n'
    )
    done = project.kedro("run")

    assert 0 == done.returncode, done.stdout
    assert any(word in text for text in said(done)), done.stdout


@pytest.mark.kedro
def test_one_mistake_in_the_settings_leaves_the_others_in_force(
    project: Project,
) -> None:
    path = project.path / "pyproject.toml"
    text = path.read_text()
    path.write_text(text + "\n[tool.kedro_journal]\ntypo = 1\ndisable = true\n")
    assert 0 == project.kedro("run").returncode
    assert not project.sessions_path.exists()

    path.write_text(text + '\n[tool.kedro_journal]\ntypo = 1\nredact = ["ssn"]\n')
    env = {"KEDRO_JOURNAL_NONSENSE": "1"}
    done = project.kedro("run", "--params", "person.ssn=canary123456", env=env)
    assert 0 == done.returncode
    assert "typo" in done.stdout + done.stderr
    assert "canary123456" not in str(project.state())

    assert 0 == project.kedro("run", env={"KEDRO_JOURNAL_DISABLE": "maybe"}).returncode
    assert 1 == len(project.states())


@pytest.mark.kedro
def test_a_deleted_working_directory_stops_nothing(project: Project) -> None:
    done = project.python(
        "import os\n"
        "from pathlib import Path\n"
        "import kedro_journal\n"
        "from kedro_journal.session import KedroSession, get_current_session\n"
        f"root = Path({str(project.path)!r})\n"
        "from kedro_journal.capture.project import configure\n"
        "configure('journal_demo', root)\n"
        "gone = root / 'gone'; gone.mkdir(); os.chdir(gone); gone.rmdir()\n"
        "assert get_current_session(silent=True, recover=True) is None\n"
        "with KedroSession.create(project_path=root) as session:\n"
        "    session.run(pipeline_names=['data_processing'])\n"
    )
    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert ("completed", "") == (state.verdict, state.cwd)
    assert () == state.anomalies


@pytest.mark.kedro
def test_the_package_is_no_project_when_called_from_src(project: Project) -> None:
    done = project.python(
        "import os\n"
        "from kedro_journal.session import KedroSession\n"
        f"root = {str(project.path)!r}\n"
        "os.chdir(os.path.join(root, 'src'))\n"
        "for args in [('journal_demo', root), ('journal_demo',)]:\n"
        "    with KedroSession.create(*args) as session:\n"
        "        print('path', session.store['project_path'])\n"
    )
    assert 0 == done.returncode, done.stderr
    assert 2 == done.stdout.count(f"path {project.path}\n")
    assert not (project.path / "src/journal_demo/sessions").exists()


@pytest.mark.kedro
def test_a_threads_error_is_not_put_on_another_node(project: Project) -> None:
    pipeline(
        project,
        "import threading\n"
        "from pathlib import Path\n"
        "saving = threading.Event()\n"
        "def a():\n"
        "    saving.wait(60)\n"
        "    raise LookupError('boom of a')\n"
        "def b():\n"
        "    saving.set()\n"
        "    return {'x': object()}\n",
        "Node(a, None, 'x', name='a'), Node(b, None, 'broken', name='b')",
    )
    catalog = project.path / "conf/base/catalog.yml"
    catalog.write_text(
        "broken:\n  type: journal_demo.datasets.JSONDataset\n  filepath: data/b.json\n"
    )
    assert 1 == project.kedro("run", "-r", "ThreadRunner").returncode

    nodes = project.state().runs[0].nodes
    assert "failed" == nodes["a"].status
    assert nodes["a"].error is not None
    assert "boom of a" == nodes["a"].error.message
    assert ("failed", "broken") == (nodes["b"].status, nodes["b"].dataset)
    assert nodes["b"].error is None or "boom of a" not in nodes["b"].error.message


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_plugin_that_fails_after_the_run_does_not_leave_it_completed(
    project: Project, level: int
) -> None:
    project.settings(
        "from kedro.framework.hooks import hook_impl\n"
        "class Bad:\n"
        "    @hook_impl(trylast=True)\n"
        "    def after_pipeline_run(self):\n"
        "        raise RuntimeError('a plugin')\n"
        "HOOKS = (Bad(),)\n"
        + ("from kedro_journal.session import KedroSession\n" if level else "")
        + ("SESSION_CLASS = KedroSession\n" if level else "")
        + "CONFIG_LOADER_ARGS = {'base_env': 'base', 'default_run_env': 'local'}\n"
    )
    assert 1 == project.kedro("run").returncode

    state = project.state()
    assert ("failed", "completed") == (state.verdict, state.runs[0].status)
    assert state.error is not None
    assert "a plugin" == state.error.message


@pytest.mark.kedro
@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--tags", "nope", "--params", "p=3"], "nope"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_command_that_fails_before_the_run_is_on_record(
    project: Project, arguments: list[str], word: str
) -> None:
    project.level_0()
    assert 0 != project.kedro("run", *arguments).returncode

    state = project.state()
    assert ("failed", "command") == (state.verdict, state.via)
    assert state.command is not None
    assert ("kedro", "run") == state.command.argv[:2]
    assert word in state.command.argv


@pytest.mark.kedro
def test_a_forked_child_does_not_write_its_end_into_its_parents_session(
    project: Project,
) -> None:
    done = project.python(
        "import os\n"
        "from kedro_journal.session import KedroSession\n"
        "with KedroSession.create('journal_demo') as session:\n"
        "    pid = os.fork()\n"
        "    if not pid:\n"
        "        try:\n"
        "            with session:\n"
        "                raise ValueError('of the child')\n"
        "        except ValueError:\n"
        "            session.close()\n"
        "            os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "    session.run(pipeline_names=['data_processing'])\n"
    )
    assert 0 == done.returncode, done.stderr
    state = project.state()
    assert ("completed", None) == (state.verdict, state.error)
    assert ["w1"] == list(state.writers)


@pytest.mark.kedro
def test_a_node_that_runs_another_session_is_bound_to_its_own_again(
    project: Project,
) -> None:
    pipeline(
        project,
        "def outer():\n"
        "    from kedro_journal.session import KedroSession, get_current_session\n"
        "    before = get_current_session().session_id\n"
        "    with KedroSession.create() as inner:\n"
        "        inner.run(node_names=['leaf'])\n"
        "    other = KedroSession.create(); other.__enter__()\n"
        "    after = get_current_session().session_id\n"
        "    other.__exit__(None, None, None)\n"
        "    assert before == after != inner.session_id, (before, after)\n"
        "    return 1\n"
        "def leaf(): return 2\n",
        "Node(outer, None, 'x', name='outer'), Node(leaf, None, 'y', name='leaf')",
    )
    done = project.kedro("run", "--nodes", "outer")
    assert 0 == done.returncode, done.stdout


@pytest.mark.kedro
def test_local_runs_put_no_secrets_on_the_users_nodes(project: Project) -> None:
    project.nodes(
        HEAD + "def f(): return str([n.__dict__ for n in PIPELINE.nodes])\n"
        "def check(text):\n"
        "    assert 'canarysecret' not in text\n"
        "PIPELINE = Pipeline([Node(f, None, 'a', name='f'),"
        " Node(check, 'a', None, name='check')])\n"
        "def make_pipelines():\n"
        "    return {'__default__': PIPELINE}\n"
    )
    done = project.kedro("run", env={"SERVICE_TOKEN": "canarysecret"})
    text = done.stdout + done.stderr
    assert 0 == done.returncode, text
