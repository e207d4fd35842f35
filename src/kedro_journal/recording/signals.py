"""Signals while a session is open: SIGTERM and SIGHUP are recorded before the end.

The default action of these signals ends the process at once and calls no hook. Only
where that default is in force is a handler installed. It ends the process by the same
signal, so that the exit status stays what it was. A handler of other code is left
alone, and so is a signal that is ignored, as SIGHUP is under `nohup`. A forked child
gets the default back: the handler would not run while the child is in C code.

No handler is installed in process 1 of a PID namespace (a container). The kernel
discards a signal to that process whose action is the default, so that the process goes
on. A handler could record an interruption that does not take place.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from kedro_journal._outside import suppress

from .say import say

__all__ = ["die", "name", "postponed", "prepare", "tell", "unwatch", "watch"]

_INIT_PID: Final = 1
_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_PATIENCE_S: Final = 2.0  # a user who still presses Ctrl-C then wants an end

_watchers: Final[list[Callable[[int], bool]]] = []
_owner_pid = 0
_prepared = False


def prepare() -> None:
    """Install the handler for sessions that other threads will create.

    For a server: it may replace the handler while it serves, and restores it before it
    ends by the signal.
    """
    global _owner_pid, _prepared
    if _install():
        _owner_pid, _prepared = os.getpid(), True


def _install() -> bool:
    """Install the handler where the default is in force and ends this process.

    Returns:
        Whether it is installed for any of the signals.
    """
    if os.getpid() == _INIT_PID:
        return False
    free = [one for one in _SIGNALS if signal.getsignal(one) is signal.SIG_DFL]
    for one in free:
        signal.signal(one, _on_signal)
    return bool(free)


def _restore() -> None:
    """Restore the default action where the handler is still ours."""
    for one in _SIGNALS:
        if signal.getsignal(one) is _on_signal:
            signal.signal(one, signal.SIG_DFL)


def name(number: int) -> str:
    """Name a signal, such as SIGTERM."""
    return signal.Signals(number).name


def watch(watcher: Callable[[int], bool]) -> None:
    """Call *watcher* with the signal's number when SIGTERM or SIGHUP comes.

    It answers False to be called again as soon as it can: it was interrupted in the
    middle of an append. Without effect outside the main thread, unless prepared.
    """
    global _owner_pid  # noqa: PLW0603 - the handler is process-wide as well
    if _prepared and os.getpid() == _owner_pid:
        _watchers.append(watcher)
        return
    if threading.current_thread() is not threading.main_thread():
        return
    if not _watchers and not _install():
        return
    _owner_pid = os.getpid()
    _watchers.append(watcher)


def unwatch(watcher: Callable[[int], bool]) -> None:
    """Undo `watch`."""
    if watcher not in _watchers:
        return
    _watchers.remove(watcher)
    here = threading.current_thread() is threading.main_thread()
    done = here and not _watchers and not _prepared
    if done:
        _restore()


def die(number: int) -> None:
    """End this process as the signal would have."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(number, signal.SIG_DFL)
        if hasattr(signal, "pthread_sigmask"):
            # The handler also runs when the code that it interrupted has just blocked
            # the signal; a blocked one would not end the process.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


def tell(watcher: Callable[[int], bool], number: int) -> bool:
    """Call a watcher. An error in it does not keep the process alive."""
    try:
        return watcher(number)
    except Exception as error:
        say(logging.WARNING, "%s is not recorded: %s", name(number), error)
        return True


def _on_signal(number: int, frame: FrameType | None) -> None:
    del frame
    if signal.getsignal(number) is not _on_signal:
        # The user's handler found this one and calls it. What happens to the process
        # is the user's decision: without this package there was nothing to call.
        return
    if os.getpid() != _owner_pid:
        die(number)  # a child that C code forked has no session to record for
        return
    ready = [tell(watcher, number) for watcher in reversed(_watchers)]
    if all(ready):
        die(number)


class _Held(threading.local):
    """The signal mask of a thread that forks, from before the fork."""

    mask: set[int] | None = None


_held: Final = _Held()


def _hold() -> None:
    """Block the signals of our handler in a thread that is about to fork.

    A child starts with our handler, and Python drops what reached a handler in the
    first moments of a child. A `terminate` that comes at once would have no effect.
    """
    ours = [one for one in _SIGNALS if signal.getsignal(one) is _on_signal]
    if ours and hasattr(signal, "pthread_sigmask"):
        _held.mask = signal.pthread_sigmask(signal.SIG_BLOCK, ours)


def _release() -> None:
    """Restore the mask from before the fork; a signal that came meanwhile acts now."""
    mask, _held.mask = _held.mask, None
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _reset_in_child() -> None:
    """Restore the default action in a forked child, if the handler is still ours.

    Python calls this in the thread that forked, which is the child's main thread.
    """
    global _owner_pid, _prepared
    try:
        _watchers.clear()
        _owner_pid, _prepared = 0, False
        with suppress(ValueError):  # a subinterpreter sets no handlers
            _restore()
    finally:
        _release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_hold, after_in_parent=_release, after_in_child=_reset_in_child
    )


@contextlib.contextmanager
def postponed(*, dropped: bool) -> Iterator[None]:
    """Postpone Ctrl-C to the end of a block, for 2 seconds at most.

    For the end of a command. Only Python's own handler of SIGINT is replaced, and only
    in the main thread. After 2 seconds Ctrl-C ends the block.

    Args:
        dropped: Raise nothing after the block, because the process is about to exit
            with an error anyway.

    Raises:
        KeyboardInterrupt: Ctrl-C came, and *dropped* is false.
    """
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    started_s = time.monotonic()
    came: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        if time.monotonic() - started_s > _PATIENCE_S:
            signal.default_int_handler(number, frame)
        came.append(number)

    signal.signal(signal.SIGINT, keep)
    try:
        yield
    except KeyboardInterrupt:
        came.append(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if came and not dropped:
        raise KeyboardInterrupt
