"""One process's descriptor of a journal file: whole reads, whole writes, roll-back."""

from __future__ import annotations

import contextlib
import errno
import threading
from pathlib import Path
from typing import Final

from .port import NO_FD, FileStat, Os, read_between

__all__ = ["JournalFile"]

_LOOK_S: Final = 0.1
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class JournalFile:
    """An open journal. Only the holder of the append lock may write, cut or read on.

    Anybody may sync. One thread at a time does, and it does so for all whose lines were
    written before it began: these wait for it. Meanwhile it asks for no other lock, so
    that closing may wait for it as well.

    Args:
        path: The file.
        port: The operating system.

    Attributes:
        sync_failure: What the disk said when it refused to sync. The system may have
            thrown away what was written, so that trying again could succeed without
            it: it is final.
    """

    def __init__(self, path: Path, port: Os) -> None:
        self.path = path
        self._port = port
        self._fd = NO_FD
        self._is_new = False  # its name may not be on the disk yet
        self._unfinished: tuple[int, bytes] | None = None  # a roll-back: to, of what
        # Appends are counted: how many there were, are on the disk, have to be there.
        self._written = self._synced = self._wanted = 0
        self._lock = threading.RLock()  # for the next three; never held for long
        self._syncing: int | None = None  # the thread that syncs
        self._waiting = 0  # threads that wait until it is done
        self._done = threading.Condition(self._lock)
        self.sync_failure: OSError | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a descriptor."""
        return self._fd >= 0

    @property
    def fd(self) -> int:
        """The descriptor, to be locked; `NO_FD` if there is none."""
        return self._fd

    def open(self, *, create: bool) -> None:
        """Open it. A new one's name still has to be brought to the disk: `sync_name`.

        Raises:
            UnsafeJournal: A link, a device, or not this user's.
            OSError: As the system says.
        """
        self._fd = self._port.open_append(self.path, create=create)
        self._is_new = self._is_new or create

    def sync_name(self) -> None:
        """Bring a new file's name to the disk, under the append lock.

        Without it a process that has no header of its own would find the file empty.

        Raises:
            OSError: The disk refused; the next append tries again.
        """
        if self._is_new:
            self._port.sync_folder(self.path.parent)
            self._port.sync_folder(self.path.parent.parent)
            self._is_new = False

    def close(self) -> None:
        """Let go of the descriptor; a failed roll-back is still remembered.

        What threads wait for is brought to the disk before.
        """
        with contextlib.suppress(OSError):  # they learn of it themselves
            self.sync(self._wanted)
        with self._lock:
            self._wait_for_sync(self._written + 1)
            fd, self._fd = self._fd, NO_FD
            if fd >= 0:
                with contextlib.suppress(OSError):
                    self._port.close(fd)

    def forget(self) -> None:
        """Become the file of a process that was just forked."""
        self._lock = threading.RLock()  # a thread of the parent may have had it
        self._syncing, self._waiting = None, 0
        self._done = threading.Condition(self._lock)
        self._written = self._synced = self._wanted = 0
        self.close()
        self._unfinished, self.sync_failure, self._is_new = None, None, False

    def end(self) -> int:
        """Tell where the file ends."""
        return self._port.end(self._fd)

    def stat(self) -> FileStat:
        """Look at the file."""
        return self._port.stat(self._fd)

    def read(self, start: int, end: int) -> bytes:
        """Give the bytes from *start* to *end*, fewer if the file is shorter."""
        return read_between(self._port, self._fd, start, end)

    def append(self, data: bytes, end: int) -> None:
        """Write all of *data* behind the byte *end*, where the file ends, or nothing.

        Raises:
            OSError: The system refused. What was written of it is taken back, now or,
                if that is refused too, by `finish_roll_back`.
        """
        written = 0
        try:
            written = self._port.write(self._fd, data)
            while written < len(data):
                written += self._port.write(self._fd, memoryview(data)[written:])
            self._written += 1
        except BaseException:
            try:
                self._take_back(end)
            except OSError:
                # Unless another process repairs the tail first.
                self._unfinished = (end, data[:written])
            raise

    def append_or_free(self, data: bytes, end: int, reserve: Path) -> None:
        """As `append`; where the disk is full, give up a reserve for it.

        Args:
            data: What is to be written.
            end: Where the file ends.
            reserve: A file whose room it may have.
        """
        try:
            self.append(data, end)
        except OSError as error:
            if error.errno not in _FULL or self.sync_failure is not None:
                raise
            with contextlib.suppress(OSError):  # gone already: its room may be free
                self._port.remove(reserve)
            if self.finish_roll_back(self.stat().size) != end:
                raise
            self.append(data, end)

    def finish_roll_back(self, size: int) -> int:
        """Take back what an earlier append could not. Gives the size after it."""
        unfinished, self._unfinished = self._unfinished, None
        if unfinished is None:
            return size
        end, left = unfinished
        # By content: another process may have repaired, and written as many bytes.
        if size != end + len(left) or self.read(end, size) != left:
            return size
        try:
            self._take_back(end)
        except OSError:
            self._unfinished = unfinished
            raise
        return end

    def _take_back(self, end: int) -> None:
        """Cut, and sync: else a power loss could bring lines back among later ones."""
        self._port.truncate(self._fd, end)
        self.sync()

    def cut(self, size: int) -> None:
        """Cut the file."""
        self._port.truncate(self._fd, size)

    def want_sync(self) -> int:
        """Have the last append brought to the disk, by `sync` of the number given."""
        self._wanted = self._written
        return self._wanted

    def sync(self, number: int | None = None) -> None:
        """Bring its data to the disk.

        Args:
            number: That of the append that has to be there, which it may be already;
                all there is, and in any case, if None.

        Raises:
            OSError: The disk refused, now or once before.
        """
        here, leads = threading.get_ident(), False
        try:
            with self._lock:
                if number is None:
                    number = self._written + 1  # nobody's sync so far is good enough
                if self._syncing is not None:
                    self._wait_for_sync(number)
                if number <= self._synced:
                    return
                if self.sync_failure is not None:
                    # A new one: who handles the old one would get a ring of causes.
                    raise OSError(*self.sync_failure.args)
                if self._fd < 0:
                    return
                leads, self._syncing = True, here
                reach = self._written
            try:
                self._port.sync(self._fd)
            except OSError as error:
                self.sync_failure = error
                raise
            self._synced = reach
        finally:
            if leads:  # however it ended: others wait
                self._syncing = None  # first, and alone: an interrupt may come again
                with self._lock:
                    if self._waiting:
                        self._done.notify_all()

    def _wait_for_sync(self, number: int) -> None:
        """Wait until nobody syncs, or that append is on the disk."""
        here = threading.get_ident()  # a signal handler may come in one's own sync
        while number > self._synced and self._syncing not in (None, here):
            self._waiting += 1
            try:
                self._done.wait(_LOOK_S)  # who was to tell may be interrupted
            finally:
                self._waiting -= 1
