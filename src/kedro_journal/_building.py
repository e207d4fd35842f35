"""One thread at a time looks into a class.

msgspec keeps what it found out about a class at that class, when it is first decoded
to. Two threads that do so at once can crash the interpreter (seen with msgspec 0.22).
"""

from __future__ import annotations

import os
import threading

__all__ = ["building"]


class _Turn:
    """Holds the lock; a forked child has a new one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()

    def start_over(self) -> None:
        """Forget who held it in the parent."""
        self.lock = threading.RLock()


_turn = _Turn()


def building() -> threading.RLock:
    """Return the lock that guards making a decoder and its first use for a class."""
    return _turn.lock


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_turn.start_over)
