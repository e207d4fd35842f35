"""Open a session's journal: claim its folder, own it, begin it."""

from __future__ import annotations

import logging
import os
import secrets
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from kedro_journal._clock import wall_ns
from kedro_journal._outside import let_through, suppress
from kedro_journal._switch import is_switched_off
from kedro_journal._version import __version__
from kedro_journal.capture import fields as capture
from kedro_journal.capture import place
from kedro_journal.capture.git import GitQuery
from kedro_journal.capture.identity import NO_IDENTITY, Identity, identity_in_force
from kedro_journal.capture.project import distribution_of, project_name
from kedro_journal.config import Config, load_config
from kedro_journal.errors import ConfigError, JournalError, JournalUnwritable
from kedro_journal.events import Event, JournalHeader, SessionCreated, Versions
from kedro_journal.journal import (
    JournalDirectory,
    JournalWriter,
    MemoryJournal,
    OwnerLock,
    choose_backend,
)
from kedro_journal.journal.liveness import OWNER_LOCK_NAME, host_name
from kedro_journal.redaction import Redactor
from kedro_journal.redaction.marks import marks_of

from .error_policy import ErrorPolicy
from .recorder import Recorder
from .say import say, say_if_unknown

__all__ = [
    "Opened",
    "created_event",
    "is_disabled",
    "make_redactor",
    "open_journal",
    "open_worker",
    "settings_of",
]

DISTRIBUTION: Final = "kedro-journal"
_told_open: Final[set[Path]] = set()
_T = TypeVar("_T")
_E = TypeVar("_E", bound=Event)


class Opened(NamedTuple):
    """A journal that was begun.

    Attributes:
        session_id: The id that was got; a taken one was moved to the next millisecond.
        recorder: The way in.
        owner: Held until the session is closed; None in memory.
        config: The settings in force.
    """

    session_id: str
    recorder: Recorder
    owner: OwnerLock | None
    config: Config


def settings_of(project_path: Path | None) -> Config:
    """Read the project's settings; a mistake in them is said, and stops no run."""

    if is_switched_off():  # no file is read
        say_if_unknown()
        return Config(disable=True)

    def tell(error: ConfigError) -> None:
        say(logging.WARNING, "%s The setting is left out.", error)

    return load_config(project_path, on_error=tell)


def is_disabled(config: Config) -> bool:
    """Return whether nothing is to be journaled, by our settings or by Kedro's."""
    from kedro_journal.capture import compat

    if config.disable:
        return True
    try:
        return compat.plugin_is_disabled(DISTRIBUTION)
    except Exception as error:  # settings that do not import are Kedro's to report
        let_through(error)
        return False


def make_redactor(config: Config) -> Redactor:
    """Make a session's redactor; it knows the secrets of this environment."""
    redactor = Redactor(config.redact)
    redactor.identities.tag = _name_tag
    redactor.register(
        *(
            value
            for name, value in os.environ.items()
            if redactor.hides(name, value) and not _is_place(name, value)
        )
    )
    return redactor


def _name_tag(name: str) -> str:
    # Imported here: most projects have no secret in a name.
    from kedro_journal.capture.user_key import name_tag

    return name_tag(name)


def _safe(event: _E, redactor: Redactor) -> _E:
    """Mask the names in an event that the writer itself encodes."""
    names = marks_of(type(event)).names
    given = {name: getattr(event, name) for name in names}
    masked = {
        name: redactor.identities.of(value)
        for name, value in given.items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(event, **masked)


def _is_place(name: str, value: str) -> bool:
    """Return whether a variable names a folder or file, as PWD and SECRETS_DIR do."""
    if name in ("PWD", "OLDPWD"):
        return True
    try:
        return value.startswith(("/", "./", "~")) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError) as error:
        let_through(error)
        return False


def _warn_if_open(directory: JournalDirectory) -> None:
    """Report once in a process what follows from the directory that the user chose."""
    with suppress(OSError):
        reason = directory.why_open()
        if reason and directory.path not in _told_open:
            _told_open.add(directory.path)
            text = (
                "the journal directory %s is used as configured although it is open "
                "to others (%s): they may replace or remove journals."
            )
            say(logging.WARNING, text, directory.path, reason)


