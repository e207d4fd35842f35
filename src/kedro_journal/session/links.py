"""What ties hook objects to a session where the session class is not ours.

`PluginLink` stands for a session of Kedro's own class, seen through the plugin hooks
alone; `WorkerLink` for a session that runs in another process.
"""

from __future__ import annotations

import logging
import os
import sys
import weakref
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_journal.config import Config
from kedro_journal.events import (
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
)
from kedro_journal.journal import OwnerLock, session_timestamp
from kedro_journal.journal.liveness import host_name
from kedro_journal.replay import active
from kedro_journal.state import SessionState

from . import capture, compat, signals
from .hooks import SessionHooks
from .opening import is_disabled, open_journal, open_worker, settings_of
from .recorder import Recorder

if TYPE_CHECKING:
    from .session import KedroSession

__all__ = ["PluginLink", "WorkerLink", "created_event", "current_command"]

_logger = logging.getLogger("kedro_journal")


class _Restorable:
    """A session that `get_current_session` gives by replay."""

    def __init__(self) -> None:
        self._restored: KedroSession | None = None

    def as_session(self, folder: Path | None) -> KedroSession | None:
        """Give the session as an object, restored once."""
        if self._restored is None and folder is not None:
            from .session import KedroSession

            self._restored = KedroSession._restore(folder)  # noqa: SLF001
        return self._restored


class WorkerLink(_Restorable):
    """A session that another process owns, in a worker that runs its nodes.

    Args:
        folder: The session folder.
        project_path: Root of the project.
        secrets: What the owner registered.
    """

    def __init__(
        self, folder: Path, project_path: Path | None, secrets: list[str]
    ) -> None:
        super().__init__()
        self.project_path = project_path
        self.journal_folder: Path | None = folder
        self.session_id = folder.name
        self.recorder: Recorder | None = open_worker(folder, project_path, secrets)

    @property
    def active(self) -> WorkerLink:
        """Itself: what the nodes find as their session."""
        return self

    @property
    def state(self) -> SessionState:
        """The session's state as of now."""
        recorder = self.recorder
        return recorder.state() if recorder else SessionState()

    @property
    def session(self) -> KedroSession | None:
        """The session as an object, restored by replay."""
        return self.as_session(self.journal_folder)

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """A worker begins no run."""
        del run_params
        return self.recorder

    def end(self, *, completed: bool) -> None:
        """Nor does it end one."""


class PluginLink(_Restorable):
    """A session of Kedro's own class, seen through hooks: nothing is set up for it.

    The journal begins with the first run. It is closed by the end of the command, or
    with the run if the session can have only one, or when nobody holds the session any
    more, or at the end of the process.

    Args:
        context: Kedro's context of that session.
    """

    def __init__(self, context: Any) -> None:
        super().__init__()
        self.project_path: Path | None = Path(str(context.project_path))
        self.recorder: Recorder | None = None
        self.journal_folder: Path | None = None
        self.session_id = ""
        self.hooks = SessionHooks(self)
        self._env = context.env
        self._package = compat.context_package_name(context) or compat.package_name()
        self._params = dict(compat.context_runtime_params(context))
        source = compat.conf_source(context)
        self._conf_source = str(source) if source else None
        self._owner: OwnerLock | None = None
        self._config: Config | None = None
        self._depth = 0
        self._single_run = True
        self._by_command = False
        self._closed = False
        manager = compat.context_hook_manager(context)
        self._finalizer = weakref.finalize(manager, _close_left, self)

    @property
    def active(self) -> PluginLink:
        """Itself: what the nodes find as their session."""
        return self

    @property
    def state(self) -> SessionState:
        """The session's state as of now."""
        recorder = self.recorder
        return recorder.state() if recorder else SessionState()

    @property
    def session(self) -> KedroSession | None:
        """The session as an object, restored by replay."""
        return self.as_session(self.journal_folder)

    @property
    def is_open(self) -> bool:
        """It has a journal that is not closed, and this process owns it."""
        recorder = self.recorder
        return recorder is not None and recorder.owned and not self._closed

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """Open the journal at the first run; enter the session for every one."""
        if self._closed:
            return None
        if self.recorder is None:
            self._open(run_params)
        if self.recorder is not None:
            self._depth += 1
            active.enter(self)
            signals.watch(self._on_signal)
        return self.recorder

    def _open(self, run_params: Mapping[str, Any]) -> None:
        project = self.project_path or Path.cwd()
        config = self._config = settings_of(project)
        if is_disabled(config):
            return
        run_id = str(run_params.get("run_id") or session_timestamp(datetime.now(UTC)))
        kedro_id = str(run_params.get("session_id") or run_id)
        self._single_run = "session_id" not in run_params or kedro_id == run_id
        self._by_command = current_command.link(self)
        opened = open_journal(run_id, project, config)
        self.recorder, self._owner = opened.recorder, opened.owner
        self.session_id = opened.session_id
        self.journal_folder = opened.recorder.folder
        self.recorder.record(
            created_event(
                session_id=opened.session_id,
                project_path=project,
                package=self._package,
                env=self._env,
                runtime_params=self._params,
                conf_source=self._conf_source,
                config=config,
                via="hooks",
                kedro_session_id=kedro_id if kedro_id != opened.session_id else None,
            ),
            SessionActivated(),
        )

    def end(self, *, completed: bool) -> None:
        """A run ended: leave the session; close it if there can be no other run."""
        active.leave(self)
        self._depth -= 1
        if not self._depth:
            signals.unwatch(self._on_signal)
        if completed and self._single_run and not self._by_command:
            self.close("close")

    def left_by(self, error: BaseException | None, exit_code: int | None) -> None:
        """The command ended: tell an interruption from a failure, then close."""
        if error is not None and self.hooks.book.active():
            if _is_abort(error):
                error = KeyboardInterrupt()
            reason = capture.error_type(error)
            if isinstance(error, Exception):
                for run in self.hooks.book.active():
                    self.hooks.fail(run, error)
            else:
                code = exit_code if isinstance(error, SystemExit) else None
                self.hooks.interrupt(reason, error, exit_code=code)
        self.close("command", exit_code)

    def close(self, reason: str, exit_code: int | None = None) -> None:
        """Close the journal, once."""
        recorder = self.recorder
        if self._closed or recorder is None or not recorder.owned:
            return
        self.hooks.interrupt(reason)
        self._closed = True
        while self._depth > 0:
            active.leave(self)
            self._depth -= 1
        signals.unwatch(self._on_signal)
        recorder.record(
            SessionDeactivated(), SessionClosed(reason=reason, exit_code=exit_code)
        )
        recorder.close()
        if self._owner is not None:
            self._owner.release()

    def _on_signal(self, number: int) -> bool:
        recorder = self.recorder
        if recorder is None or not self.is_open:
            return True
        if recorder.busy_here:
            recorder.after_append = lambda: _signalled_again(self._on_signal, number)
            return False
        self.hooks.interrupt("SIGTERM", signal=number)
        self.close("signal")
        return True


