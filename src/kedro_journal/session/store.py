"""`session.store` with the keys of Kedro 0.17 and of Kedro 1.x."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro_journal.state import SessionState

__all__ = ["SessionStore", "given_of", "store_of"]


class SessionStore(dict[str, Any]):
    """A session's data by Kedro's keys.

    It compares and iterates as Kedro 1.x makes it; `extra_params` and `package_name`,
    which only Kedro 0.17 had, are answered as well when they are asked for.
    """

    def __init__(self, data: Mapping[str, Any], package_name: str | None) -> None:
        super().__init__(data)
        self._old = {"package_name": package_name}

    def __missing__(self, key: str) -> Any:
        found = self._alias(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key of either generation."""
        if dict.__contains__(self, key):
            return dict.__getitem__(self, key)
        found = self._alias(key)
        return default if found is None else found

    def __contains__(self, key: object) -> bool:
        return dict.__contains__(self, key) or self._alias(str(key)) is not None

    def _alias(self, key: str) -> Any:
        if key == "extra_params":
            return dict.get(self, "runtime_params")
        return self._old.get(key)


def given_of(state: SessionState, folder: Path | None) -> dict[str, Any]:
    """Return what the context of a restored session is made with, by Kedro's keys.

    Args:
        state: The session.
        folder: The session folder.

    Raises:
        NotRecorded: A runtime parameter, or the source of the configuration, is a
            secret or was not recorded exactly.
    """
    from kedro_journal.errors import NotRecorded
    from kedro_journal.recording.aside import recorded_value
    from kedro_journal.redaction.decoding import problems

    params = recorded_value(state.runtime_params, folder)
    asked = {"conf_source": recorded_value(state.conf_source, folder)}
    bad = [*problems(params, ""), *problems(asked)]
    if bad:
        advice = "A context can be made in a new session, with these given again."
        names = [name or "runtime_params" for name, _ in bad]
        raise NotRecorded(state.session_id, names, bad[0][1], advice)
    return {"runtime_params": params} if params else {}


def _without_inexact(values: Any) -> Any:
    """Leave out what is not recorded; a secret stays visible as one."""
    from kedro_journal.redaction.decoding import MASKED, Inexact, problems

    if not isinstance(values, dict):
        return {}
    found: dict[Any, Any] = {}
    for key, value in values.items():
        if isinstance(value, Inexact):
            if value.reason == MASKED:
                found[key] = value.shown
        elif isinstance(value, dict):
            found[key] = _without_inexact(value)
        elif next(problems(value), None) is None:
            found[key] = value
    return found


def store_of(state: SessionState, folder: Path | None) -> dict[str, Any]:
    """Project a replayed state onto Kedro's keys.

    Secrets stay redacted: the journal never had them. Runtime parameters that were not
    recorded exactly are left out.

    Args:
        state: The session.
        folder: The session folder, where its value files are.
    """
    from kedro_journal.recording.aside import recorded_value
    from kedro_journal.state.model import format_frames

    store: dict[str, Any] = {
        "project_path": Path(state.project_path),
        "session_id": state.session_id,
    }
    if state.command is not None:
        argv = state.command.argv
        store["cli"] = {
            "args": list(state.command.args),
            "params": dict(state.command.flags),
            "command_name": state.command.name,
            "command_path": " ".join(["kedro", *argv[1:]]),
        }
    if state.env:
        store["env"] = state.env
    if state.runtime_params:
        params = recorded_value(state.runtime_params, folder)
        store["runtime_params"] = _without_inexact(params)
    if state.user:
        store["username"] = state.user
    if state.git is not None:
        store["git"] = {"commit_sha": state.git.sha, "dirty": state.git.dirty}
    error = state.error
    last = state.last_run
    if error is None and last is not None and last.status != "completed":
        error = last.error
    if error is not None:
        store["exception"] = {
            "type": error.type,
            "value": error.message,
            "traceback": format_frames(error),
        }
    return store
