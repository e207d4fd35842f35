"""Signal dispositions of the tests, whoever started them.

A parent may ignore or block signals: `nohup`, a script's background job, some CI
runners. Both are inherited, also through exec, so that a program that a test starts and
interrupts would not notice. `kedro_journal` itself keeps what it inherits.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Final

__all__ = ["default_dispositions", "give_defaults_to_children"]

_NUMBERS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGALRM", "SIGUSR1")
    if hasattr(signal, name)
)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing, as before. Unlike SIG_IGN, exec resets a handler to the default."""


def give_defaults_to_children() -> None:
    """Let programs that this process starts begin with the default dispositions.

    What this process ignores, it goes on to ignore: `nohup` keeps its meaning.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread may set handlers
    for number in _NUMBERS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _ignore)
    if (
        hasattr(signal, "SIGCHLD")
        and signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    ):
        signal.signal(
            signal.SIGCHLD, signal.SIG_DFL
        )  # else nobody can wait for a child
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _NUMBERS)


@contextlib.contextmanager
def default_dispositions() -> Iterator[None]:
    """Give this process Python's default dispositions for a block."""
    before = {number: signal.getsignal(number) for number in _NUMBERS}
    try:
        for number in _NUMBERS:
            is_int = number == signal.SIGINT
            default = signal.default_int_handler if is_int else signal.SIG_DFL
            signal.signal(number, default)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
