"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .explain import explain
    from .group import find_group, replay_group
    from .listing import Newest, Sessions, sessions
    from .replay import (
        current,
        events,
        follow,
        replay,
        replay_folder,
        verify,
    )
    from .why import why

__all__ = [
    "Newest",
    "Sessions",
    "current",
    "events",
    "explain",
    "find_group",
    "follow",
    "replay",
    "replay_folder",
    "replay_group",
    "sessions",
    "verify",
    "why",
]

lazily(
    __name__,
    {
        "explain": ("explain",),
        "group": (
            "find_group",
            "replay_group",
        ),
        "listing": (
            "Newest",
            "Sessions",
            "sessions",
        ),
        "replay": (
            "current",
            "events",
            "follow",
            "replay",
            "replay_folder",
            "verify",
        ),
        "why": ("why",),
    },
)
