"""Notes: what users and their code want to be recorded, from anywhere in a run.

Imported with the package itself, so that a node can call `kedro_journal.note`: whatever
else is needed is imported when the first note is made.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kedro_journal._outside import let_through
from kedro_journal._switch import is_switched_off
from kedro_journal.active import (
    Active,
    Where,
    innermost,
    of_folder,
    where_in,
)

if TYPE_CHECKING:
    from kedro_journal.redaction import Redactor

    from .link import Shield
    from .recorder import Recorder

__all__ = [
    "add_note",
    "in_session",
    "join",
    "joined_recorder",
    "note",
    "note_in_folder",
    "recorder_of",
]

TEXT_MAX_CHARS: Final = 4096
FIELDS_MAX: Final = 50
FIELDS_MAX_BYTES: Final = 16 * 1024
VALUE_MAX_BYTES: Final = 4 * 1024
NAME_MAX_CHARS: Final = 200
_LOOKAHEAD_CHARS: Final = 8 * 1024  # a secret that begins before a cut is known as one
_CUT_CHARS: Final = 1000
_HEAD_RECORDS: Final = 50

_joined: Final[dict[tuple[int, Path], Recorder]] = {}


def note(text: object, /, **fields: object) -> None:
    """Put a note on the record of the current session.

    Callable from a node, a hook or a dataset, with every runner, in worker processes
    and in processes that a node starts. The session is the one that
    `get_current_session()` gives; run, attempt and node are those that the calling
    thread or task works for, where that is known for sure, and otherwise left empty.

    Text and values are redacted and bounded: a text of 4096 characters, 50 values of
    4 KiB each, 16 KiB together; what is more is cut, and says so. Nothing is raised
    into a run: where the journal is switched off, or cannot be written, nothing
    happens.

    Args:
        text: The note; anything else than a text is written as `str()` gives it.
        fields: Named values that go with it.

    Raises:
        RuntimeError: "There is no active Kedro session.": neither here nor in a
            process that this one descends from, and this is no node's code.
        JournalError: The note could not be written (`strict` only).
    """
    session = innermost()
    if session is not None:
        recorder = recorder_of(session)
        if recorder is not None:
            add_note(recorder, where_in(recorder.session_id), text, fields)
        return
    recorder = joined_recorder() or _inherited()
    if recorder is not None:
        add_note(recorder, where_in(recorder.session_id), text, fields)
    elif not _is_left_alone():
        from kedro_journal.replaying.api import NO_SESSION

        raise RuntimeError(NO_SESSION)


def recorder_of(session: Active) -> Recorder | None:
    """Return the recorder of a session; None if it has none, or none any more."""
    # Our session classes keep it in their lifecycle; what stands for others is a link.
    link = getattr(session, "_lifecycle", None) or session
    recorder: Recorder | None = getattr(link, "recorder", None)
    return None if recorder is None or recorder.closed else recorder


def add_note(
    recorder: Recorder,
    where: Where,
    text: object,
    fields: Mapping[str, object],
    *,
    level: str = "",
    logger: str = "",
    error: BaseException | None = None,
) -> None:
    """Record a note, redacted and bounded. Raises nothing unless `strict`.

    Args:
        recorder: The way into the session's journal.
        where: What the calling code works for.
        text, fields: See `note`.
        level, logger: Those of the log record that it is, if it is one.
        error: The exception that it is about; None for the one that is being handled.
    """
    from kedro_journal.events import NoteAdded

    with _shield():
        from kedro_journal.capture.without_data import Chain

        # A note is often about the exception that is being handled.
        error = error or sys.exc_info()[1]
        safe = safe_text(recorder, text, TEXT_MAX_CHARS, logger=logger, error=error)
        if error is not None:
            chain = Chain(error, types_only=recorder.errors.types_only)
            fields = {
                name: chain.text(value) if type(value) is str else value
                for name, value in fields.items()
            }
        recorder.record(
            NoteAdded(
                text=safe,
                fields=_bounded_fields(fields, recorder.redactor),
                run_id=where.run_id,
                attempt=where.attempt,
                node=where.node,
                level=level,
                logger=logger,
            )
        )


def safe_text(
    recorder: Recorder,
    text: object,
    max_chars: int,
    *,
    logger: str = "",
    error: BaseException | None = None,
) -> str:
    """Return the text of a note or log record without data values, and bounded.

    A text that is short enough is redacted when its event is encoded.

    Args:
        recorder: The way into the session's journal.
        text: The text; `str()` is taken of anything else.
        max_chars: A longer text is redacted here, and cut.
        logger: Name of the logger, empty for none.
        error: The exception that it is about; None for the one that is being handled.
    """
    from kedro_journal.capture.without_data import Chain

    chain = Chain(error or sys.exc_info()[1], types_only=recorder.errors.types_only)
    stream = (threading.get_ident(), logger)
    whole = recorder.blocks.feed(stream, chain.text(_text_of(text)))
    return _bounded_text(whole, recorder.redactor, max_chars)


@functools.cache
def _shield() -> Shield:
    from .link import Shield

    return Shield()


def _text_of(text: object) -> str:
    try:
        return text if isinstance(text, str) else str(text)
    except Exception as error:  # a __str__ of the user's raised
        let_through(error)
        return "(its text could not be made)"


def _bounded_text(whole: str, redactor: Redactor, limit: int) -> str:
    if len(whole) <= limit:
        return whole  # redacted when it is encoded, as every text is
    safe = redactor.text(whole[: limit + _LOOKAHEAD_CHARS])
    if len(safe) <= limit and len(whole) <= limit + _LOOKAHEAD_CHARS:
        return safe
    excess = max(len(whole), len(safe)) - limit
    return f"{safe[:limit]}[... {excess} characters more]"


def _bounded_fields(
    fields: Mapping[str, object], redactor: Redactor
) -> dict[str, object]:
    """Return at most 50 values and 16 KiB; a cut one says how large it was."""
    if _is_small(fields):
        return dict(fields)
    import msgspec

    given: dict[str, object] = {}
    for name in list(fields)[:FIELDS_MAX]:
        value = fields[name]
        if type(value) is str:  # the rest is bounded by the redactor before it is cut
            value = _bounded_text(value, redactor, VALUE_MAX_BYTES)
        given[str(name)[:NAME_MAX_CHARS]] = value
    safe = redactor.plain(given)
    if not isinstance(safe, dict):
        return {"$failed": safe}
    kept: dict[str, object] = {}
    left = FIELDS_MAX_BYTES
    for name, value in safe.items():
        size = len(msgspec.json.encode(value))
        if size <= min(VALUE_MAX_BYTES, left):
            kept[name] = value
            left -= size
        elif isinstance(value, str) and left > _CUT_CHARS * 4:
            kept[name] = f"{value[:_CUT_CHARS]}[... cut, {size} bytes]"
            left -= _CUT_CHARS * 4
        else:
            kept[name] = {"$truncated": f"{size} bytes"}
    if len(fields) > FIELDS_MAX:
        kept["$truncated"] = f"{len(fields) - FIELDS_MAX} more"
    return kept


def _is_small(fields: Mapping[str, object]) -> bool:
    """Return whether nothing needs to be cut, at a glance."""
    size = 0
    for name, value in fields.items():
        size += len(name) + (len(value) if isinstance(value, str) else 30)
        simple = type(value) in (str, int, float, bool, type(None))
        if not simple or size > VALUE_MAX_BYTES or len(name) > NAME_MAX_CHARS:
            return False
    return len(fields) <= FIELDS_MAX


def joined_recorder() -> Recorder | None:
    """Return the way into the session that this process works for as a worker.

    None if it works for none, or for several: then which one cannot be known.
    """
    here = [recorder for (pid, _), recorder in _joined.items() if pid == os.getpid()]
    return here[0] if len(here) == 1 and not here[0].closed else None


def join(folder: Path, recorder: Recorder) -> Recorder:
    """Remember that this process works for a session; the first recorder stays."""
    return _joined.setdefault((os.getpid(), folder), recorder)


def note_in_folder(folder: Path, text: object, fields: Mapping[str, object]) -> None:
    """Put a note on the record of a session that another process owns, or owned."""
    from kedro_journal.journal import is_held
    from kedro_journal.journal.liveness import OWNER_LOCK_NAME

    session = of_folder(folder)
    recorder = recorder_of(session) if session is not None else None
    if session is None and is_held(folder / OWNER_LOCK_NAME) is not False:
        recorder = in_session(folder)
    if recorder is not None:
        add_note(recorder, where_in(recorder.session_id), text, fields)
        return
    import logging

    logging.getLogger("kedro_journal").warning(
        "kedro-journal: session %s takes no notes: it is closed, its process is gone, "
        "or its journal is switched off. A note is left out.",
        folder.name,
    )


def in_session(folder: Path) -> Recorder | None:
    """Return the way into the journal of a session that another process owns.

    None if that session is closed, or its project's settings switch the journal off.
    """
    known = _joined.get((os.getpid(), folder))
    if known is not None:
        return known
    from itertools import islice

    from kedro_journal.errors import JournalError
    from kedro_journal.events import SessionCreated
    from kedro_journal.journal import is_closed, read_head
    from kedro_journal.journal.names import JOURNAL_NAME

    from .opening import open_worker, settings_of

    try:
        path = folder / JOURNAL_NAME
        if is_closed(path):
            return None
        head = [record.event for record in islice(read_head(path), _HEAD_RECORDS)]
        created = next((e for e in head if isinstance(e, SessionCreated)), None)
        project = Path(created.project_path) if created else None
        config = settings_of(project)
        if config.disable:
            return None
        return join(folder, open_worker(folder, config, [], warned=False))
    except (JournalError, OSError) as error:
        let_through(error)
        return None


def _inherited() -> Recorder | None:
    """Return the way into the session of a process that this one descends from."""
    if _is_in_kedro() or is_switched_off():
        return None
    from kedro_journal.errors import JournalError
    from kedro_journal.replaying.locate import handed_down, of_ancestor, open_directory

    folder = handed_down()
    if folder is None:
        try:
            directory = open_directory()
            session_id = of_ancestor(directory) if directory.path.is_dir() else None
            folder = directory.folder(session_id) if session_id else None
        except (JournalError, OSError) as error:
            let_through(error)
            return None
    return in_session(folder) if folder is not None else None


def _is_left_alone() -> bool:
    """Return whether this is, or may be, code of a run that is not journaled."""
    if _is_in_kedro() or is_switched_off():
        return True
    multiprocessing = sys.modules.get("multiprocessing.process")
    if multiprocessing is not None and multiprocessing.parent_process() is not None:
        return True  # a worker of a pool: a node's code, most likely
    return _is_switched_off()


def _is_in_kedro() -> bool:
    """Return whether Kedro called this: a node, hook or dataset of a run of its own."""
    frame: Any = sys._getframe(1)  # noqa: SLF001 - what inspect uses, without its cost
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith(("kedro.runner", "kedro.framework.session")):
            return True
        frame = frame.f_back
    return False


def _is_switched_off() -> bool:
    """Return whether the settings of the project here, or Kedro's, switch us off."""
    from kedro_journal.config import find_project, load_config

    try:
        if load_config(find_project(), on_error=lambda _: None).disable:
            return True
        if "kedro.framework.project" not in sys.modules:
            return False
        from kedro_journal.capture import compat

        from .opening import DISTRIBUTION

        return compat.plugin_is_disabled(DISTRIBUTION)
    except Exception as error:
        let_through(error)
        # Settings that do not import, a working directory that is gone.
        return False
