"""SIGTERM while a session runs: on record before the process dies of it.

Python's own default ends the process at once and tells no hook. Only where that default
is in force is a handler installed, and it ends the process by the same signal, so that
the exit status stays what it was. A handler of anybody else's is left alone.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

from .say import say

__all__ = ["die", "name", "prepare", "tell", "unwatch", "watch"]

_watchers: Final[list[Callable[[int], bool]]] = []
_owner_pid = 0
_prepared = False


def prepare() -> None:
    """Have the handler installed, for sessions that other threads will make.

    For a server: it may put its own in the place of ours while it serves, and puts
    ours back before it ends by the signal.
    """
    global _owner_pid, _prepared
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _on_sigterm)
        _owner_pid, _prepared = os.getpid(), True


def name(number: int) -> str:
    """Name a signal, such as SIGTERM."""
    return signal.Signals(number).name


def watch(watcher: Callable[[int], bool]) -> None:
    """Call *watcher* with the signal's number when SIGTERM comes.

    It answers False to be called again as soon as it can: it was interrupted in the
    middle of an append. Without effect outside the main thread, unless prepared.
    """
    global _owner_pid  # noqa: PLW0603 - the handler is process-wide as well
    if _prepared and os.getpid() == _owner_pid:
        _watchers.append(watcher)
        return
    if threading.current_thread() is not threading.main_thread():
        return
    if not _watchers:
        if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            return
        signal.signal(signal.SIGTERM, _on_sigterm)
    _owner_pid = os.getpid()
    _watchers.append(watcher)


def unwatch(watcher: Callable[[int], bool]) -> None:
    """Undo `watch`."""
    if watcher not in _watchers:
        return
    _watchers.remove(watcher)
    here = threading.current_thread() is threading.main_thread()
    done = here and not _watchers and not _prepared
    if done and signal.getsignal(signal.SIGTERM) is _on_sigterm:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def die(number: int) -> None:
    """End this process as the signal would have."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def tell(watcher: Callable[[int], bool], number: int) -> bool:
    """Tell a watcher; one that fails keeps nobody alive."""
    try:
        return watcher(number)
    except Exception as error:
        say(logging.WARNING, "SIGTERM is not on record: %s", error)
        return True


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    del frame
    if os.getpid() != _owner_pid:
        die(number)  # a forked child has no session to record for
        return
    ready = [tell(watcher, number) for watcher in reversed(_watchers)]
    if all(ready):
        die(number)