def open_journal(
    wanted_id: str, project_path: Path, config: Config, *, on_disk: bool = True
) -> Opened:
    """Begin the journal of a new session.

    Args:
        wanted_id: The id to begin with.
        project_path: Root of the project.
        config: Its settings.
        on_disk: False for a journal in memory.

    Raises:
        JournalError: The journal cannot be begun (strict only). Otherwise that is
            said once and the session goes on without one.
    """
    redactor = make_redactor(config)
    header = JournalHeader(
        session_id=wanted_id,
        uid=_uuid7(),
        salt=secrets.token_hex(16),
        package_version=__version__,
    )
    opened = _safe(capture.writer_opened("owner"), redactor)
    if not on_disk:
        memory = MemoryJournal(header, opened)
        recorder = _recorder(memory, wanted_id, None, redactor, config)
        return Opened(wanted_id, recorder, None, config)
    owner: OwnerLock | None = None
    try:
        path = config.journal_directory(project_path)
        directory = JournalDirectory(
            path,
            chosen=config.is_directory_chosen,
            group_readable=config.group_readable,
        )
        backend = choose_backend(config.lock_backend)
        session_id, folder = directory.claim(wanted_id)
        _warn_if_open(directory)
        owner = OwnerLock(folder / OWNER_LOCK_NAME, backend)
        owner.acquire()
        writer = JournalWriter(
            folder,
            opened,
            header=_safe(
                msgspec.structs.replace(header, session_id=session_id), redactor
            ),
            durability=config.durability,
            deadline_s=config.lock_timeout_s,
            backend=backend,
        )
    except Exception as caught:
        let_through(caught)
        if owner is not None:
            owner.release()
        error = _as_ours(caught, project_path / config.directory)
        if config.strict:
            error.strict = True
            raise error from caught
        say(
            logging.WARNING,
            "session %s is not journaled: %s The run goes on.",
            wanted_id,
            error,
        )
        recorder = _recorder(None, wanted_id, None, redactor, config)
        return Opened(wanted_id, recorder, None, config)
    recorder = _recorder(writer, session_id, folder, redactor, config)
    return Opened(session_id, recorder, owner, config)


def _as_ours(error: Exception, directory: Path) -> JournalError:
    """Return the same of a broken installation as of a broken disk."""
    if isinstance(error, JournalError):
        return error
    return JournalUnwritable(directory, None, f"{type(error).__qualname__}: {error}")


def open_worker(
    folder: Path, config: Config, known: list[str], *, warned: bool
) -> Recorder:
    """Open the journal of a session that another process owns, to add to it.

    Args:
        folder: The session folder.
        config: The project's settings.
        known: Secrets that the owner registered, handed over in memory.
        warned: The owner told the user already that the journal has trouble.
    """
    redactor = make_redactor(config)
    redactor.register(*known)
    writer = JournalWriter(
        folder,
        _safe(capture.writer_opened("worker"), redactor),
        durability=config.durability,
        deadline_s=config.lock_timeout_s,
        backend=choose_backend(config.lock_backend),
    )
    return Recorder(
        writer,
        session_id=folder.name,
        folder=folder,
        redactor=redactor,
        strict=config.strict,
        errors=ErrorPolicy(config.error_text, config.error_examples),
        session=None,
        warned=warned,
    )


def created_event(
    *,
    session_id: str,
    project_path: Path,
    package: str | None,
    env: str | None,
    runtime_params: Mapping[str, Any],
    conf_source: str | None,
    config: Config,
    recorder: Recorder | None,
    via: str,
    save_on_close: bool = True,
    kedro_session_id: str | None = None,
    identity: Identity = NO_IDENTITY,
) -> SessionCreated:
    """Gather what is known of a session when it is created; git runs meanwhile."""
    with GitQuery(project_path) as git:
        redact = recorder.redactor.text if recorder else str
        group_id, parent_session_id, labels = identity_in_force(identity, redact)
        return SessionCreated(
            session_id=session_id,
            project_path=str(project_path),
            package_name=package,
            project_name=_found(lambda: project_name(project_path), None),
            distribution=_found(lambda: distribution_of(project_path, package), None),
            env=env,
            runtime_params=_found(lambda: dict(runtime_params), {}),
            save_on_close=save_on_close,
            conf_source=conf_source,
            command=_found(capture.command_line, None),
            environment=capture.environment(config.environment),
            user=capture.user_name(),
            host=host_name(),
            pid=os.getpid(),
            cwd=capture.working_directory(),
            versions=_found(
                lambda: capture.versions(package, config.packages), Versions()
            ),
            via=via,
            kedro_session_id=kedro_session_id,
            parent_session_id=parent_session_id,
            group_id=group_id,
            container=_found(place.container, None),
            notebook=_found(place.notebook, None),
            labels=_found(lambda: {str(k): str(v) for k, v in labels.items()}, {}),
            # Last: what stands above is gathered while git works.
            git=_found(
                lambda: git.state(diff_for=recorder if config.git_diff else None), None
            ),
        )


def _found(look: Callable[[], _T], otherwise: _T) -> _T:
    """Leave one field empty rather than lose the event for it."""
    try:
        return look()
    except Exception as error:
        let_through(error)
        say(logging.DEBUG, "a fact was left out", error=error)
        return otherwise


def _recorder(
    journal: JournalWriter | MemoryJournal | None,
    session_id: str,
    folder: Path | None,
    redactor: Redactor,
    config: Config,
) -> Recorder:
    return Recorder(
        journal,
        session_id=session_id,
        folder=folder,
        redactor=redactor,
        strict=config.strict,
        errors=ErrorPolicy(config.error_text, config.error_examples),
    )


def _uuid7() -> str:
    """Make a UUID version 7 (RFC 9562, section 5.7): 48 bits of time, 74 of chance."""
    value = (wall_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value & (2**128 - 1)))
