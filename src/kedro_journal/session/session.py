"""`KedroSession`: Kedro's own, with a journal, and with the calls of Kedro 0.17.

settings.py imports this for every command of a project, also while the journal is
switched off. So only Kedro and what every session needs is imported at the top. The
rest, such as replay and resume, is imported by the method that needs it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast, overload

from kedro.framework.session import KedroSession as _KedroSession
from kedro.utils import find_kedro_project

from kedro_journal import active
from kedro_journal._outside import let_through
from kedro_journal._switch import is_switched_off
from kedro_journal.capture import compat
from kedro_journal.capture.project import configure
from kedro_journal.recording.say import say, say_if_unknown

from .arguments import CreateArguments, create_arguments
from .binding import bind_hooks, named_arguments, signature_of
from .resume.resumable import RESUMES, Resumable

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from kedro_journal.state import SessionState, Trace

    from .lifecycle import Lifecycle

__all__ = ["KedroSession"]

_creating: ContextVar[_Creation | None] = ContextVar(
    "kedro_journal_creating", default=None
)
_restoring: ContextVar[Path | None] = ContextVar(
    "kedro_journal_restoring", default=None
)


class _Creation:
    """One call of `create()`, seen by the `__init__` that Kedro calls in it."""

    def __init__(self, given: CreateArguments) -> None:
        self.given = given
        self.lifecycle: Lifecycle | None = None


class KedroSession(Resumable):
    """Kedro's session, journaled: what happens in it is on disk when it happens.

    Use it as Kedro's own, by `create()` and as a context manager, or name it in
    settings.py as `SESSION_CLASS`. Made directly with the id of a session that has a
    journal, it restores that one by replay: its parameters, environment and store; it
    can `load_context()`, but not run.
    """

    def __init__(
        self,
        session_id: str,
        package_name: str | None = None,
        project_path: Path | str | None = None,
        save_on_close: bool = False,
        conf_source: str | None = None,
    ) -> None:
        """Make a session object. Call `create()` for a new session.

        Args:
            session_id: Id of the session; that of a journaled one restores it.
            package_name: The project's package.
            project_path: Root of the project; None for the one around the working
                directory.
            save_on_close: Whether Kedro's own session store is saved on closing.
            conf_source: Folder or archive of the configuration.
        """
        root = Path(
            project_path or find_kedro_project(Path.cwd()) or Path.cwd()
        ).resolve()
        self._lifecycle: Lifecycle | None = None
        self._restored: SessionState | None = None
        self._folder: Path | None = None
        self._depth = 0  # of `with` blocks, where there is no lifecycle to count them
        creating, folder = _creating.get(), _restoring.get()
        if creating is not None:
            _creating.set(None)
            lifecycle_class = _lifecycle_class()
            if lifecycle_class is not None:
                self._lifecycle = creating.lifecycle = lifecycle_class(
                    self, root, session_id, on_disk=creating.given.save_on_close
                )
                session_id = self._lifecycle.session_id
        else:
            folder = folder or _journaled(root, session_id)
            if folder is not None:
                from kedro_journal.replaying import replay_folder

                self._folder = folder
                self._restored = replay_folder(folder, salvage=True)
                session_id = self._restored.session_id
                conf_source = conf_source or self._restored.conf_source
                package_name = package_name or self._restored.package_name
        super().__init__(
            session_id=session_id,
            package_name=package_name,
            project_path=root,
            save_on_close=save_on_close,
            conf_source=conf_source,
        )
        if self._restored is not None:
            from .store import store_of

            self._store.update(store_of(self._restored, self._folder))
        if self._lifecycle is not None:
            bind_hooks(self._hook_manager, self._lifecycle.bound_hooks)

    @overload
    @classmethod
    def create(
        cls,
        package_name: str,
        project_path: Path | str | None = None,
        save_on_close: bool = True,
        env: str | None = None,
        extra_params: Mapping[str, Any] | None = None,
        *,
        runtime_params: Mapping[str, Any] | None = None,
        conf_source: str | None = None,
        labels: Mapping[str, str] | None = None,
        parent_session_id: str | None = None,
        group_id: str | None = None,
    ) -> Self: ...
    @overload
    @classmethod
    def create(
        cls,
        project_path: os.PathLike[str] | str | None = None,
        save_on_close: bool = True,
        env: str | None = None,
        runtime_params: Mapping[str, Any] | None = None,
        conf_source: str | None = None,
        *,
        package_name: str | None = None,
        extra_params: Mapping[str, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        parent_session_id: str | None = None,
        group_id: str | None = None,
    ) -> Self: ...
    @classmethod
    def create(cls, *args: Any, **kwargs: Any) -> Self:
        """Make a new session and begin its journal.

        Takes the arguments of Kedro 0.17 as well as those of Kedro 1.x. The first
        positional one is the project path if it is a path or an existing folder, else
        the name of the project's package, for which Kedro is then configured.

        Args:
            package_name: The project's package.
            project_path: Root of the project; None for the one around the working
                directory.
            save_on_close: False for a journal in memory: same events, nothing on disk.
            env: Configuration environment; None for KEDRO_ENV or Kedro's default.
            extra_params: Parameters that win over the configured ones.
            runtime_params: The same under its Kedro 1.x name.
            conf_source: Folder or archive of the configuration.
            labels: Free labels of the session.
            parent_session_id: Session that this one belongs under.
            group_id: Shared by the sessions that form one run, such as the
                tasks of an orchestrator. These three, if they are not given, come
                from KEDRO_JOURNAL_LABELS (name=value,name=value),
                KEDRO_JOURNAL_PARENT_SESSION_ID and KEDRO_JOURNAL_GROUP_ID.

        Raises:
            ModuleNotFoundError: There is no such package.
            ValueError: Two values for one thing, a package of another project, or a
                label, parent or group that cannot be one.
            TypeError: An argument that is none.
            JournalError: The journal cannot be begun (`strict` only).
        """
        given = create_arguments(args, kwargs)
        path = Path(given.project_path).resolve() if given.project_path else None
        configure(given.package_name, path)
        creation = _Creation(given)
        token = _creating.set(creation)
        try:
            session = super().create(
                project_path=path,
                save_on_close=given.save_on_close,
                env=given.env,
                runtime_params=given.runtime_params,
                conf_source=given.conf_source,
            )
        except BaseException as error:
            if creation.lifecycle is not None:
                with creation.lifecycle.lenient:
                    _record_created(creation.lifecycle, given, given.conf_source)
                creation.lifecycle.failed(error, "create")
                creation.lifecycle.close()
            raise
        finally:
            _creating.reset(token)
        if creation.lifecycle is not None:
            source = compat.session_conf_source(session)
            _record_created(creation.lifecycle, given, source)
        return cast("Self", session)

    @classmethod
    def _restore(cls, folder: Path, project_path: Path | str | None = None) -> Self:
        """Make the session object of a session folder by replay."""
        from kedro_journal.replaying import replay_folder

        state = replay_folder(folder, salvage=True)
        token = _restoring.set(folder)
        try:
            return cls(
                session_id=state.session_id or folder.name,
                project_path=project_path or state.project_path or None,
            )
        finally:
            _restoring.reset(token)

    @property
    def lifecycle(self) -> Lifecycle | None:
        """The session's journal as this package sees it; None without one."""
        return self._lifecycle

    @property
    def state(self) -> SessionState:
        """The session's state as of now, by replay of its journal."""
        if self._lifecycle is not None:
            return self._lifecycle.state()
        if self._folder is not None:
            from kedro_journal.replaying import replay_folder

            return replay_folder(self._folder, salvage=True)
        from kedro_journal.state import SessionState

        return SessionState(session_id=self.session_id)

    def trace(self, name: str) -> tuple[Trace, ...]:
        """Return where a value came from, such as `params:model.lr`; see `state.trace`.

        Raises:
            NothingToTrace: No such name is recorded.
        """
        return self.state.trace(name)

    @property
    def journal_folder(self) -> Path | None:
        """The session folder; None if there is no journal on disk."""
        if self._lifecycle is not None:
            return self._lifecycle.folder
        return self._folder

    @property
    def store(self) -> dict[str, Any]:
        """A copy of the session's data, by the keys of Kedro 0.17 and 1.x."""
        from .store import SessionStore

        package = self._package_name or compat.package_name()
        return SessionStore(dict(self._store), package)

    def note(self, text: object, /, **fields: object) -> None:
        """Put a note on the session's record, from anywhere.

        See `kedro_journal.note`, which finds the session itself. A restored session
        whose process lives takes notes too; a closed one does not, and says so.

        Args:
            text: The note.
            fields: Named values that go with it.

        Raises:
            JournalError: The note could not be written (`strict` only).
        """
        if self._lifecycle is not None:
            self._lifecycle.note(text, fields)
        elif self._folder is not None:
            from kedro_journal.recording.notes import note_in_folder

            note_in_folder(self._folder, text, fields)

    def load_context(self) -> KedroContext:
        """Make the project's context.

        Raises:
            NotRecorded: The session is a restored one, and a runtime parameter of it
                is a secret or was not recorded exactly.
            Exception: Whatever Kedro raises for an invalid configuration.
        """
        if self._restored is not None:
            from .store import given_of

            self._store.update(given_of(self._restored, self._folder))
            configure(self._package_name, self._project_path)
        try:
            return super().load_context()
        except Exception as error:
            if self._lifecycle is not None and not self._lifecycle.book.active():
                self._lifecycle.failed(error, "context")
            raise

    @signature_of(_KedroSession.run)
    def run(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Run the pipeline; see Kedro's `KedroSession.run` for the arguments."""
        lifecycle = self._lifecycle
        if self.resumes:
            given = named_arguments(_KedroSession.run, args, kwargs)
            kwargs, args = self.arguments(given), ()
        if self.has_nothing_left:
            return {}
        if self._restored is not None:
            message = (
                f"Session {self.session_id} was restored from its journal: it can be "
                "looked into, not run. Create a new session to run again."
            )
            raise compat.KedroSessionError(message)
        if lifecycle is None:
            return super().run(*args, **kwargs)
        if lifecycle.is_closed and lifecycle.recorder is not None:
            say(
                logging.WARNING,
                "session %s is closed: this run is not journaled.",
                self.session_id,
            )
        hooks = lifecycle.hooks
        begun = hooks.book.begun
        try:
            return super().run(*args, **kwargs)
        except BaseException as error:
            lifecycle.run_left(error, hooks, run_before=begun)
            raise

    def __enter__(self) -> Self:
        """Make it the current session."""
        if self._lifecycle is not None:
            self._lifecycle.enter()
        else:
            self._depth += 1
            active.enter(self)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb_: TracebackType | None,
    ) -> None:
        """Record what left the block, and close; an inner block only leaves."""
        if self._lifecycle is None:
            active.leave(self)
            self._depth -= 1
            if self._restored is not None or self._depth > 0:
                return
        elif exc_value is not None:
            self._lifecycle.failed(exc_value, "body")
        if self._lifecycle is None or self._lifecycle.leave():
            super().__exit__(exc_type, exc_value, tb_)

    def close(self) -> None:
        """Close the session and its journal; a second time does nothing."""
        if self._restored is not None:
            return
        try:
            super().close()
        finally:
            depth, self._depth = self._depth, 0
            for _ in range(depth):
                active.leave(self)
            if self._lifecycle is not None:
                self._lifecycle.close()
            self.let_go()


