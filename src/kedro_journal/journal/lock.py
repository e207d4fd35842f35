"""File locks behind one small port.

Two locks guard a session folder, both the kernel's, so that any death frees them:

- The append lock makes appends of several processes take turns. It is held for one
  append, on the journal's own descriptor: a lock file beside it could be removed or
  moved, and a newcomer would lock another one. Only where a lock shuts readers out
  (Windows) it is on a file of its own, `append.lock`.
- `owner.lock` is held by the owner for the session's life: who can get it knows that
  the owner is dead. No heartbeat is needed.

Two backends take the same `flock(2)` and exclude each other: filelock, and `fcntl`
directly. `auto` takes `fcntl` wherever it exists, and filelock on Windows. There are
two reasons. Importing filelock costs a short run more than all its appends. And
importing filelock >= 3.30 makes concurrent `os.fork()` from two threads raise
RuntimeError on CPython 3.12 and later, for as long as the process lives (it adds an
audit hook): an installed plugin must not break a user's process pool. Neither backend
is imported before the first lock.
"""

from __future__ import annotations

import errno
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Final, Literal, Protocol

from kedro_journal._clock import monotonic_s
from kedro_journal._outside import is_from_outside, let_through, suppress
from kedro_journal.errors import JournalBusy, JournalUnwritable, UnsafeJournal

from .descriptor import Held, Lost
from .port import NO_FD, REAL_OS, Os

__all__ = [
    "APPEND_LOCK_NAME",
    "AppendLock",
    "LockBackend",
    "OwnerLock",
    "choose_backend",
    "is_held",
]

BackendName = Literal["auto", "filelock", "fcntl"]
APPEND_LOCK_NAME: Final = "append.lock"

_BACKOFF_MIN_S: Final = 50e-6
_BACKOFF_MAX_S: Final = 1e-3
_PROBE_S: Final = 2e-3  # a reader holds the owner's lock for less
_PROBES_MET: Final = 3  # readers may probe a lock one after the other
_PATIENCE_LEFT_S: Final = 0.05  # once the deadline has passed, until it goes well
_LOCKS_ARE_ADVICE: Final = os.name != "nt"  # there a lock shuts readers out
_CONTENDED: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})


class LockBackend(Protocol):
    """An exclusive, non-blocking lock on an open descriptor."""

    def try_lock(self, fd: int) -> bool:
        """Take the lock; False if another open file holds it."""
        ...

    def unlock(self, fd: int) -> None:
        """Return it back."""


class FcntlBackend:
    """`flock(2)` itself."""

    def __init__(self) -> None:
        import fcntl  # noqa: PLC0415 - not on Windows

        self._flock = fcntl.flock
        self._exclusive = fcntl.LOCK_EX | fcntl.LOCK_NB
        self._free = fcntl.LOCK_UN

    def try_lock(self, fd: int) -> bool:
        """Take the lock; False if another open file holds it."""
        try:
            self._flock(fd, self._exclusive)
        except OSError as error:
            let_through(error, system=True)
            if error.errno in _CONTENDED:
                return False
            raise
        return True

    def unlock(self, fd: int) -> None:
        """Return it back."""
        self._flock(fd, self._free)


class FilelockBackend:
    """filelock's descriptor lock: flock on Unix, LockFileEx on Windows."""

    def __init__(self) -> None:
        import filelock  # noqa: PLC0415 - see the module's first lines

        self._lock = filelock.lock_descriptor
        self._unlock = filelock.unlock_descriptor

    def try_lock(self, fd: int) -> bool:
        """Take the lock; False if another open file holds it."""
        return self._lock(fd, blocking=False)

    def unlock(self, fd: int) -> None:
        """Return it back."""
        self._unlock(fd)


def choose_backend(name: BackendName = "auto") -> LockBackend:
    """Return the backend of that name; see the module for what `auto` takes.

    Raises:
        ImportError: `fcntl` was requested on a system without it.
    """
    if name == "filelock":
        return FilelockBackend()
    try:
        return FcntlBackend()
    except ImportError:
        if name == "fcntl":
            raise
        return FilelockBackend()


