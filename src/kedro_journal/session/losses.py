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
from typing import Final

import msgspec

from kedro_journal._building import building
from kedro_journal.events import JournalGap

__all__ = ["Losses", "report"]

_REASON_MAX_CHARS: Final = 500
_DATAGRAM_MAX_BYTES: Final = 8 * 1024


class _Loss(msgspec.Struct):
    events: int
    reason: str


class Losses:
    """Hears of the losses of the workers of one run. Nothing here ever waits."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self.name = ""
        with contextlib.suppress(OSError, AttributeError):  # no such thing here
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            name = f"kedro-journal-{secrets.token_hex(16)}"
            self._socket.bind(f"\0{name}")  # Linux: a name that is no file
            self.name = name

    def take(self) -> JournalGap | None:
        """Give what was lost since the last call."""
        events, reason = 0, ""
        with contextlib.suppress(OSError):  # no more of them
            while self._socket is not None and self.name:
                data = self._socket.recv(_DATAGRAM_MAX_BYTES)
                with contextlib.suppress(msgspec.MsgspecError):  # somebody else's
                    with building():
                        loss = msgspec.json.decode(data, type=_Loss)
                    events += max(loss.events, 0)
                    reason = reason or loss.reason
        if not events:
            return None
        return JournalGap(dropped=events, reason=f"in a worker process: {reason}")

    def close(self) -> None:
        """Hear no more."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def report(name: str, events: int, reason: str) -> None:
    """Tell the owner how many events of this process are lost. Never raises."""
    if not name:
        return
    data = msgspec.json.encode(_Loss(events, reason[:_REASON_MAX_CHARS]))
    # Where nobody listens any more, or there are no such sockets, so be it.
    with (
        contextlib.suppress(OSError, AttributeError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        sender.sendto(data, f"\0{name}")
