"""One process's descriptor of a journal file: whole reads, whole writes, roll-back."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Final

from kedro_journal._outside import let_through, suppress

from .descriptor import Held
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
        self._held: Held | None = None
        self._fd = NO_FD  # of it, for the fast path
        self._beyond = self._position = 0  # its mark, and where its file offset is
        self._lost: tuple[int, int] | None = None  # the file that has to be found again
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
            FileNotFoundError: The descriptor was lost, and the path names another file.
            UnsafeJournal: A link, a device, or not this user's.
            OSError: As the system says.
        """
        held = Held(self._port, self._port.open_append(self.path, create=create))
        if self._lost not in (None, held.identity):
            held.close()
            raise _replaced()
        self._lost = None
        self._held, self._fd = held, held.fd
        self._beyond = self._position = held.mark
        self._is_new = self._is_new or create

    def is_ours(self) -> bool:
        """Return whether the descriptor still is the file that was opened.

        Cheap only beside a system call or two: about 2 us.
        """
        held = self._held
        if held is None:
            return False
        at = held.find(self._position)
        if at is None:
            return False
        self._position = at  # who was interrupted may not know it
        return True

    def seems_ours(self) -> bool:
        """Return whether the file offset is where this object put it last.

        One cheap system call that changes nothing. The place is a random one behind
        the end of the file, so that a file of the user's is never there.
        """
        try:
            return self._port.position(self._fd) == self._position
        except OSError as error:
            let_through(error, system=True)
            return False

    def drop_lost(self) -> bool:
        """Stop using a descriptor that is no longer ours; return whether it was lost.

        It is not closed. The next `open` takes nothing but the same file.
        """
        held = self._held
        if held is None or self.is_ours():
            return False
        with self._lock:
            self._wait_for_sync(self._written + 1)
            self._lost = held.identity
            self._held, self._fd = None, NO_FD
        return True

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
        """Close the descriptor, if it is ours; a failed rollback is still remembered.

        What threads wait for is brought to the disk before.
        """
        with suppress(OSError):  # they learn of it themselves
            self.sync(self._wanted)
        with self._lock:
            self._wait_for_sync(self._written + 1)
            held, self._held, self._fd = self._held, None, NO_FD
            if held is not None:
                held.close(self._position)

    def forget(self) -> None:
        """Become the file of a process that was just forked."""
        self._lock = threading.RLock()  # a thread of the parent may have had it
        self._syncing, self._waiting = None, 0
        self._done = threading.Condition(self._lock)
        self._written = self._synced = self._wanted = 0
        self.close()
        self._unfinished, self.sync_failure, self._is_new = None, None, False
        self._lost = None

    def end(self) -> int:
        """Return where the file ends."""
        self._position = position = self._port.end(self._fd, self._beyond)
        return position - self._beyond

    def stat(self) -> FileStat:
        """Look at the file."""
        return self._port.stat(self._fd)

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from *start* to *end*, fewer if the file is shorter."""
        return read_between(self._port, self._fd, start, end)

    def append(self, data: bytes, end: int) -> None:
        """Write all of *data* behind the byte *end*, where the file ends, or nothing.

        Raises:
            OSError: The system refused. What was written of it is taken back, now or,
                if that is refused too, by `finish_roll_back`.
        """
        written = 0
        try:
            written = self._port.write(self._fd, data, end)
            while written < len(data):
                rest = memoryview(data)[written:]
                written += self._port.write(self._fd, rest, end + written)
            self._written += 1
        except BaseException:
            # Unless another process repairs the tail first.
            self._unfinished = (end, data[:written])
            try:
                self._take_back(end)
                self._unfinished = None
            except OSError as error:
                let_through(error, system=True)
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
            let_through(error, system=True)
            if error.errno not in _FULL or self.sync_failure is not None:
                raise
            with suppress(OSError):  # gone already: its room may be free
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
        except BaseException:
            self._unfinished = unfinished
            raise
        return end

    def _take_back(self, end: int) -> None:
        """Cut, and sync: else a power loss could bring lines back among later ones."""
        self._check()
        self._port.truncate(self._fd, end)
        self.sync()

    def cut(self, size: int) -> None:
        """Cut the file."""
        self._check()
        self._port.truncate(self._fd, size)

    def _check(self) -> None:
        if not self.is_ours():
            raise OSError(errno.EBADF, "its descriptor was closed by other code")

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
                    number = self._written + 1  # no sync so far covers it
                if self._syncing is not None:
                    self._wait_for_sync(number)
                if number <= self._synced:
                    return
                if self.sync_failure is not None:
                    # A new one: who handles the old one would get a ring of causes.
                    raise OSError(*self.sync_failure.args)
                if self._fd < 0 and self._lost is None:
                    return
                leads, self._syncing = True, here
                reach = self._written
            try:
                self._sync_held()
            except OSError as error:
                let_through(error, system=True)
                self.sync_failure = error
                raise
            self._synced = reach
        finally:
            if leads:  # however it ended: others wait
                self._syncing = None  # first, and alone: an interrupt may come again
                with self._lock:
                    if self._waiting:
                        self._done.notify_all()

    def _sync_held(self) -> None:
        """Sync the file, through another descriptor if that of ours was lost.

        This is no place to replace it: another thread may be in an append.
        """
        held = self._held
        if held is not None and held.find(self._position) is not None:
            self._port.sync(held.fd)
            return
        wanted = held.identity if held is not None else self._lost
        other = Held(self._port, self._port.open_append(self.path))
        try:
            if other.identity != wanted:
                raise _replaced()
            self._port.sync(other.fd)
        finally:
            other.close()

    def _wait_for_sync(self, number: int) -> None:
        """Wait until no thread syncs, or that append is on the disk."""
        here = threading.get_ident()  # a signal handler may come in one's own sync
        while number > self._synced and self._syncing not in (None, here):
            self._waiting += 1
            try:
                self._done.wait(_LOOK_S)  # who was to tell may be interrupted
            finally:
                self._waiting -= 1


def _replaced() -> OSError:
    message = "its descriptor was closed by other code, and its path replaced"
    return FileNotFoundError(errno.ENOENT, message)
