"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

from .replay import (
    current,
    events,
    follow,
    replay,
    replay_folder,
    sessions,
    verify,
)

__all__ = [
    "current",
    "events",
    "follow",
    "replay",
    "replay_folder",
    "sessions",
    "verify",
]
