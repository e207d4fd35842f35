"""What ties hook objects to a session where the session class is not ours.

`PluginLink` stands for a session of Kedro's own class, seen through the plugin hooks
alone; `WorkerLink` for a session that runs in another process.
"""

from __future__ import annotations

import atexit
import sys
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_journal import active
from kedro_journal._clock import now
from kedro_journal.capture import compat
from kedro_journal.capture import fields as capture
from kedro_journal.capture.conf_source import absolute_source
from kedro_journal.events import (
    SessionActivated,
    SessionClosed,
    SessionDeactivated,
    SessionFailed,
)
from kedro_journal.journal import session_timestamp
from kedro_journal.recording import signals
from kedro_journal.recording.link import Shield
from kedro_journal.recording.log_records import Listener
from kedro_journal.recording.losses import report
from kedro_journal.recording.notes import join
from kedro_journal.recording.opening import (
    created_event,
    is_disabled,
    open_journal,
    open_worker,
    settings_of,
)
from kedro_journal.recording.ownership import Ownership
from kedro_journal.recording.progress import ActiveRun, RunBook
from kedro_journal.recording.recorder import Recorder

from .command import current_command
from .session_hooks import SessionHooks

if TYPE_CHECKING:
    from kedro_journal.state import SessionState

__all__ = ["PluginLink", "WorkerLink"]


class WorkerLink:
    """A session that another process owns, in a worker that runs its nodes.

    Args:
        folder: The session folder.
        project_path: Root of the project.
        secrets: What the owner registered.
        warned: It told the user already that the journal has trouble.
        losses: Where it hears of what could not be written.
    """

    def __init__(
        self,
        folder: Path,
        project_path: Path | None,
        secrets: list[str],
        *,
        warned: bool,
        losses: str,
    ) -> None:
        self.project_path = project_path
        self.journal_folder: Path | None = folder
        self.session_id = folder.name
        config = settings_of(project_path)
        recorder = join(folder, open_worker(folder, config, secrets, warned=warned))
        recorder.redactor.register(*secrets)
        self.recorder: Recorder | None = recorder
        Listener(config, self).listen()
        _at_exit(_close_worker, recorder, losses)

    @property
    def active(self) -> WorkerLink:
        """Itself: what the nodes find as their session."""
        return self

    @property
    def state(self) -> SessionState:
        """The session's state as of now."""
        return _state_of(self.recorder)

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """A worker begins no run."""
        del run_params
        return self.recorder

    def end(self, *, completed: bool) -> None:
        """Nor does it end one."""

    def failed_after(self, error: BaseException) -> None:
        """Nor does another plugin fail after one."""


