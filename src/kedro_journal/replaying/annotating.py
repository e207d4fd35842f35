"""Write notes and tags of sessions that were recorded already."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from kedro_journal._outside import let_through
from kedro_journal._version import __version__
from kedro_journal.config import Config
from kedro_journal.errors import JournalError, JournalUnwritable, UnsafeJournal
from kedro_journal.events import JournalHeader, NoteAdded, WriterOpened
from kedro_journal.journal import JournalDirectory, JournalWriter, OwnerLock
from kedro_journal.journal.liveness import (
    OWNER_LOCK_NAME,
    boot_id,
    host_name,
    start_ticks,
)
from kedro_journal.journal.port import REAL_OS
from kedro_journal.redaction import Redactor

from .later import NOTES_NAME, notes_folder

__all__ = ["TEXT_MAX_CHARS", "add_later"]

TEXT_MAX_CHARS: Final = 16_384
_TAG: Final = re.compile(r"\w[\w.:/+@=-]{0,63}")
_WAIT_S: Final = 10.0  # for another process that writes a note


def add_later(
    where: JournalDirectory,
    config: Config,
    session_id: str,
    uid: str,
    kind: Literal["note", "tag", "untag"],
    texts: Sequence[str],
) -> None:
    """Append notes or tags to the journal that the directory has for them.

    Secrets in a note are redacted. The records are on the disk when this returns.

    Args:
        where: The journal directory.
        config: The project's settings: further names of secrets.
        session_id, uid: The session.
        kind: What is written.
        texts: The notes, at most 16,384 characters each, or the names of tags: letters,
            digits and `_ . : / + @ = -`, at most 64 characters.

    Raises:
        JournalError: A text is empty or too long, a tag has no valid name or looks
            like a secret, or the journal cannot be written.
    """
    redactor = _redactor(config)
    safe = [redactor.text(text) for text in texts]
    for text, masked in zip(texts, safe, strict=True):
        _check(text, masked, kind)
    by = redactor.text(_user_name())
    fields = {"session_id": session_id, "uid": uid, "kind": kind, "by": by}
    events = [NoteAdded(text=text, fields=dict(fields)) for text in safe]
    try:
        where.ensure_own()
        folder = notes_folder(where)
        REAL_OS.ensure_folder(folder)
    except OSError as error:
        let_through(error, system=True)
        reason = error.strerror or str(error)
        raise JournalUnwritable(where.path, error.errno, reason) from error
    lock = OwnerLock(folder / OWNER_LOCK_NAME)
    try:
        lock.acquire(timeout_s=_WAIT_S)
    except JournalError as error:
        let_through(error)
        if isinstance(error, UnsafeJournal) or getattr(error, "errno", None):
            raise
        message = f"{folder}: another process writes a note for too long."
        raise JournalError(message) from error
    try:
        _append(folder, events, by, redactor)
    finally:
        lock.release()


def _check(text: str, masked: str, kind: str) -> None:
    if kind == "note":
        if not text.strip() or len(text) > TEXT_MAX_CHARS:
            message = f"a note has 1 to {TEXT_MAX_CHARS} characters, not {len(text)}."
            raise JournalError(message, exit_code=2)
        return
    if _TAG.fullmatch(text) is None:
        message = (
            f"{text[:80]!r} cannot be a tag: it has letters, digits and _.:/+@=-, at "
            "most 64 of them."
        )
        raise JournalError(message, exit_code=2)
    if masked != text:
        message = "this tag looks like a secret, and is not written."
        raise JournalError(message, exit_code=2)


def _redactor(config: Config) -> Redactor:
    """Return a redactor that knows the secrets of this environment."""
    redactor = Redactor(config.redact)
    redactor.register(
        *(
            value
            for name, value in os.environ.items()
            if redactor.hides(name, value) and not value.startswith(("/", "./", "~"))
        )
    )
    return redactor


def _user_name() -> str:
    try:
        return getpass.getuser()
    except Exception as error:  # a container's user need not have a name
        let_through(error)
        return ""


def _append(
    folder: Path, events: Sequence[NoteAdded], user: str, redactor: Redactor
) -> None:
    opened = WriterOpened(
        pid=os.getpid(),
        host=redactor.text(host_name()),
        boot_id=boot_id(),
        started_at_ticks=start_ticks(os.getpid()),
        user=user or None,
    )
    header = JournalHeader(
        session_id=NOTES_NAME,
        uid=str(uuid.uuid4()),
        salt=secrets.token_hex(16),
        package_version=__version__,
    )
    writer = JournalWriter(folder, opened, header=header, durability="sync")
    try:
        writer.append(*events)
    finally:
        writer.close()
