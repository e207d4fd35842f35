"""Write a session and those that it resumes into one file."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from kedro_journal._outside import let_through
from kedro_journal._version import __version__
from kedro_journal.errors import JournalError
from kedro_journal.journal.liveness import OWNER_LOCK_NAME, RESUME_LOCK_NAME
from kedro_journal.journal.lock import APPEND_LOCK_NAME
from kedro_journal.journal.names import IGNORE_NAME
from kedro_journal.journal.port import REAL_OS, read_between
from kedro_journal.state import SessionState

from .folder import replay_folder
from .later import later_entries
from .lineage import ancestors
from .packs import FORM, MANIFEST_NAME, Manifest, PackedFile, PackedSession
from .select import Chosen

__all__ = ["Packed", "pack"]

_LEFT_OUT: Final = {OWNER_LOCK_NAME, RESUME_LOCK_NAME, APPEND_LOCK_NAME, IGNORE_NAME}


class Packed(NamedTuple):
    """An archive that was written.

    Attributes:
        path: The file.
        session_ids: The sessions in it, oldest first.
        files: How many files it has.
        size_bytes: Its size.
    """

    path: Path
    session_ids: tuple[str, ...]
    files: int
    size_bytes: int


def pack(chosen: Chosen, output: Path) -> Packed:
    """Write a session and those that it resumes into an archive.

    The file is written whole or not at all, mode 0600. The journals are copied as they
    are, damage included.

    Args:
        chosen: The session.
        output: The file; one that exists is replaced.

    Raises:
        JournalError: The session runs, or a file may not be read or written.
    """
    state = replay_folder(chosen.folder, salvage=True)
    states = [*ancestors(chosen.where, state), state]
    for one in states:
        if one.verdict == "running":
            message = (
                f"session {one.session_id} runs. Pack it once it has ended: "
                f"`kedro-journal wait {one.session_id}` waits for that."
            )
            raise JournalError(message)
    target = output.expanduser().resolve()
    try:
        number, name = tempfile.mkstemp(prefix=".pack-", dir=target.parent)
        try:
            with os.fdopen(number, "wb") as file:
                files = _write(file, chosen, states)
            size = Path(name).stat().st_size
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        let_through(error)
        message = f"{error.filename or output}: {error.strerror or error}."
        raise JournalError(message) from error
    return Packed(output, tuple(one.session_id for one in states), files, size)


def _write(file: io.BufferedWriter, chosen: Chosen, states: list[SessionState]) -> int:
    entries = later_entries(chosen.where)
    contents: list[tuple[PackedFile, Path]] = []
    for state in states:
        last = state is states[-1]
        folder = chosen.folder if last else chosen.where.folder(state.session_id)
        name = chosen.session_id if last else state.session_id
        for path in _files(folder):
            data = _read(path)
            inner = f"{name}/{path.relative_to(folder).as_posix()}"
            digest = hashlib.sha256(data).hexdigest()
            contents.append((PackedFile(inner, len(data), digest), path))
    manifest = Manifest(
        form=FORM,
        session_id=chosen.session_id,
        sessions=tuple(
            PackedSession(
                chosen.session_id if one is states[-1] else one.session_id,
                one.liveness or "unknown",
            )
            for one in states
        ),
        files=tuple(one for one, _ in contents),
        package_version=__version__,
        later=tuple(
            entry for one in states for entry in entries.get(one.session_id, ())
        ),
    )
    with tarfile.open(fileobj=file, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
        _add(archive, MANIFEST_NAME, msgspec.json.encode(manifest))
        for one, path in contents:
            # What was appended since it was hashed is left out.
            _add(archive, one.path, _read(path)[: one.size])
    return len(contents)


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = path.name in _LEFT_OUT or path.name.startswith(".")
        if path.is_file() and not path.is_symlink() and not hidden:
            yield path


def _read(path: Path) -> bytes:
    fd = REAL_OS.open_read(path)
    try:
        return read_between(REAL_OS, fd, 0, REAL_OS.stat(fd).size)
    finally:
        REAL_OS.close(fd)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o600
    archive.addfile(member, io.BytesIO(data))