class PluginLink:
    """A session of Kedro's own class, seen through hooks: nothing is set up for it.

    The journal begins with the first run. It is closed by the end of the command, or
    with the run if the session can have only one, or when no reference to the session
    is left, or at the end of the process.

    Args:
        context: Kedro's context of that session.
        hand_back: Registers the plugin's own hooks with a manager again.
    """

    def __init__(self, context: Any, hand_back: Callable[[Any], object]) -> None:
        self.project_path: Path | None = Path(str(context.project_path))
        self.recorder: Recorder | None = None
        self.journal_folder: Path | None = None
        self.session_id = ""
        self.hooks = SessionHooks(self)
        self._env = context.env
        self._package = compat.context_package_name(context) or compat.package_name()
        self._params = dict(compat.context_runtime_params(context))
        self._conf_source = absolute_source(compat.context_conf_source(context))
        self._listener: Listener | None = None
        self._depth = 0
        self._single_run = True
        self._by_command = False
        self._closed = False
        self._failed = False
        manager = compat.context_hook_manager(context)
        self._manager = weakref.ref(manager)
        self._hand_back = hand_back
        # These refer to the link, which must refer to nothing that reaches them.
        self._finalizers = [weakref.finalize(manager, _close_left, self)]
        session = compat.session_of(manager)
        if session is not None:
            # pluggy's manager waits for the garbage collector, a session does not.
            dropped = weakref.finalize(session, _session_dropped, self)
            dropped.atexit = False  # the manager's closes at the end of the process
            self._finalizers.append(dropped)
            compat.after_close(session, weakref.WeakMethod(self.session_closed))

    @property
    def active(self) -> PluginLink:
        """Itself: what the nodes find as their session."""
        return self

    @property
    def state(self) -> SessionState:
        """The session's state as of now."""
        return _state_of(self.recorder)

    @property
    def is_open(self) -> bool:
        """Whether it has an open journal, and this process may close it."""
        recorder = self.recorder
        if recorder is None or self._closed:
            return False
        return recorder.owned or (
            self.hooks.book.has_begun_here and recorder.go_on()  # a daemon
        )

    def books(self) -> list[RunBook]:
        """Return the book of the session's runs."""
        return [self.hooks.book]

    @property
    def waits_for_command(self) -> bool:
        """Whether the end of a command will close the session."""
        return self._by_command

    def taken_over(self) -> None:
        """Watch for signals: this process, a daemon, has become the owner."""
        signals.watch(self._on_signal)

    @property
    def is_running(self) -> bool:
        """Whether a run of this process has not ended."""
        return bool(self.hooks.book.active())

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """Open the journal at the first run; enter the session for every one."""
        if self._closed:
            return None
        if self.recorder is None:
            self._open(run_params)
        if self.recorder is not None:
            self.recorder.go_on()
            self._end_abandoned()
            if self._listener is not None:
                self._listener.listen()
            self._depth += 1
            active.enter(self)
        return self.recorder

    def _open(self, run_params: Mapping[str, Any]) -> None:
        project = self.project_path or Path.cwd()
        config = settings_of(project)
        if is_disabled(config):
            return
        run_id = str(run_params.get("run_id") or session_timestamp(now()))
        kedro_id = str(run_params.get("session_id") or run_id)
        self._single_run = "session_id" not in run_params or kedro_id == run_id
        self._by_command = current_command.link(self)
        current_command.add_folder(lambda: self.journal_folder)
        opened = open_journal(run_id, project, config)
        self.recorder = opened.recorder
        opened.recorder.ownership = Ownership(
            opened.recorder, opened.owner, self, prune=config.prune
        )
        self._listener = Listener(config, self)
        signals.watch(self._on_signal)
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
                recorder=opened.recorder,
                via="hooks",
                kedro_session_id=kedro_id if kedro_id != opened.session_id else None,
            ),
            SessionActivated(),
        )
        self._params = {}  # they are the user's

    def end(self, *, completed: bool) -> None:
        """A run ended: leave the session; close it if there can be no other run.

        In a command it stays until the command ends, for the hooks of others that come
        after ours.
        """
        self._failed = not completed
        if self._by_command:
            return
        active.leave(self)
        self._depth -= 1
        if completed and self._single_run:
            self.close("close")

    def failed_after(self, error: BaseException) -> None:
        """Another plugin failed when a run had ended well."""
        if self.recorder is not None and self.recorder.owned:
            info = capture.error_info(error, self.project_path)
            self.recorder.record(SessionFailed(error=info, phase="after the run"))

    def _end_abandoned(self) -> None:
        """A run of this thread that was interrupted is over when the next one begins.

        As in a notebook: no hook tells of a KeyboardInterrupt.
        """
        here = threading.get_ident()
        runs = [run for run in self.hooks.book.active() if run.thread == here]
        if not runs or compat.session_runs_here() > 1:
            return  # there is none, or this one is run by a node of it
        self.abandon(runs)
        for _ in runs:
            self.end(completed=False)

    def abandon(self, runs: list[ActiveRun]) -> None:
        """Interrupt runs that ended without a word, by what Python says of the end."""
        error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
        if isinstance(error, Exception):
            error = None  # of something else: hooks tell of those
        reason = "exit" if error is None else capture.error_type(error)
        self.hooks.interrupt(runs, reason, error)

    def left_by(
        self,
        error: BaseException | None,
        exit_code: int | None,
        *,
        reason: str = "command",
    ) -> None:
        """Return an interruption from a failure, then close: the command has ended."""
        if error is not None and self.hooks.book.active():
            if isinstance(error, Exception):
                for run in self.hooks.book.active():
                    self.hooks.fail(run, error)
            else:
                why = capture.error_type(error)
                self.hooks.interrupt(self.hooks.book.active(), why, error)
        elif error is not None and not self._failed and self.recorder is not None:
            self.failed_after(error)  # something else of the command
        self.close(reason, exit_code)

    def close(
        self, reason: str, exit_code: int | None = None, *, signal: int | None = None
    ) -> None:
        """Close the journal, once."""
        recorder = self.recorder
        if recorder is None or not self.is_open:
            return
        why = reason if signal is None else signals.name(signal)
        reason = self.hooks.how_closed(reason)
        runs = self.hooks.book.active()
        events = self.hooks.interrupted(runs, why, signal=signal)
        self._closed = True
        while self._depth > 0:
            active.leave(self)
            self._depth -= 1
        signals.unwatch(self._on_signal)
        if self._listener is not None:
            self._listener.stop()
        closed = SessionClosed(reason=reason, exit_code=exit_code)
        # At once: no worker that lives on may write in between.
        try:
            recorder.record(*events, SessionDeactivated(), closed)
        finally:
            # Also if a signal handler of the user's raised in the middle of it: closing
            # writes what was postponed, and the owner lock must not stay.
            recorder.close()
            if recorder.ownership is not None:
                recorder.ownership.release()
            self.hooks.release()
            for finalizer in self._finalizers:
                finalizer.detach()

    def session_closed(self, error: BaseException | None) -> None:
        """The `with` block of Kedro's session has ended, or its `close` was called.

        Args:
            error: What leaves the block.
        """
        with Shield(strict=False):
            if self._by_command:
                return
            if self.is_open:
                self.left_by(error, None, reason="close")
            if self._closed and (manager := self._manager()) is not None:
                # Kedro lets a failed session run once more: that has its own journal.
                manager.unregister(self.hooks)
                self._hand_back(manager)

    def _on_signal(self, number: int) -> bool:
        recorder = self.recorder
        if recorder is None or not self.is_open:
            return True
        if recorder.busy_here:
            recorder.after_append(lambda: _signalled_again(self._on_signal, number))
            return False
        self.close("signal", signal=number)
        return True


