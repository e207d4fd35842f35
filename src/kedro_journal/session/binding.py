"""Put our hooks and our `run` in the place of those that they stand for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from kedro_journal.hooks.session_hooks import SessionHooks

__all__ = [
    "bind_hooks",
    "named_arguments",
    "signature_of",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def signature_of(original: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """Show the signature of another function, as this version of Kedro has it."""

    def decorate(function: _Function) -> _Function:
        doc = function.__doc__
        functools.update_wrapper(function, original)
        function.__doc__ = doc
        return function

    return decorate


def bind_hooks(manager: Any, bound: SessionHooks | None) -> None:
    """Register hooks on a session's manager, in the place of the plugin's.

    The plugin's own would record everything a second time.

    Args:
        manager: The session's pluggy manager.
        bound: The hooks; None if the journal is switched off.
    """
    from kedro_journal.hooks.plugin import hooks as plugin_hooks

    if manager.is_registered(plugin_hooks):
        manager.unregister(plugin_hooks)
    if bound is not None:
        manager.register(bound)


def named_arguments(
    run: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all arguments of a call of `run` by their names.

    Raises:
        TypeError: There is none of that name, or too many.
    """
    given = inspect.signature(run).bind_partial(None, *args, **kwargs).arguments
    return dict(list(given.items())[1:])