def _lifecycle_class() -> type[Lifecycle] | None:
    """Return what journals a session; None while the journal is switched off.

    Also None if a dependency of ours does not import: that is said once, and the run
    goes on without a journal.

    Raises:
        JournalError: It does not import (`strict` only).
    """
    if is_switched_off():
        say_if_unknown()
        return None
    try:
        from .lifecycle import Lifecycle
    except Exception as error:
        let_through(error)
        from kedro_journal.hooks.plugin import hooks

        hooks.give_up(error)
        return None
    return Lifecycle


def _record_created(
    lifecycle: Lifecycle, given: CreateArguments, conf_source: object
) -> None:
    from kedro_journal.capture.conf_source import absolute_source
    from kedro_journal.capture.identity import NO_IDENTITY
    from kedro_journal.recording.opening import created_event

    lifecycle.created(
        lambda: created_event(
            session_id=lifecycle.session_id,
            project_path=lifecycle.project_path or Path(),
            package=given.package_name or compat.package_name(),
            env=given.env or os.environ.get("KEDRO_ENV") or None,
            runtime_params=given.runtime_params or {},
            conf_source=absolute_source(conf_source),
            config=lifecycle.config,
            recorder=lifecycle.recorder,
            via="session",
            save_on_close=given.save_on_close,
            identity=given.identity or NO_IDENTITY,
        ),
        *([resumes] if (resumes := RESUMES.get()) is not None else []),
    )


def _journaled(root: Path, session_id: str) -> Path | None:
    """Return the folder of a session that has a journal, None if it has none."""
    from kedro_journal.errors import InvalidSessionId, JournalError
    from kedro_journal.replaying.locate import open_directory

    try:
        directory = open_directory(root)
        if directory.file(session_id).exists():
            return directory.folder(session_id)
    except InvalidSessionId:
        return None
    except JournalError as error:
        say(logging.WARNING, "%s", error)
        return None
    say(
        logging.WARNING,
        "there is no journal of session %r in %s: its store is empty "
        "and nothing is journaled. Use create() for a new session.",
        session_id,
        directory.path,
    )
    return None
