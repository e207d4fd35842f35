"""What our two session classes share: a journal that lives as long as the session."""

from __future__ import annotations

import atexit
import contextlib
import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kedro_journal import active
from kedro_journal.active import Active
from kedro_journal.capture import fields as capture
from kedro_journal.config import Config
from kedro_journal.events import (
    Event,
    SessionActivated,
    SessionClosed,
    SessionCreated,
    SessionDeactivated,
    SessionFailed,
)
from kedro_journal.hooks.command import current_command
from kedro_journal.hooks.session_hooks import SessionHooks
from kedro_journal.recording import signals
from kedro_journal.recording.link import Shield
from kedro_journal.recording.log_records import Listener
from kedro_journal.recording.notes import add_note
from kedro_journal.recording.opening import is_disabled, open_journal, settings_of
from kedro_journal.recording.ownership import Ownership
from kedro_journal.recording.progress import RunBook
from kedro_journal.recording.recorder import Recorder
from kedro_journal.recording.say import say
from kedro_journal.state import SessionState

__all__ = ["Lifecycle"]

_SEEN_BY: Final = "_kedro_journal_seen_by"


class Lifecycle:
    """The journal of a session of ours, and the transitions of the session itself.

    Also the `Link` of its hooks.

    Args:
        session: The session; held weakly.
        project_path: Root of the project.
        wanted_id: The id to begin with.
        on_disk: False for a journal in memory.
    """

    def __init__(
        self,
        session: Any,
        project_path: Path,
        wanted_id: str,
        *,
        on_disk: bool,
    ) -> None:
        self.project_path: Path | None = project_path
        self.session_id = wanted_id
        self.config = Config(disable=True)  # until the settings were read
        self.recorder: Recorder | None = None
        self.book = RunBook()
        self.hooks = SessionHooks(self, self.book)
        self._run_hooks: list[SessionHooks] = [self.hooks]
        self._session = weakref.ref(session)
        self._depth = 0
        self._closed = False
        self._is_left_by_error = False
        self._waits = False  # the end of the command will record that it is closed
        self._finalizer: Any = None
        self.shield = Shield()
        self.lenient = Shield(strict=False)
        with self.shield:
            self._open(wanted_id, project_path, on_disk=on_disk)
        # The session may be dropped without being closed, or the process end.
        self._finalizer = weakref.finalize(session, _close_left, self)

    def _open(self, wanted_id: str, project_path: Path, *, on_disk: bool) -> None:
        self.config = settings_of(project_path)
        if not is_disabled(self.config):
            opened = open_journal(wanted_id, project_path, self.config, on_disk=on_disk)
            self.session_id = opened.session_id
            self.recorder = opened.recorder
            opened.recorder.ownership = Ownership(
                opened.recorder, opened.owner, self, prune=self.config.prune
            )
            signals.watch(self._on_signal)
        self._listener = Listener(self.config, self)
        if self.recorder is not None:
            self._listener.listen()

    @property
    def active(self) -> Active:
        """The session: what its nodes find as theirs."""
        session: Active | None = self._session()
        return session if session is not None else _Gone(self)

    @property
    def bound_hooks(self) -> SessionHooks | None:
        """The hooks to register; None if the journal is switched off."""
        return self.hooks if self.recorder is not None else None

    @property
    def folder(self) -> Path | None:
        """The session folder; None in memory or without a journal."""
        return self.recorder.folder if self.recorder else None

    @property
    def _is_ours(self) -> bool:
        """Whether this process may speak for the session; see `Ownership`."""
        return self.recorder is not None and self.recorder.owned

    def books(self) -> list[RunBook]:
        """Return the books of the session's runs."""
        return [hooks.book for hooks in self._run_hooks]

    def taken_over(self) -> None:
        """Watch for signals: this process, a daemon, has become the owner."""
        signals.watch(self._on_signal)

    @property
    def is_closed(self) -> bool:
        """Whether the journal was closed."""
        return self._closed

    def state(self) -> SessionState:
        """Return the session's state as of now."""
        if self.recorder is None:
            return SessionState(session_id=self.session_id)
        return self.recorder.state()

    def created(self, describe: Callable[[], SessionCreated], *more: Event) -> None:
        """The session was made; *describe* gathers what is known of it."""
        current_command.add_folder(lambda: self.folder)
        if self.recorder is not None:
            current_command.link(self)
            with self.shield:
                self.recorder.record(describe(), *more)

    def note(self, text: object, fields: Mapping[str, object]) -> None:
        """Record a note; report one that comes too late."""
        if self.recorder is None:
            return
        if self._closed:
            say(
                logging.WARNING,
                "session %s is closed: a note is left out.",
                self.session_id,
            )
            return
        add_note(self.recorder, active.where_in(self.session_id), text, fields)

    def begin(self, run_params: Mapping[str, Any]) -> Recorder | None:
        """A run begins."""
        del run_params
        if self._closed or self.recorder is None:
            return None
        self.recorder.go_on()
        self._listener.listen()
        return self.recorder

    def end(self, *, completed: bool) -> None:
        """A run ended; the session goes on."""

    def failed_after(self, error: BaseException) -> None:
        """Another plugin failed when a run had ended well."""
        if self._is_ours:
            self._failed(error, "after the run")

    @contextlib.contextmanager
    def hooks_for_run(self) -> Iterator[SessionHooks]:
        """Return hooks that belong to one run: nothing they see is another run's."""
        hooks = SessionHooks(self, RunBook(self.book))
        self._run_hooks.append(hooks)
        try:
            yield hooks
        finally:
            self._run_hooks.remove(hooks)

    def enter(self) -> None:
        """The session is entered; entering it again is counted."""
        session = self._session()
        if session is None:
            return
        self._depth += 1
        active.enter(session)
        if self.recorder is not None and not self._closed and self.recorder.go_on():
            with self.shield:
                self.recorder.record(SessionActivated(depth=self._depth))

    def leave(self) -> bool:
        """The session's block ends. Tells whether it was the outermost one."""
        if self._depth > 1:
            self._depth -= 1
            session = self._session()
            if session is not None:
                active.leave(session)
            if self.recorder is not None and not self._closed and self._is_ours:
                with self._shield_here():
                    self.recorder.record(SessionDeactivated(depth=self._depth))
            return False
        return True

    def run_left(
        self, error: BaseException, hooks: SessionHooks, *, run_before: int
    ) -> None:
        """An exception leaves `run()`: the run is interrupted, or never began.

        Args:
            error: The exception.
            hooks: The hooks of that run.
            run_before: How many runs of theirs had begun before this call.
        """
        if self.recorder is None or self._closed:
            return
        with self.lenient:
            if hooks.book.active():
                _end_runs(hooks, error)
            elif self._is_ours and hooks.book.begun == run_before:
                self._failed(error, "run")

    def failed(self, error: BaseException, phase: str) -> None:
        """An exception leaves the session's block, or its creation."""
        if self.recorder is None or self._closed or not self._is_ours:
            return
        nothing_left = not any(hooks.book.active() for hooks in self._run_hooks)
        if isinstance(error, SystemExit) and not error.code and nothing_left:
            return  # sys.exit() at the end of a script: it ended well
        with self.lenient:
            for hooks in list(self._run_hooks):
                _end_runs(hooks, error)
        with self.lenient:
            self._failed(error, phase)
        self._is_left_by_error = True

    def _shield_here(self) -> Shield:
        """Where an exception of the user's is on its way, none of ours replaces it."""
        return self.lenient if self._is_left_by_error else self.shield

    def _failed(self, error: BaseException, phase: str) -> None:
        if self.recorder is None or not _is_first_seen(error, self.session_id):
            return  # the same exception, further out
        info = capture.error_info(error, self.project_path)
        self.recorder.record(SessionFailed(error=info, phase=phase))

    @property
    def is_running(self) -> bool:
        """Whether a run of this process has not ended."""
        return any(book.active() for book in self.books())

    def left_by(self, error: BaseException | None, exit_code: int | None) -> None:
        """The command ended: record what ended it, if that is new, and its code."""
        with self.lenient:
            if error is not None and not self._closed:
                self.failed(error, "command")
            elif error is not None and self._waits and not self._is_left_by_error:
                ran = any(hooks.book.begun for hooks in self._run_hooks)
                self._failed(error, "after the run" if ran else "command")
            self.close("command", exit_code=exit_code)

    def close(
        self,
        reason: str = "close",
        *,
        signal: int | None = None,
        exit_code: int | None = None,
    ) -> None:
        """Close the journal and deactivate the session; a second time does nothing.

        In a command only the end of the command, which knows the exit code, records
        that the session is closed. Until then nothing of the user's is held.
        """
        session = self._session()
        entered, self._depth = self._depth, 0
        for _ in range(entered):
            if session is not None:
                active.leave(session)
        if self._waits and reason == "close":
            return
        done, self._waits = self._closed and not self._waits, False
        if done or self.recorder is None or not self._may_close(self.recorder):
            signals.unwatch(self._on_signal)
            return
        self._waits = reason == "close" and current_command.will_end(self)
        if not self._waits:
            signals.unwatch(self._on_signal)
        self._closed = True
        shield = self._shield_here()
        self._listener.stop()
        try:
            with shield:
                self._record_end(reason, signal, exit_code, entered=entered > 0)
        finally:
            for hooks in self._run_hooks:
                hooks.release()
            if self._finalizer is not None:
                self._finalizer.detach()  # it refers to this object
            if self._waits:
                atexit.register(self._close_at_exit)
            else:
                self._let_go()

    def _let_go(self) -> None:
        atexit.unregister(self._close_at_exit)
        with self.lenient:
            if self.recorder is not None:
                self.recorder.close()
                if self.recorder.ownership is not None:
                    self.recorder.ownership.release()

    def _close_at_exit(self) -> None:
        """The process ends, and its command did not say so."""
        with self.lenient:
            self.close("exit")

    def _may_close(self, recorder: Recorder) -> bool:
        """Return True if this process is the owner, or a daemon that ran something."""
        if recorder.owned:
            return True
        began = any(book.has_begun_here for book in self.books())
        return began and recorder.go_on()

    def _record_end(
        self, reason: str, signal: int | None, exit_code: int | None, *, entered: bool
    ) -> None:
        """At once: no worker that lives on may write in between."""
        if self.recorder is None:
            return
        why = reason if signal is None else signals.name(signal)
        events: list[Event] = []
        reason = self.hooks.how_closed(reason)
        for hooks in list(self._run_hooks):
            events += hooks.interrupted(hooks.book.active(), why, signal=signal)
        if not self._is_left_by_error:
            events += self.hooks.failed_alone()
        if entered:
            events.append(SessionDeactivated())
        if not self._waits:
            events.append(SessionClosed(reason=reason, exit_code=exit_code))
        if events:
            self.recorder.record(*events)

    def _on_signal(self, number: int) -> bool:
        recorder = self.recorder
        if recorder is None or (self._closed and not self._waits):
            return True
        if recorder.busy_here:
            recorder.after_append(lambda: self._signalled_again(number))
            return False
        self.close("signal", signal=number)
        return True

    def _signalled_again(self, number: int) -> None:
        if signals.tell(self._on_signal, number):
            signals.die(number)


def _is_first_seen(error: BaseException, session_id: str) -> bool:
    """Return whether an exception is new to a session, and remember that on it.

    The memory is with the exception. A reference to it would keep its frames, and all
    data in them. An `id` would be that of another exception later.
    """
    seen = error.__dict__.get(_SEEN_BY, ())
    error.__dict__[_SEEN_BY] = (*seen, session_id)
    return session_id not in seen


def _end_runs(hooks: SessionHooks, error: BaseException) -> None:
    if isinstance(error, Exception):
        for run in hooks.book.active():
            hooks.fail(run, error)
        return
    hooks.interrupt(hooks.book.active(), capture.error_type(error), error)


class _Gone:
    """Stands for a session object that was dropped while its run went on."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.session_id = lifecycle.session_id
        self.journal_folder = lifecycle.folder
        self._lifecycle = lifecycle

    @property
    def state(self) -> SessionState:
        """The session's state as of now."""
        return self._lifecycle.state()


def _close_left(lifecycle: Lifecycle) -> None:
    """The session object was dropped without being closed, or the process ends."""
    with lifecycle.lenient:
        lifecycle.close("exit")