def _signalled_again(watcher: Any, number: int) -> None:
    if watcher(number):
        signals.die(number)


def _close_left(link: PluginLink) -> None:
    """Nobody holds the session any more, or the process ends."""
    if not link.is_open:
        return
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if link.hooks.book.active():
        reason = capture.error_type(error) if error is not None else "exit"
        link.hooks.interrupt(reason, error)
    link.close("exit")


def created_event(
    *,
    session_id: str,
    project_path: Path,
    package: str | None,
    env: str | None,
    runtime_params: Mapping[str, Any],
    conf_source: str | None,
    config: Config,
    via: str,
    save_on_close: bool = True,
    kedro_session_id: str | None = None,
    parent_session_id: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> SessionCreated:
    """Gather all that is known of a session when it comes to be."""
    return SessionCreated(
        session_id=session_id,
        project_path=str(project_path),
        package_name=package,
        env=env,
        runtime_params=dict(runtime_params),
        save_on_close=save_on_close,
        conf_source=conf_source,
        command=capture.command_line(),
        environment=capture.environment(config.environment),
        git=capture.git_state(project_path),
        user=capture.user_name(),
        host=host_name(),
        pid=os.getpid(),
        cwd=str(Path.cwd()),
        versions=capture.versions(package),
        via=via,
        kedro_session_id=kedro_session_id,
        parent_session_id=parent_session_id,
        labels=dict(labels or {}),
    )


class CurrentCommand:
    """The Kedro command that this process is, if it is one: `kedro run`."""

    def __init__(self) -> None:
        self.name = ""
        self.project_path: Path | None = None
        self.package: str | None = None
        self._links: list[PluginLink] = []
        self.journaled = False

    def begin(self, name: str, project_path: Path | None, package: str | None) -> None:
        """A command begins."""
        self.name, self.project_path, self.package = name, project_path, package
        self._links.clear()
        self.journaled = False

    def link(self, link: PluginLink) -> bool:
        """Let the end of the command close this session; False without a command."""
        self.journaled = True
        if self.name != "run":
            return False
        self._links.append(link)
        return True

    def end(self, exit_code: int, error: BaseException | None) -> None:
        """The command ended. A run that failed before it began is journaled here."""
        if self.name == "run" and exit_code and not self.journaled:
            self._record_failure(exit_code, error)
        for link in self._links:
            link.left_by(error, exit_code)
        self.name = ""
        self._links.clear()

    def _record_failure(self, exit_code: int, error: BaseException | None) -> None:
        project = self.project_path
        if project is None or error is None:
            return
        config = settings_of(project)
        if is_disabled(config):
            return
        opened = open_journal(session_timestamp(datetime.now(UTC)), project, config)
        opened.recorder.record(
            created_event(
                session_id=opened.session_id,
                project_path=project,
                package=self.package,
                env=os.environ.get("KEDRO_ENV"),
                runtime_params={},
                conf_source=None,
                config=config,
                via="command",
            ),
            SessionFailed(error=capture.error_info(error, project), phase="command"),
            SessionClosed(reason="command", exit_code=exit_code),
        )
        opened.recorder.close()
        if opened.owner is not None:
            opened.owner.release()


current_command = CurrentCommand()


def ending_error() -> BaseException | None:
    """Give what ended the command that is ending, None if it ended well.

    Kedro calls its command hooks while the exception is being handled; click has
    turned a KeyboardInterrupt into an Abort by then, and that into a SystemExit.
    """
    error = sys.exc_info()[1]
    seen: set[int] = set()
    found = error
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, KeyboardInterrupt):
            return error
        if not isinstance(error, SystemExit) and _is_cause(error):
            found = error
            break
        found = error
        error = error.__cause__ or error.__context__
    if isinstance(found, SystemExit) and not found.code:
        return None
    return found


def _is_abort(error: BaseException) -> bool:
    """Tell whether click made this SystemExit of a KeyboardInterrupt.

    From 8.5 on it drops the exception first. No other one that leaves an open run is
    turned into an exit by click itself; `sys.exit()` of a node is raised elsewhere.
    """
    traceback = error.__traceback__
    if not isinstance(error, SystemExit) or error.code != 1 or traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "")
    return str(module).partition(".")[0] == "click"


def _is_cause(error: BaseException) -> bool:
    """click's own Exit and Abort only carry what happened."""
    return type(error).__module__.partition(".")[0] != "click"