class AppendLock:
    """One process's turn to append: a lock on a descriptor that stays open.

    Not for threads: the caller holds its own thread lock around it, for the kernel
    gives the lock again to any process that shares the descriptor.

    Args:
        journal: The journal.
        deadline_s: Seconds to wait for another process before giving up. A lock
            that waited so long waits 0.05 s at most from then on, until a turn is
            had again: a process that never lets go must not stop a run at each event.
        backend: Who locks.
        port: The operating system.
    """

    def __init__(
        self,
        journal: Path,
        *,
        deadline_s: float = 30.0,
        backend: LockBackend | None = None,
        port: Os = REAL_OS,
    ) -> None:
        self._beside = not _LOCKS_ARE_ADVICE
        self._path = journal.with_name(APPEND_LOCK_NAME) if self._beside else journal
        self._deadline_s = deadline_s
        self._patience_s = deadline_s
        self._backend = backend or choose_backend()
        self._port = port
        self._file: Held | None = None  # beside the journal, if there is one
        self._held_fd = NO_FD

    @property
    def is_held(self) -> bool:
        """Whether the turn was begun and has not been ended."""
        return self._held_fd >= 0

    def acquire(self, journal_fd: int) -> None:
        """Wait for the turn.

        Args:
            journal_fd: The open journal. It must not be closed before `release`.

        Raises:
            JournalBusy: The deadline passed.
            OSError: The lock cannot be had: the lock file cannot be opened, or the
                file system has no locks.
        """
        fd = self._lock_file() if self._beside else journal_fd
        self._held_fd = fd  # before: an interrupted wait may have got it
        if not self._backend.try_lock(fd):
            self._wait_for(fd)
        self._patience_s = self._deadline_s

    def try_acquire(self, journal_fd: int) -> bool:
        """Take the turn if no other process has it; see `acquire`."""
        fd = self._lock_file() if self._beside else journal_fd
        self._held_fd = fd  # before: who is interrupted may have got it
        if self._backend.try_lock(fd):
            return True
        self._held_fd = NO_FD
        return False

    def _lock_file(self) -> int:
        if self._file is None or not self._file.is_ours():
            fd = self._port.open_append(self._path, create=True)
            self._file = Held(self._port, fd)
        return self._file.fd

    def _wait_for(self, fd: int) -> None:
        started = monotonic_s()
        pause_s = _BACKOFF_MIN_S
        while True:
            waited_s = monotonic_s() - started
            if waited_s > self._patience_s:
                self._patience_s = min(self._deadline_s, _PATIENCE_LEFT_S)
                self._held_fd = NO_FD
                raise JournalBusy(self._path, waited_s)
            time.sleep(pause_s)
            if self._backend.try_lock(fd):
                return
            pause_s = min(pause_s * 2, _BACKOFF_MAX_S)

    def release(self) -> bool:
        """End the turn.

        Returns:
            Whether the lock was released. If not, closing the journal and `drop` let
            go as well, and have to follow: what was appended stands.
        """
        fd, self._held_fd = self._held_fd, NO_FD
        if fd >= 0:
            try:
                self._backend.unlock(fd)
            except BaseException as error:
                if isinstance(error, OSError) and not is_from_outside(
                    error, system=True
                ):
                    return False
                with suppress(OSError):  # interrupted before it was done, perhaps
                    self._backend.unlock(fd)
                raise
        return True

    def forsake(self) -> None:
        """Forget the turn: the journal's descriptor was lost, and the lock with it."""
        self._held_fd = NO_FD

    def drop(self) -> None:
        """Close the lock file. In a forked child this leaves the parent's lock.

        The journal is left open: its opener closes it next.
        """
        file, self._file, self._held_fd = self._file, None, NO_FD
        if file is not None:
            file.close()


