"""`KedroSession` as the document of Kedro 0.17 describes it, on a real project."""

from __future__ import annotations

import pytest

import kedro_journal

from .conftest import Project, check_complete

MY_DATA = """
my_data:
  type: pandas.CSVDataset
  filepath: data/01_raw/my_data.csv
"""


def run(project: Project, code: str, **env: str) -> str:
    done = project.python(code, env=env or None)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.kedro
class TestTheDocument:
    """The calls of the 0.17 document, word for word."""

    def test_create_with_the_package_name_and_run(self, project: Project) -> None:
        run(
            project,
            "if __name__ == '__main__':\n"
            "    from kedro_journal.session import KedroSession\n"
            "\n"
            "    with KedroSession.create('journal_demo') as session:\n"
            "        session.run()\n",
        )
        state = project.state()
        assert ("completed", "journal_demo") == (state.verdict, state.package_name)
        check_complete(project, state)

    def test_the_current_session_loads_a_context_and_its_data(
        self, project: Project
    ) -> None:
        catalog = project.path / "conf/base/catalog.yml"
        text = catalog.read_text()
        kept = text[: text.index("my_data:")] + text[text.index("raw_calendar:") :]
        catalog.write_text(kept + MY_DATA)
        (project.path / "data/01_raw/my_data.csv").write_text("k,v\na,1\nb,2\n")

        out = run(
            project,
            "from kedro_journal.session import KedroSession, get_current_session\n"
            "with KedroSession.create('journal_demo'):\n"
            "    session = get_current_session()\n"
            "    context = session.load_context()\n"
            "    print(context.catalog.load('my_data').head())\n"
            "    print(type(context).__name__)\n",
        )
        assert "0  a  1" in out
        assert "KedroContext" in out

    def test_the_optional_arguments(self, project: Project) -> None:
        out = run(
            project,
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.create(\n"
            "    'journal_demo',\n"
            f"    project_path={str(project.path)!r},\n"
            "    save_on_close=True,\n"
            "    env='staging',\n"
            "    extra_params={'evaluation': {'minimum_r2': 0.5}, 'new': 1},\n"
            ") as session:\n"
            "    context = session.load_context()\n"
            "    print(context.env, context.params['evaluation']['minimum_r2'])\n"
            "    print(context.catalog.load('params:new'))\n"
            "    print(session.store['extra_params'] == session.store['runtime_params'])\n"
            "    print('extra_params' in session.store, session.store['package_name'])\n",
        )
        assert "staging 0.5" in out
        assert "True journal_demo" in out
        state = project.state()
        assert "staging" == state.env
        assert {"evaluation": {"minimum_r2": 0.5}, "new": 1} == state.runtime_params
        assert 0.5 == state.parameters["evaluation"]["minimum_r2"]

    def test_save_on_close_false_leaves_nothing_on_disk(self, project: Project) -> None:
        out = run(
            project,
            "from kedro_journal.session import KedroSession\n"
            "with KedroSession.create('journal_demo', save_on_close=False) as session:\n"
            "    session.run()\n"
            "    run = session.state.runs[-1]\n"
            "    print(run.status, len(run.with_status('completed')))\n"
            "print(session.state.verdict)\n",
        )
        assert "completed 14" in out
        assert not project.sessions_path.exists()


@pytest.mark.kedro
def test_create_takes_both_generations_of_arguments(project: Project) -> None:
    out = run(
        project,
        "from pathlib import Path\n"
        "from kedro_journal.session import KedroSession\n"
        f"root = {str(project.path)!r}\n"
        "for args, kwargs in [\n"
        "    ((), {}), ((Path(root),), {}), ((root,), {}), (('journal_demo',), {}),\n"
        "    ((), {'package_name': 'journal_demo', 'project_path': root}),\n"
        "    ((root, True, 'staging'), {'runtime_params': {'a': 1}}),\n"
        "    (('journal_demo', root, True, 'staging', {'a': 1}), {}),\n"
        "]:\n"
        "    with KedroSession.create(*args, **kwargs) as s:\n"
        "        print('ok', s.store.get('env'), s.store.get('runtime_params'))\n"
        "for args, kwargs, error in [\n"
        "    ((root,), {'project_path': '/x'}, ValueError),\n"
        "    ((), {'extra_params': {'a': 1}, 'runtime_params': {'a': 2}}, ValueError),\n"
        "    (('no_such_package_x',), {}, ModuleNotFoundError),\n"
        "    ((), {'nonsense': 1}, TypeError),\n"
        "]:\n"
        "    try:\n"
        "        KedroSession.create(*args, **kwargs)\n"
        "    except error as e:\n"
        "        print('refused', e)\n",
    )
    assert 7 == out.count("ok ")
    assert 2 == out.count("ok staging {'a': 1}")
    assert 4 == out.count("refused")
    assert "No module named 'no_such_package_x'" in out


@pytest.mark.kedro
def test_activation_is_by_entering_and_nests(project: Project) -> None:
    out = run(
        project,
        "import threading\n"
        "from kedro_journal.session import KedroSession, get_current_session\n"
        "def now():\n"
        "    s = get_current_session(silent=True)\n"
        "    return s.session_id if s else None\n"
        "a = KedroSession.create('journal_demo'); b = KedroSession.create()\n"
        "assert now() is None\n"
        "try:\n"
        "    get_current_session()\n"
        "except RuntimeError as e:\n"
        "    assert str(e) == 'There is no active Kedro session.'\n"
        "with a as same:\n"
        "    assert same is a and get_current_session() is a\n"
        "    seen = []\n"
        "    t = threading.Thread(target=lambda: seen.append(get_current_session()))\n"
        "    t.start(); t.join(); assert seen == [a]\n"
        "    with b:\n"
        "        assert get_current_session() is b\n"
        "        with a:\n"
        "            assert get_current_session() is a\n"
        "        assert get_current_session() is b\n"
        "    assert get_current_session() is a\n"
        "    a.close()\n"
        "    assert now() is None\n"
        "    a.close()\n"
        "assert now() is None\n"
        "try:\n"
        "    with KedroSession.create() as c:\n"
        "        raise ValueError('body')\n"
        "except ValueError as e:\n"
        "    print('propagated', e)\n"
        "assert now() is None\n"
        "print(c.store['exception']['type'], c.store['exception']['value'])\n"
        "r = KedroSession(c.session_id)\n"
        "print(sorted(r.store['exception']), type(r.store['exception']['traceback']))\n",
    )
    assert "propagated body" in out
    assert "ValueError body" in out
    assert "['traceback', 'type', 'value'] <class 'list'>" in out
    newest = project.state()
    assert ("failed", "ValueError") == (newest.verdict, newest.error.type)  # type: ignore[union-attr]
    for state in project.states():
        assert "closed" == state.status
        assert () == state.anomalies


@pytest.mark.kedro
def test_a_retried_run_is_a_second_attempt(project: Project) -> None:
    run(
        project,
        "from pathlib import Path\n"
        "from kedro_journal.session import KedroSession\n"
        "raw = Path('data/01_raw/weather.csv'); away = raw.with_suffix('.away')\n"
        "raw.rename(away)\n"
        "with KedroSession.create('journal_demo') as session:\n"
        "    try:\n"
        "        session.run()\n"
        "    except Exception as e:\n"
        "        print(e)\n"
        "    away.rename(raw)\n"
        "    session.run()\n",
    )
    state = project.state()
    assert "completed" == state.verdict
    first, second = state.runs
    assert first.run_id == second.run_id
    assert [(1, "failed"), (2, "completed")] == [
        (r.attempt, r.status) for r in state.runs
    ]
    assert {"completed"} == {n.status for n in second.nodes.values()}
    assert () == state.anomalies


@pytest.mark.kedro
def test_200_sessions_from_16_threads_have_200_ids(project: Project) -> None:
    out = run(
        project,
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from kedro_journal.session import KedroSession\n"
        "from kedro_journal.capture.project import configure\n"
        "configure('journal_demo', None)\n"
        "def one(_):\n"
        "    s = KedroSession.create(); s.close(); return s.session_id\n"
        "with ThreadPoolExecutor(16) as pool:\n"
        "    ids = list(pool.map(one, range(200)))\n"
        "print(len(ids), len(set(ids)))\n",
    )
    assert "200 200" in out
    states = project.states()
    assert 200 == len(states)
    assert 200 == len({state.uid for state in states})
    assert {"closed"} == {state.status for state in states}


@pytest.mark.kedro
def test_importing_the_package_imports_no_kedro(project: Project) -> None:
    out = run(
        project,
        "import sys, kedro_journal\n"
        "print([n for n in sys.modules if n.partition('.')[0] in\n"
        "       ('kedro', 'filelock', 'rich', 'pluggy', 'click')])\n",
        # Which is the default, and makes it a program that has nothing imported yet.
        PYTHONHASHSEED="random",
    )
    assert "[]" == out.strip()
    assert kedro_journal.__version__


@pytest.mark.kedro
def test_a_script_that_exits_well_after_its_run_is_completed(project: Project) -> None:
    run(
        project,
        "import sys\n"
        "from kedro.runner import ThreadRunner\n"
        "from kedro_journal.session import KedroSession\n"
        "with KedroSession.create('journal_demo') as session:\n"
        "    session.run(runner=ThreadRunner())\n"
        "    sys.exit(0)\n",
    )
    state = project.state()
    assert ("completed", "closed") == (state.verdict, state.status)
    assert "ThreadRunner" == state.runs[0].runner


@pytest.mark.kedro
def test_a_session_that_nobody_holds_is_closed_also_after_a_failed_save(
    in_memory: Project,
) -> None:
    """A notebook drops it when the cell is run again: what broke must not hold it."""
    out = run(
        in_memory,
        "import gc, sys, weakref\n"
        "import kedro_journal\n"
        "from kedro.io import memory_dataset\n"
        "from kedro_journal.session import KedroSession\n"
        "copy = memory_dataset._copy_with_mode\n"
        "def no_room(data, *given, **more):\n"
        "    if isinstance(data, list): raise ValueError('no room')\n"
        "    return copy(data, *given, **more)\n"
        "memory_dataset._copy_with_mode = no_room\n"
        "def fail():\n"
        "    session = KedroSession.create('journal_demo')\n"
        "    try:\n"
        "        session.run()\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
        "    return weakref.ref(session)\n"
        "gone = fail()\n"
        "sys.last_exc = sys.last_value = None\n"
        "gc.collect()\n"
        "state = kedro_journal.replay('latest')\n"
        "print(gone() is None, state.status, state.verdict)\n",
    )
    assert out.split()[-4:] == ["DatasetError", "True", "closed", "failed"], out
