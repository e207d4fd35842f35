"""`session.store` with the keys of Kedro 0.17 and of Kedro 1.x."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kedro_journal.state import SessionState
from kedro_journal.state.model import format_frames

__all__ = ["SessionStore", "store_of"]


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
        """Give the value of a key of either generation."""
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


def store_of(state: SessionState) -> dict[str, Any]:
    """Project a replayed state onto Kedro's keys.

    Secrets stay redacted: the journal never had them.
    """
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
        store["runtime_params"] = state.runtime_params
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
