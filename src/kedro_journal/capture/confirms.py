"""Confirmations of a node. Kedro calls no hook for them.

Kedro's task calls `catalog.confirm(name)` for each dataset that its node confirms, in
the thread that ran the node, after the last save. While such a node runs, its catalog
therefore has an attribute `confirm` of its own, which calls the catalog's method and
records that. It is taken away when the node is over. Pickling the catalog, as for a
worker process, replaces it by the catalog's own method; a worker sets its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import MethodType
from typing import Any, Final, Protocol

from kedro_journal._outside import let_through

__all__ = ["Watcher", "unwatch_confirms", "watch_confirms"]

_lock: Final = threading.Lock()


class Watcher(Protocol):
    """What is reported of the confirmations by a catalog."""

    def confirming(self, name: str) -> bool:
        """A confirmation begins; return whether to tell how it ends."""
        ...

    def confirmed(self, name: str) -> None:
        """It succeeded."""

    def not_confirmed(self, name: str, error: Exception) -> None:
        """It raised."""


def watch_confirms(catalog: Any, watcher: Watcher) -> bool:
    """Return a watcher of each confirmation by a catalog.

    Returns:
        False if that is not possible with this catalog; nothing was changed.
    """
    with _lock:
        watchers = _watchers(catalog)
        if watchers is not None:
            watchers.append(watcher)
            return True
        try:
            own = vars(catalog)
            before = own.get("confirm")
            bound = MethodType(_wrapper(catalog, before, [watcher]), catalog)
            own["confirm"] = bound
            if catalog.confirm is bound:
                return True
        except Exception as error:  # of a catalog class of the user's
            let_through(error)
            return False
        _put_back(own, before)
        return False


def unwatch_confirms(catalog: Any, watcher: Watcher) -> None:
    """Undo `watch_confirms`; without effect if that was undone already."""
    with _lock:
        watchers = _watchers(catalog)
        if watchers is None or watcher not in watchers:
            return
        watchers.remove(watcher)
        if not watchers:
            own = vars(catalog)
            _put_back(own, own["confirm"].__func__.before)


def _put_back(own: dict[str, Any], before: Any) -> None:
    if before is None:
        own.pop("confirm", None)
    else:
        own["confirm"] = before


def _watchers(catalog: Any) -> list[Watcher] | None:
    """Return the watchers of a catalog; None if it is not watched."""
    bound = getattr(catalog, "__dict__", {}).get("confirm")
    found = getattr(getattr(bound, "__func__", None), "watchers", None)
    return found if isinstance(found, list) else None


def _wrapper(
    catalog: Any, before: Callable[..., Any] | None, watchers: list[Watcher]
) -> Callable[..., Any]:
    """Return a function that stands for a catalog's method.

    Its name makes pickle take the method of the other catalog. `copy.deepcopy` binds
    it to the copy, for which it calls the method of the copy, without a hook.
    """
    watched = id(catalog)

    def confirm(self: Any, *args: Any, **kwargs: Any) -> Any:
        original = before or MethodType(type(self).confirm, self)
        if id(self) != watched:
            return original(*args, **kwargs)
        name = str(next(iter((*args, *kwargs.values())), ""))
        with _lock:
            now = tuple(watchers)
        told = [watcher for watcher in now if watcher.confirming(name)]
        try:
            result = original(*args, **kwargs)
        except Exception as error:
            for watcher in told:
                watcher.not_confirmed(name, error)
            raise
        for watcher in told:
            watcher.confirmed(name)
        return result

    confirm.watchers = watchers  # type: ignore[attr-defined]
    confirm.before = before  # type: ignore[attr-defined]
    return confirm
