"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

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
