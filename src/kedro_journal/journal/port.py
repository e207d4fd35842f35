"""The one door to the operating system for journal files.

Everything that reads or writes a journal goes through an `Os`, so that a test can make
the n-th call fail, come short or lie.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._clock import now
from kedro_journal._outside import let_through, suppress
from kedro_journal.errors import UnsafeJournal

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__all__ = ["NO_FD", "REAL_OS", "FileStat", "Os", "raised", "read_between"]

_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)  # a FIFO must not hang the open
_SAFE: Final = _CLOEXEC | _NOFOLLOW | _NONBLOCK
_STANDARD: Final = 2  # the last of the standard streams
_HIGH: Final = (512, 128, _STANDARD + 1)
_SHARED: Final = stat.S_ISGID | stat.S_IRGRP | stat.S_IXGRP
_SHARED_FOLDER: Final = 0o2750
_SHARED_FILE: Final = 0o640
# The file system has no such thing as syncing: nothing failed.
_NO_SYNC: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


NO_FD: Final = -1
"""In the place of a descriptor where there is none."""


class FileStat(NamedTuple):
    """What the journal asks of an open file.

    Attributes:
        size: Length in bytes.
        links: Names it has; 0 means it was deleted while open.
        inode: Identity on its device.
        device: The device.
    """

    size: int
    links: int
    inode: int
    device: int


class Os:
    """The real kernel. Subclass it in tests."""

    def open_read(self, path: Path) -> int:
        """Open a regular file for reading; links and devices are refused.

        The descriptor is none of a standard stream.

        Raises:
            UnsafeJournal: *path* is a symbolic link or no regular file.
            OSError: As the system says.
        """
        try:
            fd = _open(path, os.O_RDONLY | _SAFE)
        except OSError as error:
            let_through(error, system=True)
            raise _refused(path, error) from error
        return self._regular(fd, path)

    def open_append(self, path: Path, *, create: bool = False) -> int:
        """Open a regular file of ours for reading and appending; see `_mode_in`.

        The descriptor is a high one, where the limit of the process permits that: it
        stays open, and code that closes low numbers is no concern of ours then.

        Raises:
            UnsafeJournal: A link, a device, or not this user's.
            OSError: As the system says.
        """
        flags = os.O_RDWR | os.O_APPEND | _SAFE
        mode = 0o600
        if create:
            flags |= os.O_CREAT
            mode = _mode_in(path.parent)
        try:
            fd = _open(path, flags, mode)
        except OSError as error:
            let_through(error, system=True)
            raise _refused(path, error) from error
        fd = self._regular(fd, path, ours=True)
        if mode != 0o600:
            _permit(fd, mode)
        return raised(fd)

    def write_new(self, path: Path, data: bytes) -> None:
        """Write a new file, with the mode of `_mode_in`, and sync it.

        Raises:
            OSError: As the system says; FileExistsError if it exists.
        """
        with _new_file(path) as fd:
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            with _where_there_is_sync():
                os.fsync(fd)

    def write_at(self, path: Path, data: bytes, offset: int) -> None:
        """Overwrite bytes of a file of ours in place.

        Raises:
            UnsafeJournal: A link, a device, or not this user's.
            OSError: As the system says.
        """
        try:
            fd = _open(path, os.O_WRONLY | _SAFE)
        except OSError as error:
            let_through(error, system=True)
            raise _refused(path, error) from error
        fd = self._regular(fd, path, ours=True)
        try:
            os.pwrite(fd, data, offset)
        finally:
            os.close(fd)

    def reserve(self, path: Path, size: int) -> None:
        """Make a new file that takes up *size* bytes of the disk; see `_mode_in`.

        Raises:
            OSError: As the system says; FileExistsError if it exists.
        """
        with _new_file(path) as fd:
            try:
                os.posix_fallocate(fd, 0, size)
            except (AttributeError, OSError) as error:  # write it out, then
                let_through(error, system=True)
                view = memoryview(bytes(size))
                while view:
                    view = view[os.write(fd, view) :]

    def remove(self, path: Path) -> None:
        """Remove a file.

        Raises:
            OSError: As the system says.
        """
        path.unlink()

    def make_folder(self, path: Path, *, parents: bool = False) -> None:
        """Make a folder, mode 0700; a umask only ever takes rights away from that.

        Raises:
            OSError: As the system says; FileExistsError unless *parents*.
        """
        if parents:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            path.mkdir(mode=0o700)

    def share_folder(self, path: Path) -> None:
        """Let the group of a folder of ours read it, and the files made in it.

        The mode is 2750: what is made in it has its group. The system takes the
        set-group-ID bit away if this user is not in the group. Then the files that are
        made in it stay private.

        Raises:
            OSError: As the system says.
        """
        path.chmod(_SHARED_FOLDER)

    def ensure_folder(self, path: Path, *, shared: bool = False) -> None:
        """Make a folder, or check that what is there is one, and no link.

        Args:
            path: The folder.
            shared: If the folder above is shared with its group, so is this one.

        Raises:
            UnsafeJournal: It is a link or no folder.
            OSError: As the system says.
        """
        try:
            self.make_folder(path)
            if shared and _mode_in(path.parent) == _SHARED_FILE:
                self.share_folder(path)
        except FileExistsError:
            if not stat.S_ISDIR(path.lstat().st_mode):
                raise UnsafeJournal(path, "not a folder") from None

    def read_at(self, fd: int, size: int, offset: int) -> bytes:
        """Read up to *size* bytes at *offset*; the count may be short."""
        return os.pread(fd, size, offset)

    def hole_at(
        self, path: Path, identity: tuple[int, int], offset: int, size: int
    ) -> int:
        """Return how many zero bytes follow that the file system does not store.

        A descriptor is opened for that, because the file offset of others is a mark.

        Args:
            path: The file.
            identity: Its device and inode.
            offset: Where to look.
            size: Where to end: the size of the file.

        Returns:
            A number of bytes; 0 where the system does not tell.
        """
        seek_data = getattr(os, "SEEK_DATA", None)
        if seek_data is None or offset >= size:
            return 0
        try:
            fd = self.open_read(path)
            try:
                if self.identity(fd) != identity:
                    return 0
                return max(min(os.lseek(fd, offset, seek_data), size) - offset, 0)
            finally:
                self.close(fd)
        except (OSError, UnsafeJournal) as error:
            let_through(error, system=True)
            ends = isinstance(error, OSError) and error.errno == errno.ENXIO
            return size - offset if ends else 0

    def write(self, fd: int, data: bytes | memoryview, end: int) -> int:
        """Append bytes, and leave the file offset alone; the count may be short.

        Args:
            fd: A descriptor that appends.
            data: What is to be written.
            end: Where the file ends. Linux appends whatever this is; systems that do
                as POSIX says write there.
        """
        return os.pwrite(fd, data, end)

    def end(self, fd: int, beyond: int = 0) -> int:
        """Put the file offset *beyond* bytes behind the end of the file; return it.

        Cheaper than `stat`, and not only by itself: who asks a file of Linux >= 6.13
        for its times makes the next write put down a new one.
        """
        return os.lseek(fd, beyond, os.SEEK_END)

    def position(self, fd: int) -> int:
        """Return the file offset, and change nothing."""
        return os.lseek(fd, 0, os.SEEK_CUR)

    def identity(self, fd: int) -> tuple[int, int]:
        """Return the device and the inode of an open file."""
        found = os.fstat(fd)
        return found.st_dev, found.st_ino

    def put_position(self, fd: int, offset: int) -> None:
        """Set the file offset, in bytes from the start."""
        os.lseek(fd, offset, os.SEEK_SET)

    def stat(self, fd: int) -> FileStat:
        """Look at an open file."""
        found = os.fstat(fd)
        return FileStat(found.st_size, found.st_nlink, found.st_ino, found.st_dev)

    def truncate(self, fd: int, size: int) -> None:
        """Cut an open file."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Bring an open file's data to the disk, where the file system can.

        Raises:
            OSError: The disk refused.
        """
        try:
            _datasync(fd)
        except OSError as error:
            let_through(error, system=True)
            if error.errno not in _NO_SYNC:
                raise

    def sync_folder(self, path: Path) -> None:
        """Bring a folder's entries to the disk, where the system can.

        Raises:
            OSError: The disk refused.
        """
        if os.name == "nt":  # it opens no folders
            return
        fd = _open(path, os.O_RDONLY | _CLOEXEC)
        try:
            with _where_there_is_sync():
                os.fsync(fd)
        finally:
            os.close(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def now(self) -> datetime:
        """Return the wall clock, UTC."""
        return now()

    def _regular(self, fd: int, path: Path, *, ours: bool = False) -> int:
        try:
            found = os.fstat(fd)
        except BaseException:
            os.close(fd)
            raise
        reason = ""
        if not stat.S_ISREG(found.st_mode):
            reason = "not a regular file"
        elif ours and found.st_nlink > 1:
            reason = f"it has {found.st_nlink} hard links"
        elif ours and hasattr(os, "geteuid") and found.st_uid != os.geteuid():
            reason = f"it belongs to user {found.st_uid}"
        if reason:
            os.close(fd)
            raise UnsafeJournal(path, reason)
        return fd


def read_between(port: Os, fd: int, start: int, end: int) -> bytes:
    """Return the bytes from *start* to *end*, fewer only if the file is shorter."""
    parts: list[bytes] = []
    while start < end:
        part = port.read_at(fd, end - start, start)
        if not part:
            break
        parts.append(part)
        start += len(part)
    return b"".join(parts)


def raised(fd: int) -> int:
    """Return the same open file under a high number, and close the given one.

    A number of a standard stream is given up in any case, or what native code prints
    would land in the file. Every other one is kept where there is none higher.

    Raises:
        OSError: It is one of a standard stream, and no other is available.
    """
    refused: OSError | None = None
    for least in _HIGH if hasattr(fcntl, "F_DUPFD_CLOEXEC") else ():
        assert fcntl is not None  # noqa: S101 - it has that attribute
        if fd >= least:
            return fd
        try:
            higher = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, least)
        except OSError as error:
            let_through(error, system=True)
            refused = error
            continue
        os.close(fd)
        return higher
    if fd <= _STANDARD and refused is not None:
        os.close(fd)
        raise refused
    return fd


def _open(path: Path, flags: int, mode: int = 0o777) -> int:
    """Open a file. Its descriptor is none of a standard stream."""
    fd = os.open(path, flags, mode)
    return fd if fd > _STANDARD else raised(fd)


def _mode_in(folder: Path) -> int:
    """Return the mode of a new file: 0640 in a folder of `share_folder`, else 0600.

    Worker processes and later versions need no setting to do the same.
    """
    try:
        found = os.stat(folder).st_mode  # noqa: PTH116 - a Path costs as much again
    except OSError as error:
        let_through(error, system=True)
        return 0o600
    return _SHARED_FILE if found & _SHARED == _SHARED else 0o600


def _permit(fd: int, mode: int) -> None:
    """Set a mode that the user asked for, whatever the umask is."""
    with suppress(OSError, AttributeError):  # Windows has no fchmod
        os.fchmod(fd, mode)


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[int]:
    mode = _mode_in(path.parent)
    fd = _open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, mode)
    try:
        if mode != 0o600:
            _permit(fd, mode)
        yield fd
    except OSError:
        with suppress(OSError):
            path.unlink()  # half a file would pass for a whole one
        raise
    finally:
        os.close(fd)


@contextlib.contextmanager
def _where_there_is_sync() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        let_through(error, system=True)
        if error.errno not in _NO_SYNC:
            raise


def _refused(path: Path, error: OSError) -> Exception:
    # ELOOP: a symbolic link met O_NOFOLLOW. ENXIO: a FIFO or socket.
    if path.is_symlink():
        return UnsafeJournal(path, "a symbolic link")
    if path.exists() and not path.is_file():
        return UnsafeJournal(path, "not a regular file")
    return error


_datasync: Final = getattr(os, "fdatasync", os.fsync)
REAL_OS: Final = Os()
