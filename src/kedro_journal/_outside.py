"""Report an exception that was raised into our code from an error of our code.

A signal handler runs between any two instructions of the main thread, also in the
middle of an append or of a redaction. What it raises belongs to the user: it has to
reach the user's code, whatever its class. `TimeoutError` is an `OSError`, so the class
tells nothing. The traceback does:

- The interpreter calls a signal handler with the number of the signal and the frame
  that it interrupted. No other function is called with the frame of its caller, when
  that caller is ours. (A trace function is, and a debugger ends a run from there.)
- A handler may have dropped that argument. Then its code object is the code of a
  handler that is installed.
- An asynchronous exception (`PyThreadState_SetAsyncExc`, or a handler written in C)
  has no frame. It may come where an instruction of ours raises nothing: at the start of
  a function, or at the end of a round of a loop. Or it is a bare class of the user's.
- A system call that fails gives an error number. Where only system calls raise OSError
  (`system=True`), one that has no number, and was raised in a frame of ours, is none.

An error of a user's object that we look at (a `__repr__`, a property) meets none of
these, and is ours to swallow.

Every handler that could swallow an exception of the user's begins with `let_through`,
or is a `suppress` of this module; a test reads the sources for that.
"""

from __future__ import annotations

import functools
import opcode
import signal
import sys
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Final

__all__ = ["is_from_outside", "let_through", "suppress"]

_PACKAGE: Final = __name__.partition(".")[0]
_CHECKED_ONLY: Final = frozenset(
    number
    for name, number in opcode.opmap.items()
    if name.startswith(("RESUME", "JUMP_BACKWARD", "POP_JUMP_BACKWARD"))
)
"""Instructions that raise nothing of their own and where the interpreter looks for
pending signals and asynchronous exceptions."""
_VARIABLE: Final = (0x04, 0x08)  # CO_VARARGS, CO_VARKEYWORDS


def let_through(error: BaseException, *, system: bool = False) -> None:
    """Raise *error* again if it was raised into our code from outside.

    Args:
        error: The exception that is being handled.
        system: Only system calls raise an `OSError` here.

    Raises:
        BaseException: *error* itself.
    """
    if is_from_outside(error, system=system):
        raise error


class suppress:  # noqa: N801 - it stands for `contextlib.suppress`
    """Swallow errors of these classes, unless they were raised from outside.

    Args:
        kinds: Classes of exceptions.
    """

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return isinstance(error, self._kinds) and not is_from_outside(error)


def is_from_outside(error: BaseException | None, *, system: bool = False) -> bool:
    """Return whether a signal handler or another thread raised *error* into our code.

    Args:
        error: An exception that is being handled by a frame of ours.
        system: Only system calls raise an `OSError` here.
    """
    if error is None:
        return False
    traceback = error.__traceback__
    before: FrameType | None = None
    installed: frozenset[CodeType] | None = None
    while traceback is not None:
        frame = traceback.tb_frame
        if before is not None and not _is_ours(frame):
            if _was_given(frame, before):
                return True
            if installed is None:
                installed = _handlers()
            if frame.f_code in installed:
                return True
        before = frame
        if traceback.tb_next is None:
            return _is_ours(frame) and _has_no_frame(error, traceback, system=system)
        traceback = traceback.tb_next
    return False


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] == _PACKAGE


def _was_given(frame: FrameType, interrupted: FrameType) -> bool:
    """Return whether a function was called with the frame that it interrupted."""
    arguments = list(_arguments(frame))
    if not any(each is interrupted for each in arguments):
        return False
    # Code of the user's may hand on its own frame for reasons of its own.
    return _is_ours(interrupted) or any(
        isinstance(each, int) and each in signal.valid_signals() for each in arguments
    )


def _arguments(frame: FrameType) -> Iterator[object]:
    code, values = frame.f_code, frame.f_locals
    named = code.co_argcount + code.co_kwonlyargcount
    spread = sum(1 for flag in _VARIABLE if code.co_flags & flag)
    for number, name in enumerate(code.co_varnames[: named + spread]):
        value = values.get(name)
        if number >= named and isinstance(value, tuple):
            yield from value
        else:
            yield value


def _handlers() -> frozenset[CodeType]:
    """Return the code of the signal handlers that are installed, but for ours."""
    found = set()
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        while isinstance(handler, functools.partial):
            handler = handler.func
        if not callable(handler):
            continue  # the default, or ignored
        function = getattr(handler, "__func__", handler)
        code = getattr(function, "__code__", None)
        if code is None:
            call = getattr(type(handler), "__call__", None)  # noqa: B004 - its code
            code = getattr(call, "__code__", None)
        if isinstance(code, CodeType):
            found.add(code)
    return frozenset(found)


def _has_no_frame(
    error: BaseException, traceback: TracebackType, *, system: bool
) -> bool:
    """Return whether *error*, raised in a frame of ours, cannot be the frame's own."""
    code = traceback.tb_frame.f_code.co_code
    if 0 <= traceback.tb_lasti < len(code) and (
        code[traceback.tb_lasti] in _CHECKED_ONLY
    ):
        return True
    if system and isinstance(error, OSError) and error.errno is None:
        return True
    home = type(error).__module__.partition(".")[0]
    foreign = home not in sys.stdlib_module_names and home not in (_PACKAGE, "msgspec")
    return foreign and not error.args
