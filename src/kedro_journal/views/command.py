"""How a session was started, as text to start it again."""

from __future__ import annotations

import shlex
from typing import Any, Final

from kedro_journal.errors import NotRecorded
from kedro_journal.events import CommandLine, SessionResumed
from kedro_journal.redaction.decoding import MASKED, Fetch, Inexact, decode, problems
from kedro_journal.state import RunState, SessionState

__all__ = ["arguments_of", "command_text"]

_SHORT: Final = {"\\": r"\\", "'": r"\'", "\n": r"\n", "\t": r"\t", "\r": r"\r"}


def command_text(state: SessionState, fetch: Fetch | None = None) -> str:
    """Return the command line, or the Python call, that a session came from.

    What a secret is masked in stays so, as `[redacted]`; anything else is exact.

    Args:
        state: The session.
        fetch: Reads value files of the session; None if there are none to read.

    Raises:
        NotRecorded: An argument was not recorded exactly.
    """
    argv = arguments_of(state, fetch)
    if argv:
        return " ".join(map(_quoted, argv)) + "\n"
    return _call(state, fetch)


def arguments_of(state: SessionState, fetch: Fetch | None = None) -> list[str] | None:
    """Return the arguments of the command line; None for a Python call.

    It is a Python call, too, if a command of another program made the session.

    Args:
        state, fetch: As for `command_text`.

    Raises:
        NotRecorded: An argument was not recorded exactly.
    """
    command = state.command
    if command is None or is_of_another_program(command):
        return None
    recorded: Any = command.argv_exact or list(command.argv)
    return list(_exact(state, "argument", recorded, fetch))


def _quoted(argument: str) -> str:
    """Quote an argument for a shell so that what a terminal shows can be pasted.

    A control character is printed as its escape. Only within `$'...'` (POSIX.1-2024)
    does a shell read an escape as the character.
    """
    if argument.isprintable():
        return shlex.quote(argument)
    shown = (_in_dollar_quotes(char) for char in argument)
    return f"$'{''.join(shown)}'"


def _in_dollar_quotes(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if char.isprintable():
        return char
    # Python reads an argument's byte that is not UTF-8 as a low surrogate.
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\{byte:03o}" for byte in char.encode("utf-8", errors))


def is_of_another_program(command: CommandLine) -> bool:
    """Return whether a command is not Kedro's: then its options are not recorded."""
    ours = command.argv[:1] in (("kedro",), ("kedro-journal",))
    return bool(command.argv) and not (ours or command.flags or command.given)


def _exact(state: SessionState, what: str, recorded: Any, fetch: Fetch | None) -> Any:
    """Decode what was recorded; a secret becomes the word that stands for it."""
    value = _with_masks(decode(recorded, fetch))
    bad = list(problems(value))
    if bad:
        names = [f"{what} {name}".rstrip() for name, _ in bad]
        raise NotRecorded(
            state.session_id, names, bad[0][1], "`kedro-journal show` has the rest."
        )
    return value


def _with_masks(value: Any) -> Any:
    if isinstance(value, Inexact):
        return value.shown if value.reason == MASKED else value
    if isinstance(value, dict):
        return {key: _with_masks(item) for key, item in value.items()}
    return [_with_masks(item) for item in value] if type(value) is list else value


def _call(state: SessionState, fetch: Fetch | None) -> str:
    params = _exact(state, "runtime parameter", state.runtime_params, fetch)
    usual = state.conf_source == f"{state.project_path}/conf"
    created: dict[str, Any] = {
        "project_path": state.project_path or None,
        "env": state.env,
        "runtime_params": params or None,
        "conf_source": None if usual else state.conf_source,
    }
    if state.resumed is not None:
        return _resume_call(state, state.resumed, params)
    run = state.last_run
    asked: dict[str, Any] = {}
    if run is not None:
        asked = {
            "pipeline_names": list(run.pipelines) or None,
            **_exact(state, "filter", run.filters, fetch),
            "load_versions": dict(run.load_versions) or None,
        }
    lines = ["from kedro_journal.session import KedroSession"]
    if state.command is not None:
        lines.insert(0, f"# in {shlex.join(state.command.argv)}".splitlines()[0])
    if run is not None and (run.runner not in ("", "SequentialRunner") or run.is_async):
        module, _, name = run.runner.rpartition(".")
        lines.append(f"from {module or 'kedro.runner'} import {name}")
        made = ", ".join(_runner(state, run, fetch))
        shown = [*_arguments(asked), f"runner={name}({made})"]
    else:
        shown = _arguments(asked)
    lines += [
        "",
        f"with KedroSession.create({', '.join(_arguments(created))}) as session:",
        f"    session.run({', '.join(shown)})",
    ]
    return "\n".join(lines) + "\n"


def _resume_call(
    state: SessionState, resumed: SessionResumed, params: dict[str, Any]
) -> str:
    """Return the call of a session that goes on: what it ran itself is a part only."""
    asked = {
        "project_path": state.project_path or None,
        "run_id": resumed.parent_run_id,
        "env": state.env,
        "extra_params": params or None,
    }
    shown = ", ".join([repr(resumed.parent_session_id), *_arguments(asked)])
    return (
        "from kedro_journal.session import KedroSession\n\n"
        f"with KedroSession.resume({shown}) as session:\n"
        "    session.run()\n"
    )


def _runner(state: SessionState, run: RunState, fetch: Fetch | None) -> list[str]:
    """Return the arguments of a runner; `...` is in the place of an unknown one."""
    known = _exact(state, "runner argument", run.runner_arguments, fetch)
    shown = [f"{name}={value!r}" for name, value in known.items()]
    shown += [f"{name}=..." for name in run.runner_arguments_unknown]
    return [*shown, "is_async=True"] if run.is_async else shown


def _arguments(values: dict[str, Any]) -> list[str]:
    return [f"{name}={value!r}" for name, value in values.items() if value is not None]
