"""Put our hooks and our `run` in the place of those that they stand for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from .hooks import SessionHooks
from .plugin import hooks as plugin_hooks

__all__ = ["bind_hooks", "signature_of"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def signature_of(original: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Show the signature of another function, as this version of Kedro has it."""

    def decorate(function: _Function) -> _Function:
        doc = function.__doc__
        functools.update_wrapper(function, original)
        function.__doc__ = doc
        return function

    return decorate


def bind_hooks(manager: Any, bound: SessionHooks) -> None:
    """Register hooks on a session's manager.

    The plugin's own would record everything a second time.

    Args:
        manager: The session's pluggy manager.
        bound: The hooks.
    """
    if manager.is_registered(plugin_hooks):
        manager.unregister(plugin_hooks)
    manager.register(bound)
