"""Planners that are broken on purpose: the storm of worlds must find them."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["SABOTAGES", "break_planner"]

SABOTAGES: Final = (
    "believes every output",
    "forgets about shared places",
    "forgets about confirmations",
    "forgets what follows",
)


def break_planner(what: str) -> None:
    """Break the planner of this process; an empty text leaves it alone."""
    from kedro_journal.analysis import resume as planner

    def nothing(*args: Any) -> Any:
        return {}

    def in_order(*args: Any) -> Any:
        return ()

    match what:
        case "believes every output":
            planner._Planner._trouble = lambda *_: ""  # type: ignore[method-assign]
        case "forgets about shared places":
            planner.Sharing.missing = nothing  # type: ignore[method-assign]
            planner.Sharing.impossible = nothing  # type: ignore[method-assign]
            planner.Sharing.between = nothing  # type: ignore[method-assign]
        case "forgets about confirmations":
            planner.Confirming.impossible = nothing  # type: ignore[method-assign]
            planner.Confirming.unread = nothing  # type: ignore[method-assign]
            planner.Confirming.take_back = nothing  # type: ignore[method-assign]
        case "forgets what follows":
            planner._Planner.force = in_order  # type: ignore[method-assign]
