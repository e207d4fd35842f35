"""A descriptor that stays open while other code of the process runs.

A number names a descriptor only until it is closed. Daemonizing code closes every
descriptor that it does not know, and the next file that the process opens gets the
number. So nothing is written, cut, locked, synced or closed through a number before it
is known to be the file that was opened here.

The check compares the device and the inode, and a mark: the file offset, which lies far
behind the end of the file. Nothing here reads or writes at the file offset, so that it
stays where it was put. The mark tells this open file from another one of the same
inode, which is the user's if the user opened the journal. To ask for it changes nothing
of a file of the user's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from kedro_journal._outside import let_through, suppress

from .port import NO_FD, Os

__all__ = ["Held", "Lost", "warn_lost"]

_NOT_OURS: Final = frozenset({errno.EBADF, errno.ESPIPE})  # closed, or no file
_MARK_MIN: Final = 1 << 30
_MARK_MAX: Final = 1 << 31  # with the file's size it is below the limit of FAT


class Held:
    """An open file of ours, recognized before every use.

    Not safe between threads by itself: the caller's lock guards it.

    Args:
        port: The operating system.
        fd: The descriptor. It belongs to this object from now on.

    Attributes:
        fd: The descriptor; `NO_FD` after `close` or `forsake`.
        identity: Device and inode.
        mark: Smallest file offset of this open file.

    Raises:
        OSError: As the system says; the descriptor is closed.
    """

    def __init__(self, port: Os, fd: int) -> None:
        self._port = port
        self.fd = fd
        try:
            self.identity = port.identity(fd)
            # Not by `secrets`: readers would import it for nothing, and a forked child
            # that imports can wait forever for an import of its parent's.
            chance = int.from_bytes(os.urandom(16), "big")
            self.mark = _MARK_MIN + chance % (_MARK_MAX - _MARK_MIN)
            port.put_position(fd, self.mark)
        except BaseException:
            port.close(fd)
            raise

    def is_ours(self) -> bool:
        """Return whether the number still names the file that was opened here."""
        return self.find(self.mark) is not None

    def find(self, expected: int) -> int | None:
        """Return the file offset if the file is ours, None if it is not.

        Changes nothing, also not of this object: any thread may ask.

        Args:
            expected: The file offset, as far as that is known.
        """
        if self.fd < 0:
            return None
        try:
            at = self._port.position(self.fd)
            if at < self.mark or self._port.identity(self.fd) != self.identity:
                return None
            # Who was interrupted may not know where it is: behind the end, by the mark.
            if at != expected and at - self.mark > self._port.stat(self.fd).size:
                return None
        except OSError as error:
            let_through(error, system=True)
            # A file system that is in trouble says nothing about whose file it is.
            return None if error.errno in _NOT_OURS else expected
        return at

    def renew(self, open_again: Callable[[], int]) -> bool:
        """Open the same file again if the descriptor was lost.

        Args:
            open_again: Opens the path and returns a descriptor.

        Returns:
            Whether the descriptor had been lost.

        Raises:
            FileNotFoundError: The path names another file now.
            OSError: As the system says.
        """
        if self.is_ours():
            return False
        self.fd = NO_FD
        other = Held(self._port, open_again())
        if other.identity != self.identity:
            other.close()
            message = "its descriptor was closed by other code, and its path replaced"
            raise FileNotFoundError(errno.ENOENT, message)
        self.fd, self.mark = other.fd, other.mark
        return True

    def forsake(self) -> None:
        """Stop using the number without closing it: it may belong to other code."""
        self.fd = NO_FD

    def close(self, expected: int | None = None) -> None:
        """Close the descriptor if it is still ours; `expected` as for `find`."""
        at, fd = self.find(self.mark if expected is None else expected), self.fd
        self.fd = NO_FD
        if at is not None:
            with suppress(OSError):
                self._port.close(fd)


class Lost(NamedTuple):
    """A descriptor of ours that other code closed.

    Attributes:
        what: The file in words.
        path: Its path.
        outcome: What was done about it, as a whole sentence.
    """

    what: str
    path: Path
    outcome: str


def warn_lost(lost: Lost) -> None:
    """Log that other code closed a descriptor of ours. Never raises an error of ours.

    The caller holds no lock: a log handler of the user's may do anything.
    """
    import logging  # noqa: PLC0415 - readers need none, and `writer` has imported it

    with suppress(Exception):
        logging.getLogger("kedro_journal").warning(
            "kedro-journal: other code of this process closed the descriptor of the "
            "%s %s. %s",
            *lost,
            extra={"markup": False},
        )
