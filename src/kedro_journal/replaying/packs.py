"""Open an archive of sessions: check it, and unpack it until this process ends.

An archive is a gzipped tar file. Its first member, `pack.json`, names every other one
with its size and SHA-256. Nothing is read from an archive that does not agree with it.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

import msgspec

from kedro_journal._building import building
from kedro_journal._outside import let_through, suppress
from kedro_journal.analysis.later import LaterEntry
from kedro_journal.errors import CorruptJournal, JournalError
from kedro_journal.journal import JournalDirectory, Liveness, check_session_id
from kedro_journal.journal.port import REAL_OS

if TYPE_CHECKING:
    import tarfile

__all__ = [
    "FORM",
    "MANIFEST_NAME",
    "SUFFIX",
    "Manifest",
    "PackedFile",
    "PackedSession",
    "Unpacked",
    "is_archive",
    "is_unpacked",
    "packed_entries",
    "packed_liveness",
    "unpacked",
]

SUFFIX: Final = ".tar.gz"
MANIFEST_NAME: Final = "pack.json"
FORM: Final = "kedro-journal pack 1"
_MARK: Final = ".pack.json"  # what a directory that was unpacked has
_GZIP: Final = b"\x1f\x8b"
_MANIFEST_MAX: Final = 64 * 1024 * 1024
_TOTAL_MAX: Final = 16 * 1024**3
_PART: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}", re.ASCII)
_CHUNK: Final = 1024 * 1024


class PackedSession(msgspec.Struct, frozen=True):
    """A session of an archive.

    Attributes:
        session_id: Its id.
        liveness: What the process of it was when it was packed.
    """

    session_id: str
    liveness: Liveness


class PackedFile(msgspec.Struct, frozen=True):
    """A file of an archive.

    Attributes:
        path: Its path in the archive: the session, and the path in its folder.
        size: Bytes.
        sha256: Hash of its content, in hex.
    """

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What an archive says of itself.

    Attributes:
        form: `FORM`; another one is of another version.
        session_id: The session that was packed; others are those that it resumes.
        sessions: All sessions, oldest first.
        files: All files.
        package_version: Version of this package that packed it.
        later: Notes and tags that the sessions were given later.
    """

    form: str
    session_id: str
    sessions: tuple[PackedSession, ...]
    files: tuple[PackedFile, ...]
    package_version: str = ""
    later: tuple[LaterEntry, ...] = ()


class Unpacked(msgspec.Struct, frozen=True):
    """An archive that was checked and unpacked.

    Attributes:
        where: A journal directory with its sessions, gone when this process ends.
        session_id: The session that was packed.
    """

    where: JournalDirectory
    session_id: str


_open: dict[tuple[str, int, int], Unpacked] = {}
_folders: list[tuple[int, str]] = []


def is_archive(path: Path) -> bool:
    """Return whether a path is a file that begins as an archive does."""
    with suppress(OSError, ValueError, JournalError):
        fd = REAL_OS.open_read(path.expanduser().resolve())
        try:
            return REAL_OS.read_at(fd, len(_GZIP), 0) == _GZIP
        finally:
            REAL_OS.close(fd)
    return False


def unpacked(path: Path) -> Unpacked:
    """Check an archive, and return a journal directory with its sessions.

    Args:
        path: The archive. It is unpacked once in a process.

    Raises:
        JournalError: It is no archive of sessions, is damaged, or is of a newer
            version; or the temporary folder may not be written.
    """
    import tarfile  # noqa: PLC0415 - few commands open an archive
    import tempfile  # noqa: PLC0415 - the same
    import zlib  # noqa: PLC0415 - the same

    path = path.expanduser().resolve()
    try:
        found = path.stat()
        key = (str(path), found.st_mtime_ns, found.st_size)
        if key not in _open:
            folder = Path(tempfile.mkdtemp(prefix="kedro-journal-"))
            if not _folders:
                atexit.register(_remove)
            _folders.append((os.getpid(), str(folder)))
            _open[key] = _unpack(path, folder)
        return _open[key]
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        let_through(error)
        if isinstance(error, OSError) and error.errno is not None:
            message = f"{error.filename or path}: {error.strerror}."
            raise JournalError(message) from error
        _refuse(path, f"the archive is damaged: {error}", error)