class OwnerLock:
    """Held by the process that owns a session, until it closes it or dies.

    A forked child closes its copy at once, without unlocking the parent's. If other
    code closes the descriptor, the kernel frees the lock: `keep_all` takes it again.
    """

    _live: Final[weakref.WeakSet[OwnerLock]] = weakref.WeakSet()
    _turn = threading.RLock()  # to look after all of them

    def __init__(self, path: Path, backend: LockBackend | None = None) -> None:
        self._path = path
        self._backend = backend or choose_backend()
        self._file: Held | None = None
        self._pid = os.getpid()
        self._warned = False

    def acquire(self, timeout_s: float = 1.0) -> None:
        """Become the owner. A reader's probe may hold the lock for an instant.

        Raises:
            JournalUnwritable: Another process owns the session, or the file system
                has no locks.
        """
        try:
            fd = REAL_OS.open_append(self._path, create=True)
            self._file = Held(REAL_OS, fd)
        except OSError as error:
            let_through(error, system=True)
            reason = error.strerror or str(error)
            raise JournalUnwritable(self._path, error.errno, reason) from error
        self._live.add(self)
        deadline = monotonic_s() + timeout_s
        try:
            while not self._backend.try_lock(fd):
                if monotonic_s() > deadline:
                    reason = "another process owns this session"
                    raise JournalUnwritable(self._path, None, reason)
                time.sleep(_PROBE_S)
        except BaseException as error:
            self.drop()
            let_through(error, system=True)
            if isinstance(error, OSError):
                reason = f"no lock could be taken: {error.strerror}"
                raise JournalUnwritable(self._path, error.errno, reason) from error
            raise

    def release(self) -> None:
        """Stop being the owner. The file stays: removing it would split the lock."""
        file = self._file
        if file is not None and os.getpid() == self._pid and file.is_ours():
            with suppress(OSError):
                self._backend.unlock(file.fd)
        self.drop()

    def drop(self) -> None:
        """Close the descriptor, if it is still ours, without unlocking."""
        file, self._file = self._file, None
        self._live.discard(self)
        if file is not None:
            file.close()

    def keep(self) -> Lost | None:
        """Take the lock again if other code closed the descriptor; wait 6 ms at most.

        Until then this process looks dead to others: the kernel freed the lock. (1) A
        descriptor that is still ours, or that a fork inherited, is left alone. (2) The
        same file is opened again. (3) The lock is tried a few times, because a reader's
        probe may hold it for a moment. (4) If another process holds it, it stays so.

        Returns:
            What is to be logged, the first time that the descriptor was lost.
        """
        file = self._file
        if file is None or file.is_ours() or os.getpid() != self._pid:
            return None
        outcome = "It is locked again."
        try:
            file.renew(lambda: REAL_OS.open_append(self._path))
            for _ in range(_PROBES_MET):
                if self._backend.try_lock(file.fd):
                    break
                time.sleep(_PROBE_S)
            else:
                file.close()  # another process's, until the next look at least
                outcome = "Another process has locked it since."
        except (OSError, UnsafeJournal) as error:
            let_through(error, system=True)
            file.close()
            outcome = f"It cannot be locked again: {error}."
        warned, self._warned = self._warned, True
        return None if warned else Lost("lock file", self._path, outcome)

    @classmethod
    def keep_all(cls) -> list[Lost]:
        """Look after every lock of this process; see `keep`."""
        # Reentrant: a signal handler of this thread may append. A `with` statement:
        # an exception of a handler between `acquire` and `try` would leave it locked.
        with cls._turn:
            found = [lock.keep() for lock in list(cls._live)]
        return [lost for lost in found if lost is not None]

    @classmethod
    def drop_in_child(cls) -> None:
        """Close every inherited descriptor; called after a fork."""
        cls._turn = threading.RLock()
        for lock in list(cls._live):
            lock.drop()


def is_held(path: Path, port: Os = REAL_OS) -> bool | None:
    """Return whether a process holds a lock file, without disturbing it.

    Returns:
        True if it is held, False if it is free, None if that is not known: no file,
        no permission, or no such lock here.
    """
    try:
        fd = port.open_read(path)
    except Exception as error:  # a probe answers, whatever is there
        let_through(error, system=True)
        return None
    try:
        return _try_shared(fd)
    except OSError as error:
        let_through(error, system=True)
        return None
    finally:
        with suppress(OSError):
            port.close(fd)


def _try_shared(fd: int) -> bool | None:
    try:
        import fcntl  # noqa: PLC0415
    except ImportError:
        backend = choose_backend("filelock")
        if backend.try_lock(fd):
            backend.unlock(fd)
            return False
        return True
    try:
        # Shared: two probes at once must not take each other for the owner.
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        let_through(error, system=True)
        return True if error.errno in _CONTENDED else None
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=OwnerLock.drop_in_child)
