"""How a session was started, as text to start it again."""

from __future__ import annotations

import shlex
from typing import Any

from kedro_journal.events import SessionResumed
from kedro_journal.state import RunState, SessionState

__all__ = ["command_text"]


def command_text(state: SessionState) -> str:
    """Give the command line, or the Python call, that a session came from.

    Secrets are not in it: the journal never had them.
    """
    command = state.command
    if command is not None and command.argv:
        return shlex.join(command.argv) + "\n"
    return _call(state)


def _call(state: SessionState) -> str:
    usual = state.conf_source == f"{state.project_path}/conf"
    created: dict[str, Any] = {
        "project_path": state.project_path or None,
        "env": state.env,
        "runtime_params": state.runtime_params or None,
        "conf_source": None if usual else state.conf_source,
    }
    if state.resumed is not None:
        return _resume_call(state, state.resumed)
    run = state.last_run
    asked: dict[str, Any] = {}
    if run is not None:
        asked = {
            "pipeline_names": list(run.pipelines) or None,
            **run.filters,
            "load_versions": dict(run.load_versions) or None,
        }
    lines = ["from kedro_journal.session import KedroSession"]
    if run is not None and (run.runner not in ("", "SequentialRunner") or run.is_async):
        module, _, name = run.runner.rpartition(".")
        lines.append(f"from {module or 'kedro.runner'} import {name}")
        shown = [*_arguments(asked), f"runner={name}({', '.join(_runner(run))})"]
    else:
        shown = _arguments(asked)
    lines += [
        "",
        f"with KedroSession.create({', '.join(_arguments(created))}) as session:",
        f"    session.run({', '.join(shown)})",
    ]
    return "\n".join(lines) + "\n"


def _resume_call(state: SessionState, resumed: SessionResumed) -> str:
    """Give the call of a session that goes on: what it ran itself is a part only."""
    asked = {
        "project_path": state.project_path or None,
        "run_id": resumed.parent_run_id,
        "env": state.env,
        "extra_params": state.runtime_params or None,
    }
    shown = ", ".join([repr(resumed.parent_session_id), *_arguments(asked)])
    return (
        "from kedro_journal.session import KedroSession\n\n"
        f"with KedroSession.resume({shown}) as session:\n"
        "    session.run()\n"
    )


def _runner(run: RunState) -> list[str]:
    """Return the arguments of a runner; `...` is in the place of an unknown one."""
    shown = [f"{name}={value!r}" for name, value in run.runner_arguments.items()]
    shown += [f"{name}=..." for name in run.runner_arguments_unknown]
    return [*shown, "is_async=True"] if run.is_async else shown


def _arguments(values: dict[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in values.items() if value is not None]
