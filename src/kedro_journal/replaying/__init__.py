"""Replaying: files -> states. Finds journals, folds them, follows live ones.

Main modules:
    api: `replay`, `records`, `follow`, `verify`, `current`: what users call.
    folder: the state of the session in one folder.
    locate, select, reference: which directory and which session is meant.
    listing, index: the sessions of a directory, and the cache that lists them quickly.
    group, kin: sibling sessions, and worker processes that are alive.
    facts, later, pruning, packing, watching, usual: the caches and answers of commands.

Invariants:
    No journal is changed. Caches are optional: one that does not fit is ignored.
    Kedro is not imported.

The function is `kedro_journal.replay`. The package has another name because a package
would hide the function.
"""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .api import current, follow, records, replay, verify
    from .folder import replay_folder
    from .group import find_group, replay_group
    from .inquiry import why
    from .lineage import diff, trace
    from .listing import Newest, Sessions, sessions
    from .origins import explain, made_from

__all__ = [
    "Newest",
    "Sessions",
    "current",
    "diff",
    "explain",
    "made_from",
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
        "origins": ("explain", "made_from"),
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
