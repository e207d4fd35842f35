"""Sessions in IPython and Jupyter, as `%load_ext kedro.ipython` makes them."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest

from kedro_journal.state import SessionState

from .conftest import TIMEOUT_S, Project

KEDRO = tuple(int(part) for part in version("kedro").split(".")[:2])
SHELL = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
def cell(text):
    result = shell.run_cell(text)
    return result.result
cell("%load_ext kedro.ipython")
"""


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_run_in_ipython_is_journaled(in_memory: Project, level: int) -> None:
    if level == 0:
        in_memory.level_0()
    done = in_memory.python(
        f"{SHELL}\n"
        "cell('session.run()')\n"
        "kind = cell('type(session).__module__')\n"
        "cell('import kedro_journal; state = kedro_journal.replay()')\n"
        "html = cell('state._repr_html_()')\n"
        "print('found:', json.dumps([kind, html]))\n"
    )

    assert 0 == done.returncode, done.stderr
    kind, html = _found(done.stdout)
    heeds = level == 1 and KEDRO >= (1, 3)  # SESSION_CLASS; before that, hooks do it
    assert ("kedro_journal.session.session" if heeds else "kedro.framework") in kind
    (state,) = in_memory.states()
    assert ("completed", "closed") == (state.verdict, state.status)
    assert "ipython" == state.notebook
    assert {"load", "left", "right", "join"} == set(state.runs[0].nodes)
    assert state.session_id in html
    assert in_memory.verification().ok


@pytest.mark.kedro
@pytest.mark.skipif(KEDRO < (1, 3), reason="Kedro does not heed SESSION_CLASS")
def test_reloading_makes_another_session_with_what_was_given(
    in_memory: Project,
) -> None:
    done = in_memory.python(
        f"{SHELL}\n"
        "first = cell('session.session_id')\n"
        "cell('session.note(\"by hand\", cell=3)')\n"
        "cell('session.run()')\n"
        "cell('%reload_kedro --env staging --params title=other')\n"
        "second = cell('session.session_id')\n"
        "cell('session.run(tags=None)')\n"
        "cell('1 / 0')\n"
        "print('found:', json.dumps([first, second]))\n"
    )

    assert 0 == done.returncode, done.stderr
    assert _found(done.stdout) == in_memory.ids()
    second, first = in_memory.states()
    for state in (first, second):
        assert ("completed", "closed", "ipython") == (
            state.verdict,
            state.status,
            state.notebook,
        )
    assert [("by hand", {"cell": 3})] == [(n.text, n.fields) for n in first.notes]
    assert ("staging", {"title": "other"}) == (second.env, second.runtime_params)


@pytest.mark.kedro
@pytest.mark.skipif(KEDRO < (1, 4), reason="Kedro has no service session")
def test_a_service_session_runs_as_often_as_one_likes(in_memory: Project) -> None:
    in_memory.settings(
        "from kedro_journal.session import KedroServiceSession as SESSION_CLASS\n"
    )
    done = in_memory.python(
        f"{SHELL}\n"
        "cell('session.run(run_id=\"a\")')\n"
        "cell('session.run(run_id=\"b\")')\n"
    )

    assert 0 == done.returncode, done.stderr
    (state,) = in_memory.states()
    assert ["a", "b"] == [run.run_id for run in state.runs]
    assert ("completed", "closed", "ipython") == (
        state.verdict,
        state.status,
        state.notebook,
    )


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_failing_run_leaves_its_error_on_record_while_the_shell_goes_on(
    in_memory: Project, level: int
) -> None:
    if level == 0:
        in_memory.level_0()
    probe = in_memory.path / "src" / in_memory.package / "probe.py"
    probe.write_text(probe.read_text().replace("len(rows)", "rows.nothing()"))
    done = in_memory.python(
        f"{SHELL}\n"
        "cell('session.run()')\n"
        "cell('import kedro_journal; s = kedro_journal.replay()')\n"
        "print('found:', json.dumps([cell('s.runs[-1].status'),"
        " cell('s.runs[-1].nodes[\"left\"].traceback'), cell('s._repr_html_()')]))\n"
    )

    assert 0 == done.returncode, done.stderr
    status, traceback, html = _found(done.stdout)
    assert "failed" == status
    assert "AttributeError" in traceback
    assert "AttributeError" in html
    assert "failed" == in_memory.state().verdict


def _found(stdout: str) -> list[str]:
    (line,) = [one for one in stdout.splitlines() if one.startswith("found:")]
    found: list[str] = json.loads(line.removeprefix("found:"))
    return found


@pytest.mark.kedro
@pytest.mark.parametrize("level", [0, 1])
def test_a_run_in_a_jupyter_kernel_is_journaled(
    in_memory: Project, level: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ipykernel")
    manager_module = pytest.importorskip("jupyter_client.manager")
    if level == 0:
        in_memory.level_0()
    monkeypatch.chdir(in_memory.path)
    manager, client = manager_module.start_new_kernel(
        startup_timeout=TIMEOUT_S, env=in_memory.environment()
    )
    shown: list[dict[str, str]] = []

    def keep(message: dict[str, dict[str, dict[str, str]]]) -> None:
        if message["msg_type"] == "execute_result":  # type: ignore[comparison-overlap]
            shown.append(message["content"]["data"])

    try:
        for cell in (
            "%load_ext kedro.ipython",
            "session.run();",
            "import kedro_journal\nkedro_journal.replay()",
            "kedro_journal.sessions()",
        ):
            reply = client.execute_interactive(
                cell, timeout=TIMEOUT_S, output_hook=keep
            )
            assert "ok" == reply["content"]["status"], reply
    finally:
        client.stop_channels()
        manager.shutdown_kernel()

    state = _closed(in_memory)
    assert ("completed", "jupyter") == (state.verdict, state.notebook)
    one, every = shown
    assert state.session_id in one["text/html"]
    assert state.session_id in every["text/html"]
    assert Path(in_memory.sessions_path).name in every["text/plain"]


def _closed(project: Project) -> SessionState:
    """Give the only session; the kernel's end closed it."""
    (state,) = project.states()
    assert "closed" == state.status
    return state
