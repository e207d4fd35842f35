"""The fingerprint of a live dataset: what is there, without reading it.

Used where a load or save is recorded, and where a plan compares what is there now. A
value that is slow or impossible to get is left out, and the data counts as unknown.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from kedro_journal._outside import let_through
from kedro_journal.events import Fingerprint

from . import compat

__all__ = [
    "ENTRIES_MAX",
    "LISTING_MAX_S",
    "FingerprintReader",
    "Remote",
]

Remote = Literal["off", "files", "folders"]

ENTRIES_MAX: Final = 10_000
"""Files of a folder that are listed at most; a folder with more is unknown."""
LISTING_MAX_S: Final = 0.25
"""Seconds that the listing of a local folder may take while a run waits."""
_REMOTE_MAX_S: Final = 1.0
# After a call that took longer, a run asks the same file system no more.
_READ_MAX: Final = 256  # files of a folder that are read
_CLOCK_EVERY: Final = 256  # entries between two looks at the clock
_TAG_MAX_CHARS: Final = 200

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_KEYS: Final = ("mtime", "LastModified", "last_modified", "updated", "modified")
_TAG_KEYS: Final = ("ETag", "etag", "content_md5", "md5Hash", "checksum", "generation")


class _Entry(NamedTuple):
    """One file of a folder.

    Attributes:
        name: Relative name, with slashes.
        size: Bytes; -1 if the file system does not say.
        modified_us: Microseconds since 1970; -1 if the file system does not say.
        etag: Content tag, or empty.
    """

    name: str
    size: int
    modified_us: int
    etag: str = ""


class _TooLarge(Exception):
    """A folder has too many files, or listing it takes too long."""


class FingerprintReader:
    """Take fingerprints of datasets, within bounds. One for a run or a plan.

    Args:
        remote: Return what may be asked of file systems that are not of this machine;
            called when the first one is met.
        listing_max_s: Seconds that the listing of a local folder may take.
        content_max: Bytes of a local file or folder whose content is hashed at most.
    """

    def __init__(
        self,
        remote: Callable[[], Remote],
        *,
        listing_max_s: float = LISTING_MAX_S,
        content_max: int = 0,
    ) -> None:
        self._ask_remote = remote
        self._content_max = content_max
        self._remote: Remote | None = None
        self._listing_max_s = listing_max_s
        self._slow: set[str] = set()

    def read(self, dataset: Any, version: str | None) -> Fingerprint:
        """Return the fingerprint of a version of a dataset.

        Args:
            dataset: A dataset of Kedro's; wrappers such as CachedDataset are looked
                through.
            version: Its version; None for one without versions.

        Returns:
            Its location alone if nothing else can be told; empty if it has none.
        """
        place = compat.dataset_place(dataset, version)
        if place is None:
            return Fingerprint()
        try:
            if place.is_local:
                return self._local(place)
            return self._elsewhere(place)
        except Exception as error:  # of a file system or dataset class of the user's
            let_through(error)
            return Fingerprint(place.url)

    def _local(self, place: compat.Place) -> Fingerprint:
        try:
            found = os.stat(place.path)  # noqa: PTH116 - a Path costs as much again
        except OSError as error:
            let_through(error)
            return Fingerprint(place.url)
        if not stat.S_ISDIR(found.st_mode):
            return Fingerprint(
                place.url,
                found.st_size,
                found.st_mtime_ns // 1000,
                content_sha256=self._content([("", place.path)], found.st_size),
            )
        until = time.monotonic() + self._listing_max_s
        names: list[str] = []
        known = _folder(place, _walk(place.path, until), names)
        files = [(name, f"{place.path}/{name}") for name in names]
        hashed = self._content(files, known.size_bytes) if known.entries else None
        return msgspec.structs.replace(known, content_sha256=hashed)

    def _content(
        self, files: Sequence[tuple[str, str]], size: int | None
    ) -> str | None:
        """Hash the contents of files with their names; None if they are not read."""
        if size is None or not 0 < size <= self._content_max or len(files) > _READ_MAX:
            return None
        digest, left = hashlib.sha256(), self._content_max
        for name, path in files:
            if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - as above
                return None
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - as above
                data = file.read(left + 1)
            left -= len(data)
            if left < 0:
                return None  # it grew meanwhile
            digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
            digest.update(data)
        return digest.hexdigest()

    def _elsewhere(self, place: compat.Place) -> Fingerprint:
        fs, path = place.filesystem, place.path
        if fs is None or place.protocol in self._slow:
            return Fingerprint(place.url)
        if place.protocol == "memory":
            return _in_memory(place)
        if self._remote is None:
            self._remote = self._ask_remote()
        lists = self._remote == "folders"
        if self._remote == "off" or (place.is_folder and not lists):
            return Fingerprint(place.url)
        began = time.monotonic()
        try:
            info = {"type": "directory"} if place.is_folder else fs.info(path)
            if info.get("type") != "directory":
                return _file(place, _entry("", info))
            return _folder(place, _find(fs, path)) if lists else Fingerprint(place.url)
        finally:
            if time.monotonic() - began > _REMOTE_MAX_S:
                self._slow.add(place.protocol)


def _in_memory(place: compat.Place) -> Fingerprint:
    files = compat.memory_files(place.filesystem, place.path)
    entries = [
        _Entry(name, int(file.size), _microseconds(file.modified))
        for name, file in (files or {}).items()
    ]
    if not place.is_folder and not entries:
        return Fingerprint(place.url)
    if len(entries) == 1 and not entries[0].name:
        return _file(place, entries[0])
    return _folder(place, iter(entries))


def _file(place: compat.Place, entry: _Entry) -> Fingerprint:
    """Return the fingerprint of one file."""
    return Fingerprint(
        place.url,
        None if entry.size < 0 else entry.size,
        None if entry.modified_us < 0 else entry.modified_us,
        etag=entry.etag or None,
    )


def _folder(
    place: compat.Place, entries: Iterator[_Entry], names: list[str] | None = None
) -> Fingerprint:
    """Return the fingerprint of a folder; its location alone if it is too large.

    Args:
        place: The folder.
        entries: Its files.
        names: Takes the names of those that count, in order.
    """
    found: list[_Entry] = []
    try:
        for entry in entries:
            if not place.counts(entry.name):
                continue
            found.append(entry)
            if len(found) > ENTRIES_MAX:
                return Fingerprint(place.url)
    except (_TooLarge, OSError) as error:  # or a file went away meanwhile
        let_through(error)
        return Fingerprint(place.url)
    found.sort()
    if names is not None:
        names += [entry.name for entry in found]
    digest = hashlib.sha256()
    for entry in found:
        line = "\0".join(map(str, entry)) + "\n"
        digest.update(line.encode("utf-8", "surrogateescape"))
    known = all(entry.size >= 0 for entry in found)
    newest = max((entry.modified_us for entry in found), default=-1)
    told = all(entry.modified_us >= 0 or entry.etag for entry in found)
    return Fingerprint(
        place.url,
        sum(entry.size for entry in found) if known else None,
        newest if newest >= 0 else None,
        len(found),
        digest.hexdigest() if told else None,
    )


def _walk(root: str, until: float) -> Iterator[_Entry]:
    """List the files under a local folder; links to folders are followed once.

    Raises:
        _TooLarge: The time is up, or there are very many entries of any kind.
        OSError: As the system says.
    """
    waiting, seen, count = [("", root)], set[tuple[int, int]](), 0
    while waiting:
        prefix, folder = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                count += 1
                late = not count % _CLOCK_EVERY and time.monotonic() > until
                if late or count > 2 * ENTRIES_MAX:
                    raise _TooLarge
                name = prefix + entry.name
                found = _stat_of(entry)
                if stat.S_ISDIR(found.st_mode):
                    known = (found.st_dev, found.st_ino)
                    if known not in seen:
                        seen.add(known)
                        waiting.append((f"{name}/", entry.path))
                    continue
                yield _Entry(name, found.st_size, found.st_mtime_ns // 1000)


def _stat_of(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except FileNotFoundError:  # a link that leads nowhere
        return entry.stat(follow_symlinks=False)


def _find(fs: Any, path: str) -> Iterator[_Entry]:
    """List the files under a folder of a file system of fsspec."""
    root = compat.bare_path(fs, path).rstrip("/") + "/"
    for full, info in fs.find(path, detail=True).items():
        yield _entry(str(full).removeprefix(root), info)


def _entry(name: str, info: dict[str, Any]) -> _Entry:
    """Read what a file system of fsspec says of a file; each has names of its own."""
    size = info.get("size")
    times = (_microseconds(info.get(key)) for key in _TIME_KEYS)
    modified_us = next((us for us in times if us >= 0), -1)
    tags = (info.get(key) for key in _TAG_KEYS)
    tag = next((tag for tag in tags if tag), "")
    text = bytes(tag).hex() if isinstance(tag, (bytes, bytearray)) else str(tag)
    size = size if isinstance(size, int) and not isinstance(size, bool) else -1
    return _Entry(name, size, modified_us, text.strip('"')[:_TAG_MAX_CHARS])


def _microseconds(value: object) -> int:
    """Return a time in microseconds since 1970; -1 if it is none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError as error:
            let_through(error)
            return -1
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        since = aware - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value * 1_000_000)
    return -1
