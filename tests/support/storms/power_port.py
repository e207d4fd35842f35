"""Two systems for journal files: one that logs every step, and one in memory."""

from __future__ import annotations

import errno
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kedro_journal.journal.names import JOURNAL_NAME
from kedro_journal.journal.port import FileStat, Os
from kedro_journal.journal.repair import TORN_NAME

from .power_disk import Op

__all__ = ["Killed", "MemoryOs", "NoOthers", "RecordingOs"]

RESERVE_BYTES: Final = 64 * 1024
_START: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Killed(BaseException):
    """The process is dead: from here on it does nothing."""


class NoOthers:
    """The append lock where there is one process: it gets it."""

    def try_lock(self, fd: int) -> bool:
        return True

    def unlock(self, fd: int) -> None:
        pass


class RecordingOs(Os):
    """The real file system, without waiting for its disk; every step is logged.

    Attributes:
        ops: What was done, in order. Lock files are left out.
        given: Every line that was to be written to the journal.
        room: Bytes that still fit on the disk; None is enough.
        cuts_fail: How many cuts will fail.
        life: Bytes that are written before the process is killed; None is for ever.
        synced: Set by every sync of a file.
    """

    def __init__(self) -> None:
        self.ops: list[Op] = []
        self.given: set[bytes] = set()
        self.room: int | None = None
        self.cuts_fail = 0
        self.life: int | None = None
        self.synced = threading.Event()
        self._files: dict[int, Path] = {}
        self._clock = _START

    def open_append(self, path: Path, *, create: bool = False) -> int:
        new = create and not path.exists()
        fd = super().open_append(path, create=create)
        if path.name == JOURNAL_NAME:
            self._files[fd] = path
            if new:
                self.ops.append(Op("file", path))
        return fd

    def write_new(self, path: Path, data: bytes) -> None:
        with path.open("xb") as out:
            out.write(data)
        if path.parent.name == TORN_NAME:
            self.ops.append(Op("file", path))
            self.ops.append(Op("write", path, data))
            self.ops.append(Op("sync", path))

    def write_at(self, path: Path, data: bytes, offset: int) -> None:
        self._live()
        super().write_at(path, data, offset)
        self.ops.append(Op("write at", path, data, offset))

    def remove(self, path: Path) -> None:
        super().remove(path)
        if self.room is not None:
            self.room += RESERVE_BYTES

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        new = [each for each in (path, *path.parents) if not each.exists()]
        super().make_folder(path, parents=parents)
        self.ops += [Op("folder", each) for each in reversed(new)]

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        path = self._files.get(fd)
        if path is None:
            return super().write(fd, data, end)
        self.given.update(bytes(data).split(b"\n"))
        if self.room is not None:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self.room]
        if self.life is not None:
            data = data[: self.life]
        count = super().write(fd, data, end)
        self.ops.append(Op("write", path, bytes(data[:count])))
        if self.room is not None:
            self.room -= count
        if self.life is not None:
            self.life -= count
            self._live()
        return count

    def _live(self) -> None:
        if self.life == 0:
            raise Killed

    def truncate(self, fd: int, size: int) -> None:
        self._live()
        if self.cuts_fail:
            self.cuts_fail -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(fd, size)
        if fd in self._files:
            self.ops.append(Op("cut", self._files[fd], size=size))

    def sync(self, fd: int) -> None:
        if fd in self._files:
            self.ops.append(Op("sync", self._files[fd]))
        self.synced.set()

    def sync_folder(self, path: Path) -> None:
        self.ops.append(Op("sync folder", path))

    def close(self, fd: int) -> None:
        self._files.pop(fd, None)
        super().close(fd)

    def now(self) -> datetime:
        self._clock += timedelta(milliseconds=7)
        return self._clock


class MemoryOs(Os):
    """Files in memory: for many short lives of a writer.

    Attributes:
        files: Contents by path. Folders are not told apart: every one exists.
        given: Every line that was to be written to one of them.
    """

    def __init__(self) -> None:
        self.files: dict[Path, bytearray] = {}
        self.given: set[bytes] = set()
        self._open: dict[int, bytearray] = {}
        self._offsets: dict[int, int] = {}
        self._clock = _START

    def open_read(self, path: Path) -> int:
        return self._opened(path)

    def open_append(self, path: Path, *, create: bool = False) -> int:
        if create and path not in self.files:
            self.files[path] = bytearray()
        return self._opened(path)

    def _opened(self, path: Path) -> int:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        fd = 1000 + len(self._open)
        self._open[fd] = self.files[path]
        return fd

    def write_new(self, path: Path, data: bytes) -> None:
        if path in self.files:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        self.files[path] = bytearray(data)

    def write_at(self, path: Path, data: bytes, offset: int) -> None:
        self.files[path][offset : offset + len(data)] = data

    def reserve(self, path: Path, size: int) -> None:
        pass

    def remove(self, path: Path) -> None:
        pass

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        pass

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        return bytes(self._open[fd][offset : offset + size])

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        self._open[fd] += data
        self.given.update(bytes(data).split(b"\n"))
        return len(data)

    def end(self, fd: int, beyond: int = 0) -> int:
        self._offsets[fd] = len(self._open[fd]) + beyond
        return self._offsets[fd]

    def position(self, fd: int) -> int:
        if fd not in self._offsets:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._offsets[fd]

    def put_position(self, fd: int, offset: int) -> None:
        self._offsets[fd] = offset

    def stat(self, fd: int) -> FileStat:
        return FileStat(len(self._open[fd]), 1, fd, 1)

    def identity(self, fd: int) -> tuple[int, int]:
        return 1, id(self._open[fd])

    def truncate(self, fd: int, size: int) -> None:
        del self._open[fd][size:]

    def sync(self, fd: int) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass

    def close(self, fd: int) -> None:
        pass

    def now(self) -> datetime:
        self._clock += timedelta(milliseconds=7)
        return self._clock