def _remove() -> None:
    import shutil  # noqa: PLC0415 - see `unpacked`

    for pid, folder in _folders:
        if pid == os.getpid():  # a forked child leaves what its parent uses
            shutil.rmtree(folder, ignore_errors=True)


def _refuse(path: Path, why: str, error: Exception | None = None) -> NoReturn:
    message = f"{path}: {why}. Nothing of it was read."
    raise JournalError(message, exit_code=CorruptJournal.exit_code) from error


def _unpack(path: Path, folder: Path) -> Unpacked:
    import tarfile  # noqa: PLC0415 - see `unpacked`

    with tarfile.open(path, "r|gz") as archive:
        members = iter(archive)
        manifest = _manifest(path, archive, next(members, None))
        known = {one.path: one for one in manifest.files}
        for member in members:
            one = known.pop(member.name, None)
            content = archive.extractfile(member) if member.isreg() else None
            if one is None or content is None:
                _refuse(path, f"it has {member.name!r}, which it does not name")
            _write(path, folder, one, content)
    if known:
        _refuse(path, f"it lacks {next(iter(known))!r}")
    (folder / _MARK).write_bytes(msgspec.json.encode(manifest))
    return Unpacked(JournalDirectory(folder), manifest.session_id)


def _manifest(
    path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo | None
) -> Manifest:
    """Read the first member of an archive, and check what it promises."""
    content = None
    if member is not None and member.name == MANIFEST_NAME and member.isreg():
        content = archive.extractfile(member)
    if content is None or member is None or member.size > _MANIFEST_MAX:
        _refuse(path, "it is not an archive of sessions")
    data = content.read()
    try:
        form = msgspec.json.decode(data, type=dict)["form"]
        if form != FORM:
            _refuse(path, f"it is a {form!r}; this version reads {FORM!r}")
        with building():
            manifest = msgspec.json.decode(data, type=Manifest)
        ids = {check_session_id(one.session_id) for one in manifest.sessions}
    except (msgspec.MsgspecError, ValueError, KeyError, RecursionError) as error:
        let_through(error)
        _refuse(path, f"its {MANIFEST_NAME} is damaged: {error}", error)
    if manifest.session_id not in ids:
        _refuse(path, f"it lacks its session {manifest.session_id!r}")
    for one in manifest.files:
        first, *parts = one.path.split("/")
        if first not in ids or not parts or not all(map(_PART.fullmatch, parts)):
            _refuse(path, f"{one.path!r} is not a file of a session")
    if sum(one.size for one in manifest.files) > _TOTAL_MAX:
        _refuse(path, "its files are too large")
    return manifest


def _write(path: Path, folder: Path, one: PackedFile, content: IO[bytes]) -> None:
    target = folder / one.path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(target, flags, 0o600), "wb") as file:
        while data := content.read(_CHUNK):
            size += len(data)
            if size > one.size:
                break
            digest.update(data)
            file.write(data)
    if size != one.size or digest.hexdigest() != one.sha256:
        _refuse(path, f"{one.path!r} is damaged: its hash differs")


def is_unpacked(folder: Path) -> bool:
    """Return whether a session folder was unpacked from an archive."""
    return (folder.parent / _MARK).is_file()


def packed_liveness(folder: Path) -> Liveness | None:
    """Return what the process of a session was when it was packed.

    Returns:
        None if the folder was not unpacked from an archive.
    """
    manifest = _manifest_of(folder.parent)
    for one in () if manifest is None else manifest.sessions:
        if one.session_id == folder.name:
            return one.liveness
    return None


def packed_entries(directory: Path) -> tuple[LaterEntry, ...] | None:
    """Return the notes and tags that were packed with the sessions of a directory.

    Returns:
        None if the directory was not unpacked from an archive.
    """
    manifest = _manifest_of(directory)
    return None if manifest is None else manifest.later


def _manifest_of(directory: Path) -> Manifest | None:
    with suppress(OSError, msgspec.MsgspecError):
        data = (directory / _MARK).read_bytes()
        with building():
            return msgspec.json.decode(data, type=Manifest)
    return None
