"""`KedroServiceSession`: many runs in one session, also concurrent ones, "
"each recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from kedro.framework.session.service_session import (
    KedroServiceSession as _KedroServiceSession,
)

from kedro_journal._clock import now
from kedro_journal.capture import compat
from kedro_journal.capture.conf_source import absolute_source
from kedro_journal.capture.identity import Identity, checked_identity
from kedro_journal.errors import InvalidSessionId
from kedro_journal.journal import check_session_id, session_timestamp
from kedro_journal.recording.opening import created_event
from kedro_journal.recording.say import say
from kedro_journal.state import SessionState, Trace

from .binding import bind_hooks, signature_of
from .lifecycle import Lifecycle

__all__ = ["KedroServiceSession"]


class KedroServiceSession(_KedroServiceSession):
    """Kedro's service session, journaled.

    Every run gets a hook manager of its own, so that whatever a dataset or a node does
    is on the record of the run that it belongs to, however many run at once.

    The journal's id is the session id that was given, or a timestamp; Kedro's own id,
    a UUID unless one was given, stands beside it as `kedro_session_id`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._run_manager: ContextVar[Any] = ContextVar("kedro_journal_run_manager")
        self._lifecycle: Lifecycle | None = None
        super().__init__(*args, **kwargs)

    @classmethod
    def create(
        cls,
        session_id: str | None = None,
        *args: Any,
        labels: Mapping[str, str] | None = None,
        parent_session_id: str | None = None,
        group_id: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a new session and begin its journal; other arguments as Kedro's.

        Args:
            session_id: Its id; None for a new one.
            labels: Free labels of the session.
            parent_session_id: Session that this one belongs under.
            group_id: Shared by the sessions that form one run. These three,
                if they are not given, come from the environment; see `KedroSession`.

        Raises:
            ValueError: A label, parent or group that cannot be one.
            JournalError: The journal cannot be begun (`strict` only).
        """
        identity = checked_identity(group_id, parent_session_id, labels)
        session = cast("Self", super().create(session_id, *args, **kwargs))
        session._begin(session_id, identity)  # noqa: SLF001 - our own, on a new session
        return session

    def _begin(self, given_id: str | None, identity: Identity) -> None:
        lifecycle = self._lifecycle = Lifecycle(
            self, self._project_path, _wanted_id(given_id), on_disk=True
        )
        bind_hooks(self._hook_manager, lifecycle.bound_hooks)
        other = self.session_id != lifecycle.session_id
        lifecycle.created(
            lambda: created_event(
                session_id=lifecycle.session_id,
                project_path=self._project_path,
                package=self._package_name,
                env=self.env,
                runtime_params={},
                conf_source=absolute_source(compat.session_conf_source(self)),
                config=lifecycle.config,
                recorder=lifecycle.recorder,
                via="session",
                kedro_session_id=self.session_id if other else None,
                identity=identity,
            )
        )

    @property
    def _hook_manager(self) -> Any:
        """The manager of the run that this thread is in, else the session's."""
        return self._run_manager.get(self._session_manager)

    @_hook_manager.setter
    def _hook_manager(self, manager: Any) -> None:
        self._session_manager = manager

    @property
    def journal_folder(self) -> Path | None:
        """The session folder; None if there is no journal on disk."""
        return self._lifecycle.folder if self._lifecycle else None

    @property
    def state(self) -> SessionState:
        """The session's state as of now, by replay of its journal."""
        if self._lifecycle is None:
            return SessionState(session_id=self.session_id)
        return self._lifecycle.state()

    def trace(self, name: str, *, run_id: str | None = None) -> tuple[Trace, ...]:
        """Return where a value came from, such as `params:model.lr`; see `state.trace`.

        Raises:
            NothingToTrace: No such name is recorded.
        """
        return self.state.trace(name, run_id=run_id)

    def note(self, text: object, /, **fields: object) -> None:
        """Put a note on the session's record, from anywhere.

        See `kedro_journal.note`, which finds the session itself.

        Args:
            text: The note.
            fields: Named values that go with it.

        Raises:
            JournalError: The note could not be written (`strict` only).
        """
        if self._lifecycle is not None:
            self._lifecycle.note(text, fields)

    @signature_of(_KedroServiceSession.run)
    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run the pipeline; see Kedro's `KedroServiceSession.run` for the arguments."""
        lifecycle = self._lifecycle
        if lifecycle is None or lifecycle.bound_hooks is None:
            return super().run(*args, **kwargs)
        if lifecycle.is_closed and lifecycle.recorder is not None:
            say(
                logging.WARNING,
                "session %s is closed: this run is not journaled.",
                self.session_id,
            )
        manager = compat.copy_hook_manager(self._session_manager, lifecycle.hooks)
        with lifecycle.hooks_for_run() as hooks:
            bind_hooks(manager, hooks)
            token = self._run_manager.set(manager)
            try:
                return super().run(*args, **kwargs)
            except BaseException as error:
                lifecycle.run_left(error, hooks, run_before=0)
                raise
            finally:
                self._run_manager.reset(token)

    def __enter__(self) -> Self:
        """Make it the current session."""
        if self._lifecycle is not None:
            self._lifecycle.enter()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb_: TracebackType | None,
    ) -> None:
        """Record what left the block, and close; an inner block only leaves."""
        if self._lifecycle is not None:
            if exc_value is not None:
                self._lifecycle.failed(exc_value, "body")
            if not self._lifecycle.leave():
                return
        super().__exit__(exc_type, exc_value, tb_)

    def close(self) -> None:
        """Close the session and its journal; a second time does nothing."""
        try:
            super().close()
        finally:
            if self._lifecycle is not None:
                self._lifecycle.close()


def _wanted_id(session_id: str | None) -> str:
    if isinstance(session_id, str):
        try:
            return check_session_id(session_id)
        except InvalidSessionId:
            pass  # Kedro takes anything; a folder does not
    return session_timestamp(now())
