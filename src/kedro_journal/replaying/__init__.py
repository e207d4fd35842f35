"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .api import current, events, follow, replay, verify
    from .folder import replay_folder
    from .group import find_group, replay_group
    from .listing import Newest, Sessions, sessions

__all__ = [
    "Newest",
    "Sessions",
    "current",
    "events",
    "find_group",
    "follow",
    "replay",
    "replay_folder",
    "replay_group",
    "sessions",
    "verify",
]

lazily(
    __name__,
    {
        "group": (
            "find_group",
            "replay_group",
        ),
        "listing": (
            "Newest",
            "Sessions",
            "sessions",
        ),
        "api": ("current", "events", "follow", "replay", "verify"),
        "folder": ("replay_folder",),
    },
)
