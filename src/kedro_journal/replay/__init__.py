"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .group import find_group, replay_group
    from .lineage import diff, trace
    from .listing import Newest, Sessions, sessions
    from .replay import (
        current,
        events,
        follow,
        replay,
        replay_folder,
        verify,
    )

__all__ = [
    "Newest",
    "Sessions",
    "current",
    "diff",
    "events",
    "find_group",
    "follow",
    "replay",
    "replay_folder",
    "replay_group",
    "sessions",
    "trace",
    "verify",
]

lazily(
    __name__,
    {
        "group": (
            "find_group",
            "replay_group",
        ),
        "lineage": ("diff", "trace"),
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
    },
)
