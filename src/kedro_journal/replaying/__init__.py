"""REPLAY: read and fold. Finds journals, rebuilds state, follows live ones."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .api import current, follow, records, replay, verify
    from .folder import replay_folder
    from .group import find_group, replay_group
    from .inquiry import why
    from .lineage import diff, trace
    from .listing import Newest, Sessions, sessions
    from .origins import explain

__all__ = [
    "Newest",
    "Sessions",
    "current",
    "diff",
    "explain",
    "find_group",
    "follow",
    "records",
    "replay",
    "replay_folder",
    "replay_group",
    "sessions",
    "trace",
    "verify",
    "why",
]

__getattr__, __dir__ = lazily(
    __name__,
    {
        "inquiry": ("why",),
        "origins": ("explain",),
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
        "api": ("current", "follow", "records", "replay", "verify"),
        "folder": ("replay_folder",),
    },
)
