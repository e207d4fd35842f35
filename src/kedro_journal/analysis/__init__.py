"""ANALYSIS: what sessions, compared with one another, say. Pure: no file, no clock."""

from typing import TYPE_CHECKING

from kedro_journal._lazy import lazily

if TYPE_CHECKING:
    from .answer import Change, Cited, Good, Why
    from .last_good import Past
    from .origin import Origin, origin_of
    from .why import Outside, why

__all__ = [
    "Change",
    "Cited",
    "Good",
    "Origin",
    "Outside",
    "Past",
    "Why",
    "origin_of",
    "why",
]

lazily(
    __name__,
    {
        "answer": ("Change", "Cited", "Good", "Why"),
        "last_good": ("Past",),
        "origin": ("Origin", "origin_of"),
        "why": ("Outside", "why"),
    },
)
