"""What workers could not write, told to the owner, who writes it: `journal.gap`.

A worker that cannot write the journal cannot say so in the journal either, and the
owner would take nodes that ran for skipped. So it sends the number to a socket, which
needs no room on a disk. Where there are no such sockets, only the worker's warning
tells.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Iterator
from typing import Final

import msgspec

from kedro_journal._building import building
from kedro_journal._outside import suppress
from kedro_journal.events import JournalGap
from kedro_journal.journal.port import NO_FD, raised

__all__ = ["Losses", "report"]

_REASON_MAX_CHARS: Final = 500
_DATAGRAM_MAX_BYTES: Final = 8 * 1024


class _Loss(msgspec.Struct):
    events: int
    reason: str


class Losses:
    """Hears of the losses of the workers of one run. Nothing here ever waits.

    Other code may close the descriptor, and the next file or socket gets its number. So
    the number is used only while it is the socket of that name. What workers send is
    lost then; their own warnings tell of it.
    """

    def __init__(self) -> None:
        self._fd = NO_FD
        self._address: object = None
        self.name = ""
        with suppress(OSError, AttributeError):  # no such thing here
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
                name = f"kedro-journal-{secrets.token_hex(16)}"
                ours.bind(f"\0{name}")  # Linux: a name that is no file
                ours.setblocking(False)
                self._address = ours.getsockname()
                self._fd = raised(ours.detach())
            self.name = name

    def take(self) -> JournalGap | None:
        """Return what was lost since the last call."""
        events, reason = 0, ""
        with suppress(OSError), self._listening() as listening:  # until no more come
            while listening is not None:
                data = listening.recv(_DATAGRAM_MAX_BYTES)
                with suppress(msgspec.MsgspecError):  # not ours
                    with building():
                        loss = msgspec.json.decode(data, type=_Loss)
                    events += max(loss.events, 0)
                    reason = reason or loss.reason
        if not events:
            return None
        return JournalGap(dropped=events, reason=f"in a worker process: {reason}")

    def close(self) -> None:
        """Hear no more. The descriptor is closed if it is still ours."""
        with suppress(OSError), self._listening() as listening:
            if listening is not None:
                listening.close()
        self._fd = NO_FD

    @contextlib.contextmanager
    def _listening(self) -> Iterator[socket.socket | None]:
        """Return the socket, None if there is none; its end closes no number."""
        if self._fd < 0:
            yield None
            return
        # Not kept: a socket object closes its number when it is collected.
        found = socket.socket(fileno=self._fd)
        try:
            yield found if found.getsockname() == self._address else None
        finally:
            found.detach()


def report(name: str, events: int, reason: str) -> None:
    """Return the owner how many events of this process are lost. Never raises."""
    if not name:
        return
    data = msgspec.json.encode(_Loss(events, reason[:_REASON_MAX_CHARS]))
    # No process may listen any more, or there are no such sockets: then it is lost.
    with (
        suppress(OSError, AttributeError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        sender.sendto(data, f"\0{name}")
