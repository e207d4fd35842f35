"""Put hooks that are bound to a session in the place of the plugin's own."""

from __future__ import annotations

from typing import Any

from .hooks import SessionHooks
from .plugin import hooks as plugin_hooks

__all__ = ["bind_hooks"]


def bind_hooks(manager: Any, bound: SessionHooks) -> None:
    """Register hooks on a session's manager; the plugin's would record everything twice.

    Args:
        manager: The session's pluggy manager.
        bound: The hooks.
    """
    if manager.is_registered(plugin_hooks):
        manager.unregister(plugin_hooks)
    manager.register(bound)