def _state_of(recorder: Recorder | None) -> SessionState:
    from kedro_journal.state import SessionState

    return SessionState() if recorder is None else recorder.state()


def _at_exit(call: Callable[..., None], *arguments: object) -> None:
    """Call at the end of this process; multiprocessing's own skip `atexit`."""
    from multiprocessing import parent_process, util

    if parent_process() is None:
        atexit.register(call, *arguments)
    else:
        util.Finalize(None, call, arguments, exitpriority=100)


def _close_worker(recorder: Recorder, losses: str) -> None:
    """The worker ends: what it holds is lost if it cannot be written now."""
    with Shield(strict=False):
        if recorder.is_used_here:  # else it holds what is its parent's to report
            recorder.tell_rest()
            recorder.flush()
            if recorder.missing:
                report(losses, recorder.missing, recorder.trouble)
            recorder.close()


def _signalled_again(watcher: Any, number: int) -> None:
    if signals.tell(watcher, number):
        signals.die(number)


def _session_dropped(link: PluginLink) -> None:
    """The last reference to Kedro's session is gone.

    The end of a command closes its sessions: only then is the exit code known.
    """
    if not link.waits_for_command:
        _close_left(link)


def _close_left(link: PluginLink) -> None:
    """No reference to the session is left, or the process ends."""
    with Shield(strict=False):
        if not link.is_open:
            return
        runs = [run for run in link.hooks.book.active() if not run.is_elsewhere]
        link.abandon(runs)
        link.close("exit")
